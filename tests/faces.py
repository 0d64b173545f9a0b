"""Pictures for the tests."""

from io import BytesIO
from random import Random
from typing import Any

from PIL import Image


def picture(kind: str = "PNG", size: tuple[int, int] = (120, 96), *, colour: str = "#b87840", **options: Any) -> bytes:
    """Return a picture of one colour; `options` are Pillow's for its kind."""
    made = BytesIO()
    Image.new("RGBA" if len(colour) == 9 else "RGB", size, colour).save(made, kind, **options)
    return made.getvalue()


def noise(kind: str = "PNG", size: tuple[int, int] = (640, 480), *, mode: str = "RGB", seed: int = 1) -> bytes:
    """Return a picture that nothing makes small."""
    made = BytesIO()
    pixels = Random(seed).randbytes(size[0] * size[1] * len(mode))  # noqa: S311  the same each time
    Image.frombytes(mode, size, pixels).save(made, kind)
    return made.getvalue()


def halves(kind: str = "JPEG", size: tuple[int, int] = (200, 100), *, turned: int = 1) -> bytes:
    """Return a picture whose left half is red and whose right half is blue; `turned` is its EXIF orientation."""
    one = Image.new("RGB", size, "#c81e1e")
    one.paste("#1e1ec8", (size[0] // 2, 0, *size))
    exif = Image.Exif()
    exif[0x0112] = turned
    made = BytesIO()
    one.save(made, kind, exif=exif)
    return made.getvalue()


def pixel(content: bytes, at: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return red, green, blue and how opaque a picture is at a place, each up to 255."""
    red, green, blue, opaque = Image.open(BytesIO(content)).convert("RGBA").crop((*at, at[0] + 1, at[1] + 1)).tobytes()
    return red, green, blue, opaque
