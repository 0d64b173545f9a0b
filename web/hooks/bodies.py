"""The body of a request, read once and never beyond its bound, packed or not; a form without its files."""

import re
import zlib

from django.http import HttpRequest, QueryDict
from django.http.request import UnreadablePostError

MOST_TRACKING = 1_000_000  # bytes, also unpacked
MOST_INBOUND = 10_000_000
_MOST_FIELDS = 200
_PIECE = 65_536
_NAME = re.compile(rb';[ \t]*name="([^"\r\n]{1,100})"', re.IGNORECASE)
_FILE = re.compile(rb";[ \t]*filename\*?=", re.IGNORECASE)


class TooLarge(Exception):
    """The body is longer than it may be."""

    code = "too_large"


class Unreadable(Exception):
    """The body is not what its headers say."""

    code = "unreadable"


def read(request: HttpRequest, *, most: int) -> bytes:
    """Return the body, unpacked, and let `request.body` and `request.POST` be read from it from now on.

    Raises TooLarge for more than `most` bytes, Unreadable.
    """
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > most:
        raise TooLarge
    body = _unpacked(_received(request, most), request.headers.get("Content-Encoding", ""), most)
    request._body = body  # noqa: SLF001  as Django keeps it
    if request.content_type == "multipart/form-data":
        boundary = (request.content_params or {}).get("boundary", "")
        request._post = _fields(body, boundary)  # type: ignore[attr-defined]  # noqa: SLF001
        request._files = {}  # type: ignore[attr-defined]  # noqa: SLF001  nothing that was attached is wanted
    return body


def _received(request: HttpRequest, most: int) -> bytes:
    pieces: list[bytes] = []
    length = 0
    while True:
        try:
            piece = request.read(_PIECE)
        except UnreadablePostError as error:
            raise Unreadable from error
        if not piece:
            return b"".join(pieces)
        length += len(piece)
        if length > most:
            raise TooLarge
        pieces.append(piece)


def _unpacked(body: bytes, packing: str, most: int) -> bytes:
    packing = packing.strip().lower()
    if packing in {"", "identity"}:
        return body
    if packing not in {"gzip", "x-gzip"}:
        raise Unreadable
    opener = zlib.decompressobj(wbits=31)
    try:
        whole = opener.decompress(body, most + 1)
    except zlib.error as error:
        raise Unreadable from error
    if len(whole) > most or opener.unconsumed_tail:
        raise TooLarge
    if not opener.eof or opener.unused_data:
        raise Unreadable
    return whole


def _fields(body: bytes, boundary: str) -> QueryDict:
    """Return the fields of a form in parts. Django's own parser would hold its fields to the bound of our pages."""
    fields = QueryDict("", mutable=True, encoding="utf-8")
    if not boundary or len(boundary) > 200:
        raise Unreadable
    line = b"--" + boundary.encode("utf-8", "replace")
    pieces = body.split(b"\r\n" + line, _MOST_FIELDS + 1)
    if not pieces[0].startswith(line) or len(pieces) > _MOST_FIELDS + 1 or not pieces[-1].startswith(b"--"):
        raise Unreadable
    pieces[0] = pieces[0][len(line) :]
    for piece in pieces[:-1]:
        head, blank, value = piece.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if blank and name and not _FILE.search(head):
            fields.appendlist(name[1].decode("utf-8", "replace"), value.decode("utf-8", "replace"))
    return fields
