"""Charts as geometry: pure functions from numbers to what a template draws as SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

MOST_COLUMNS = 60  # more would be thinner than a phone can show, and would pass 8 KB
LEAST_COLUMNS = 12  # fewer would be slabs, not bars
WIDTH, HEIGHT = 720, 200
_LEAST_VISIBLE = 4.0


@dataclass(frozen=True)
class Segment:
    """One part of a strip: `kind` names its colour, `x` and `width` are in the strip's units."""

    kind: str
    count: int
    x: float
    width: float


@dataclass(frozen=True)
class Series:
    """One series of a stacked chart: its bars as one SVG path, its total and its name."""

    kind: str
    name: str
    total: int
    path: str


@dataclass(frozen=True)
class Chart:
    """Stacked columns, ready to be drawn in a box of WIDTH × HEIGHT; `series` runs from the bottom up.

    `ticks` are the values at the gridlines from the top down to nought, evenly spaced; `labels` stand below,
    evenly spread from the first column to the last.
    """

    series: list[Series]
    ticks: list[int]
    labels: list[str]
    gridlines: list[float]
    most: int
    width: int = WIDTH
    height: int = HEIGHT


def strip(counts: Mapping[str, int], *, width: int = WIDTH) -> list[Segment]:
    """Return one segment per count above nought, left to right; together they are exactly `width` wide.

    What is there can be seen: a count too small for its share still gets a few units, taken from the others.
    """
    there = {kind: count for kind, count in counts.items() if count > 0}
    total = sum(there.values())
    small = {kind for kind, count in there.items() if count * width < _LEAST_VISIBLE * total}
    room = width - _LEAST_VISIBLE * len(small)
    rest = sum(count for kind, count in there.items() if kind not in small)
    segments: list[Segment] = []
    x = 0.0
    for kind, count in there.items():
        wide = _LEAST_VISIBLE if kind in small else room * count / rest
        segments.append(Segment(kind, count, round(x, 2), round(wide, 2)))
        x += wide
    return segments


def stacked(
    columns: Sequence[tuple[str, Mapping[str, int]]], names: Mapping[str, str], *, labelled: int = 3
) -> Chart:
    """Return a stacked column chart.

    `columns` are (label, series → count) from left to right; `names` are the series, the bottom one first.
    """
    most = max((sum(counts.values()) for _, counts in columns), default=0)
    ceiling = _round_up(most)
    slot = WIDTH / max(len(columns), 1)
    gap = min(2.0, slot / 4)
    paths: dict[str, list[str]] = {kind: [] for kind in names}
    for index, (_, counts) in enumerate(columns):
        foot = float(HEIGHT)
        for kind in names:
            tall = HEIGHT * counts.get(kind, 0) / ceiling
            if tall:
                paths[kind].append(_bar(index * slot + gap / 2, foot, slot - gap, tall))
                foot -= tall
    series = [
        Series(kind, name, sum(counts.get(kind, 0) for _, counts in columns), "".join(paths[kind]))
        for kind, name in names.items()
    ]
    steps = 2 if ceiling % 2 == 0 else 1
    return Chart(
        series=series,
        ticks=[ceiling * step // steps for step in range(steps, -1, -1)],
        labels=_spread([label for label, _ in columns], labelled),
        gridlines=[HEIGHT * step / steps for step in range(steps)],
        most=most,
    )


def merged(
    columns: Sequence[tuple[str, Mapping[str, int]]], *, most: int = MOST_COLUMNS
) -> list[tuple[str, dict[str, int]]]:
    """Return at most `most` columns: neighbours are added together, and the first one's label stays."""
    size = max(ceil(len(columns) / most), 1)
    result: list[tuple[str, dict[str, int]]] = []
    for start in range(0, len(columns), size):
        part = columns[start : start + size]
        sums: dict[str, int] = {}
        for _, counts in part:
            for kind, count in counts.items():
                sums[kind] = sums.get(kind, 0) + count
        label = part[0][0] if len(part) == 1 else f"{part[0][0]} – {part[-1][0]}"
        result.append((label, sums))
    return result


def interval(part: int, whole: int) -> tuple[int, int]:
    """Return the 95 % interval of a share in whole per cent (Wilson 1927: right for few, too)."""
    if not whole:
        return 0, 100
    z2 = 1.96**2
    share = part / whole
    middle = share + z2 / (2 * whole)
    spread = (z2 * (share * (1 - share) + z2 / (4 * whole)) / whole) ** 0.5
    low, high = ((middle + sign * spread) / (1 + z2 / whole) for sign in (-1, 1))
    return max(floor(100 * low), 0), min(ceil(100 * high), 100)


def _bar(x: float, foot: float, wide: float, tall: float) -> str:
    return f"M{_short(x)} {_short(foot)}v-{_short(tall)}h{_short(wide)}V{_short(foot)}z"


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _round_up(most: int) -> int:
    """Return the next number that people like at the top of an axis: 2, 4, 5, 6, 8, 10, 20, 40 and so on."""
    if most <= 2:
        return 2
    power = 10 ** floor(log10(most))
    return next(int(step * power) for step in (1, 2, 4, 5, 6, 8, 10) if step * power >= most)


def _spread(labels: Sequence[str], wanted: int) -> list[str]:
    if len(labels) <= wanted:
        return list(labels)
    return [labels[round(place * (len(labels) - 1) / (wanted - 1))] for place in range(wanted)]
