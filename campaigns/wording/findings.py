"""What the lint says about a letter template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One thing to mend (error) or to consider (warning): where, why, and how. Places count from 1."""

    severity: Literal["error", "warning"]
    code: str
    passage: str
    line: int
    column: int
    why: str
    cure: str


def listed(indexes: Sequence[int], targets: Sequence[Mapping[str, str]], at_most: int = 3) -> str:
    """The first few of the targets, by name: "A, B, C and 4 more"."""
    names = [targets[index].get("name", "").strip() or f"number {index + 1}" for index in indexes[:at_most]]
    more = len(indexes) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
