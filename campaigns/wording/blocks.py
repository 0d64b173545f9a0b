"""Which block tags there are, and whether each stands where it may."""

from dataclasses import dataclass

from campaigns.wording.refusals import WordingError, quoted, refused

NESTED_AT_MOST = 20

_LANGUAGE_CURE = "There are `{% if %}` with `elif` and `else`, and `{% variant %}` with `or`."
# What each tag inside a block belongs to, and what ends each block.
_OWNER = {"elif": "if", "else": "if", "endif": "if", "or": "variant", "endvariant": "variant"}


@dataclass
class _Open:
    kind: str
    start: int
    has_else: bool = False


class Blocks:
    """Follows the block tags of a wording; refuses unknown, misplaced, unclosed and too deep ones."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.open: list[_Open] = []

    def take(self, name: str, start: int, offset: int) -> None:
        """Notes the tag `name`, which opened at `start` and whose name stands at `offset`."""
        if name in ("if", "variant"):
            self._enter(name, start)
        elif name not in _OWNER:
            raise refused(
                self.text,
                offset,
                "outside_language",
                f"{quoted(name)} is not in the letter language.",
                _LANGUAGE_CURE,
            )
        else:
            self._within(name, start, self.open[-1] if self.open else None)

    def finish(self) -> None:
        """Refuses what is still open at the end of the wording."""
        if self.open:
            kind, start = self.open[-1].kind, self.open[-1].start
            raise self._refused(
                start, "unclosed", f"`{{% {kind} %}}` is not closed.", f"Add `{{% end{kind} %}}`."
            )

    def _enter(self, name: str, start: int) -> None:
        if len(self.open) >= NESTED_AT_MOST:
            raise self._refused(
                start,
                "too_deep",
                f"More than {NESTED_AT_MOST} blocks stand inside one another: too deep.",
                "Make it simpler.",
            )
        if name == "variant" and any(block.kind == "variant" for block in self.open):
            raise self._refused(
                start,
                "outside_language",
                "A variant inside a variant is not in the letter language.",
                "Write out each wording.",
            )
        self.open.append(_Open(name, start))

    def _within(self, name: str, start: int, block: _Open | None) -> None:
        owner = _OWNER[name]
        if block is None:
            raise self._refused(
                start,
                "syntax",
                f"`{{% {name} %}}` has no `{{% {owner} %}}` before it.",
                f"Add `{{% {owner} %}}` or remove this.",
            )
        if block.kind != owner:
            raise self._refused(
                start,
                "syntax",
                f"`{{% {name} %}}` stands inside an open `{{% {block.kind} %}}`.",
                f"Add `{{% end{block.kind} %}}` before it.",
            )
        if name in ("elif", "else") and block.has_else:
            raise self._refused(
                start, "syntax", f"`{{% {name} %}}` stands after `{{% else %}}`.", "Put `{% else %}` last."
            )
        block.has_else = block.has_else or name == "else"
        if name.startswith("end"):
            self.open.pop()

    def _refused(self, start: int, code: str, why: str, cure: str) -> WordingError:
        return refused(self.text, start, code, why, cure)
