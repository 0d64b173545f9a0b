"""The faces beside names: photos under an address made of their content, else initials."""

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from targets import photos
from targets.models import Target

_A_YEAR = 31_536_000
_JOINERS = "\u200c\u200d"
_VIRAMA = 9  # the combining class of signs that tie a consonant to the next


@dataclass(frozen=True)
class Face:
    """What stands beside a name: the address of a photo, else initials, else nothing."""

    photo: str = ""
    initials: str = ""


@require_safe
def photo(_request: HttpRequest, digest: str) -> HttpResponse:
    """Answer with a photo; the address names the content, so browsers may keep it."""
    found = photos.find(digest)
    if found is None:
        raise Http404
    answer = HttpResponse(bytes(found.content), content_type="image/webp")
    answer["Cache-Control"] = f"public, max-age={_A_YEAR}, immutable"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def address_of(digest: str) -> str:
    """Return the address of a photo."""
    return reverse("supporters:photo", args=[digest])


def faces(targets: Collection[Target]) -> dict[int, Face]:
    """Return what stands beside the names of these targets, by id; nothing at all where none of them has a face."""
    digests = photos.digests_of([target.pk for target in targets])
    found = {
        target.pk: Face(photo=address_of(digests[target.pk]))
        if target.pk in digests
        else Face(initials=initials(target))
        for target in targets
    }
    return found if any(face.photo or face.initials for face in found.values()) else {}


def initials(target: Target) -> str:
    """Return one or two initials of a person, in the order of the name; "" for an office.

    Of a family name it is that of the first word with a capital: "von der Leyen" has an L. Scripts without capitals
    have no such custom, and some join their letters, so one sign stands there.
    """
    parts = [part for part in (target.given_name, target.family_name) if part]
    parts.sort(key=lambda part: max(target.name.find(part), 0))
    signs = [sign for sign in map(_initial, parts) if sign]
    if len(signs) == 2 and all(_has_case(sign) for sign in signs):
        return "".join(signs)
    return signs[0] if signs else ""


def _initial(name: str) -> str:
    words = [word.lstrip("'’ʼ\"“„«(-.") for word in unicodedata.normalize("NFC", name).split()]
    words = [word for word in words if word and word[0].isalnum()]
    capital = next((word for word in words if word[0].isupper() or word[0].istitle()), "")
    return _first_sign(capital or (words[0] if words else ""))


def _first_sign(word: str) -> str:
    """Return the first grapheme: a letter with all that belongs to it (after UAX 29)."""
    end = min(len(word), 1)
    while end < len(word):
        sign, before = word[end], word[end - 1]
        ties = unicodedata.combining(before) == _VIRAMA or before == "\u200d"
        if not (unicodedata.category(sign).startswith("M") or sign in _JOINERS or ties):
            break
        end += 1
    return word[:end].rstrip(_JOINERS)


def _has_case(sign: str) -> bool:
    return sign.upper() != sign.lower()
