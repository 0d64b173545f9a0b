"""Which installation this database belongs to, and whether this process may send from it (letters.standing).

Before a process sends, and again every second while it does, the database must still be what this host has seen last;
and the epoch must have risen, in the database and in the host's state file, so that an older backup is told from it.
"""

import contextlib
import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from letters import clock, holding, standing, state_file
from letters.models import Instance
from letters.standing import Verdict
from letters.state_file import Memory

log = logging.getLogger(__name__)
LOOK_EVERY = 1.0  # seconds for which a look at the database counts
ADVANCE_EVERY = 600.0  # seconds between epochs while nothing is sent
ADVANCE_WHILE_SENDING = 1.0  # a backup made longer than this before the last letter left is told from the present
# An adopted database's epoch must be above all that any host has seen; the one that adopts knows its own memory only.
JUMP = 2**32
EPOCHS_PER_SECOND = 2**20
REFUSAL_TOLD_EVERY = timedelta(minutes=1)
_PATIENCE = 0.2  # seconds for other processes' use of the state file
PATIENCE_AT_START = 10.0
_NOBODYS = Memory("", 2**63 - 1)


@dataclass
class _Here:
    """What this process knows; the two threads of its delivery loop ask and are told, one at a time."""

    seen: Memory | None = None  # of a database that is ours
    risen_at: float = 0.0  # when its epoch was last seen to rise, in clock.boot_seconds
    looked_at: float = float("-inf")
    is_owed: bool = False  # something was sent in this epoch
    writes_to_supporters: bool = False
    said: str = ""


_here = _Here()
_looking = threading.RLock()


def forget() -> None:
    """Let this process begin anew, as if it had just been started."""
    global _here  # noqa: PLW0603  one process, one host
    _here = _Here()


def may_send(*, now: datetime) -> bool:
    """Return whether letters may leave from this database; asks it at most once a second.

    Before the first yes of a process the epoch rises once. Whatever stands against it is logged once and shown to
    organisers (`standing.announcement`).
    """
    with _looking:
        if clock.boot_seconds() - _here.looked_at >= LOOK_EVERY:
            look(now=now)
        return _here.seen is not None


def may_write_to_supporters() -> bool:
    """Return whether mail to supporters may leave: from a restored backup too, but from no database of others."""
    return _here.writes_to_supporters


def seen() -> Memory:
    """Return what the last look found, which a claim must find too; where it was not ours, what no database is."""
    return _here.seen or _NOBODYS


def note_sending(*, now: datetime) -> bool:
    """Say that letters are leaving: the epoch rises once a second. Return what `may_send` returns.

    Call it outside any transaction. Mostly it looks at two numbers; once a second it costs a short transaction and a
    write of the state file.
    """
    _here.is_owed = True
    return may_send(now=now)


def settle(*, now: datetime) -> None:
    """Close the epoch in which this process sent, because it ends."""
    if _here.is_owed and _here.seen is not None:
        _advance(_here.seen, now=now)


def look(*, now: datetime) -> Verdict:
    """Compare the database with what this host remembers, and do what follows; return what was found."""
    _here.looked_at = clock.boot_seconds()
    if _here.seen is not None and _is_still_ours(_here.seen, now=now):
        return Verdict.OURS
    # Two processes of a host may both be its first: the second must find what the first has written down.
    with state_file.alone(settings.DATA, seconds=PATIENCE_AT_START):
        row, memory, verdict = standing.inspect()
        if verdict not in {Verdict.OURS, Verdict.ON_HOLD} and standing.may_be_taken(verdict):
            above = memory.epoch if memory else 0
            holding.skip_ids()
            row = accept(identity=settings.INSTANCE_ID or row.identity, above=above, now=now)
            verdict = Verdict.OURS
        if verdict is Verdict.OURS:
            _start(row, now=now)
    if verdict is not Verdict.OURS:
        _refuse(row, verdict, now=now)
    return verdict


def accept(*, identity: str, above: int, now: datetime) -> Instance:
    """Make this database the installation's own, ahead of all that any host has seen (`above`: this one); return it."""
    row = Instance.objects.get()
    epoch = max(row.epoch + JUMP, above + JUMP, int(now.timestamp()) * EPOCHS_PER_SECOND)
    Instance.objects.update(
        identity=identity, epoch=epoch, advanced_at=now, body=standing.body(), on_hold_since=None,
        on_hold_because="", set_aside_at=None, refused_at=None, refused_because="",
    )  # fmt: skip
    return Instance.objects.get()


