"""Cuts a wording into tokens and refuses, before any parsing, what could make parsing long or deep."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from jinja2 import Environment, TemplateSyntaxError
from jinja2.lexer import Token

from campaigns.wording.blocks import Blocks
from campaigns.wording.refusals import WordingError, quoted, refused

WORDING_AT_MOST = 40_000  # bytes of UTF-8
TOKENS_AT_MOST = 3_000  # in all tags together: about 500 values
TOKENS_IN_A_TAG = 200
PARENTHESES_AT_MOST = 30

VALUE_CURE = "A tag holds one value, such as `{{ target.name }}`; write everything else as plain text."
SIGN_CURE = "Leave the sign out: a line that holds only `{% %}` tags leaves no blank line behind."
RAW_CURE = "Write the text without doubled braces."

_OPERATORS = {".": "dot", "|": "pipe", "(": "lparen", ")": "rparen", "==": "eq", "!=": "ne"}
_CLOSING = {"variable_begin": "}}", "block_begin": "%}", "comment_begin": "#}"}
# A line of nothing but block tags and comments (masked as NUL), with its indentation and its line end.
_TAG_LINE = re.compile(r"^[ \t]*\x00[\x00 \t]*(?:\n|\Z)", re.MULTILINE)

# The lexer only splits: trimming is done here, so that every token keeps its place in the text.
_LEXER = Environment(keep_trailing_newline=True, autoescape=False).lexer  # noqa: S701 - renders nothing


@dataclass
class _Tag:
    """The tag being read: where it opened, how it closes, how many tokens it has, its open parentheses."""

    start: int
    kind: str
    end: int
    tokens: int = 0
    parentheses: list[int] = field(default_factory=list)


def read_lines(text: str) -> str:
    """The text with every kind of line end that a form may send read as "\\n"."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def check_size(text: str) -> None:
    """Refuses a wording of more than 40 kB."""
    if len(text) > WORDING_AT_MOST or len(text.encode("utf-8", "surrogatepass")) > WORDING_AT_MOST:
        raise WordingError(
            "too_long", f"The wording is longer than {WORDING_AT_MOST // 1000} kB.", "Shorten it to a page."
        )


def scan(text: str) -> list[Token]:
    """The tokens of a wording, each with its character offset where the lexer would put a line number.

    `text` has "\\n" as its only line end. White space, comments and lines that hold only block tags are gone
    from the result. Raises WordingError for what cannot be a letter whatever stands around it.
    """
    return list(_trimmed(text, *_Scanner(text).read()))


