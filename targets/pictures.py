"""Small pictures: what kind a file is by its bytes, how large by its own header, and no more in it than the picture.

There is nothing here that decodes a picture: a file is taken apart as its format says, and put together again of those
parts that show it. Places, cameras and comments are left out; what moves, or is cut off, is refused.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from targets.models import Photo

LIMIT = 4096  # bytes of what is kept
FILE_LIMIT = 65_536  # bytes of what is read: a file may say more of itself than it shows
LEAST, MOST = 32, 512  # pixels of a side
MOST_OBLONG = 2
Kind = Photo.Kind


class PictureRefused(ValueError):
    """A picture that cannot be kept: a code, and a sentence that says what to do."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
        super().__init__(sentence)


@dataclass(frozen=True)
class Picture:
    """A picture that may be kept; width and height are in pixels."""

    kind: str
    width: int
    height: int
    content: bytes


def read(content: bytes) -> Picture:
    """Return the picture that a file holds, without anything else that is in it; raises PictureRefused."""
    if not content:
        raise PictureRefused("empty", "Choose a picture.")
    if len(content) > FILE_LIMIT:
        raise too_large(len(content))
    if content[:3] == b"\xff\xd8\xff":
        read_kind = _jpeg
    elif content[:8] == _PNG:
        read_kind = _png
    elif content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        read_kind = _webp
    elif content[4:8] == b"ftyp":
        read_kind = _avif
    else:
        raise PictureRefused("kind", "This is no JPEG, PNG, WebP or AVIF picture. Save it as one of these.")
    try:
        picture = read_kind(content)
    except IndexError:
        raise _broken() from None
    _check_size(picture)
    if len(picture.content) > LIMIT:
        raise too_large(len(picture.content))
    return picture


def too_large(size: int) -> PictureRefused:
    """Return the refusal of a file of so many bytes."""
    kilobytes = -(-size * 10 // 1024) / 10  # rounded up: 4,097 bytes are not 4.0 KB
    return PictureRefused("too_large", f"The picture has {kilobytes:.1f} KB. It may have 4 KB: make it smaller.")


def _check_size(picture: Picture) -> None:
    sides = sorted((picture.width, picture.height))
    if sides[0] < LEAST or sides[1] > MOST or sides[1] > MOST_OBLONG * sides[0]:
        raise PictureRefused(
            "size", f"The picture is {picture.width} × {picture.height} pixels. Make it a square of 96 × 96."
        )


def _broken() -> PictureRefused:
    return PictureRefused("broken", "The picture is cut off or damaged. Save it again.")


def _moving() -> PictureRefused:
    return PictureRefused("moving", "This is a moving picture. Save one picture of it.")


def _part(content: bytes, start: int, size: int) -> bytes:
    part = content[start : start + size]
    if len(part) < size:
        raise _broken()
    return part


_STARTS = frozenset({0xC0, 0xC1, 0xC2})  # frames that browsers show: baseline, extended, progressive
_TABLES = frozenset({0xC4, 0xDB, 0xDD})
_END, _SCAN, _JFIF, _ADOBE = 0xD9, 0xDA, 0xE0, 0xEE
_TOLD = frozenset({*range(0xE0, 0xF0), 0xFE})  # what applications and people note


def _jpeg(content: bytes) -> Picture:
    """Read ITU T.81, annex B: segments, each with its marker and length, and scans between them."""
    kept, at, size, has_scan = bytearray(content[:2]), 2, (0, 0), False
    while True:
        if content[at] != 0xFF:
            raise _broken()
        while content[at + 1] == 0xFF:
            at += 1
        marker = content[at + 1]
        if marker == _END:
            break
        length = int.from_bytes(_part(content, at + 2, 2))
        segment = _part(content, at, 2 + length)
        if length < 2:
            raise _broken()
        at += len(segment)
        if marker in _STARTS and not any(size):
            size = (int.from_bytes(_part(segment, 7, 2)), int.from_bytes(_part(segment, 5, 2)))
        elif marker == _SCAN and any(size):
            end = _end_of_scan(content, at)
            segment, at, has_scan = segment + content[at:end], end, True
        elif marker in _TOLD:
            if marker not in {_JFIF, _ADOBE} or segment[4:9] not in {b"JFIF\0", b"Adobe"}:
                continue
        elif marker not in _TABLES:
            raise _broken()
        kept += segment
    if not has_scan:
        raise _broken()
    return Picture(Kind.JPEG, *size, bytes(kept) + b"\xff\xd9")


def _end_of_scan(content: bytes, at: int) -> int:
    while True:
        at = content.find(b"\xff", at)
        if at < 0:
            raise _broken()
        if content[at + 1] != 0 and not 0xD0 <= content[at + 1] <= 0xD7:
            return at
        at += 2


_PNG = b"\x89PNG\r\n\x1a\n"
_SHOWN_PNG = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})


