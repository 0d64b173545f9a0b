"""Every scenario of the rig: its name, what it is about, the sizes at which it is run."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from tests.faults import (
    answers,
    brokers,
    clocks,
    connections,
    disks,
    groups,
    handover,
    hooks,
    inbound,
    kills,
    mutations,
    pauses,
    presses,
    provider,
    queues,
    restarts,
    restore,
    stops,
    storm,
)

SIZES = ("gate", "nightly", "weekly")
_MODULES: tuple[ModuleType, ...] = (
    kills, answers, pauses, groups, brokers, restarts, connections, provider, hooks, inbound, clocks, disks, queues,
    handover, presses, stops, restore, storm, mutations,
)  # fmt: skip
_USUAL = ("gate", "nightly")


@dataclass(frozen=True)
class Scenario:
    """One fault, on one kind of database where that matters."""

    name: str
    about: str
    sizes: tuple[str, ...]
    run: Callable[[int, str], Mapping[str, Any]]


def scenarios() -> list[Scenario]:
    """Return all of them, in the order of their numbers."""
    found = [
        Scenario(name, _about(run), tuple(module.SIZES.get(name, _USUAL)) if hasattr(module, "SIZES") else _USUAL, run)
        for module in _MODULES
        for name, run in module.SCENARIOS.items()
    ]
    return sorted(found, key=lambda one: _number(one.name))


def _number(name: str) -> tuple[int, str]:
    digits = "".join(letter for letter in name.partition(" ")[0] if letter.isdigit())
    return int(digits or 99), name


def _about(run: Callable[..., Any]) -> str:
    while isinstance(run, functools.partial):
        run = run.func
    return (run.__doc__ or "").strip().partition("\n")[0]