class _Scanner:
    """Reads the lexer's tokens one by one, so that a refusal costs no more than what stands before it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.offset = 0
        self.tag: _Tag | None = None
        self.tokens: list[Token] = []
        self.in_tags = 0
        self.blocks = Blocks(text)
        self.hidden: list[tuple[int, int]] = []  # block tags and comments

    def read(self) -> tuple[list[Token], list[tuple[int, int]]]:
        """The tokens, untrimmed, and the stretches taken up by block tags and comments."""
        try:
            for _, kind, raw in _LEXER.tokeniter(self.text, None):
                self._take(kind, raw)
                self.offset += len(raw)
        except TemplateSyntaxError:
            raise self._unreadable() from None
        if self.tag is not None:
            raise self._unclosed(self.tag)
        self.blocks.finish()
        return self.tokens, self.hidden

    def _take(self, kind: str, raw: str) -> None:
        if kind == "raw_begin":
            raise self._outside(self.offset, "`{% raw %}`", RAW_CURE)
        if self.tag is None and kind == "data":
            self.tokens.append(Token(self.offset, "data", raw))
        elif kind in _CLOSING:
            self._open(kind, raw)
        elif self.tag is not None:
            self._inside(self.tag, kind, raw)

    def _open(self, kind: str, raw: str) -> None:
        if len(raw) > 2:
            # "{%-" makes the lexer drop the white space before it, so look for the tag itself.
            raise self._outside(self.text.index(raw, self.offset), f"`{raw}`", SIGN_CURE)
        line_end = self.text.find("\n", self.offset)
        line_end = len(self.text) if line_end < 0 else line_end
        self.tag = _Tag(self.offset, kind, line_end)
        if kind != "comment_begin":
            if self.text.find(_CLOSING[kind], self.offset + 2, line_end) < 0:
                raise self._unclosed(self.tag)
            self.tokens.append(Token(self.offset, kind, raw))

    def _inside(self, tag: _Tag, kind: str, raw: str) -> None:
        if kind in ("variable_end", "block_end", "comment_end"):
            self._close(tag, kind, raw)
            return
        if kind == "comment":
            return
        if self.offset + len(raw) > tag.end:
            raise self._unclosed(tag)
        if kind == "whitespace":
            return
        self._count(tag)
        if kind == "operator":
            self._operator(tag, raw)
        elif kind == "string" and "\\" in raw:
            raise self._outside(self.offset, "A backslash in quotes", "Use the other kind of quotes.")
        elif kind in ("name", "string"):
            if kind == "name" and tag.kind == "block_begin" and tag.tokens == 1:
                self.blocks.take(raw, tag.start, self.offset)
            self.tokens.append(Token(self.offset, kind, raw if kind == "name" else raw[1:-1]))
        else:
            raise self._outside(self.offset, quoted(raw), VALUE_CURE)

    def _operator(self, tag: _Tag, raw: str) -> None:
        if raw == "{" and self.text[self.offset : self.offset + 2] in ("{{", "{%"):
            raise self._unclosed(tag)
        if raw not in _OPERATORS:
            raise self._outside(self.offset, quoted(raw), VALUE_CURE)
        if raw == "(":
            tag.parentheses.append(self.offset)
            if len(tag.parentheses) > PARENTHESES_AT_MOST:
                raise self._deep(f"More than {PARENTHESES_AT_MOST} parentheses stand inside one another")
        elif raw == ")":
            tag.parentheses.pop()
        self.tokens.append(Token(self.offset, _OPERATORS[raw], raw))

    def _close(self, tag: _Tag, kind: str, raw: str) -> None:
        if raw[0] in "-+":
            raise self._outside(self.offset, f"`{raw[:3]}`", SIGN_CURE)
        if kind != "comment_end":
            self.tokens.append(Token(self.offset, kind, raw))
        if kind != "variable_end":
            self.hidden.append((tag.start, self.offset + len(raw)))
        self.tag = None

    def _count(self, tag: _Tag) -> None:
        tag.tokens += 1
        self.in_tags += 1
        if tag.tokens > TOKENS_IN_A_TAG:
            raise refused(
                self.text, tag.start, "too_long", "This tag is too long.", "Split it into several `{% if %}`."
            )
        if self.in_tags > TOKENS_AT_MOST:
            raise refused(
                self.text, tag.start, "too_long", "The wording has too many tags.", "Use fewer from here on."
            )

    def _outside(self, offset: int, what: str, cure: str) -> WordingError:
        return refused(self.text, offset, "outside_language", f"{what} is not in the letter language.", cure)

    def _deep(self, why: str) -> WordingError:
        return refused(self.text, self.offset, "too_deep", f"{why}: too deep.", "Make the condition simpler.")

    def _unclosed(self, tag: _Tag) -> WordingError:
        opening, closing = self.text[tag.start : tag.start + 2], _CLOSING[tag.kind]
        where = "" if tag.kind == "comment_begin" else " on the same line"
        return refused(
            self.text, tag.start, "unclosed", f"`{opening}` is not closed.", f"Add `{closing}`{where}."
        )

    def _unreadable(self) -> WordingError:
        """The lexer stopped at the offset reached: say why in our words."""
        tag = self.tag
        if tag is not None and tag.kind == "comment_begin":
            return self._unclosed(tag)
        found = self.text[self.offset : self.offset + 1]
        if tag is not None and tag.parentheses:
            start = tag.parentheses[-1]
            return refused(self.text, start, "unclosed", "This parenthesis is not closed.", "Add `)`.")
        if tag is not None and found in ("'", '"'):
            return refused(
                self.text, self.offset, "unclosed", "This quotation mark is not closed.", f"Add `{found}`."
            )
        return refused(self.text, self.offset, "syntax", f"{quoted(found)} is not expected here.", VALUE_CURE)


def _trimmed(text: str, tokens: list[Token], hidden: list[tuple[int, int]]) -> Iterator[Token]:
    """The tokens without the white space and line end of lines that hold only block tags and comments."""
    parts: list[str] = []
    last = 0
    for start, end in hidden:
        parts += [text[last:start].replace("\x00", "x"), "\x00" * (end - start)]
        last = end
    parts.append(text[last:].replace("\x00", "x"))
    lines = [found.span() for found in _TAG_LINE.finditer("".join(parts))]
    position = 0
    for token in tokens:
        if token.type != "data":
            yield token
            continue
        start, end = token.lineno, token.lineno + len(token.value)
        while position < len(lines) and lines[position][1] <= start:
            position += 1
        for line_start, line_end in lines[position : position + 2]:
            if line_start <= start < line_end:
                start = min(line_end, end)
            elif start < line_start < end:
                end = line_start
        if start < end:
            yield Token(start, "data", text[start:end])
