"""F1: workers are killed at random. F2: at nine points, each exactly there."""

import signal
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from tests.faults.conduct import Conduct, Rule
from tests.faults.population import GATE, Population
from tests.faults.rig import LEASE, LINES, PROCESSES, Figures, Rig

KILL_EVERY = 0.3  # seconds
DRAINED_WITHIN = 50 * LEASE  # seconds after the last kill
KILLS = {"gate": (20, GATE), "nightly": (300, Population(letters=400, targets=25))}
_SLOWLY = Rule("dot", after=0.1, spread=0.4)  # else all would be over before the last kill


def at_random(kind: str, seed: int, size: str) -> Figures:
    """F1: a random worker every 0.3 s. Nothing is lost, each second copy is explained."""
    kills, population = KILLS[size]
    with Rig(kind, population, Conduct(seed, (_SLOWLY,)), seed=seed) as rig:
        rig.workers.start(PROCESSES)
        for _ in range(kills):
            time.sleep(KILL_EVERY)
            rig.workers.kill(rig.drawn.choice(rig.workers.alive))
            rig.workers.start()
        assert rig.waiting() > 0, "it was over before the last kill: this tested too little"
        rig.mail.obey(Conduct(seed))
        took = rig.drain(seconds=DRAINED_WITHIN, hurries=size == "gate")
        rig.workers.end()
        evidence = rig.judge()
        assert set(evidence.ledger.states()) <= {"sent", "uncertain"}
        assert evidence.ledger.ambiguous() > 0, "no kill met a worker past its fence: this tested too little"
        return rig.figures(evidence, kills=rig.workers.kills, drained_after_s=round(took, 1))


# ── F2 ───────────────────────────────────────────────────────────────────────────────────────────────────

WINDOW = 4096  # bytes that are on their way at once
_TOGETHER = Rule("dot", holds=LINES, after=1.0)  # no answer before all lines have come to their dot
POINTS: Mapping[str, tuple[tuple[str, ...], tuple[Rule, ...]]] = {
    "1 before claim commit": (("die before claim commits",), ()),
    "2 after claim": (("die after claim",), ()),
    "3 after EHLO": ((), (Rule("ehlo", does="kill"),)),
    # So long that the worker is still writing: what fits on the wire at once is fenced before half of it is read.
    "4 in the data": (("pad:1000000", f"little at once:{WINDOW}"), (Rule("text", does="kill", part=0.2),)),
    "5 fence waiting": (("die before fence",), ()),
    "6 fence committed": (("die after fence",), ()),
    "7 dot written": ((), (Rule("dot", does="kill", holds=LINES, after=1.0),)),
    "8 result waiting": (("die before result",), (_TOGETHER,)),
    "9 result committed": (("die after result",), (_TOGETHER,)),
}
TIMES = {"gate": 2, "nightly": 50}


def at_nine_points(kind: str, seed: int, size: str) -> Figures:
    """F2: exactly there, each time with deliveries of its own, so that each tells of one death alone."""
    times = TIMES[size]
    population = GATE if size == "gate" else Population(letters=len(POINTS) * times // 10, targets=10 * LINES)
    with Rig(kind, population, Conduct(seed, window=WINDOW), seed=seed) as rig:
        rig.park()
        rig.watch.judges_leases = False  # nobody who is to die may reap, so they lie about until the end
        waiting = [row[0] for row in rig.database.rows("SELECT id FROM letters_delivery ORDER BY id")]
        deaths: list[Death] = []
        for point in list(POINTS) * times:
            ids, waiting = waiting[:LINES], waiting[LINES:]
            deaths.append(_die_at(rig, point, ids))
        rig.mail.obey(Conduct(seed))
        rig.workers.start(2)
        rig.drain(seconds=60 + 10 * LEASE, hurries=True)
        rig.workers.end()
        evidence = rig.judge()
        assert set(evidence.ledger.states()) == {"sent"}
        copies = evidence.oracle.copies()
        for death in deaths:
            unclear = {pk: evidence.ledger.lines[pk].ambiguous for pk in death.ids}
            extra = {pk: copies[pk] - 1 for pk in death.ids}
            assert _EXPECTED[death.point[0]](death, unclear, extra), (death, unclear, extra)
        return rig.figures(evidence, deaths=rig.workers.kills)


@dataclass(frozen=True)
class Death:
    """A worker died at a point; of these deliveries, some had been taken by then."""

    point: str
    ids: Sequence[int]
    taken: Collection[int]


def _die_at(rig: Rig, point: str, ids: Sequence[int]) -> Death:
    tricks, rules = POINTS[point]
    rig.mail.obey(Conduct(rig.seed, rules))
    rig.due(f"id IN ({', '.join(map(str, ids))})")
    (pid,) = rig.workers.start(tricks=("do not reap", *tricks))
    rig.workers.expect_end(pid)
    status = rig.workers.wait(pid, seconds=30)
    assert status == -signal.SIGKILL, f"at {point} it ended with {status}"
    return Death(point, ids, {entry.delivery for entry in rig.oracle.of("accepted") if entry.pid == pid})


Counts = Mapping[int, int]


def _untouched(death: Death, unclear: Counts, extra: Counts) -> bool:
    """Nothing was taken, nothing is unclear."""
    return not death.taken and not any(unclear.values()) and not any(extra.values())


def _unclear_alone(death: Death, unclear: Counts, extra: Counts) -> bool:
    """Unclear is what was fenced, and there is no second copy, since there was no first."""
    return not death.taken and any(unclear.values()) and max(unclear.values()) == 1 and not any(extra.values())


def _one_extra_each(death: Death, unclear: Counts, extra: Counts) -> bool:
    """A second copy for each connection at that point, and A says so."""
    at_point = {pk for pk, count in unclear.items() if count}
    return bool(death.taken) and at_point == set(death.taken) and unclear == extra and max(unclear.values()) == 1


def _all_recorded(death: Death, unclear: Counts, extra: Counts) -> bool:
    """What was taken was written down."""
    return bool(death.taken) and not any(unclear.values()) and not any(extra.values())


_EXPECTED: Mapping[str, Callable[[Death, Counts, Counts], bool]] = {
    **dict.fromkeys("12345", _untouched), "6": _unclear_alone, **dict.fromkeys("78", _one_extra_each),
    "9": _all_recorded,
}  # fmt: skip

SCENARIOS: Mapping[str, Callable[[int, str], Figures]] = {
    "F1 on SQLite": partial(at_random, "sqlite"),
    "F1 on PostgreSQL": partial(at_random, "postgresql"),
    "F2 on SQLite": partial(at_nine_points, "sqlite"),
    "F2 on PostgreSQL": partial(at_nine_points, "postgresql"),
}
