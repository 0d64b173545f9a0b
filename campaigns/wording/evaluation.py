"""Evaluates a checked wording: no loops, no calls, so one pass is enough and output is bounded."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from campaigns.wording.draw import Draw
from campaigns.wording.tree import (
    Block,
    Both,
    Choice,
    Condition,
    Either,
    Equals,
    Given,
    Not,
    Text,
    Value,
    Variant,
)

Values: TypeAlias = Mapping[str, Mapping[str, str]]

_BETWEEN_WORDS = re.compile(r"([-\s({\[<]+)")
_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of rendered text, and where it comes from. `steps` is true for text copied as typed."""

    text: str
    offset: int
    steps: bool


def is_blank(value: str) -> bool:
    """Whether a value counts as empty: a blank in a list's cell is no name."""
    return not value.strip()


def look_up(value: Value, values: Values) -> str:
    """The plain string behind a value, before filters; empty where missing. TypeError for anything else."""
    found = values.get(value.group, {}).get(value.key, "")
    if not isinstance(found, str):
        raise TypeError(f"{value.dotted} must be a plain string, not {type(found).__name__}")
    return found


def title_case(value: str) -> str:
    """Each word with a capital first letter and the rest small; an apostrophe does not begin a word."""
    return "".join(word[:1].upper() + word[1:].lower() for word in _BETWEEN_WORDS.split(value))


def filtered(value: Value, values: Values) -> str:
    """The value as written, filters applied from left to right. A blank counts as missing for `default`."""
    result = look_up(value, values)
    for one in value.filters:
        match one.name:
            case "default":
                result = one.fallback if is_blank(result) else result
            case "upper":
                result = result.upper()
            case "lower":
                result = result.lower()
            case "title":
                result = title_case(result)
            case "capitalize":
                result = result.capitalize()
            case "trim":
                result = result.strip()
            case name:
                raise AssertionError(f"the tree holds an unknown filter: {name}")
    return result


def holds(condition: Condition, values: Values) -> bool:
    """Whether a condition is true for these values."""
    match condition:
        case Given(value):
            return not is_blank(filtered(value, values))
        case Equals(value, literal):
            return filtered(value, values) == literal
        case Not(inner):
            return not holds(inner, values)
        case Both(left, right):
            return holds(left, values) and holds(right, values)
        case Either(left, right):
            return holds(left, values) or holds(right, values)


def branch_taken(choice: Choice, values: Values) -> Block:
    """The block that an `if` leaves standing."""
    return next((inner for condition, inner in choice.branches if holds(condition, values)), choice.otherwise)


def pieces(block: Block, values: Values, *, passage: str, draw: Draw) -> Iterator[Piece]:
    """What a block writes, piece by piece, before white space is tidied."""
    for node in block:
        match node:
            case Text(text, offset):
                yield Piece(text, offset, steps=True)
            case Value():
                yield Piece(filtered(node, values), node.offset, steps=False)
            case Choice():
                yield from pieces(branch_taken(node, values), values, passage=passage, draw=draw)
            case Variant(ordinal, branches, _):
                drawn = draw.choose(passage, ordinal, len(branches))
                yield from pieces(branches[drawn], values, passage=passage, draw=draw)


def blank_values(block: Block, values: Values) -> Iterator[Value]:
    """The target values that would leave a gap: written, blank, without `default()`. Reads every variant."""
    for node in block:
        match node:
            case Value() if (
                node.group == "target" and not node.has_fallback and is_blank(look_up(node, values))
            ):
                yield node
            case Choice():
                yield from blank_values(branch_taken(node, values), values)
            case Variant():
                for inner in node.branches:
                    yield from blank_values(inner, values)


def tidy(text: str) -> str:
    """Strips spaces and tabs at line ends and leaves at most one blank line in a row; nothing else."""
    # Line by line on purpose: the obvious regular expression takes quadratic time on a long run of spaces.
    return _BLANK_LINES.sub("\n\n", "\n".join(line.rstrip(" \t") for line in text.split("\n")))