def _png(content: bytes) -> Picture:
    """Read RFC 2083: chunks with a length, a name and a check sum."""
    kept, at, names = bytearray(_PNG), len(_PNG), list[bytes]()
    while not names or names[-1] != b"IEND":
        length = int.from_bytes(_part(content, at, 4))
        chunk = _part(content, at, 12 + length)
        if zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:]):
            raise _broken()
        names.append(chunk[4:8])
        kept += chunk if chunk[4:8] in _SHOWN_PNG else b""
        at += len(chunk)
    if names[0] != b"IHDR" or names.count(b"IHDR") != 1 or b"IDAT" not in names:
        raise _broken()
    if b"acTL" in names:
        raise _moving()
    return Picture(Kind.PNG, int.from_bytes(kept[16:20]), int.from_bytes(kept[20:24]), bytes(kept))


def _webp(content: bytes) -> Picture:
    """Read RFC 9649: a RIFF file with one picture, with or without its transparency beside it."""
    end = 8 + int.from_bytes(content[4:8], "little")
    at, chunks = 12, dict[bytes, bytes]()
    while at < end:
        name, length = _part(content, at, 4), int.from_bytes(_part(content, at + 4, 4), "little")
        if at + 8 + length > end:
            raise _broken()
        if name in {b"ANIM", b"ANMF"}:
            raise _moving()
        if name in chunks:
            raise _broken()
        chunks[name] = _part(content, at + 8, length)
        at += 8 + length + length % 2
    lossy, lossless, alpha = chunks.get(b"VP8 "), chunks.get(b"VP8L"), chunks.get(b"ALPH")
    if lossless is not None and lossy is None and lossless[0] == 0x2F:
        bits = int.from_bytes(_part(lossless, 1, 4), "little")
        return Picture(Kind.WEBP, (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, _riff({b"VP8L": lossless}))
    if lossy is None or lossless is not None or lossy[0] & 1 or lossy[3:6] != b"\x9d\x01\x2a":
        raise _broken()
    width, height = (int.from_bytes(_part(lossy, start, 2), "little") & 0x3FFF for start in (6, 8))
    if alpha is None:
        return Picture(Kind.WEBP, width, height, _riff({b"VP8 ": lossy}))
    sides = b"".join((side - 1).to_bytes(3, "little") for side in (max(width, 1), max(height, 1)))
    extended = b"\x10\0\0\0" + sides  # it has transparency, and nothing else
    return Picture(Kind.WEBP, width, height, _riff({b"VP8X": extended, b"ALPH": alpha, b"VP8 ": lossy}))


def _riff(chunks: dict[bytes, bytes]) -> bytes:
    body = b"WEBP" + b"".join(
        name + len(part).to_bytes(4, "little") + part + b"\0" * (len(part) % 2) for name, part in chunks.items()
    )
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _avif(content: bytes) -> Picture:
    """Read ISO/IEC 23008-12: boxes in boxes. Nothing can be left out of it, so what tells more is refused."""
    boxes = list(_boxes(content))
    brands = {boxes[0][1][start : start + 4] for start in range(0, len(boxes[0][1]), 4)}
    if b"avif" not in brands:
        raise PictureRefused("kind", "This is no AVIF picture. Save it as JPEG, PNG or WebP.")
    if b"avis" in brands or any(name == b"moov" for name, _body in boxes):
        raise _moving()
    names = [name for name, _body in boxes]
    if names.count(b"meta") != 1 or names.count(b"mdat") != 1 or set(names) - {b"ftyp", b"meta", b"mdat", b"free"}:
        raise _broken()
    meta = dict(_boxes(dict(boxes)[b"meta"][4:]))
    items = [body[8:12] for name, body in _boxes(meta.get(b"iinf", b"")[6:]) if name == b"infe"]
    if b"av01" not in items:
        raise _broken()
    if set(items) - {b"av01", b"grid"}:
        raise PictureRefused(
            "tells_more", "The picture says more than it shows, such as where it was made. Save it without metadata."
        )
    properties = dict(_boxes(meta.get(b"iprp", b""))).get(b"ipco", b"")
    sizes = [body for name, body in _boxes(properties) if name == b"ispe" and len(body) == 12]
    if not sizes:
        raise _broken()
    width, height = (max(int.from_bytes(body[start : start + 4]) for body in sizes) for start in (4, 8))
    return Picture(Kind.AVIF, width, height, content)


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(content):
        size = int.from_bytes(_part(content, at, 4))
        if size < 8:
            raise _broken()
        yield content[at + 4 : at + 8], _part(content, at, size)[8:]
        at += size
