"""What is done to a worker process from inside, by wrapping functions of the product: it has no hooks for tests.

Each trick is named in the order that starts the worker, with a value behind a colon where it takes one.
"""

import dataclasses
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from letters import clock, outbox
from letters.composing import Message
from letters.endings import Accepted
from tests.faults.journal import Diary

Wrapper = Callable[..., Any]
_original_database_now = clock.database_now


def play(tricks: Iterable[str]) -> None:
    """Do these to the present process. Raises KeyError for a trick that does not exist."""
    for trick in tricks:
        name, _, value = trick.partition(":")
        TRICKS[name](value)


def _around(name: str, wrapper: Wrapper) -> None:
    """Put a wrapper around a function of `letters.outbox`; it gets the function first."""
    inner = getattr(outbox, name)
    setattr(outbox, name, lambda *args, **kwargs: wrapper(inner, *args, **kwargs))


def _token_of(claim_or_token: Any) -> str:
    return str(getattr(claim_or_token, "token", claim_or_token))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


# ── for every worker ─────────────────────────────────────────────────────────────────────────────────────


def _tell_pid(_: str) -> None:
    """Say the process's number in EHLO, so that the mail server knows whom it talks to."""
    from worker import lines  # noqa: PLC0415  only where a worker is made

    inner = lines._server
    name = f"worker.pid{os.getpid()}.faults.example"
    lines._server = lambda where: dataclasses.replace(inner(where), greeting=name)


def _sweep_every(seconds: str) -> None:
    """Look for what others left behind as often as fits a short lease: the usual ten seconds are for two minutes."""
    from worker import jobs, schedule  # noqa: PLC0415

    schedule.RECURRING[jobs.sweep] = float(seconds)  # type: ignore[assignment]


def _keep_journal(path: str) -> None:
    diary = Diary(path)

    def claim(inner: Wrapper, *args: Any, **kwargs: Any) -> Any:
        got = inner(*args, **kwargs)
        ids = frozenset(got.ids)
        transaction.on_commit(lambda: diary.write("claim", got.token, ids))
        return got

    def fence(inner: Wrapper, *args: Any, **kwargs: Any) -> Any:
        allowed = inner(*args, **kwargs)
        token, ids = _token_of(args[0]), frozenset(allowed)
        transaction.on_commit(lambda: diary.write("fence", token, ids))
        return allowed

    def record(inner: Wrapper, *args: Any, **kwargs: Any) -> Any:
        written = inner(*args, **kwargs)
        token, ids, late = _token_of(args[0]), frozenset(written), frozenset(args[1]) - frozenset(written)
        transaction.on_commit(lambda: diary.write("record", token, ids))
        transaction.on_commit(lambda: diary.write("late", token, late))
        return written

    _around("claim", claim)
    _around("fence", fence)
    _around("record", record)


# ── dying at a point (F2) ────────────────────────────────────────────────────────────────────────────────


def _die_before_claim_commits(_: str) -> None:
    def claim(inner: Wrapper, *args: Any, **kwargs: Any) -> Any:
        with transaction.atomic():
            got = inner(*args, **kwargs)
            if got.ids:
                _die()
        return got

    _around("claim", claim)


def _die_after_claim(_: str) -> None:
    def claim(inner: Wrapper, *args: Any, **kwargs: Any) -> Any:
        got = inner(*args, **kwargs)
        if got.ids:
            _die()
        return got

    _around("claim", claim)


def _die_before_fence(_: str) -> None:
    def fence(inner: Wrapper, *args: Any, **kwargs: Any) -> Any:
        _die()
        return inner(*args, **kwargs)

    _around("fence", fence)


def _die_after_fence(_: str) -> None:
    def fence(inner: Wrapper, *args: Any, **kwargs: Any) -> Any:
        allowed = inner(*args, **kwargs)
        if allowed:
            transaction.on_commit(_die)
        return allowed

    _around("fence", fence)


def _die_before_result(_: str) -> None:
    """The server's yes is known here and nowhere else."""

    def record(inner: Wrapper, *args: Any, **kwargs: Any) -> Any:
        endings: Mapping[int, Any] = args[1]
        if any(isinstance(ending, Accepted) for ending in endings.values()):
            _die()
        return inner(*args, **kwargs)

    _around("record", record)


def _die_after_result(_: str) -> None:
    """Once results are committed and nothing of this worker is past its fence."""
    fenced: set[int] = set()
    recorded: set[int] = set()

    def fence(inner: Wrapper, *args: Any, **kwargs: Any) -> Any:
        allowed = inner(*args, **kwargs)
        fenced.update(allowed)
        return allowed

    def record(inner: Wrapper, *args: Any, **kwargs: Any) -> Any:
        written = inner(*args, **kwargs)
        recorded.update(written)
        transaction.on_commit(lambda: _die() if recorded >= fenced > set() else None)
        return written

    _around("fence", fence)
    _around("record", record)


def _do_not_reap(_: str) -> None:
    """Leave to others what others left behind: so that each doomed worker meets its own deliveries only."""
    outbox.reap = lambda **_kwargs: 0


# ── pauses, clocks, other databases, larger letters ──────────────────────────────────────────────────────


def _pause_after_fence(_: str) -> None:
    """Stop the whole process once, between the fence's commit and the dot (F34)."""
    done = threading.Event()

    def stop() -> None:
        if not done.is_set():
            done.set()
            os.kill(os.getpid(), signal.SIGSTOP)

    def fence(inner: Wrapper, *args: Any, **kwargs: Any) -> Any:
        allowed = inner(*args, **kwargs)
        if allowed:
            transaction.on_commit(stop)
        return allowed

    _around("fence", fence)


