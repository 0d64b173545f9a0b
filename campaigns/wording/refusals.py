"""Why a wording is refused: a place in it, a reason and a cure."""


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column of a character offset, both counted from 1, columns in code points."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def quoted(source: str, limit: int = 40) -> str:
    """A piece of a wording fit to stand in a sentence: one line, at most `limit` characters, in backticks."""
    shown = " ".join(source[: limit + 1].split())
    return f"`{shown[:limit]}…`" if len(source) > limit else f"`{shown}`"


class WordingError(ValueError):
    """A wording was refused. `sentence` says where, why and what to do; `line` and `column` count from 1."""

    def __init__(
        self, code: str, why: str, cure: str, *, line: int = 1, column: int = 1, suggestion: str | None = None
    ) -> None:
        self.code = code
        self.why = why
        self.cure = cure
        self.line = line
        self.column = column
        self.suggestion = suggestion
        self.sentence = f"Line {line}: {why} {cure}"
        super().__init__(self.sentence)


def refused(
    text: str, offset: int, code: str, why: str, cure: str, *, suggestion: str | None = None
) -> WordingError:
    """The refusal of whatever stands at `offset` of `text`."""
    line, column = place(text, offset)
    return WordingError(code, why, cure, line=line, column=column, suggestion=suggestion)
