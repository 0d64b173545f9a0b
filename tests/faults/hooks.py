"""F20: webhooks told five times in any order. F21: forged in nine ways. F22: a thousand bounces in a minute."""

import contextlib
import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from tests.faults import hearing
from tests.faults.hearing import Figures, Installation, Process
from tests.web.hooks import senders
from tests.web.hooks.forgeries import FORGERIES
from tests.web.hooks.senders import BATCHES, ESPS, SILENT, Post, Told, post
from tests.worker.faulty_server import FaultyServer

KINDS = {"deferred": 1, "delivered": 2, "bounced": 3, "complained": 4}
AGAIN = 5  # times each event is told
CLIENTS = 2  # requests at once: as many as there are cores
SLOWEST_MS = 50.0  # p99
REPLAYS = {"gate": (200, 3), "nightly": (1000, 20)}  # events, seeds
FORGED = {"gate": 1, "nightly": 100}  # of each kind
_BUSY_TRIES = 50


@dataclass
class Client:
    """Posts to the pages over lines that stay open, some requests at once, and keeps how long each took."""

    process: Process
    took: list[float] = field(default_factory=list)  # milliseconds
    busy: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, posts: Sequence[Post]) -> None:
        """Post all of these, in about their order; what is put off is told again."""
        waiting = iter(posts)
        failures: list[BaseException] = []

        def run() -> None:
            try:
                with _Line(self.process.ports[0]) as line:
                    while True:
                        with self._lock:
                            request = next(waiting, None)
                        if request is None or failures:
                            return
                        self._until_taken(line, request)
            except BaseException as error:  # noqa: BLE001  told to the one who waits
                failures.append(error)

        threads = [threading.Thread(target=run) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def _until_taken(self, line: "_Line", request: Post) -> None:
        for _ in range(_BUSY_TRIES):
            began_at = time.perf_counter()
            status = line.post(request)
            took = (time.perf_counter() - began_at) * 1000
            with self._lock:
                self.statuses[status] += 1
                if status != 503:
                    self.took.append(took)
                    break
                self.busy += 1
            time.sleep(0.1)
        assert status == 200, f"{request.path} was answered {status}"


class _Line:
    """One line to the pages."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def __enter__(self) -> "_Line":
        return self

    def __exit__(self, *_facts: object) -> None:
        self._line.close()

    def post(self, request: Post) -> int:
        """Post; return the status. A line that was closed meanwhile is opened anew: nothing was read from it."""
        headers = {"Host": "localhost:8000", **request.headers}
        for is_last in (False, True):
            try:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has answered before the end
                    self._line.request("POST", request.path, request.body, headers)
                answer = self._line.getresponse()
                answer.read()
            except (http.client.RemoteDisconnected, ConnectionError):
                self._line.close()
                if is_last:
                    raise
            else:
                return answer.status
        raise AssertionError


# ── F20 ──────────────────────────────────────────────────────────────────────────────────────────────────


def replayed(kind: str, seed: int, size: str) -> Figures:
    """F20: every event five times, shuffled, by all providers, over several seeds: one result, no row per replay."""
    events, seeds = REPLAYS[size]
    outcomes, took, requests, busy = set[object](), list[float](), 0, 0
    for shuffle in range(seed, seed + seeds):
        with hearing.installation(kind, letters=events // 40, targets=20) as here:
            plan = _plan(here, events, random.Random(seed))  # noqa: S311  the same each time
            drawn = random.Random(shuffle)  # noqa: S311
            with hearing.pages(here) as process:
                client = Client(process)
                told = [one for one in plan for _ in range(AGAIN)]
                drawn.shuffle(told)
                client.tell(list(_requests(told, drawn)))
                before, sizes = here.digests(), here.sizes()
                client.tell(list(_requests(plan, drawn)))
                assert here.digests() == before, "what is told once more changes nothing"
                assert here.sizes() == sizes
            hearing.silent_about(process.log, [senders.SECRET, senders.ADDRESS, here.sent[0].reference])
            expected: dict[int, int] = {one.pk: 0 for one in here.sent}
            for pk, _, told_kind in plan:
                expected[pk] = max(expected[pk], KINDS[told_kind])
            assert {pk: kind for pk, _, kind in here.feedback()} == expected
            assert here.reports() == sorted({(pk, KINDS[name]) for pk, _, name in plan if KINDS[name] >= 3})
            new = sum(kind > 0 for kind in expected.values())
            counted = here.counted()
            assert counted.keys() <= {"taken", "repeated", "busy"}, counted
            assert counted["taken"] + counted["repeated"] == len(plan) * (AGAIN + 1), (counted, client.statuses)
            assert counted["taken"] >= new
            assert here.manage("recount").strip(), "the tallies agree with the rows"
            outcomes.add((tuple(here.feedback()), tuple(here.reports())))
            took += client.took
            requests += len(client.took)
            busy += client.busy
    assert len(outcomes) == 1, f"{len(outcomes)} results for {seeds} orders"
    p99 = hearing.percentile(took, 0.99)
    return {
        "seed": seed, "seeds": seeds, "events": events * AGAIN * seeds, "requests": requests, "results": len(outcomes),
        "put off": busy, "p50_ms": round(hearing.percentile(took, 0.5), 1), "p99_ms": round(p99, 1),
        "within_50_ms": p99 <= SLOWEST_MS,
    }  # fmt: skip


Planned = tuple[int, str, str]  # delivery, its reference behind its provider's name, kind


def _plan(here: Installation, events: int, drawn: random.Random) -> list[Planned]:
    """Return so many different events, each delivery's by the provider that carried it."""
    possible = []
    for one in here.sent:
        esp = drawn.choice([*ESPS, *BATCHES, *BATCHES])  # large ones tell many at once
        possible += [(one.pk, f"{esp} {one.reference}", kind) for kind in KINDS if (esp, kind) not in SILENT]
    return drawn.sample(possible, events)


def _requests(told: Iterable[Planned], drawn: random.Random) -> Iterable[Post]:
    """Yield requests that tell these events in about their order, as many at once as the provider likes."""
    waiting: dict[str, list[Told]] = {}
    for _, named, kind in told:
        esp, _, reference = named.partition(" ")
        waiting.setdefault(esp, []).append(Told(kind, reference))
        if esp not in BATCHES or len(waiting[esp]) > drawn.randint(0, 20):
            yield post(esp, waiting.pop(esp))
    for esp, events in waiting.items():
        yield post(esp, events)


# ── F21 ──────────────────────────────────────────────────────────────────────────────────────────────────


def forged(kind: str, seed: int, size: str) -> Figures:
    """F21: nine kinds of forgery by any provider: the right status, nothing changed, each counted, nothing logged."""
    drawn = random.Random(seed)  # noqa: S311
    with hearing.installation(kind, letters=2, targets=20) as here:
        before = here.digests()
        statuses: Counter[int] = Counter()
        with hearing.pages(here) as process, _Line(process.ports[0]) as line:
            for name, forgery in FORGERIES.items():
                for _ in range(FORGED[size]):
                    esp, one = drawn.choice(forgery.esps), drawn.choice(here.sent)
                    status = line.post(forgery.make(esp, one.reference, drawn))
                    assert status in forgery.statuses, f"seed {seed}: {name} by {esp} was answered {status}"
                    statuses[status] += 1
            assert _twice_authorized(process, here) == 400
            first, last = _times(line, here, drawn, times=20 if size == "gate" else 500)
            sent = sum(statuses.values())
            assert here.digests() == before, "nothing was changed"
            told = post("mailgun", [Told("bounced", here.sent[0].reference)])
            assert line.post(told) == 200, "what is true is still heard"
        assert len(here.reports()) == 1
        counted = here.counted()
        assert sum(counted.values()) >= sent + 1
        assert counted["taken"] == 1
        references = [one.reference for one in here.sent]
        hearing.silent_about(process.log, [senders.SECRET, senders.KEY, senders.ADDRESS, *references])
    return {
        "seed": seed, "forged": sent, "changed": 0, **{str(status): n for status, n in sorted(statuses.items())},
        "counted": counted, "first_wrong_ms": first, "last_wrong_ms": last,
    }  # fmt: skip


def _twice_authorized(process: Process, here: Installation) -> int:
    """Return how a request is answered that has the right secret, and a wrong one beside it (B61)."""
    true = post("postmark", [Told("bounced", here.sent[0].reference)])
    line = http.client.HTTPConnection("127.0.0.1", process.ports[0], timeout=60)
    with contextlib.closing(line):
        line.putrequest("POST", true.path, skip_host=True)
        for name, value in {"Host": "localhost:8000", **true.headers, "Content-Length": str(len(true.body))}.items():
            line.putheader(name, value)
        line.putheader("Authorization", senders.basic("hooks:wrong"))
        line.endheaders(true.body)
        return line.getresponse().status


def _times(line: _Line, here: Installation, drawn: random.Random, *, times: int) -> tuple[float, float]:
    """Return the medians of how long a secret is refused that is wrong in its first, and in its last character."""
    true = post("postmark", [Told("bounced", here.sent[0].reference)])
    wrong = [f"x{senders.SECRET[1:]}", f"{senders.SECRET[:-1]}x"]
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(times):
        for place in drawn.sample((0, 1), 2):
            began_at = time.perf_counter()
            assert line.post(true.but(Authorization=senders.basic(wrong[place]))) == 400
            took[place].append((time.perf_counter() - began_at) * 1000)
    return round(hearing.percentile(took[0], 0.5), 3), round(hearing.percentile(took[1], 0.5), 3)


# ── F22 ──────────────────────────────────────────────────────────────────────────────────────────────────


def flooded(kind: str, seed: int, size: str) -> Figures:
    """F22: every letter "bounced", as fast as can be: suppressing pauses above 5 % of the targets, with an alarm."""
    targets = 40 if size == "gate" else 250
    most = int(targets * 0.05) + 1
    drawn = random.Random(seed)  # noqa: S311
    with hearing.installation(kind, letters=4, targets=targets, waiting=1) as here:
        with hearing.pages(here) as process:
            client = Client(process)
            told = [(one.pk, f"{drawn.choice(ESPS)} {one.reference}", "bounced") for one in here.sent]
            drawn.shuffle(told)
            began_at = time.monotonic()
            client.tell(list(_requests(told, drawn)))
            seconds = time.monotonic() - began_at
        assert {kind for _, state, kind in here.feedback() if state == "sent"} == {3}, "all of it was written down"
        assert len(here.reports()) == len(told)
        statuses = dict(here.rows("SELECT status, count(*) FROM targets_address GROUP BY status"))
        dead = statuses.get("dead", 0)
        assert 0 < dead <= most, statuses
        cause = here.rows("SELECT paused_cause FROM campaigns_campaign")
        assert cause == [("bounces",)], cause
        assert here.rows("SELECT count(*) FROM letters_alarm") == [(1,)]
        with FaultyServer() as server:
            here.manage("deliver", "--once", EMAIL_URL=f"smtp://127.0.0.1:{server.port}")
            receivers = [letter.to for letter in server.taken]
        assert receivers == ["alice@oil-workers-aid.example"], f"the alarm alone leaves, not {receivers}"
        states = Counter(state for _, state, _ in here.feedback())
        assert states == {"sent": len(told), "queued": targets - dead, "cancelled": dead}, states
    return {
        "seed": seed, "bounced": len(told), "seconds": round(seconds, 1), "within_a_minute": seconds < 60,
        "targets": targets, "dead": dead, "alarms": 1, **states,
    }  # fmt: skip


SCENARIOS: Mapping[str, Callable[[int, str], Figures]] = {
    f"{number} on {name}": partial(scenario, kind)
    for number, scenario in (("F20", replayed), ("F21", forged), ("F22", flooded))
    for kind, name in (("sqlite", "SQLite"), ("postgresql", "PostgreSQL"))
}
SIZES: Mapping[str, Sequence[str]] = {
    name: ("nightly",) for name in SCENARIOS if name.startswith("F22") or name == "F20 on SQLite"
}