def unchanged(identity: str, epoch: int) -> "QuerySet[Instance]":
    """Return the row of an installation that was seen like that; none where the database is another's or on hold."""
    return Instance.objects.filter(identity=identity, epoch__gte=epoch, on_hold_since=None)


def _start(row: Instance, *, now: datetime) -> None:
    """Begin to send from a database that is ours."""
    if actual := standing.body():
        Instance.objects.filter(body="").update(body=actual)
    Instance.objects.filter(identity=row.identity).update(epoch=F("epoch") + 1, advanced_at=now)
    said = _here.said
    _keep(Memory(row.identity, Instance.objects.get().epoch), is_alone=True)
    if _here.seen is not None:
        _here.said, _here.is_owed, _here.writes_to_supporters = "", False, True
        if said:
            log.warning("Sending goes on.")


def _is_still_ours(seen: Memory, *, now: datetime) -> bool:
    row = Instance.objects.first()
    if row is None or standing.judge(standing.facts_of(row, seen)) is not Verdict.OURS:
        _lose(seen)
        return False
    if row.epoch > seen.epoch:
        _keep(Memory(row.identity, row.epoch))
    due_in = ADVANCE_WHILE_SENDING if _here.is_owed else ADVANCE_EVERY
    if _here.seen is not None and clock.boot_seconds() - _here.risen_at >= due_in:
        _advance(_here.seen, now=now)
    return _here.seen is not None


def _lose(seen: Memory) -> None:
    """Send nothing more before a new look; what was seen stays in the state file."""
    _here.seen, _here.writes_to_supporters, _here.looked_at = None, False, float("-inf")
    _write_down(seen)


def _advance(seen: Memory, *, now: datetime) -> None:
    """Let the epoch rise by one, unless another process was first or the database is no longer ours."""
    rows = unchanged(seen.identity, seen.epoch)
    rows.filter(epoch=seen.epoch).update(epoch=seen.epoch + 1, advanced_at=now)
    row = rows.first()
    if row is None:
        _lose(seen)
    else:
        _here.is_owed = False
        _keep(Memory(row.identity, row.epoch))


def _keep(seen: Memory, *, is_alone: bool = False) -> None:
    """Take what was seen for what holds, and write it down; where that fails, nothing holds any more."""
    _here.seen, _here.risen_at = seen, _here.looked_at
    # Not before the commit: a file ahead of its database would be taken for a restored backup.
    transaction.on_commit(lambda: _write_down(seen, is_alone=is_alone))


def _write_down(seen: Memory, *, is_alone: bool = False) -> None:
    patience = contextlib.nullcontext() if is_alone else state_file.alone(settings.DATA, seconds=_PATIENCE)
    try:
        with patience:
            state_file.raise_to(settings.DATA, seen.identity, seen.epoch)
    except OSError as error:
        _here.seen, _here.writes_to_supporters = None, False
        _say(f"{settings.DATA / state_file.NAME} cannot be written ({error.strerror}): nothing is sent without it.")


def _refuse(row: Instance, verdict: Verdict, *, now: datetime) -> None:
    """Hold everything where the database was restored or copied for certain; else only this host sends nothing."""
    if verdict is Verdict.ON_HOLD or standing.put_on_hold(row, verdict, now=now):
        row = Instance.objects.get()
        if row.on_hold_since is None:
            return  # a person has decided meanwhile
        if row.set_aside_at is None:
            holding.set_aside(now=now, seconds=holding.AT_ONCE)
        _here.writes_to_supporters = row.on_hold_because == Instance.Because.RESTORED
        _say(standing.sentence_of(row))
        return
    _here.writes_to_supporters = False
    words = standing.refusal(row, verdict)
    _say(words)
    old = Instance.objects.exclude(refused_at__gt=now - REFUSAL_TOLD_EVERY, refused_at__lte=now)
    old.update(refused_at=now, refused_because=words[:500])


def _say(words: str) -> None:
    if words != _here.said:
        _here.said = words
        log.warning("%s", words)
