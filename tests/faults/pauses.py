"""F4: workers are stopped past their lease while others take over. F34: stopped between the fence and the dot."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from tests.faults import databases
from tests.faults.conduct import Conduct, Rule
from tests.faults.population import GATE, Population
from tests.faults.rig import LEASE, LINES, PROCESSES, Figures, Rig, beside
from tests.faults.workers import wait_until

PAUSED_FOR = 1.5 * LEASE
PAUSE_EVERY = 1.5  # seconds; so three of four workers at most are stopped at once
PAUSES = {"gate": (4, GATE), "nightly": (50, Population(letters=60, targets=20))}
_SLOWLY = (  # an old and a new attempt at the same delivery overlap, before and after the dot
    Rule("data", after=0.3, spread=0.7),
    Rule("dot", after=0.8, spread=1.2),
)
FEW = LINES  # deliveries that wait at a time
_SURELY_UNANSWERED = 0.4  # seconds after a dot


def past_the_lease(kind: str, seed: int, size: str, *, mutation: Iterable[str] = ()) -> Figures:
    """F4: what a stopped worker says late is not written; no delivery is moved twice."""
    pauses, population = PAUSES[size]
    with Rig(kind, population, Conduct(seed, _SLOWLY), seed=seed) as rig:
        rig.expected_errors = databases.AWAY  # the database ends the transaction of a worker that is stopped within it
        rig.park()
        rig.workers.start(PROCESSES, tricks=mutation)
        paused: list[tuple[float, int]] = []
        with beside(lambda over: _feed(rig, over)):
            while rig.workers.pauses < pauses or paused:
                if paused and paused[0][0] <= time.monotonic():
                    rig.workers.resume(paused.pop(0)[1])
                elif rig.workers.pauses < pauses and len(paused) < PROCESSES - 1:
                    pid = _one_in_the_middle(rig, {pid for _, pid in paused})
                    if pid:
                        rig.workers.pause(pid)
                        paused.append((time.monotonic() + PAUSED_FOR, pid))
                        time.sleep(PAUSE_EVERY)
                time.sleep(0.02)
            assert rig.waiting() > 0, "it was over before the last pause: this tested too little"
            time.sleep(2)  # the last one's late results
        rig.mail.obey(Conduct(seed))
        rig.drain(seconds=60 + 5 * LEASE, hurries=True)
        rig.workers.end()
        evidence = rig.judge()
        late = sum(len(note.ids) for note in evidence.notes if note.deed == "late")
        assert set(evidence.ledger.states()) <= {"sent", "uncertain"}
        assert late >= 1, "no late result was fenced off: this tested too little"
        assert evidence.oracle.extra() <= LINES * pauses
        return rig.figures(evidence, pauses=pauses, late=late)


def _feed(rig: Rig, over: threading.Event) -> None:
    """Keep the workers hungry, so that they take at once what another one lost: before it is back."""
    while not over.wait(0.1):
        rig.due("attempts > 0")
        if rig.count("state = 'queued' AND due_at < '2100-01-01'") < FEW:
            rig.due(f"id IN (SELECT id FROM letters_delivery WHERE attempts = 0 ORDER BY id LIMIT {FEW})")


def _one_in_the_middle(rig: Rig, paused: Iterable[int]) -> int:
    """Return a worker with a letter before its dot and one that waits for the answer to it; 0 where none is so."""
    now = time.time()
    open_letters: dict[int, set[int]] = {}
    unanswered: dict[int, int] = {}
    for entry in rig.oracle.of("began", "accepted"):
        mine = open_letters.setdefault(entry.pid, set())
        if entry.verb == "began":
            mine.add(entry.delivery)
        else:
            mine.discard(entry.delivery)
            unanswered[entry.pid] = unanswered.get(entry.pid, 0) + (now - entry.at < _SURELY_UNANSWERED)
    fitting = [
        pid for pid in rig.workers.alive
        if pid not in set(paused) and open_letters.get(pid) and unanswered.get(pid, 0) > 0
    ]  # fmt: skip
    return rig.drawn.choice(fitting) if fitting else 0


# ── F34 ──────────────────────────────────────────────────────────────────────────────────────────────────

STOPS = {"gate": 2, "nightly": 20}
AT_ONCE = 5


def before_the_dot(kind: str, seed: int, size: str, *, mutation: Iterable[str] = ()) -> Figures:
    """F34: the local deadline keeps the dot from being written, so what is unclear was never taken twice."""
    with Rig(kind, GATE, Conduct(seed, (Rule("dot", after=0.05),)), seed=seed) as rig:
        rig.expected_errors = databases.AWAY
        waiting = [row[0] for row in rig.database.rows("SELECT id FROM letters_delivery ORDER BY id")]
        for first in range(0, STOPS[size], AT_ONCE):
            rig.park()  # also what was unclear in the round before: twice unclear is another ending
            stopped = []
            for _ in range(first, min(first + AT_ONCE, STOPS[size])):
                ids, waiting = waiting[:LINES], waiting[LINES:]
                rig.due(f"id IN ({', '.join(map(str, ids))})")
                # Who is to be paused takes nothing from those who are already.
                (pid,) = rig.workers.start(tricks=("do not reap", "pause after fence", *mutation))
                wait_until(lambda pid=pid: rig.workers.is_paused(pid), seconds=20, what="the pause")  # type: ignore[misc]
                stopped.append(pid)
                rig.workers.pauses += 1
            (honest,) = rig.workers.start()
            time.sleep(PAUSED_FOR)
            for pid in stopped:
                rig.workers.resume(pid)
            time.sleep(0.5)
            rig.workers.end([*stopped, honest])
        rig.workers.start()
        rig.drain(seconds=60, hurries=True)
        rig.workers.end()
        evidence = rig.judge()
        fenced = {pk for note in evidence.notes if note.deed == "fence" for pk in note.ids}
        unclear = {pk for pk, line in evidence.ledger.lines.items() if line.ambiguous}
        assert set(evidence.ledger.states()) == {"sent"}
        assert len(unclear) >= STOPS[size], "a worker was not stopped past its fence: this tested too little"
        assert unclear <= fenced
        assert evidence.oracle.extra() == 0, "a dot was written after the lease"
        return rig.figures(evidence, stops=STOPS[size])


SCENARIOS: Mapping[str, Callable[[int, str], Figures]] = {
    "F4 on SQLite": partial(past_the_lease, "sqlite"),
    "F4 on PostgreSQL": partial(past_the_lease, "postgresql"),
    "F34": partial(before_the_dot, "postgresql"),
}
