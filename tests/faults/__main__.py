"""`python -m tests.faults [gate|nightly|weekly] [--only NAME …] [--seed N] [--list]`: break the world, count losses."""

# ruff: noqa: T201  printing is its purpose

import argparse
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.faults import catalogue, databases
from tests.faults.catalogue import Scenario

KEPT = Path(__file__).resolve().parents[2] / ".check"
SEED = 1047  # any number does, if it is the same each time
SIDE_BY_SIDE = {"gate": 4, "nightly": 2, "weekly": 1}  # scenarios at once, on two cores: the larger ones wait less


@dataclass
class Outcome:
    """How one scenario ended."""

    name: str
    seconds: float
    violation: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)


def run(scenario: Scenario, *, size: str, seed: int) -> Outcome:
    """Run one scenario to its end, whatever that is."""
    began_at = time.monotonic()
    try:
        figures = scenario.run(seed, size)
    except Exception:  # noqa: BLE001  told in the table
        return Outcome(scenario.name, round(time.monotonic() - began_at, 1), traceback.format_exc())
    return Outcome(scenario.name, round(time.monotonic() - began_at, 1), figures=figures)


def run_all(wanted: Sequence[Scenario], *, size: str, seed: int, at_once: int = 0) -> list[Outcome]:
    """Run scenarios, some at once, since most of them mostly wait; return how each ended, in their order."""
    databases.store().shared_cluster()  # by this thread: it ends with the thread that starts it
    with ThreadPoolExecutor(at_once or SIDE_BY_SIDE[size]) as places:
        begun = [places.submit(run, one, size=size, seed=seed) for one in wanted]
        for ended in as_completed(begun):
            _tell(ended.result())
    return [one.result() for one in begun]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; returns 0 where everything holds."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("size", nargs="?", choices=catalogue.SIZES, default="gate")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="scenarios whose names begin so")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--beside", type=int, default=0, help="how many run at once (4, nightly 2, weekly 1)")
    parser.add_argument("--list", action="store_true", help="name all scenarios and the sizes they have")
    chosen = parser.parse_args(arguments)
    if chosen.list:
        for one in catalogue.scenarios():
            print(f"{one.name:40} {'/'.join(one.sizes):22} {one.about}")
        return 0
    wanted = [
        one for one in catalogue.scenarios()
        if (chosen.size in one.sizes if not chosen.only else any(_is_named(one.name, name) for name in chosen.only))
    ]
    if not wanted:
        parser.error("no scenario has such a name; --list names them all")
    print(f"{len(wanted)} scenarios at the size of {chosen.size}, seed {chosen.seed}", flush=True)
    began_at = time.monotonic()
    try:
        outcomes = run_all(wanted, size=chosen.size, seed=chosen.seed, at_once=chosen.beside)
    except KeyboardInterrupt:
        print("Stopped before the end.")
        return 130
    finally:
        databases.clear()
    seconds = time.monotonic() - began_at
    _keep(chosen.size, chosen.seed, outcomes, seconds, is_whole=not chosen.only)
    broken = [one for one in outcomes if one.violation]
    for bad in broken:
        print(f"\n── {bad.name}\n{bad.violation}")
    held = len(outcomes) - len(broken)
    print(f"\n{held} of {len(outcomes)} scenarios held, {len(broken)} did not ({seconds:.0f} s, seed {chosen.seed})")
    return 1 if broken else 0


def _is_named(name: str, asked: str) -> bool:
    return name == asked or name.startswith(f"{asked} ")


def _tell(one: Outcome) -> None:
    figures = ", ".join(f"{name} {value}" for name, value in one.figures.items() if name != "seed")
    print(f"{'holds' if not one.violation else 'FAILED':7}{one.seconds:6.1f} s  {one.name:40} {figures}", flush=True)
    if one.violation:  # its words come after the line of its kind; where it happened is told at the end
        print(f"{'':19}{one.violation.strip().rpartition('Error: ')[2][:2000]}", flush=True)


def _keep(size: str, seed: int, outcomes: Sequence[Outcome], seconds: float, *, is_whole: bool) -> None:
    """Keep the figures of the last whole run, and of the last run of each other choice."""
    KEPT.mkdir(exist_ok=True)
    document = {
        "size": size, "seed": seed, "at": datetime.now(UTC).isoformat(timespec="seconds"), "seconds": round(seconds, 1),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "scenarios": [asdict(one) for one in outcomes],
    }  # fmt: skip
    name = f"faults-{size}.json" if is_whole else f"faults-{size}-some.json"
    (KEPT / name).write_text(json.dumps(document, indent=1, default=str) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
