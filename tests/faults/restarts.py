"""The database is restarted (F8), loses its connections (F9), is away (F10), loses power (F11), all under load."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tests.faults import databases
from tests.faults.conduct import Conduct, Rule
from tests.faults.pages import Pages, Supporters
from tests.faults.population import Population
from tests.faults.rig import PROCESSES, Figures, Rig
from tests.faults.workers import wait_until

POPULATIONS = {
    "gate": Population(letters=25, targets=10, awaiting=30),
    "nightly": Population(letters=150, targets=10, awaiting=400),
}
_SLOWLY = Rule("dot", after=0.05, spread=0.15)
_SETTLES_WITHIN = 3.0  # seconds in which answers to dots that were written before may come


@dataclass
class Load:
    """An installation at work: letters leave, and supporters confirm more of them."""

    rig: Rig
    cluster: databases.Cluster
    supporters: Supporters


@contextlib.contextmanager
def under_load(seed: int, population: Population, *, pause: float) -> Iterator[Load]:
    """Run workers and pages on a cluster of their own while supporters confirm; at the end all must be in order."""
    with (
        databases.cluster() as cluster,
        Rig("postgresql", population, Conduct(seed, (_SLOWLY,)), seed=seed, cluster=cluster) as rig,
        Pages(rig.place, rig.env) as pages,
    ):
        rig.expected_errors = databases.AWAY
        rig.workers.start(PROCESSES)
        load = Load(rig, cluster, Supporters(pages, population.targets))
        confirming = threading.Thread(
            target=load.supporters.confirm_all, args=(rig.found.links,), kwargs={"pause": pause}, daemon=True
        )
        confirming.start()
        try:
            yield load
            confirming.join(120)
            assert not confirming.is_alive(), f"supporters could not confirm: {load.supporters.statuses}"
        finally:
            load.supporters.over.set()


def _finished(load: Load, **more: object) -> Figures:
    """Wait for the end of every delivery, judge, tell."""
    rig, supporters = load.rig, load.supporters
    rig.drain(seconds=120, hurries=True)
    rig.workers.end()
    evidence = rig.judge(supporters.confirmed)
    supporters.judge()
    assert len(supporters.confirmed) == len(rig.found.links), "a letter was not confirmed"
    assert set(evidence.ledger.states()) <= {"sent", "uncertain"}
    pages = {"confirmed": len(supporters.confirmed), "pages": dict(sorted(supporters.statuses.items()))}
    return rig.figures(evidence, **pages, **more)


RESTARTS = {"gate": 1, "nightly": 20}


def restarted(seed: int, size: str) -> Figures:
    """F8: immediate restarts. Each page that said "confirmed" was right, the others said 503 and when to come back."""
    with under_load(seed, POPULATIONS[size], pause=0.2) as load:
        for _ in range(RESTARTS[size]):
            time.sleep(load.rig.drawn.uniform(0.8, 2.0))
            load.cluster.restart()
            load.rig.restarts += 1
        return _after(load, restarts=RESTARTS[size])


def _after(load: Load, **more: object) -> Figures:
    wait_until(lambda: len(load.supporters.confirmed) == len(load.rig.found.links), seconds=120, what="confirming")
    return _finished(load, **more)


CUTS = {"gate": (5, 1), "nightly": (50, 10)}
_CUT_ONE = (
    "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1) AS one"
)
_CUT_ALL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid()"
)


def cut_off(seed: int, size: str) -> Figures:
    """F9: one connection to the database is ended, then all of them, again and again: nothing is lost or doubled."""
    one_by_one, all_at_once = CUTS[size]
    with under_load(seed, POPULATIONS[size], pause=0.2) as load:
        for statement, times in ((_CUT_ONE, one_by_one), (_CUT_ALL, all_at_once)):
            for _ in range(times):
                time.sleep(load.rig.drawn.uniform(0.05, 0.4))
                load.rig.cuts += len(load.rig.database.rows(statement))
        return _after(load, cuts=load.rig.cuts)


AWAY_FOR = {"gate": 3.0, "nightly": 60.0, "weekly": 300.0}


def stopped(seed: int, size: str) -> Figures:
    """F10: the database is away. No fence, so nothing is sent; pages say 503; then everything goes on by itself."""
    with under_load(seed, POPULATIONS["gate" if size == "gate" else "nightly"], pause=0.2) as load:
        time.sleep(1.0)
        load.cluster.stop()
        load.rig.restarts += 1
        time.sleep(_SETTLES_WITHIN)
        taken = load.rig.oracle.copies().total()
        time.sleep(AWAY_FOR[size])
        assert load.rig.oracle.copies().total() == taken, "something was sent while nobody could write it down"
        load.cluster.start()
        return _after(load, away_s=AWAY_FOR[size])


def without_power(seed: int, size: str) -> Figures:
    """F11: the power fails, the disks come back: every page that said "confirmed" was right."""
    with under_load(seed, POPULATIONS["gate" if size == "gate" else "nightly"], pause=0.2) as load:
        for _ in range(5 if size == "weekly" else 1):
            time.sleep(load.rig.drawn.uniform(1.0, 2.5))
            load.cluster.kill()
            load.rig.restarts += 1
            load.cluster.move_to_copy()
            load.cluster.start()
        return _after(load, power_cuts=load.rig.restarts)


SCENARIOS: Mapping[str, Callable[[int, str], Figures]] = {
    "F8": restarted,
    "F9": cut_off,
    "F10": stopped,
    "F11": without_power,
}
SIZES = {"F9": ("nightly",), "F10": ("nightly", "weekly"), "F11": ("nightly", "weekly")}
