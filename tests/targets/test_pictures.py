"""Small pictures: known by their bytes, measured by their own header, with nothing else in them."""

import pytest

from targets import pictures
from targets.pictures import PictureRefused
from tests import faces

SECRET = b"GPS 43.34 N 52.86 E"
KINDS = {"jpeg": faces.JPEG, "webp": faces.WEBP, "png": faces.PNG, "avif": faces.avif()}


def code_of(content: bytes) -> str:
    """Return why a file is refused."""
    with pytest.raises(PictureRefused) as refused:
        pictures.read(content)
    assert refused.value.sentence.endswith(".")
    return refused.value.code


def after_start(segment: bytes) -> bytes:
    """Return the JPEG with one more segment behind its start."""
    return faces.JPEG[:2] + segment + faces.JPEG[2:]


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """Return a WebP of these chunks."""
    parts = (name + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2) for name, body in chunks)
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def part(content: bytes, name: bytes) -> bytes:
    """Return a chunk's body in a WebP."""
    at = content.index(name)
    return content[at + 8 : at + 8 + int.from_bytes(content[at + 4 : at + 8], "little")]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_known_by_its_bytes_and_measured(kind: str) -> None:
    picture = pictures.read(KINDS[kind])
    assert (picture.kind, picture.width, picture.height) == (kind, 40, 48)
    assert pictures.read(picture.content) == picture  # what is kept is whole, and has nothing left to take out


def test_a_picture_without_a_background_keeps_its_transparency() -> None:
    lossless = pictures.read(faces.CLEAR)
    assert (lossless.kind, lossless.width, lossless.height) == ("webp", 40, 48)
    lossy = riff((b"VP8X", b"\x3c" + bytes(9)), (b"ALPH", b"\0abc"), (b"VP8 ", part(faces.WEBP, b"VP8 ")))
    kept = pictures.read(lossy).content
    assert part(kept, b"ALPH") == b"\0abc"
    assert part(kept, b"VP8X") == b"\x10\0\0\0" + (39).to_bytes(3, "little") + (47).to_bytes(3, "little")


def test_what_a_file_says_of_itself_is_taken_out() -> None:
    told = {
        "exif": after_start(b"\xff\xe1" + (2 + 6 + len(SECRET)).to_bytes(2) + b"Exif\0\0" + SECRET),
        "comment": after_start(b"\xff\xfe" + (2 + len(SECRET)).to_bytes(2) + SECRET),
        "text": faces.png(more=faces.chunk(b"tEXt", b"Comment\0" + SECRET)),
        "eXIf": faces.png(more=faces.chunk(b"eXIf", SECRET)),
        "behind": faces.png() + SECRET,
        "webp": riff((b"VP8X", bytes(10)), (b"VP8 ", part(faces.WEBP, b"VP8 ")), (b"EXIF", SECRET), (b"XMP ", SECRET)),
        "webp, behind": faces.WEBP + SECRET,
        "jpeg, behind": faces.JPEG + SECRET,
    }
    for where, content in told.items():
        assert SECRET in content
        assert SECRET not in pictures.read(content).content, where
    assert b"ICC_PROFILE" in faces.JPEG
    assert b"ICC_PROFILE" not in pictures.read(faces.JPEG).content
    assert code_of(faces.avif(items=(b"av01", b"Exif"))) == "tells_more"
    assert code_of(faces.avif(items=(b"av01", b"mime"))) == "tells_more"


@pytest.mark.parametrize("content", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a" + bytes(99), b"x"])
def test_other_files_are_refused(content: bytes) -> None:
    assert code_of(content) == ("kind" if content else "empty")


def test_a_page_that_begins_like_a_picture_is_refused() -> None:
    for start in (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x40\0\0\0WEBP", b"\0\0\0\x14ftypavif\0\0\0\0avif"):
        assert code_of(start + b"<script>alert(1)</script>" + bytes(80)) in {"broken", "kind"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_is_cut_off_anywhere_is_refused(kind: str) -> None:
    whole = KINDS[kind]
    assert {code_of(whole[:end]) for end in range(1, len(whole))} <= {"broken", "kind"}


def test_a_wrong_check_sum_is_seen() -> None:
    damaged = bytearray(faces.png())
    damaged[-20] ^= 1
    assert code_of(bytes(damaged)) == "broken"


def test_what_moves_is_refused() -> None:
    assert code_of(faces.png(more=faces.chunk(b"acTL", bytes(8)))) == "moving"
    assert code_of(riff((b"VP8X", bytes(10)), (b"ANIM", bytes(6)))) == "moving"
    assert code_of(faces.avif(brands=b"avis") .replace(b"mif1", b"avif")) == "moving"


@pytest.mark.parametrize(("width", "height"), [(31, 48), (48, 31), (513, 300), (300, 513), (120, 50), (0, 48)])
def test_too_few_too_many_and_too_oblong_pixels_are_refused(width: int, height: int) -> None:
    assert code_of(faces.png(width, height)) == "size"
    assert code_of(faces.avif(width, height)) == "size"


def test_four_kilobytes_are_the_limit_of_what_is_kept() -> None:
    at_most = pictures.LIMIT - len(faces.png())
    assert len(pictures.read(faces.png(noise=bytes(at_most))).content) == 4096
    assert code_of(faces.png(noise=bytes(at_most + 1))) == "too_large"
    long_told = faces.png(more=faces.chunk(b"tEXt", bytes(20_000)))
    assert len(pictures.read(long_told).content) < 200
    assert code_of(faces.png(more=faces.chunk(b"tEXt", bytes(70_000)))) == "too_large"
    with pytest.raises(PictureRefused, match=r"has 4\.1 KB"):
        pictures.read(faces.png(noise=bytes(at_most + 1)))
