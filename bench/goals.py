"""The goals: what each says, what it needs measured, and whether the figures hold it. New goals are new lines here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.figures import Sample, cpu_ms, peak, rates, ratio, short, times

HEADLINE = 960_000  # deliveries: 16,000 supporters × 60 targets
SMALL = 24_000  # deliveries from which the growth to HEADLINE is measured
HEADLINE_WITHIN, HEADLINE_STRETCH = 240.0, 120.0  # seconds
MOST_MIB, MOST_GROWTH_MIB = 80.0, 5.0  # of a worker
PROVIDER_LATENCY = 0.1  # seconds


@dataclass
class Figures:
    """All that was measured in one run; what was not is empty."""

    side_by_side: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    far: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    growth: Mapping[int, Sequence[Sample]] = field(default_factory=dict)  # by deliveries, rising
    headline: Sample | None = None
    content: Mapping[str, Any] = field(default_factory=dict)  # bench.content.Findings of the headline
    provider: Mapping[int, float] = field(default_factory=dict)  # deliveries a second by connections

    def have(self, *keys: str) -> bool:
        """Return whether all of these contenders were measured side by side."""
        return all(self.side_by_side.get(key) for key in keys)


@dataclass(frozen=True)
class Verdict:
    """What was measured for a goal, and whether goal and stretch hold."""

    measured: str
    holds: bool
    stretch_holds: bool | None = None  # None: the goal has no stretch


@dataclass(frozen=True)
class Goal:
    """One goal. `needs` names the experiments (bench.experiments) and `contenders` who stands side by side."""

    number: int
    words: str
    stretch: str
    needs: tuple[str, ...]
    contenders: tuple[str, ...]
    judge: Callable[[Figures], Verdict | None]  # None: not measured


def _peers(figures: Figures) -> Verdict | None:
    if not figures.have("postbag-2", "post-office", "celery", "rq"):
        return None
    by = figures.side_by_side
    ours = rates(by["postbag-2"])
    faster = {key: ratio(ours, rates(by[key])) for key in ("post-office", "celery", "rq")}
    share = ratio(cpu_ms(by["postbag-2"]), cpu_ms(by["post-office"]))
    words = (
        f"{times(faster['post-office'])} django-post_office at {share:.2f} of its CPU; "
        f"{times(faster['celery'])} Celery; {times(faster['rq'])} django-rq"
    )
    holds = faster["post-office"] >= 5 and share <= 1 / 5 and faster["celery"] >= 12 and faster["rq"] >= 40
    return Verdict(words, holds, holds and faster["post-office"] >= 8)


def _source(figures: Figures) -> Verdict | None:
    if not figures.have("postbag-1", "postbag-2", "source-1", "source-4"):
        return None
    by = figures.side_by_side
    one = ratio(rates(by["postbag-1"]), rates(by["source-1"]))
    two = ratio(rates(by["postbag-2"]), rates(by["source-4"]))
    words = f"1 worker {times(one)} smtp-source -s 1; 2 workers {times(two)} smtp-source -s 4"
    return Verdict(words, one >= 1.0 and two >= 0.35, one >= 1.0 and two >= 0.6)


def _cpu(figures: Figures) -> Verdict | None:
    if not figures.have("postbag-2"):
        return None
    mine = figures.side_by_side["postbag-2"]
    spent = cpu_ms(mine)
    deliveries = sum(sample.deliveries for sample in mine)
    database = 1000 * sum(sample.cpu.get("database", 0.0) for sample in mine) / deliveries
    words = f"{spent} ms, of which {short(database)} the database"
    if figures.growth:
        grown = " / ".join(short(cpu_ms(samples).median) for samples in figures.growth.values())
        words += f"; {grown} ms at {_sizes(figures)} deliveries"
    return Verdict(words, spent.median <= 0.25, spent.median <= 0.15)


def _headline(figures: Figures) -> Verdict | None:
    run, content = figures.headline, figures.content
    if run is None:
        return None
    if content["is_well"]:
        found = "each arrived exactly once with the right content"
    else:
        found = ", ".join(f"{content[name]:,} {name}" for name in ("missing", "doubled", "changed", "strange"))
    words = f"{run.deliveries:,} in {run.seconds:.0f} s ({short(run.rate)} a second); {found}"
    whole = run.deliveries >= HEADLINE and bool(content["is_well"])
    return Verdict(words, whole and run.seconds <= HEADLINE_WITHIN, whole and run.seconds <= HEADLINE_STRETCH)


def _far(figures: Figures) -> Verdict | None:
    if not figures.far:
        return None
    stock = rates(figures.far["backend"])
    by_lines = {key: ratio(rates(samples), stock) for key, samples in figures.far.items() if key != "backend"}
    words = "; ".join(f"{figures.far[key][0].contender}: {times(found)}" for key, found in by_lines.items())
    best = max(by_lines.values())
    return Verdict(words, best >= 30, best >= 60)


def _sqlite(figures: Figures) -> Verdict | None:
    if not figures.have("postbag-2", "sqlite-2"):
        return None
    by = figures.side_by_side
    share = ratio(rates(by["sqlite-2"]), rates(by["postbag-2"]))
    words = f"{times(share)} PostgreSQL, two workers each"
    if figures.have("sqlite-1", "postbag-1"):
        words += f"; {times(ratio(rates(by['sqlite-1']), rates(by['postbag-1'])))} with one worker each"
    return Verdict(words, share >= 0.7)


def _memory(figures: Figures) -> Verdict | None:
    if not figures.growth:
        return None
    least = SMALL if SMALL in figures.growth else min(figures.growth)
    small, large = peak(figures.growth[least]), peak(figures.growth[max(figures.growth)])
    most = max(peak(samples) for samples in figures.growth.values())
    words = f"at most {most:.1f} MiB a worker; {large - small:+.1f} MiB from {least:,} to {max(figures.growth):,}"
    return Verdict(words, most <= MOST_MIB and large - small <= MOST_GROWTH_MIB)


def _provider(figures: Figures) -> Verdict | None:
    if not figures.provider:
        return None
    shares = {lines: rate * PROVIDER_LATENCY / lines for lines, rate in figures.provider.items()}
    words = ", ".join(f"{share:.0%} with {lines}" for lines, share in shares.items()) + " connections"
    return Verdict(words, min(shares.values()) >= 0.9)


def _sizes(figures: Figures) -> str:
    return " / ".join(f"{size:,}" for size in figures.growth)


GOALS = (
    Goal(
        1, "2 workers ≥ 5 × django-post_office's best with 2 processes, at ≤ 1/5 of its CPU; ≥ 12 × Celery; ≥ 40 × a "
        "django-rq job per letter", "8 × django-post_office",
        ("side_by_side",), ("postbag-2", "usual", "post-office", "mailer", "celery", "rq"), _peers,
    ),
    Goal(
        2, "1 worker ≥ 1.0 × smtp-source -s 1; 2 workers ≥ 0.35 × smtp-source -s 4", "0.6 ×",
        ("side_by_side",), ("postbag-1", "postbag-2", "source-1", "source-4", "source-16"), _source,
    ),
    Goal(
        3, "worker and database ≤ 0.25 ms of CPU for each delivery", "0.15 ms",
        ("side_by_side", "growth"), ("postbag-2",), _cpu,
    ),
    Goal(
        4, "960,000 deliveries in one run, each exactly once at the receiver, content checked, ≤ 240 s on 2 cores",
        "120 s", ("headline",), (), _headline,
    ),
    Goal(
        5, "20 ms round trip: one process ≥ 30 × Django's stock backend on one connection", "60 ×",
        ("far",), (), _far,
    ),
    Goal(
        6, "SQLite ≥ 0.7 × PostgreSQL", "",
        ("side_by_side",), ("postbag-1", "postbag-2", "sqlite-1", "sqlite-2"), _sqlite,
    ),
    Goal(
        7, "≤ 80 MiB a worker; from 24,000 to 960,000 deliveries ≤ 5 MiB more", "",
        ("growth",), (), _memory,
    ),
    Goal(
        8, "a provider through Anymail with 100 ms latency: ≥ 90 % of connections ÷ latency, up to 32 connections", "",
        ("provider",), (), _provider,
    ),
)  # fmt: skip
