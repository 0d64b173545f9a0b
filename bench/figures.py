"""What was measured, as values: samples of runs, medians with their spread, ratios of medians."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, NamedTuple, Self


@dataclass(frozen=True)
class Sample:
    """One run of one contender.

    `cpu`: seconds by role; `peaks`: MiB of each process, the largest first; `together`: MiB of all that ran at once.
    """

    contender: str
    deliveries: int
    seconds: float
    cpu: Mapping[str, float] = field(default_factory=dict)
    peaks: Sequence[float] = ()
    together: float = 0.0

    @property
    def rate(self) -> float:
        """Return the deliveries a second."""
        return self.deliveries / self.seconds

    @property
    def cpu_ms(self) -> float:
        """Return the CPU time of one delivery in milliseconds: processes, database and broker."""
        return 1000 * sum(self.cpu.values()) / self.deliveries

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Return what `as_json` gave."""
        return cls(**{**told, "peaks": tuple(told["peaks"])})


class Spread(NamedTuple):
    """The median of some figures, the least and the most of them."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """Return the spread of at least one value; raises ValueError for none."""
        known = sorted(values)
        if not known:
            raise ValueError("There is nothing to take a median of.")
        return cls(median(known), known[0], known[-1])

    def __str__(self) -> str:
        """Return it as `10,832 [9,340..11,505]`."""
        return f"{short(self.median)} [{short(self.least)}..{short(self.most)}]"


def rates(samples: Iterable[Sample]) -> Spread:
    """Return the spread of the samples' rates."""
    return Spread.of(sample.rate for sample in samples)


def cpu_ms(samples: Iterable[Sample]) -> Spread:
    """Return the spread of the samples' CPU time for one delivery, in milliseconds."""
    return Spread.of(sample.cpu_ms for sample in samples)


def peak(samples: Iterable[Sample]) -> float:
    """Return the largest memory that any single process took in any sample, in MiB."""
    return max(max(sample.peaks, default=0.0) for sample in samples)


def ratio(ours: Spread, theirs: Spread) -> float:
    """Return how many times their median ours is."""
    return ours.median / theirs.median


def short(value: float) -> str:
    """Return a figure in as many digits as mean something: 10,832; 359; 12.4; 0.124."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}" if abs(value) < 1 else f"{value:.2f}"


def times(value: float) -> str:
    """Return a ratio as people read it: `8.4 ×`."""
    return f"{value:.0f} ×" if value >= 20 else f"{value:.1f} ×" if value >= 2 else f"{value:.2f} ×"
