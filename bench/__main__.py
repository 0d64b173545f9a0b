"""`python -m bench`: measures Postbag and its peers side by side, and prints which goals hold."""

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import machine, programs, report
from bench.experiments import EXPERIMENTS, Lab, Options
from bench.goals import GOALS, HEADLINE, Figures, Goal
from bench.installation import Installations
from bench.processes import Failed
from bench.rounds import Plan
from bench.stage import require_disk, stage
from tests.servers import ServerMissing

LAST = programs.KEPT / "last.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; return 0 where all that was measured holds, 1 where a goal does not, 2 on failures."""
    chosen = _parse(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _measure(chosen)
    except (Failed, ServerMissing) as error:
        print(f"The benchmark cannot go on: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nStopped; everything that was started has ended.", file=sys.stderr)
        return 130
    return 2


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round: to see that it works, not to compare")
    parser.add_argument("--only", metavar="GOAL", type=int, action="append", choices=[goal.number for goal in GOALS],
                        help="measure this goal; may be given several times")  # fmt: skip
    parser.add_argument("--rounds", metavar="N", type=_positive, help="rounds side by side (3; 1 with --quick)")
    parser.add_argument("--seconds", metavar="S", type=_positive, help="what a run should take (8; 2 with --quick)")
    parser.add_argument("--seed", type=int, help="of the order of the contenders (else drawn and printed)")
    parser.add_argument("--headline", metavar="DELIVERIES", type=_positive, nargs="?", const=HEADLINE, default=0,
                        help=f"goals 4 and 7 at full size: {HEADLINE:,} deliveries in one run")  # fmt: skip
    parser.add_argument("--write", action="store_true", help="put the figures into bench/README.md")
    return parser.parse_args(arguments)


def _measure(chosen: argparse.Namespace) -> int:
    require_disk(Path(tempfile.gettempdir()))
    load = machine.load()
    goals = _goals(chosen)
    programs.install()
    plan = Plan(
        rounds=chosen.rounds or (1 if chosen.quick else 3), seconds=chosen.seconds or (2 if chosen.quick else 8),
        pilot=not chosen.quick, seed=chosen.seed if chosen.seed is not None else random.randrange(2**31),
    )  # fmt: skip
    setting = report.Setting(
        machine.described(Path(tempfile.gettempdir())), machine.peers(), plan.rounds, plan.seed, chosen.quick, load
    )
    print(setting.line(datetime.now(UTC)))
    if load > machine.BUSY:
        print("Other programs are busy on this machine: ratios still mean something, rates do not.")
    figures, failures = _run(goals, Options(plan, _contenders(goals), quick=chosen.quick, headline=chosen.headline))
    told = report.verdicts(goals, figures)
    programs.KEPT.mkdir(exist_ok=True)
    LAST.write_text(json.dumps(report.as_json(figures, told, setting), indent=1) + "\n", encoding="utf-8")
    for title, lines in report.sections(figures).items():
        print("", title, "", *lines, sep="\n")
    print("", *report.printed(told), sep="\n")
    if chosen.write:
        report.write(figures, told, setting, at=datetime.now(UTC))
    for failure in failures:
        print(f"\nCould not be measured: {failure}")
    return 2 if failures else 0 if all(verdict.holds for verdict in told.values()) else 1


def _run(goals: Sequence[Goal], options: Options) -> tuple[Figures, list[str]]:
    """Run the experiments that these goals need; return the figures, and what could not be measured."""
    wanted = {experiment for goal in goals for experiment in goal.needs}
    figures, failures = Figures(), []
    if "side_by_side" in wanted:
        programs.peers_python()
    with stage() as here:
        lab = Lab(here, Installations(here), options, _say)
        for key, (title, experiment) in EXPERIMENTS.items():
            if key in wanted:
                began = time.monotonic()
                print(f"\n{title}", flush=True)
                try:
                    experiment(lab, figures)
                except (Failed, RuntimeError) as error:  # the others still mean something
                    failures.append(f"{title}: {error}")
                    print(f"  could not be measured: {error}", flush=True)
                print(f"  ({time.monotonic() - began:.0f} s)", flush=True)
    return figures, failures


def _goals(chosen: argparse.Namespace) -> list[Goal]:
    """Return the goals that were asked for: with --headline alone the two that it is about, else all the others."""
    if chosen.only:
        numbers = set(chosen.only)
        if 4 in numbers and not chosen.headline:
            chosen.headline = HEADLINE
    elif chosen.headline:
        numbers = {4, 7}
    else:
        numbers = {goal.number for goal in GOALS} - {4}
    return [goal for goal in GOALS if goal.number in numbers]


def _contenders(goals: Sequence[Goal]) -> list[str]:
    return list(dict.fromkeys(key for goal in goals for key in goal.contenders))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("give a number above nought")
    return number


def _say(text: str) -> None:
    print(text, flush=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
