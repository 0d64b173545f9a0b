"""F27: workers are asked to end under load, one after the other, and the tables change beneath them."""

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial

from tests.faults.conduct import Conduct, Rule
from tests.faults.population import GATE, Population
from tests.faults.rig import PROCESSES, Figures, Rig

ROUNDS = {"gate": 1, "nightly": 5, "weekly": 20}
OUT_WITHIN = 30.0  # seconds after what is in flight; here that takes a second
_SLOWLY = Rule("dot", after=0.2, spread=0.4)
# As a migration does it: a lock on the whole table, while everybody wants it.
_CHANGE = {
    "postgresql": ("ALTER TABLE letters_delivery ADD COLUMN faults_note varchar(20) DEFAULT '' NOT NULL",
                   "ALTER TABLE letters_delivery DROP COLUMN faults_note"),
    "sqlite": ("ALTER TABLE letters_delivery ADD COLUMN faults_note varchar(20) DEFAULT '' NOT NULL",
               "ALTER TABLE letters_delivery DROP COLUMN faults_note"),
}  # fmt: skip


def rolled(kind: str, seed: int, size: str) -> Figures:
    """F27: every worker is replaced while letters leave and a migration runs: nothing is sent twice, nothing waits."""
    rounds = ROUNDS[size]
    population = GATE if size == "gate" else Population(letters=50 * rounds, targets=20)
    with Rig(kind, population, Conduct(seed, (_SLOWLY,)), seed=seed) as rig:
        rig.workers.start(PROCESSES)
        slowest = 0.0
        for _ in range(rounds):
            migrating = threading.Thread(target=_migrate, args=(rig,))
            migrating.start()
            for pid in list(rig.workers.alive):
                time.sleep(0.3)
                rig.workers.start()
                slowest = max(slowest, rig.workers.end([pid], seconds=OUT_WITHIN))
            migrating.join(60)
            assert not migrating.is_alive(), "the migration hangs"
        assert rig.waiting(), "it was over before the last worker: this tested too little"
        rig.mail.obey(Conduct(seed))
        rig.drain(seconds=60)
        rig.workers.end()
        evidence = rig.judge()
        assert set(evidence.ledger.states()) == {"sent"}
        assert evidence.oracle.extra() == evidence.ledger.ambiguous() == 0
        return rig.figures(evidence, ended=rounds * PROCESSES, slowest_s=round(slowest, 1))


def _migrate(rig: Rig) -> None:
    for statement in _CHANGE[rig.database.kind]:
        time.sleep(0.3)
        rig.database.execute(statement)


SCENARIOS: Mapping[str, Callable[[int, str], Figures]] = {
    "F27 on PostgreSQL": partial(rolled, "postgresql"),
    "F27 on SQLite": partial(rolled, "sqlite"),
}
SIZES = {"F27 on PostgreSQL": ("gate", "nightly", "weekly"), "F27 on SQLite": ("nightly",)}
