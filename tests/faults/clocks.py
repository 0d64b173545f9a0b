"""F24: clocks are wrong, of workers' hosts and of the database."""

import time
from collections.abc import Callable, Mapping
from itertools import pairwise

from tests.faults.conduct import Conduct, Rule
from tests.faults.databases import Database
from tests.faults.population import GATE, Population
from tests.faults.rig import LEASE, LINES, PROCESSES, Figures, Rig

HOUR, DAY = 3600, 86400
OFTEN = Population(letters=60, targets=20)
_SLOWLY = Rule("dot", after=0.2, spread=0.3)


def of_workers(seed: int, size: str) -> Figures:
    """F24: an hour and a day before and behind: the database's clock orders, so nothing happens at all."""
    population = GATE if size == "gate" else OFTEN
    with Rig("postgresql", population, Conduct(seed, (_SLOWLY,)), seed=seed) as rig:
        for shift in (HOUR, -HOUR, DAY, -DAY):
            rig.workers.start(tricks=(f"clock:{shift}",))
        rig.drain(seconds=120)
        rig.workers.end()
        evidence = rig.judge()
        assert set(evidence.ledger.states()) == {"sent"}
        assert evidence.oracle.extra() == evidence.ledger.ambiguous() == 0
        senders = {entry.pid for entry in evidence.oracle.of("accepted")}
        assert len(senders) == PROCESSES, "one of them sent nothing: this tested too little"
        return rig.figures(evidence)


JUMPS = (HOUR, 0, -HOUR, 0)  # the shifts, one after the other
STALL = 2 * LEASE + 3.0  # seconds; RELIABILITY: 240 where a lease is 120
_BETWEEN = STALL + 1.0

# The product asks `clock_timestamp()`; this one is found first.
_CLOCK = """
CREATE TABLE faults_clock (shift interval NOT NULL);
INSERT INTO faults_clock VALUES ('0 s');
CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    'SELECT pg_catalog.clock_timestamp() + (SELECT shift FROM public.faults_clock)';
"""


def of_the_database(seed: int, size: str) -> Figures:
    """F24: the database's clock jumps by an hour, forth and back: leases lapse or seem endless, and it goes on."""
    with Rig("postgresql", Population(letters=150, targets=20), Conduct(seed, (_SLOWLY,)), seed=seed) as rig:
        rig.watch.judges_leases = False
        _install(rig.database)
        rig.workers.start(PROCESSES)
        stalls = []
        for shift in JUMPS:
            time.sleep(2.0)
            rig.database.execute(f"UPDATE faults_clock SET shift = '{shift} s'")
            jumped_at = time.time()
            rig.restarts += 1  # which costs as much: what was past its fence anywhere
            time.sleep(_BETWEEN)
            assert rig.waiting(), "it was over before the last jump: this tested too little"
            stalls.append(_longest_gap(rig, jumped_at))
        assert max(stalls) <= STALL, f"nothing left for {max(stalls):.1f} s"
        rig.mail.obey(Conduct(seed))
        rig.drain(seconds=60 + 5 * LEASE, hurries=True)
        rig.workers.end()
        evidence = rig.judge()
        assert set(evidence.ledger.states()) <= {"sent", "uncertain"}
        assert evidence.oracle.extra() <= LINES * PROCESSES * len(JUMPS)
        return rig.figures(evidence, jumps=len(JUMPS), longest_stall_s=round(max(stalls), 1))


def _install(database: Database) -> None:
    name = database.rows("SELECT current_database()")[0][0]
    database.execute(_CLOCK)
    database.execute(f'ALTER DATABASE "{name}" SET search_path = public, pg_catalog')
    database.leave()


def _longest_gap(rig: Rig, since: float) -> float:
    times = [since, *(entry.at for entry in rig.oracle.of("accepted") if entry.at > since)]
    return max((after - before for before, after in pairwise(times)), default=_BETWEEN)


SCENARIOS: Mapping[str, Callable[[int, str], Figures]] = {"F24 workers": of_workers, "F24 database": of_the_database}
SIZES = dict.fromkeys(SCENARIOS, ("nightly",))
