"""From the bytes of a file or a paste to tables, by what is in them and not by what they are called."""

import re

from targets.imports.delimited import holds_addresses, read_delimited
from targets.imports.encodings import decode
from targets.imports.headers import field_of_word
from targets.imports.table import BYTES_LIMIT, ImportRefused, Table

_OTHER_FORMATS = (
    (b"\xd0\xcf\x11\xe0", "xls", "This is an older Excel workbook. Open it and save it as CSV."),
    (b"%PDF", "pdf", "This is a PDF. Copy the table out of it into a spreadsheet and save that as CSV."),
    (b"\xff\xd8\xff", "image", "This is a photograph. Type the table into a spreadsheet and save it as CSV."),
    (b"\x89PNG", "image", "This is a picture. Type the table into a spreadsheet and save it as CSV."),
    (b"GIF8", "image", "This is a picture. Type the table into a spreadsheet and save it as CSV."),
    (b"\x1f\x8b", "archive", "This is a packed file. Unpack it and choose the table inside, saved as CSV."),
    (b"7z\xbc\xaf", "archive", "This is a packed file. Unpack it and choose the table inside, saved as CSV."),
    (b"Rar!", "archive", "This is a packed file. Unpack it and choose the table inside, saved as CSV."),
    (b"{\\rtf", "rtf", "This is a text document. Copy its table into a spreadsheet and save that as CSV."),
    (b"BEGIN:VCARD", "vcard", "This is a set of address cards. Export it as CSV instead."),
)
_BEGINS_LIKE_A_PAGE = re.compile(r"\s*<(?:!doctype|!--|\?xml|[a-z][a-z0-9-]{0,20}[\s>/])", re.IGNORECASE)
_HOLDS_MARKUP = re.compile(
    r"</(?:table|td|tr|html|body|div|li|a|p|dl|dd)>|<(?:table|td|tr|html)[\s>]", re.IGNORECASE
)
_NAMES_ENCODING = re.compile(rb"<meta[^>]{1,200}charset\s*=\s*[\"']?\s*([a-zA-Z0-9_-]{2,20})", re.IGNORECASE)


def read(content: bytes, *, filename: str = "") -> list[Table]:
    """Return the tables in a file or paste, the likeliest first, each with at least one row.

    Takes CSV in any usual encoding and separator, cells from a spreadsheet, and HTML, whole or in part;
    up to 2 MB and 5,000 rows. `filename` only helps to tell a page from a table. Raises ImportRefused.
    """
    if len(content) > BYTES_LIMIT:
        raise ImportRefused(
            "too_large",
            f"The file has {len(content) / 1e6:.1f} MB; one import takes {BYTES_LIMIT // 1_000_000} MB. "
            "Keep only the table, or split it.",
        )
    if not content.strip(b"\0 \t\r\n\xef\xbb\xbf\xfe\xff"):
        raise ImportRefused("empty", "There is nothing in it. Choose a file with a table, or paste one.")
    _refuse_other_formats(content)
    text, encoding = decode(content)
    if _is_page(text, filename):
        named = _NAMES_ENCODING.search(content[:4096])
        if named and encoding.startswith("Windows"):
            text = _decoded_as(content, named[1].decode("ascii"), otherwise=text)
        if re.search(r"<(?:ss:)?workbook[\s>]", text[:4000], re.IGNORECASE):
            raise ImportRefused("xls", "This is an Excel workbook in XML. Open it and save it as CSV.")
        from targets.imports.webpage import read_page  # noqa: PLC0415  large, and a worker never needs it

        tables = read_page(text)
    else:
        _refuse_binary(text)
        table = read_delimited(text, encoding=encoding)
        tables = [table] if table else []
    if not tables:
        raise ImportRefused(
            "no_rows",
            "There is no table with rows in it, and no e-mail address. Save the table as CSV, or paste it.",
        )
    return sorted(tables, key=_likeliness, reverse=True)


def _likeliness(table: Table) -> tuple[int, int, int]:
    return (holds_addresses(table), sum(1 for word in table.header if field_of_word(word)), len(table.rows))


def _is_page(text: str, filename: str) -> bool:
    start = text[:200_000]
    if _BEGINS_LIKE_A_PAGE.match(start):
        return True
    markup = _HOLDS_MARKUP.search(start)
    return markup is not None and (
        filename.lower().endswith((".html", ".htm", ".xhtml"))
        or bool(re.search(r"<t[dr][\s>]|mailto:", start))
    )


def _decoded_as(content: bytes, encoding: str, *, otherwise: str) -> str:
    try:
        return content.decode(encoding, errors="replace")
    except (LookupError, ValueError):  # a page may name any encoding, also one that is none
        return otherwise


def _refuse_other_formats(content: bytes) -> None:
    if content.startswith(b"PK\x03\x04"):
        if b"opendocument" in content[:200]:
            raise ImportRefused("ods", "This is an OpenDocument file. Open it and save it as CSV.")
        if b"[Content_Types].xml" in content[:100_000] or b"xl/" in content[:100_000]:
            raise ImportRefused("xlsx", "This is an Excel workbook. Open it and save it as CSV (UTF-8).")
        raise ImportRefused(
            "archive", "This is a packed file. Unpack it and choose the table inside, saved as CSV."
        )
    for beginning, code, sentence in _OTHER_FORMATS:
        if content.startswith(beginning):
            raise ImportRefused(code, sentence)


def _refuse_binary(text: str) -> None:
    """Refuse what is no text; a few stray NULs are for the rows to complain of."""
    odd = sum(1 for char in text[:100_000] if (char < " " and char not in "\t\r\n\f") or char == "\ufffd")
    if odd > max(20, len(text[:100_000]) // 20):
        raise ImportRefused("binary", "This is no text. Open the table in a spreadsheet and save it as CSV.")
