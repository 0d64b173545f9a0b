"""Reading printed letters: what stands where on each sheet, in millimetres from its upper left corner."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pdfminer.converter import PDFPageAggregator
from pdfminer.layout import LAParams, LTChar, LTLine, LTTextContainer, LTTextLine
from pdfminer.pdfdocument import PDFDocument
from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
from pdfminer.pdfpage import PDFPage
from pdfminer.pdfparser import PDFParser
from pdfminer.pdftypes import resolve1

MM = 25.4 / 72
CAPITAL = 0.714  # the height of a capital in Noto Serif, of its size


@dataclass(frozen=True)
class Line:
    """A line of text. `top` is where its capitals begin, `base` what they stand on."""

    text: str
    left: float
    right: float
    top: float
    base: float
    size: float  # points
    faces: frozenset[str]


@dataclass
class Page:
    """One sheet: its size, its lines from top to bottom, its strokes as (left, y, right), its glyphs as (sign, id)."""

    width: float
    height: float
    lines: list[Line]
    strokes: list[tuple[float, float, float]]
    glyphs: list[tuple[str, int]] = field(default_factory=list)
    links: int = 0
    pictures: int = 0

    @property
    def text(self) -> str:
        """Return all its lines, one below the other."""
        return "\n".join(line.text for line in self.lines)

    def line(self, begins: str) -> Line:
        """Return the last line that begins like this."""
        return [line for line in self.lines if line.text.startswith(begins)][-1]

    def within(self, left: float, top: float, right: float, bottom: float) -> list[str]:
        """Return the lines that lie wholly in a box."""
        return [
            line.text for line in self.lines
            if left <= line.left and line.right <= right and top <= line.top and line.base <= bottom
        ]  # fmt: skip

    def touching(self, left: float, top: float, right: float, bottom: float) -> list[str]:
        """Return the lines of which some part lies in a box."""
        return [
            line.text for line in self.lines
            if line.left < right and line.right > left and line.top < bottom and line.base > top
        ]  # fmt: skip


@dataclass
class Print:
    """A whole PDF."""

    pages: list[Page]
    title: str
    language: str
    info: dict[str, Any]


class _Reader(PDFPageAggregator):
    """Keeps the number of each glyph as well: nought is the empty box that stands for a sign no typeface has."""

    def __init__(self, resources: PDFResourceManager) -> None:
        super().__init__(resources, laparams=LAParams(boxes_flow=None, char_margin=4.0, line_margin=0.1))
        self.glyphs: list[tuple[str, int]] = []

    def render_char(self, matrix: Any, font: Any, *rest: Any) -> float:
        """Take down a glyph on its way to the page."""
        cid = rest[3]
        self.glyphs.append((font.to_unichr(cid), cid))
        return float(super().render_char(matrix, font, *rest))


def read(pdf: bytes) -> Print:
    """Read a PDF."""
    document = PDFDocument(PDFParser(io.BytesIO(pdf)))
    pages = [_page(page) for page in PDFPage.create_pages(document)]
    info = {name: resolve1(value) for entry in document.info for name, value in entry.items()}
    title = info.get("Title", b"")
    decoded = title.decode("utf-16") if title.startswith(b"\xfe\xff") else title.decode("latin-1")
    return Print(pages, decoded, bytes(resolve1(document.catalog.get("Lang", b""))).decode(), info)


def count(pdf: bytes) -> int:
    """Return how many pages a PDF has."""
    return sum(1 for _page in PDFPage.create_pages(PDFDocument(PDFParser(io.BytesIO(pdf)))))


def _page(page: PDFPage) -> Page:
    resources = PDFResourceManager()
    reader = _Reader(resources)
    PDFPageInterpreter(resources, reader).process_page(page)
    laid = reader.get_result()
    height = laid.height
    lines = [
        _line(line, height)
        for box in laid if isinstance(box, LTTextContainer)
        for line in box if isinstance(line, LTTextLine)
    ]  # fmt: skip
    strokes = [
        (mark.x0 * MM, (height - (mark.y0 + mark.y1) / 2) * MM, mark.x1 * MM)
        for mark in laid if isinstance(mark, LTLine)
    ]  # fmt: skip
    objects = resolve1((page.resources or {}).get("XObject", {})) or {}
    return Page(
        laid.width * MM, height * MM, sorted(lines, key=lambda line: (line.base, line.left)), strokes, reader.glyphs,
        links=len(resolve1(page.annots) or []), pictures=len(objects),
    )  # fmt: skip


def _line(line: LTTextLine, height: float) -> Line:
    signs: Sequence[LTChar] = [sign for sign in line if isinstance(sign, LTChar) and sign.get_text().strip()]
    size = round(max(sign.size for sign in signs), 2)
    base = (height - signs[0].matrix[5]) * MM
    return Line(
        text=line.get_text().strip(),
        left=min(sign.x0 for sign in signs) * MM,
        right=max(sign.x1 for sign in signs) * MM,
        top=base - CAPITAL * size * MM,
        base=base,
        size=size,
        faces=frozenset(sign.fontname.partition("+")[2] for sign in signs),
    )
