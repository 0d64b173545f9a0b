"""What people read: the table of goals, and bench/README.md with the last figures."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.figures import cpu_ms, peak, rates, short
from bench.goals import GOALS, Figures, Goal, Verdict
from bench.rounds import table

README = Path(__file__).resolve().parent / "README.md"
FIGURES = README.with_name("figures.json")  # what README.md shows, goal by goal


@dataclass(frozen=True)
class Setting:
    """How a run was made."""

    machine: str
    peers: str
    rounds: int
    seed: int
    quick: bool
    load: float  # before anything was started

    def line(self, at: datetime) -> str:
        """Return it in one line."""
        how = f"{self.rounds} round{'s' * (self.rounds != 1)}, seed {self.seed}"
        quick = ", --quick" if self.quick else ""
        when = f"{at:%Y-%m-%d %H:%M} UTC, {how}{quick}, load {self.load:.1f} before"
        return f"{when}: {self.machine}. Peers: {self.peers}."


def verdicts(goals: Iterable[Goal], figures: Figures) -> dict[int, Verdict]:
    """Return a verdict for each of these goals that was measured."""
    judged = {goal.number: goal.judge(figures) for goal in goals}
    return {number: verdict for number, verdict in judged.items() if verdict is not None}


def sections(figures: Figures) -> dict[str, list[str]]:
    """Return the figures behind the verdicts as Markdown, by title; what was not measured is left out."""
    found: dict[str, list[str]] = {}
    if figures.side_by_side:
        found["Side by side"] = table(figures.side_by_side)
    if figures.far:
        found["A mail server 20 ms away"] = table(figures.far)
    if figures.growth:
        found["How cost grows (PostgreSQL, 2 workers)"] = [
            "| deliveries | a second | CPU ms each | peak MiB of a worker |",
            "|---|---|---|---|",
            *(
                f"| {size:,} | {short(rates(samples).median)} | {short(cpu_ms(samples).median)} | {peak(samples):.1f} |"
                for size, samples in figures.growth.items()
            ),
        ]
    if figures.headline is not None:
        told = figures.content
        counts = ", ".join(f"{told[name]:,} {name}" for name in ("missing", "doubled", "changed", "strange"))
        run = f"{figures.headline.deliveries:,} deliveries in {figures.headline.seconds:.1f} s"
        found["The headline"] = [f"{run}; {told['received']:,} letters received and read: {counts}."]
    if figures.provider:
        found["A provider with 100 ms latency"] = [
            "| connections | deliveries a second |",
            "|---|---|",
            *(f"| {lines} | {short(rate)} |" for lines, rate in figures.provider.items()),
        ]
    return found


def printed(told: Mapping[int, Verdict]) -> list[str]:
    """Return the table of goals for a terminal."""
    lines = []
    for goal in GOALS:
        if verdict := told.get(goal.number):
            lines.append(f"{goal.number:>2}  {_word(verdict.holds):<7} {goal.words}")
            lines.append(f"            {verdict.measured}{_stretch(goal, verdict.stretch_holds)}")
    return lines


def as_json(figures: Figures, told: Mapping[int, Verdict], setting: Setting) -> dict[str, Any]:
    """Return all of a run as plain values."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "setting": asdict(setting),
        "goals": {str(number): asdict(verdict) for number, verdict in told.items()},
        "side_by_side": {key: [sample.as_json() for sample in mine] for key, mine in figures.side_by_side.items()},
        "far": {key: [sample.as_json() for sample in mine] for key, mine in figures.far.items()},
        "growth": {str(size): [sample.as_json() for sample in mine] for size, mine in figures.growth.items()},
        "headline": figures.headline.as_json() if figures.headline else None,
        "content": dict(figures.content),
        "provider": {str(lines): rate for lines, rate in figures.provider.items()},
    }


def write(figures: Figures, told: Mapping[int, Verdict], setting: Setting, *, at: datetime) -> None:
    """Put a run's figures into bench/README.md; goals and tables that it did not measure keep their last ones."""
    kept: dict[str, Any] = {"goals": {}, "sections": {}}
    if FIGURES.exists():
        kept = json.loads(FIGURES.read_text("utf-8"))
    how = setting.line(at)
    for number, verdict in told.items():
        kept["goals"][str(number)] = {**asdict(verdict), "how": how}
    for title, lines in sections(figures).items():
        kept["sections"][title] = {"lines": lines, "how": how}
    FIGURES.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    put("figures", _markdown(kept))


def put(place: str, text: str) -> None:
    """Put text into bench/README.md, instead of what stands between the marks of this place."""
    begin, end = f"<!-- {place} -->", f"<!-- end of {place} -->"
    before, _, rest = README.read_text("utf-8").partition(begin)
    _, _, after = rest.partition(end)
    README.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def _markdown(kept: Mapping[str, Any]) -> str:
    """Return goals and sections, with a numbered note for each run that they come from."""
    notes: list[str] = []

    def note(how: str) -> int:
        if how not in notes:
            notes.append(how)
        return notes.index(how) + 1

    lines = ["| goal | | measured | holds | stretch | run |", "|---|---|---|---|---|---|"]
    for goal in GOALS:
        told = kept["goals"].get(str(goal.number))
        if told is None:
            lines.append(f"| {goal.number} | {goal.words} | not measured yet | | | |")
            continue
        stretch = "" if told["stretch_holds"] is None else f"{goal.stretch}: {_word(told['stretch_holds'])}"
        lines.append(
            f"| {goal.number} | {goal.words} | {told['measured']} | {_word(told['holds'])} | {stretch} "
            f"| {note(told['how'])} |"
        )
    for title, section in kept["sections"].items():
        lines += ["", f"**{title}** (run {note(section['how'])})", "", *section["lines"]]
    lines += ["", *(f"Run {number}: {how}  " for number, how in enumerate(notes, start=1))]
    return "\n".join(lines)


def _word(holds: bool) -> str:  # noqa: FBT001  a verdict is a yes or a no
    return "holds" if holds else "MISSED"


def _stretch(goal: Goal, holds: bool | None) -> str:  # noqa: FBT001
    return "" if holds is None else f"  (stretch, {goal.stretch}: {_word(holds)})"
