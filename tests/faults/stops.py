"""F30: people pause, stop, suppress and withdraw at random; a second later nothing of that gets a fence."""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.faults import machines
from tests.faults.conduct import Conduct, Rule
from tests.faults.journal import Note
from tests.faults.population import GATE, Population
from tests.faults.rig import ON_SQLITE, PROCESSES, Figures, Rig

DEEDS = {"gate": 20, "nightly": 500}
POPULATIONS = {"gate": GATE, "nightly": Population(letters=150, targets=120)}
FOR_A_WHILE: Mapping[str, str] = {"pause": "resume", "stop all": "let all go"}
FOR_GOOD = ("stop target", "suppress", "withdraw")
AT_ONCE = 1.0  # seconds from the commit of a stop to the last fence (I9)
_SLOWLY = Rule("dot", after=0.3, spread=0.4)


@dataclass(frozen=True)
class Stop:
    """Deliveries that must get no fence from a moment on, or until another one."""

    deed: str
    at: float
    until: float
    ids: AbstractSet[int]


class People:
    """The process that decides, seen from the rig."""

    def __init__(self, rig: Rig) -> None:
        command = [sys.executable, "-m", "tests.faults.people"]
        self._process = machines.started(command, log=rig.place / "people.log", env=rig.env, talks=True)
        self._log = rig.place / "people.log"
        self._heard()

    def __enter__(self) -> "People":
        return self

    def __exit__(self, *_facts: object) -> None:
        machines.ended(self._process)

    def do(self, deed: str, number: int = 0) -> tuple[float, AbstractSet[int]]:
        """Let them do it; return when it was committed and which deliveries it is about."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"deed": deed, "number": number}).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._heard()
        return float(answer["at"]), frozenset(answer["ids"])

    def _heard(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._log.read_text(errors="replace")[-3000:]
        return json.loads(line)


def at_random(kind: str, seed: int, size: str) -> Figures:
    """F30: pause, stop, suppress, withdraw, in any order, while letters leave."""
    stops: list[Stop] = []
    with Rig(kind, POPULATIONS[size], Conduct(seed, (_SLOWLY,)), seed=seed) as rig, People(rig) as people:
        rig.workers.start(ON_SQLITE if kind == "sqlite" else PROCESSES)
        for _ in range(DEEDS[size]):
            time.sleep(rig.drawn.uniform(0.0, 0.2))
            deed = rig.drawn.choice([*FOR_A_WHILE, *FOR_A_WHILE, *FOR_GOOD])
            if rig.count("state IN ('queued', 'sending', 'held')") < 50:
                break
            at, ids = people.do(deed, rig.drawn.randrange(1 << 30))
            until = float("inf")
            if deed in FOR_A_WHILE:
                time.sleep(rig.drawn.uniform(0.0, 1.5))
                until = time.time()
                people.do(FOR_A_WHILE[deed])
            stops.append(Stop(deed, at, until, ids))
        assert len(stops) >= DEEDS[size] / 2, f"only {len(stops)} deeds: this tested too little"
        at, ids = people.do("stop waiting")
        stops.append(Stop("stop waiting", at, float("inf"), ids))
        rig.mail.obey(Conduct(seed))
        rig.drain(seconds=120)
        rig.workers.end()
        evidence = rig.judge()
        late = _late(stops, evidence.notes)
        assert not late, f"fences after a stop: {late[:5]}"
        states = evidence.ledger.states()
        assert set(states) <= {"sent", "cancelled"}, states
        assert min(states["sent"], states["cancelled"]) > 0, "nobody was stopped, or all: this tested too little"
        assert evidence.oracle.extra() == evidence.ledger.ambiguous() == 0
        slowest = max((note.at - stop.at for stop, note in _after(stops, evidence.notes)), default=0.0)
        return rig.figures(evidence, deeds=len(stops), last_fence_after_s=round(slowest, 3))


def _after(stops: Sequence[Stop], notes: Sequence[Note]) -> list[tuple[Stop, Note]]:
    """Return fences that were committed after a stop that was about them, and before its end."""
    fences = [note for note in notes if note.deed == "fence"]
    return [
        (stop, note) for stop in stops for note in fences
        if stop.at < note.at < stop.until and not stop.ids.isdisjoint(note.ids)
    ]  # fmt: skip


def _late(stops: Sequence[Stop], notes: Sequence[Note]) -> list[str]:
    return [
        f"{stop.deed}: {note.at - stop.at:.2f} s later {sorted(stop.ids & set(note.ids))}"
        for stop, note in _after(stops, notes) if note.at - stop.at > AT_ONCE
    ]  # fmt: skip


SCENARIOS: Mapping[str, Callable[[int, str], Figures]] = {
    "F30 on PostgreSQL": partial(at_random, "postgresql"),
    "F30 on SQLite": partial(at_random, "sqlite"),
}
SIZES = {"F30 on SQLite": ("nightly",)}
