"""Pictures made small: whatever an organiser has becomes a square of 4 KB with nothing but pixels in it."""

import zlib
from io import BytesIO

import pytest
from PIL import Image

from targets import pictures
from targets.pictures import PictureRefused
from tests import faces

SECRET = b"GPS 43.34 N 52.86 E"
KINDS = ("JPEG", "PNG", "WEBP", "AVIF")


def code_of(content: bytes) -> str:
    """Return why a file is refused."""
    with pytest.raises(PictureRefused) as refused:
        pictures.small(content)
    assert refused.value.sentence.endswith(".")
    return refused.value.code


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(96, 96), (640, 480), (300, 900), (32, 400)])
def test_any_of_four_kinds_becomes_one_small_square(kind: str, size: tuple[int, int]) -> None:
    made = pictures.small(faces.picture(kind, size))
    assert Image.open(BytesIO(made)).size == (96, 96)
    red, green, blue, opaque = faces.pixel(made, (48, 48))
    assert max(abs(red - 0xB8), abs(green - 0x78), abs(blue - 0x40)) < 8
    assert opaque == 255


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "CMYK"])
def test_nothing_is_too_wild_for_four_kilobytes(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert len(pictures.small(faces.noise(kind, (640, 480), mode=mode))) <= pictures.LIMIT


def test_a_plain_picture_keeps_its_quality() -> None:
    easy, hard = pictures.small(faces.halves()), pictures.small(faces.noise())
    assert len(easy) < 600
    assert len(hard) > 1000  # no smaller than it has to be


def test_sixteen_bits_of_grey_stay_grey() -> None:
    made = BytesIO()
    deep = Image.new("I;16", (200, 200))
    deep.putdata([x % 200 * 327 for x in range(40_000)])
    deep.save(made, "PNG")
    small = pictures.small(made.getvalue())
    for x in (8, 48, 88):
        assert abs(faces.pixel(small, (x, 48))[0] - x * 255 / 96) < 12


def test_what_stands_upright_is_cut_above_its_middle() -> None:
    tall = Image.new("RGB", (100, 400), "#1e1ec8")
    tall.paste("#c81e1e", (0, 0, 100, 200))
    made = BytesIO()
    tall.save(made, "PNG")
    square = pictures.small(made.getvalue())
    assert faces.pixel(square, (48, 60))[0] > 150  # the upper half ends at row 200 of 400, the square at 205
    assert faces.pixel(square, (48, 30))[0] > 150


@pytest.mark.parametrize(("turned", "red_at"), [(1, (5, 48)), (3, (90, 48)), (6, (48, 5)), (8, (48, 90))])
@pytest.mark.parametrize("kind", KINDS)
def test_a_camera_that_was_held_otherwise_is_turned_back(kind: str, turned: int, red_at: tuple[int, int]) -> None:
    made = pictures.small(faces.halves(kind, (200, 200), turned=turned))
    red, _, blue, _ = faces.pixel(made, red_at)
    assert red > 120 > blue


def test_a_picture_without_a_background_keeps_its_transparency() -> None:
    clear = pictures.small(faces.picture("PNG", colour="#ff000040"))
    assert 30 < faces.pixel(clear, (48, 48))[3] < 100


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_file_says_of_itself_is_not_kept(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    told = faces.picture(kind, exif=exif, icc_profile=b"profile " + SECRET * 9)
    assert SECRET in told
    made = pictures.small(told + SECRET)
    assert SECRET not in made
    assert {made[12:16]} <= {b"VP8 ", b"VP8L", b"VP8X"}
    assert not {b"EXIF", b"XMP ", b"ICCP"} & {made[at : at + 4] for at in range(len(made))}


def test_of_what_moves_the_first_picture_is_kept() -> None:
    made = BytesIO()
    first, second = (Image.new("RGB", (96, 96), colour) for colour in ("#c81e1e", "#1e1ec8"))
    first.save(made, "WEBP", save_all=True, append_images=[second])
    kept = pictures.small(made.getvalue())
    assert getattr(Image.open(BytesIO(kept)), "n_frames", 1) == 1
    assert faces.pixel(kept, (48, 48))[0] > 150


@pytest.mark.parametrize("content", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"x", faces.picture("GIF")])
def test_other_files_are_refused(content: bytes) -> None:
    assert code_of(content) == ("kind" if content else "empty")


def test_a_page_that_begins_like_a_picture_is_refused() -> None:
    for start in (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x40\0\0\0WEBP", b"\0\0\0\x14ftypavif\0\0\0\0avif"):
        assert code_of(start + b"<script>alert(1)</script>" + bytes(80)) in {"broken", "kind"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_is_cut_off_is_refused(kind: str) -> None:
    whole = faces.noise(kind, (96, 96))
    assert {code_of(whole[:end]) for end in range(1, len(whole) - 64, len(whole) // 25)} <= {"broken", "kind"}


def test_too_few_and_too_many_pixels_are_refused() -> None:
    assert code_of(faces.picture(size=(31, 400))) == "size"
    assert code_of(faces.picture(size=(400, 31))) == "size"
    assert code_of(faces.picture(size=(5001, 5000))) == "pixels"


@pytest.mark.parametrize("side", [10_000, 20_000])
def test_a_bomb_is_not_unpacked(side: int) -> None:
    head = (side).to_bytes(4) * 2
    bomb = bytearray(faces.picture())
    bomb[16:24] = head
    bomb[29:33] = zlib.crc32(bytes(bomb[12:29])).to_bytes(4)
    assert code_of(bytes(bomb)) == "pixels"


def test_a_file_of_more_than_ten_megabytes_is_not_read() -> None:
    assert code_of(faces.picture() + bytes(pictures.FILE_LIMIT)) == "too_large"
