"""The broker forgets everything (F6), or is gone (F7), while letters leave and supporters confirm."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from statistics import quantiles

from tests.faults.conduct import Conduct, Rule
from tests.faults.machines import Broker
from tests.faults.oracle import grouped
from tests.faults.pages import Pages, Supporters
from tests.faults.population import Population
from tests.faults.rig import PROCESSES, Figures, Rig
from tests.faults.workers import wait_until

POPULATIONS = {
    "gate": Population(letters=25, targets=10, awaiting=30),
    "nightly": Population(letters=150, targets=10, awaiting=400),
}
LONGEST_WAIT = 10.0  # seconds from the page that says "confirmed" to the mail server
_SLOWLY = Rule("dot", after=0.02, spread=0.05)


@contextlib.contextmanager
def _under_load(seed: int, population: Population, *, pause: float) -> Iterator[tuple[Rig, Broker, Supporters]]:
    with (
        Rig("postgresql", population, Conduct(seed, (_SLOWLY,)), seed=seed, broker=True, command="work") as rig,
        Pages(rig.place, rig.env) as pages,
    ):
        assert rig.broker is not None
        rig.workers.start(PROCESSES)
        supporters = Supporters(pages, population.targets)
        confirming = threading.Thread(
            target=supporters.confirm_all, args=(rig.found.links,), kwargs={"pause": pause}, daemon=True
        )
        confirming.start()
        try:
            yield rig, rig.broker, supporters
        finally:
            supporters.over.set()


def _finished(rig: Rig, supporters: Supporters, *, is_capped: bool = False, **more: object) -> Figures:
    wait_until(lambda: len(supporters.confirmed) == len(rig.found.links), seconds=120, what="confirming")
    slow = "AND address_id IN (SELECT id FROM targets_address WHERE cap_per_hour IS NULL)" if is_capped else ""
    open_ones = f"state IN ('queued', 'sending') {slow}"
    wait_until(lambda: rig.count(open_ones) == 0, seconds=60, every=0.1, what="the end of all that may leave")
    rig.workers.end()
    evidence = rig.judge(supporters.confirmed)
    assert set(supporters.statuses) == {200, 303}, f"pages need no broker: {supporters.statuses}"
    assert evidence.oracle.extra() == evidence.ledger.ambiguous() == 0
    first = {pk: entries[0].at for pk, entries in grouped(evidence.oracle.of("accepted")).items()}
    waits = [
        first[pk] - supporters.said_at[line.letter] for pk, line in evidence.ledger.lines.items()
        if line.letter in supporters.said_at and pk in first and evidence.ledger.caps.get(line.address) is None
    ]  # fmt: skip
    slowest = quantiles(waits, n=100)[-1]
    assert slowest <= LONGEST_WAIT, f"a letter waited {slowest:.1f} s"
    return rig.figures(evidence, confirmed=len(supporters.confirmed), wait_p99_s=round(slowest, 1), **more)


FLUSHES = {"gate": 2, "nightly": 20}


def flushed(seed: int, size: str) -> Figures:
    """F6: the broker forgets everything it knows: no letter waits ten seconds for it."""
    with _under_load(seed, POPULATIONS[size], pause=0.2) as (rig, broker, supporters):
        for _ in range(FLUSHES[size]):
            time.sleep(rig.drawn.uniform(0.3, 1.0))
            assert broker.say("FLUSHALL") == b"+OK\r\n"
        return _finished(rig, supporters, flushes=FLUSHES[size])


LOSSES = {"gate": 1, "nightly": 10, "weekly": 10}
GONE_FOR = {"gate": 1.0, "nightly": 60.0, "weekly": 600.0}  # seconds, the last time
CAP_PER_HOUR = 12  # of one mailbox, to which more is written


def gone(seed: int, size: str) -> Figures:
    """F7: the broker is killed and comes back empty, or not: pages confirm, letters leave, the caps hold."""
    usual = POPULATIONS["gate" if size == "gate" else "nightly"]
    population = Population(usual.letters, usual.targets, usual.awaiting, caps=1, cap_per_hour=CAP_PER_HOUR)
    pause = 0.3 if size == "gate" else GONE_FOR[size] / (usual.awaiting / 4)
    with _under_load(seed, population, pause=pause) as (rig, broker, supporters):
        for number in range(LOSSES[size]):
            time.sleep(rig.drawn.uniform(0.3, 1.0))
            broker.kill()
            time.sleep(GONE_FOR[size] if number == LOSSES[size] - 1 else rig.drawn.uniform(0.0, 1.0))
            broker.start()
        return _finished(rig, supporters, is_capped=True, losses=LOSSES[size], gone_s=GONE_FOR[size])


SCENARIOS: Mapping[str, Callable[[int, str], Figures]] = {"F6": flushed, "F7": gone}
SIZES = {"F7": ("gate", "nightly", "weekly")}
