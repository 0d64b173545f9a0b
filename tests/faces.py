"""Pictures for the tests: four that Chromium made, and one put together box by box."""

import zlib
from pathlib import Path

_FOLDER = Path(__file__).parent / "targets" / "faces"
JPEG, WEBP, CLEAR, PNG = (
    (_FOLDER / name).read_bytes() for name in ("face.jpg", "face.webp", "clear.webp", "face.png")
)  # all 40 × 48 pixels; the second WebP is lossless and partly transparent


def box(name: bytes, body: bytes) -> bytes:
    """Return a box of ISO/IEC 14496-12."""
    return (8 + len(body)).to_bytes(4) + name + body


def avif(width: int = 40, height: int = 48, *, items: tuple[bytes, ...] = (b"av01",), brands: bytes = b"avif") -> bytes:
    """Return what is laid out like an AVIF picture."""
    told = b"".join(
        box(b"infe", b"\2\0\0\0" + number.to_bytes(2) + b"\0\0" + item + b"\0") for number, item in enumerate(items, 1)
    )
    size = box(b"ispe", bytes(4) + width.to_bytes(4) + height.to_bytes(4))
    inside = box(b"hdlr", bytes(8) + b"pict" + bytes(13)) + box(b"iinf", bytes(4) + len(items).to_bytes(2) + told)
    meta = bytes(4) + inside + box(b"iprp", box(b"ipco", size) + box(b"ipma", bytes(8)))
    return box(b"ftyp", brands + bytes(4) + b"mif1miaf") + box(b"meta", meta) + box(b"mdat", bytes(200))


def chunk(name: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return len(body).to_bytes(4) + name + body + zlib.crc32(name + body).to_bytes(4)


def png(width: int = 48, height: int = 48, *, more: bytes = b"", noise: bytes = b"") -> bytes:
    """Return a grey PNG; `more` are chunks before the picture's own, `noise` makes it long."""
    rows = zlib.compress((b"\0" + b"\x80" * width) * height) + noise
    head = width.to_bytes(4) + height.to_bytes(4) + b"\x08\0\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + more + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