def _shift_clock(seconds: str) -> None:
    """Let this host's clock be wrong; the one that only measures time is right, as it is on a real machine."""
    shift = float(seconds)
    real_now, real_time = timezone.now, time.time
    timezone.now = lambda: real_now() + timedelta(seconds=shift)
    time.time = lambda: real_time() + shift

    def database_now(*, fresh: bool = False) -> datetime:
        from django.db import connection  # noqa: PLC0415

        if connection.vendor == "postgresql":
            return _original_database_now(fresh=fresh)
        return datetime.now(UTC) + timedelta(seconds=shift)  # SQLite has no clock but the host's

    clock.database_now = database_now


def _go_through(port: str) -> None:
    """Reach the database through this port."""
    settings.DATABASES["default"] |= {"HOST": "127.0.0.1", "PORT": port}


def _little_at_once(size: str) -> None:
    """Let the kernel keep little of what is on its way to the mail server: else a letter is gone once it is written."""
    from worker import lines  # noqa: PLC0415
    from worker.transports import smtp  # noqa: PLC0415

    def connected(*args: Any, **kwargs: Any) -> smtp.Wire:
        wire = smtp.connected(*args, **kwargs)
        wire._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, int(size))
        return wire

    lines.connected = connected  # type: ignore[attr-defined]


def _pad_letters(size: str) -> None:
    """Make every letter this long, the same each time: larger than what fits on the wire at once."""
    from letters import composing  # noqa: PLC0415

    inner = composing.assembled
    line = b"x" * 70 + b"\r\n"
    padding = line * (int(size) // len(line))

    def assembled(**kwargs: Any) -> Message:
        import hashlib  # noqa: PLC0415

        message = inner(**kwargs)
        data = message.data + padding
        return dataclasses.replace(message, data=data, digest=hashlib.sha256(data).hexdigest())

    composing.assembled = assembled


# ── a group that the database refuses (F33) ──────────────────────────────────────────────────────────────


def _refuse_groups(one_in: str) -> None:
    """Let a transaction fail in which one in so many deliveries has its result written together with others' affairs.

    Written alone, outside the group's transaction, the same result is taken.
    """
    from django.db import connection  # noqa: PLC0415

    def record(inner: Wrapper, *args: Any, **kwargs: Any) -> Any:
        written = inner(*args, **kwargs)
        if connection.in_atomic_block and any(pk % int(one_in) == 0 for pk in args[1]):
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")
        return written

    _around("record", record)


# ── jobs of the queue that last (F26) ────────────────────────────────────────────────────────────────────


def _slow_sweep(phase: str) -> None:
    """Let the reaper last three seconds where a job calls it: before, within or after its transaction."""
    from letters import attempts  # noqa: PLC0415
    from worker import jobs  # noqa: PLC0415

    inner_sweep, inner_reap, inner_end = jobs.sweep, outbox.reap, attempts.end
    is_job = threading.local()

    def wait(at: str) -> None:
        if at == phase and getattr(is_job, "yes", False):
            time.sleep(3)

    def sweep() -> None:
        is_job.yes = threading.current_thread() is threading.main_thread()
        inner_sweep()

    def reap(**kwargs: Any) -> int:
        wait("before")
        taken = inner_reap(**kwargs)
        wait("after")
        return taken

    def end(*args: Any, **kwargs: Any) -> Any:
        wait("within")
        return inner_end(*args, **kwargs)

    jobs.sweep, outbox.reap, attempts.end = sweep, reap, end


def _no_forks(_: str) -> None:
    """Let every fork fail, as on a machine that has no room for another process."""

    def fork() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    os.fork = fork


# ── mutations: what the rig must notice ──────────────────────────────────────────────────────────────────


def _no_fence(_: str) -> None:
    """Allow every dot: no stamp, no condition of lease, token or stop, no local deadline."""
    outbox.fence = lambda _token, digests, *_args, **_kwargs: set(digests)
    _no_deadline("")


def _no_deadline(_: str) -> None:
    """Never let a claim's local deadline pass."""

    def claim(inner: Wrapper, *args: Any, **kwargs: Any) -> Any:
        return dataclasses.replace(inner(*args, **kwargs), deadline=float("inf"))

    _around("claim", claim)
    _around("renew", lambda inner, *args, **kwargs: (inner(*args, **kwargs)[0], float("inf")))


def _no_token(_: str) -> None:
    """Write results of whoever brings them: the token is no condition any more."""
    from letters import attempts  # noqa: PLC0415

    condition = "AND token = g_claim"
    for name in ("_END", "_END_WHOLE", "_END_ALIKE"):
        statement = getattr(attempts, name)
        if condition not in statement._sqlite:
            raise LookupError("the token's condition is written in another way now")
        statement._sqlite = statement._sqlite.replace(condition, "")
        statement._postgresql = statement._postgresql.replace(condition.encode(), b"")


TRICKS: Mapping[str, Callable[[str], None]] = {
    "pid": _tell_pid,
    "sweep": _sweep_every,
    "journal": _keep_journal,
    "die before claim commits": _die_before_claim_commits,
    "die after claim": _die_after_claim,
    "die before fence": _die_before_fence,
    "die after fence": _die_after_fence,
    "die before result": _die_before_result,
    "die after result": _die_after_result,
    "do not reap": _do_not_reap,
    "pause after fence": _pause_after_fence,
    "clock": _shift_clock,
    "through": _go_through,
    "little at once": _little_at_once,
    "pad": _pad_letters,
    "refuse groups": _refuse_groups,
    "slow sweep": _slow_sweep,
    "no forks": _no_forks,
    "no fence": _no_fence,
    "no deadline": _no_deadline,
    "no token": _no_token,
}
