"""Reading mail that strangers wrote: bounded in size, depth and number of parts, whatever it claims to be.

The standard library's parser recurses once for each nested part and may take minutes for a header. This one reads what
bounces and answers need: headers, parts, texts. What is broken is read as far as it makes sense (RFC 5322, 2045–2047).
"""

import base64
import binascii
import codecs
import quopri
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.header import decode_header
from functools import cached_property

MOST_BYTES = 2_000_000  # of a mail are looked at: reports stand before what they return, texts before attachments
MOST_HEADER_BYTES = 1_000_000
MOST_HEADERS = 1000
MOST_VALUE = 4000  # characters of one header
MOST_NESTED = 50
MOST_PARTS = 200

MOST_SCANNED = 20_000_000  # bytes looked through for boundaries, over all levels

_BLANK = re.compile(rb"\r?\n[ \t]*\r?\n")
_LINE_END = re.compile(rb"[ \t]*(?:\r?\n|\Z)")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_NAME = re.compile(r"[!-9;-~]{1,200}")
_PARAMETER = re.compile(r';\s*([\w.-]+)(?:\*\d*\*?)?\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]*)')
_TEXT_CODECS = tuple("ascii utf iso8859 iso2022 cp koi8 gb big5 euc shift_jis mac tis hz".split())


class Unreadable(ValueError):
    """A mail whose headers do not end where headers end."""

    code = "unreadable"
    sentence = "The headers of this mail are too long."


