"""Contenders side by side: the same machine, the same minutes, in random order, several times."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bench.figures import Sample, cpu_ms, rates, short


class Contender(Protocol):
    """Somebody who is measured."""

    @property
    def name(self) -> str:
        """Return what the tables call it."""

    def prepare(self, deliveries: int) -> int:
        """Make what a run of about this size needs; return its exact size. Not timed."""

    def run(self, deliveries: int) -> Sample:
        """Deliver so many letters, a size that `prepare` returned; only the delivering is timed."""


@dataclass(frozen=True)
class Plan:
    """How long and how often. `seconds`: what a run should take; `pilot`: whether its size is found by trying."""

    rounds: int
    seconds: float
    pilot: bool
    seed: int
    least: int = 60  # deliveries


@dataclass(frozen=True)
class Entry:
    """A contender in the field. `usual`: its rate as far as known; `sized_like`: whose runs its own are as long as."""

    contender: Contender
    usual: float
    sized_like: str = ""


def sizes(field: Mapping[str, Entry], plan: Plan, say: Callable[[str], None]) -> dict[str, int]:
    """Return how many deliveries make a run of about the wanted length, by contender's key.

    A pilot tries it out, beginning with the usual rate; without one the usual rate decides.
    """
    found = {}
    for key, entry in field.items():
        if entry.sized_like in field:
            continue
        rate = entry.usual
        # Twice: the first is short, and a start weighs more in it.
        for seconds in (1.0, plan.seconds / 3) if plan.pilot else ():
            size = entry.contender.prepare(max(round(rate * seconds), plan.least))
            rate = entry.contender.run(size).rate
        if plan.pilot:
            say(f"  {entry.contender.name}: about {short(rate)} a second")
        found[key] = max(round(rate * plan.seconds), plan.least)
    return {key: found[entry.sized_like if entry.sized_like in field else key] for key, entry in field.items()}


def play(
    field: Mapping[str, Entry], wanted: Mapping[str, int], plan: Plan, say: Callable[[str], None]
) -> dict[str, list[Sample]]:
    """Run every contender once in each round, in an order drawn from the plan's seed."""
    draw = random.Random(plan.seed)
    exact = {key: field[key].contender.prepare(size) for key, size in wanted.items()}
    samples: dict[str, list[Sample]] = {key: [] for key in field}
    for number in range(plan.rounds):
        order = list(field)
        draw.shuffle(order)
        for key in order:
            sample = field[key].contender.run(exact[key])
            samples[key].append(sample)
            say(f"  round {number + 1}: {line(sample)}")
    return samples


def line(sample: Sample) -> str:
    """Return a sample in one line."""
    return (
        f"{sample.contender}: {sample.deliveries:,} in {sample.seconds:.1f} s, {short(sample.rate)} a second, "
        f"{short(sample.cpu_ms)} ms of CPU each, {sample.together:.0f} MiB"
    )


def table(samples: Mapping[str, Sequence[Sample]]) -> list[str]:
    """Return a Markdown table of contenders, in the order given."""
    rows = ["| contender | deliveries a second, median [min..max] | CPU ms each | peak MiB, all processes | runs of |",
            "|---|---|---|---|---|"]  # fmt: skip
    for mine in samples.values():
        size = f"{mine[-1].deliveries:,} × {len(mine)}"
        memory = max(sample.together for sample in mine)
        rows.append(
            f"| {mine[0].contender} | {rates(mine)} | {short(cpu_ms(mine).median)} | {memory:.0f} | {size} |"
        )
    return rows
