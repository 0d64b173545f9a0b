"""Everything at once: workers, database and broker are killed for two minutes (P1), or for an hour (F32)."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.faults import databases
from tests.faults.conduct import Conduct, Rule
from tests.faults.machines import memory_of, open_files_of
from tests.faults.pages import Pages, Supporters
from tests.faults.population import Population
from tests.faults.rig import LEASE, LINES, PROCESSES, Figures, Rig
from tests.faults.workers import Workers


@dataclass(frozen=True)
class Storm:
    """How much of what, and over how many seconds."""

    population: Population
    seconds: float
    kills: int
    restarts: int
    losses: int  # of the broker


_SLOWLY = Rule("dot", after=0.1, spread=0.4)
STORMS = {
    "gate": Storm(Population(letters=35, targets=25, awaiting=5), 8.0, 10, 1, 1),
    "nightly": Storm(Population(letters=384, targets=25, awaiting=16), 120.0, 300, 20, 20),
}
DRAINED_WITHIN = 50 * LEASE


def over_everything(seed: int, size: str) -> Figures:
    """P1: workers, database and broker are killed while letters leave: 0 lost, 0 falsely failed, few known copies."""
    storm = STORMS[size]
    with (
        databases.cluster() as cluster,
        Rig("postgresql", storm.population, Conduct(seed, (_SLOWLY,)), seed=seed, cluster=cluster, broker=True,
            command="work") as rig,
        Pages(rig.place, rig.env) as pages,
    ):  # fmt: skip
        rig.expected_errors = databases.AWAY
        rig.workers.start(PROCESSES)
        supporters = Supporters(pages, storm.population.targets)
        confirming = threading.Thread(
            target=supporters.confirm_all, args=(rig.found.links,), daemon=True,
            kwargs={"pause": storm.seconds / max(len(rig.found.links) / 4, 1)},
        )  # fmt: skip
        confirming.start()
        try:
            _rage(rig, cluster, storm)
            left = rig.waiting()
            rig.mail.obey(Conduct(seed))
            took = rig.drain(seconds=DRAINED_WITHIN, hurries=True)
            confirming.join(60)
        finally:
            supporters.over.set()
        assert left > 0, "it was over before the storm: this tested too little"
        took += rig.drain(seconds=DRAINED_WITHIN, hurries=True)
        rig.workers.end()
        evidence = rig.judge(supporters.confirmed)
        supporters.judge()
        assert len(supporters.confirmed) == len(rig.found.links)
        assert set(evidence.ledger.states()) <= {"sent", "uncertain"}
        assert evidence.oracle.extra() <= LINES * (storm.kills + PROCESSES * storm.restarts)
        return rig.figures(
            evidence, kills=storm.kills, restarts=storm.restarts, losses=storm.losses,
            confirmed=len(supporters.confirmed), drained_after_s=round(took, 1),
        )  # fmt: skip


def _rage(rig: Rig, cluster: databases.Cluster, storm: Storm) -> None:
    """Do all that is planned, in an order that is drawn, spread over the time."""
    deeds = ["kill"] * storm.kills + ["restart"] * storm.restarts + ["lose"] * storm.losses
    rig.drawn.shuffle(deeds)
    began_at = time.monotonic()
    for number, deed in enumerate(deeds):
        time.sleep(max(began_at + storm.seconds * number / len(deeds) - time.monotonic(), 0.0))
        match deed:
            case "kill":
                rig.workers.kill(rig.drawn.choice(rig.workers.alive))
                rig.workers.start()
            case "restart":
                cluster.restart()
                rig.restarts += 1
            case "lose":
                assert rig.broker is not None
                rig.broker.kill()
                rig.broker.start()


# ── F32 ──────────────────────────────────────────────────────────────────────────────────────────────────

SOAKED = Population(letters=4000, targets=25)
KILL_EVERY = 30.0  # seconds
SHAKE_EVERY = 600.0  # a broker and a database restart
SOAKED_FOR = 3600.0
MOST_GROWN = 1.1
WARM_AFTER = 120.0


def soaked(seed: int, size: str) -> Figures:
    """F32: 100,000 deliveries over an hour, two kills a minute; memory and open files of a worker stay as they are."""
    rule = Rule("dot", after=0.4, spread=0.3)  # 100,000 in about an hour over so many lines
    with (
        databases.cluster() as cluster,
        Rig("postgresql", SOAKED, Conduct(seed, (rule,)), seed=seed, cluster=cluster, broker=True,
            command="work") as rig,
    ):  # fmt: skip
        rig.expected_errors = databases.AWAY
        rig.workers.start(PROCESSES)
        oldest = rig.workers.alive[0]  # which nobody kills
        time.sleep(WARM_AFTER)
        memory, descriptors = memory_of(oldest), open_files_of(oldest)
        began_at = shaken_at = time.monotonic()
        while time.monotonic() - began_at < SOAKED_FOR and rig.waiting():
            time.sleep(KILL_EVERY)
            _kill_another(rig.workers, rig, oldest)
            if time.monotonic() - shaken_at > SHAKE_EVERY:
                shaken_at = time.monotonic()
                cluster.restart()
                rig.restarts += 1
                assert rig.broker is not None
                rig.broker.kill()
                rig.broker.start()
        grown, more = memory_of(oldest) / memory, open_files_of(oldest) - descriptors
        rig.mail.obey(Conduct(seed))
        rig.drain(seconds=600, hurries=True)
        rig.workers.end()
        evidence = rig.judge()
        assert set(evidence.ledger.states()) <= {"sent", "uncertain"}
        assert grown <= MOST_GROWN, f"a worker grew to {grown:.0%}"
        assert more <= LINES * 2, f"a worker holds {more} descriptors more"
        return rig.figures(evidence, kills=rig.workers.kills, restarts=rig.restarts, memory=f"{grown:.0%}")


def _kill_another(workers: Workers, rig: Rig, spared: int) -> None:
    workers.kill(rig.drawn.choice([pid for pid in workers.alive if pid != spared]))
    workers.start()


SCENARIOS: Mapping[str, Callable[[int, str], Figures]] = {"P1 storm": over_everything, "F32 soak": soaked}
SIZES = {"P1 storm": ("nightly",), "F32 soak": ("weekly",)}