@dataclass(frozen=True)
class Part:
    """A mail, or a part of one. `parts` are those of a multipart, or the one mail that a message/… part holds."""

    headers: Mapping[str, tuple[str, ...]]  # by name in lower case, in their order
    kind: str  # "text/plain", in lower case
    parameters: Mapping[str, str]  # of the content type
    body: bytes = field(repr=False)  # as it travelled
    parts: tuple["Part", ...] = ()

    def header(self, name: str) -> str:
        """Return the first header of this name, unfolded and as it travelled; "" where there is none."""
        return next(iter(self.headers.get(name.lower(), ())), "")

    def words(self, name: str) -> str:
        """Return a header as people read it: RFC 2047 decoded, on one line."""
        raw = self.header(name)
        try:
            pieces = [
                piece if isinstance(piece, str) else _decoded(piece, charset or "ascii")
                for piece, charset in decode_header(raw)
            ]
        except (HeaderParseError, ValueError, LookupError, binascii.Error):
            pieces = [raw]
        return " ".join("".join(pieces).split())

    @property
    def is_attachment(self) -> bool:
        """Return whether it is meant to be saved, not read."""
        return self.header("content-disposition").strip().lower().startswith("attachment")

    @cached_property
    def text(self) -> str:
        """Return a leaf's body as text, whatever its charset claims to be; lines end with a line feed."""
        said = _decoded(self.content, self.parameters.get("charset", ""))
        return said.replace("\r\n", "\n").replace("\r", "\n")

    @property
    def content(self) -> bytes:
        """Return a leaf's body as bytes, unpacked as far as that is possible."""
        packing = self.header("content-transfer-encoding").strip().lower()
        if packing == "quoted-printable":
            return quopri.decodestring(self.body)
        if packing == "base64":
            whole = re.sub(rb"[^A-Za-z0-9+/]", b"", self.body)
            try:
                return base64.b64decode(whole[: len(whole) // 4 * 4] + _rest(whole), validate=False)
            except binascii.Error:
                return self.body
        return self.body

    def walk(self) -> Iterator["Part"]:
        """Yield this part and all below it, in their order; not what is inside a mail that this one only encloses."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            if not part.is_enclosed_mail:
                waiting.extend(reversed(part.parts))

    @property
    def is_enclosed_mail(self) -> bool:
        """Return whether it holds a whole mail of its own."""
        return self.kind in {"message/rfc822", "message/global"}


def read(data: bytes) -> Part:
    """Return a mail as its parts. Raises Unreadable where its headers alone are longer than 1 MB."""
    return _Reader(data[:MOST_BYTES]).part(0, min(len(data), MOST_BYTES), depth=0)


def read_headers(data: bytes) -> Mapping[str, tuple[str, ...]]:
    """Return the headers at the beginning of some bytes, as of a mail or of a block in a report."""
    end = _BLANK.search(data, 0, MOST_HEADER_BYTES)
    return _headers(data[: end.start() if end else MOST_HEADER_BYTES])


class _Reader:
    """Reads one mail without copying it for each level."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left, self._scannable = MOST_PARTS, MOST_SCANNED

    def part(self, start: int, end: int, *, depth: int) -> Part:
        """Return what stands from `start` to `end`."""
        self._left -= 1
        headers, begin = self._head(start, end)
        kind, parameters = _content_type(headers)
        parts = self._below(kind, parameters, begin, end, depth)
        return Part(headers, kind, parameters, b"" if parts else self._data[begin:end], parts)

    def _head(self, start: int, end: int) -> tuple[dict[str, tuple[str, ...]], int]:
        """Return the headers of a part, and where its body begins."""
        none = _LINE_END.match(self._data, start, end)
        if none is not None:
            return {}, none.end()
        blank = _BLANK.search(self._data, start, min(end, start + MOST_HEADER_BYTES))
        if blank is None and end - start > MOST_HEADER_BYTES:
            raise Unreadable(Unreadable.sentence)
        return _headers(self._data[start : blank.start() if blank else end]), blank.end() if blank else end

    def _below(self, kind: str, parameters: Mapping[str, str], start: int, end: int, depth: int) -> tuple[Part, ...]:
        if depth >= MOST_NESTED or self._left <= 0:
            return ()
        if kind in {"message/rfc822", "message/global"}:
            return (self.part(start, end, depth=depth + 1),)
        boundary = parameters.get("boundary", "")
        if not kind.startswith("multipart/") or not boundary:
            return ()
        return tuple(self._divided(b"--" + boundary[:200].encode(errors="replace"), start, end, depth))

    def _divided(self, line: bytes, start: int, end: int, depth: int) -> Iterator[Part]:
        self._scannable -= end - start
        begin: int | None = None
        for found, after, is_last in self._boundaries(line, start, end):
            if begin is not None:
                yield self.part(begin, max(begin, _before_line_end(self._data, found)), depth=depth + 1)
            if is_last or self._left <= 0:
                return
            begin = after
        if begin is not None:  # cut off: the last part goes to the end
            yield self.part(begin, end, depth=depth + 1)

    def _boundaries(self, line: bytes, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
        """Yield where each boundary line stands, where the next part begins, and whether it is the last one."""
        at = self._data.find(line, start, end) if self._scannable > 0 else -1
        while at >= 0:
            after = at + len(line)
            is_last = self._data.startswith(b"--", after)
            closed = _LINE_END.match(self._data, after + 2 * is_last, end)
            if closed is not None and (at == start or self._data[at - 1 : at] == b"\n"):
                yield at, closed.end(), is_last
            at = self._data.find(line, after, end)


def _before_line_end(data: bytes, at: int) -> int:
    """Return where a line ends whose successor begins at `at`."""
    if data[at - 1 : at] == b"\n":
        at -= 1
    return at - 1 if data[at - 1 : at] == b"\r" else at


def _headers(block: bytes) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(_FOLD.sub(b"", block).splitlines()):
        if number >= MOST_HEADERS:
            break
        name, colon, value = line[: MOST_VALUE * 2].decode("utf-8", "replace").partition(":")
        name = name.strip().lower()
        if colon and _NAME.fullmatch(name):
            found[name] = (*found.get(name, ()), value.strip()[:MOST_VALUE])
    return found


def _content_type(headers: Mapping[str, tuple[str, ...]]) -> tuple[str, dict[str, str]]:
    raw = next(iter(headers.get("content-type", ())), "")
    kind = raw.partition(";")[0].strip().lower()
    parameters: dict[str, str] = {}
    for name, value in _PARAMETER.findall(raw):
        plain = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        parameters[name.lower()] = parameters.get(name.lower(), "") + plain  # RFC 2231 cuts long ones into pieces
    return (kind if kind.count("/") == 1 else "text/plain"), parameters


def _decoded(content: bytes, charset: str) -> str:
    """Return bytes as text. A charset that is none, or not of texts, is read as UTF-8, else as Latin-1."""
    try:
        name = codecs.lookup(charset).name if charset else ""
    except (LookupError, ValueError):
        name = ""
    if name.replace("-", "").startswith(_TEXT_CODECS) and name != "utf-7":
        return content.decode(name, "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _rest(whole: bytes) -> bytes:
    """Return the last incomplete group of base64, filled up."""
    rest = whole[len(whole) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""
