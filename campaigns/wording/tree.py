"""A checked wording as a tree: what is left once everything outside the letter language was refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

# Offsets are character positions in the wording as typed, with line ends read as "\n".


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter; `fallback` is the text of `default('…')` and empty for the others."""

    name: str
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """Text that stands as typed."""

    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the vocabulary, with its filters from left to right."""

    group: str
    key: str
    filters: tuple[Filter, ...]
    offset: int

    @property
    def dotted(self) -> str:
        """The name as typed: `target.name`."""
        return f"{self.group}.{self.key}"

    @property
    def has_fallback(self) -> bool:
        """Whether `default('…')` says what to write where the value is empty."""
        return any(one.name == "default" for one in self.filters)


@dataclass(frozen=True, slots=True)
class Given:
    """True where the value is not blank."""

    value: Value


@dataclass(frozen=True, slots=True)
class Equals:
    """True where the value is exactly the literal."""

    value: Value
    literal: str


@dataclass(frozen=True, slots=True)
class Not:
    """True where the condition is not."""

    condition: "Condition"


@dataclass(frozen=True, slots=True)
class Both:
    """True where both conditions are."""

    left: "Condition"
    right: "Condition"


@dataclass(frozen=True, slots=True)
class Either:
    """True where at least one condition is."""

    left: "Condition"
    right: "Condition"


@dataclass(frozen=True, slots=True)
class Choice:
    """`{% if %}`: the first branch whose condition is true, else `otherwise`."""

    branches: tuple[tuple["Condition", "Block"], ...]
    otherwise: "Block"


@dataclass(frozen=True, slots=True)
class Variant:
    """`{% variant %}`: one branch, drawn. `ordinal` counts the passage's variants from 0 in reading order."""

    ordinal: int
    branches: tuple["Block", ...]
    offset: int


Condition: TypeAlias = Given | Equals | Not | Both | Either
Node: TypeAlias = Text | Value | Choice | Variant
Block: TypeAlias = tuple[Node, ...]


def values_of(condition: Condition) -> Iterator[Value]:
    """The values a condition looks at."""
    match condition:
        case Given(value) | Equals(value, _):
            yield value
        case Not(inner):
            yield from values_of(inner)
        case Both(left, right) | Either(left, right):
            yield from values_of(left)
            yield from values_of(right)


def values_in(block: Block) -> Iterator[Value]:
    """Every value in a block, written or looked at, in reading order."""
    for node in block:
        match node:
            case Value():
                yield node
            case Choice(branches, otherwise):
                for condition, inner in branches:
                    yield from values_of(condition)
                    yield from values_in(inner)
                yield from values_in(otherwise)
            case Variant():
                for inner in node.branches:
                    yield from values_in(inner)


def variants_in(block: Block) -> Iterator[Variant]:
    """Every variant in a block, in reading order."""
    for node in block:
        match node:
            case Variant():
                yield node
            case Choice(branches, otherwise):
                for _, inner in branches:
                    yield from variants_in(inner)
                yield from variants_in(otherwise)
