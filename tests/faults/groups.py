"""The recorder's groups: refused by the database, or cut at their COMMIT (F33); the database blocked for one (F5)."""

import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from tests.faults import databases
from tests.faults.conduct import Conduct, Rule
from tests.faults.population import GATE, Population
from tests.faults.relay import Relay
from tests.faults.rig import LEASE, LINES, PROCESSES, Figures, Rig
from tests.faults.workers import wait_until

LARGER = Population(letters=100, targets=20)
_SLOWLY = Rule("dot", after=0.02, spread=0.1)
BAD_ROWS = {"gate": (2, 250), "nightly": (50, 40)}  # so many at least, one delivery in so many


def refused(seed: int, size: str) -> Figures:
    """F33: one bad row lets its group fail. No fence comes from that group, no result is lost or written twice."""
    least, one_in = BAD_ROWS[size]
    population = GATE if size == "gate" else LARGER
    with Rig("postgresql", population, Conduct(seed, (_SLOWLY,)), seed=seed) as rig:
        rig.workers.start(PROCESSES, tricks=(f"refuse groups:{one_in}",))
        return _finished(rig, least)


def _finished(rig: Rig, least: int, **more: object) -> Figures:
    rig.drain(seconds=60 + 5 * LEASE, hurries=True)
    rig.workers.end()
    evidence = rig.judge()
    failed = databases.lines_of(rig.workers.log, "a group could not be written")
    assert len(failed) >= least, f"{len(failed)} groups failed: this tested too little"
    assert set(evidence.ledger.states()) == {"sent"}
    assert evidence.oracle.extra() == evidence.ledger.ambiguous() == 0
    return rig.figures(evidence, failed_groups=len(failed), **more)


CUTS = {"gate": 4, "nightly": 50}
SHARE = 0.1  # of the commits


def cut_at_commit(seed: int, size: str) -> Figures:
    """F33: the line to the database is cut at a COMMIT, before or after it; nobody knows which, nothing is lost."""
    population = GATE if size == "gate" else LARGER
    with (
        Relay(urlsplit(databases.store().shared_cluster()).port or 5432, seed=seed) as relay,
        Rig("postgresql", population, Conduct(seed, (_SLOWLY,)), seed=seed) as rig,
    ):
        rig.expected_errors = databases.AWAY
        rig.workers.start(PROCESSES, tricks=(f"through:{relay.port}",))
        relay.cut_commits(SHARE)
        wait_until(
            lambda: sum(relay.cuts.values()) >= CUTS[size] and all(relay.cuts.values()),
            seconds=120, what="the cuts",
        )  # fmt: skip
        relay.cut_commits(0.0)
        rig.cuts = sum(relay.cuts.values())
        return _finished(rig, 1, cuts=dict(relay.cuts))


BLOCKS = {"gate": 1, "nightly": 20}
BLOCKED_FOR = 1.5 * LEASE
_SETTLES_WITHIN = 1.0  # seconds in which answers to dots that were allowed before may come


def blocked(seed: int, size: str) -> Figures:
    """F5: the database does not answer one worker, while its mail server does: no fence, so it sends nothing."""
    population = Population(letters=300, targets=20) if size == "nightly" else GATE
    with (
        Relay(urlsplit(databases.store().shared_cluster()).port or 5432) as relay,
        Rig("postgresql", population, Conduct(seed, (Rule("dot", after=0.3, spread=0.3),)), seed=seed) as rig,
    ):
        rig.expected_errors = databases.AWAY
        (cut_off,) = rig.workers.start(tricks=(f"through:{relay.port}",))
        rig.workers.start(PROCESSES - 1)
        for number in range(BLOCKS[size]):
            taken = _taken_from(rig, cut_off)
            wait_until(lambda least=taken: _taken_from(rig, cut_off) > least, seconds=30, what="a letter of it")  # type: ignore[misc]
            relay.block()
            rig.workers.pauses += 1
            time.sleep(_SETTLES_WITHIN)
            taken = _taken_from(rig, cut_off)
            time.sleep(BLOCKED_FOR)
            assert _taken_from(rig, cut_off) == taken, f"block {number}: it sent what nobody could write down"
            relay.unblock()
        rig.mail.obey(Conduct(seed))
        rig.drain(seconds=60 + 5 * LEASE, hurries=True)
        rig.workers.end()
        evidence = rig.judge()
        assert set(evidence.ledger.states()) <= {"sent", "uncertain"}
        assert evidence.oracle.extra() <= LINES * BLOCKS[size]
        return rig.figures(evidence, blocks=BLOCKS[size])


def _taken_from(rig: Rig, pid: int) -> int:
    return sum(entry.pid == pid for entry in rig.oracle.of("accepted"))


SCENARIOS: Mapping[str, Callable[[int, str], Figures]] = {
    "F5": blocked,
    "F33 bad row": refused,
    "F33 cut at COMMIT": cut_at_commit,
}
SIZES = {"F5": ("nightly",)}
