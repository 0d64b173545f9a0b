"""Pictures of people made small: out of any photo a square of 96 pixels, with nothing else in it.

What a camera or a program notes in a file, its place above all, stays out: only pixels go on.
"""

from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

SIDE = 96  # pixels; shown at 44, on screens with two or three to one
LIMIT = 4096  # bytes of what is kept
FILE_LIMIT = 10_000_000  # bytes of what is read
MOST_PIXELS = 25_000_000  # three or four bytes each while it is read
LEAST = 32  # pixels of a side
QUALITIES = (80, 65, 50, 35, 20, 5, 0)
_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF")
_MIDDLE = (0.5, 0.35)  # of the square that is cut out: in an upright photo the face stands above the middle


class PictureRefused(ValueError):
    """A picture that cannot be kept: a code, and a sentence that says what to do."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
        super().__init__(sentence)


def small(content: bytes) -> bytes:
    """Return a picture as a square WebP of 96 pixels and at most 4 KB; raises PictureRefused.

    Taken are JPEG, PNG, WebP and AVIF; of one that moves, what it shows first.
    """
    if not content:
        raise PictureRefused("empty", "Choose a picture.")
    if len(content) > FILE_LIMIT:
        raise too_large()
    try:
        with Image.open(BytesIO(content), formats=_FORMATS) as picture:
            _check_size(picture)
            square = _square(picture)
    except PictureRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except UnidentifiedImageError as error:
        sentence = "This is no JPEG, PNG, WebP or AVIF picture. Save it as one of these."
        raise PictureRefused("kind", sentence) from error
    except Exception as error:  # decoders say in many ways that a file is not what it seems
        raise PictureRefused("broken", "The picture is cut off or damaged. Save it again.") from error
    packed = b""
    for quality in QUALITIES:
        packed = _packed(square, quality)
        if len(packed) <= LIMIT:
            break
    return packed


def too_large() -> PictureRefused:
    """Return the refusal of a file that is not even read."""
    return PictureRefused("too_large", f"The file has more than {FILE_LIMIT // 1_000_000} MB. Save it smaller.")


def _too_many_pixels() -> PictureRefused:
    return PictureRefused(
        "pixels", f"The picture has more than {MOST_PIXELS // 1_000_000} million pixels. Save it smaller."
    )


def _check_size(picture: Image.Image) -> None:
    if picture.width * picture.height > MOST_PIXELS:
        raise _too_many_pixels()
    if min(picture.size) < LEAST:
        raise PictureRefused(
            "size", f"The picture is {picture.width} × {picture.height} pixels. It needs {SIDE} × {SIDE}."
        )


def _square(picture: Image.Image) -> Image.Image:
    """Return the square, the right way up. A JPEG is read no larger than that needs."""
    picture.draft("RGB", (4 * SIDE, 4 * SIDE))
    if picture.mode.startswith("I"):  # 16 bits of grey, of which a conversion would cut off all that is not black
        picture = picture.convert("I").point(lambda grey: grey / 256).convert("L")
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    upright = ImageOps.exif_transpose(picture if picture.mode == mode else picture.convert(mode))
    return ImageOps.fit(upright, (SIDE, SIDE), method=Image.Resampling.LANCZOS, centering=_MIDDLE)


def _packed(square: Image.Image, quality: int) -> bytes:
    made = BytesIO()
    square.save(made, "WEBP", quality=quality, alpha_quality=quality, method=6, exif=b"", icc_profile=b"", xmp=b"")
    return made.getvalue()
