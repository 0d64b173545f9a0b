"""Faces beside names: photos fetched late and kept for long, else initials, and neither where there is no person."""

import re

import pytest

from accounts.models import User
from targets import lists, photos
from targets.models import Target
from tests import cast, faces, parliament
from tests.web.supporters.choosing.test_left_out import leave_out
from tests.web.supporters.choosing.test_to import choose, someone
from tests.web.supporters.conftest import Dana, page
from tests.web.test_weights import KB, weigh, within
from web.supporters.photos import Face, initials
from web.supporters.photos import faces as faces_of


def images(html: str) -> list[str]:
    """Return the images on a page."""
    return re.findall(r"<img[^>]*>", html)


@pytest.mark.parametrize(
    ("given", "family", "name", "shown"),
    [
        ("Anna", "Lund", "Anna Lund", "AL"),
        ("Viktor", "Orbán", "Orbán Viktor", "OV"),  # in the order of the name
        ("Ursula", "von der Leyen", "Ursula von der Leyen", "UL"),
        ("bell", "hooks", "bell hooks", "bh"),
        ("Éric", "D'Arcy", "Éric D'Arcy", "ÉD"),
        ("E\u0301ric", "", "E\u0301ric", "É"),
        ("Joris", "’t Hooft", "Joris ’t Hooft", "JH"),
        ("Есенбек", "Уктешбаев", "Есенбек Уктешбаев", "ЕУ"),
        ("小明", "王", "王小明", "王"),
        ("مريم", "حسن", "مريم حسن", "م"),
        ("क्षितिज", "शर्मा", "क्षितिज शर्मा", "क्षि"),
        ("Q̈ara", "Z", "Q̈ara Z", "Q̈Z"),
        ("", "", "Office of the President", ""),
        ("-", "()", "Office", ""),
    ],
)
def test_initials_of_any_script(given: str, family: str, name: str, shown: str) -> None:
    assert initials(Target(name=name, given_name=given, family_name=family)) == shown


def test_offices_have_no_face_and_among_people_an_empty_place(alice: User) -> None:
    people = list(lists.active_targets(cast.a_list(cast.organisation_of(alice))))
    office = people[2]
    assert faces_of([office]) == {}
    assert faces_of(people)[office.pk] == Face()
    assert faces_of(people)[people[0].pk] == Face(initials="AL")


def test_each_name_has_its_initials_which_are_not_read_out(dana: Dana) -> None:
    html = dana.get(choose(dana) + "?country=DK&q=").content.decode()
    assert html.count('<span class="face" aria-hidden="true">') == 15
    assert 'class="choosing faces"' in html
    assert images(html) == []


def test_a_photo_stands_beside_the_name_and_says_nothing(dana: Dana, alice: User) -> None:
    address, lund = choose(dana), someone(dana, "DK", 3)
    digest = photos.keep(target=lund, content=faces.picture(), by=alice).digest
    html = dana.get(f"{address}?country=DK&q=").content.decode()
    assert images(html) == [
        f'<img class="face" src="/photo/{digest}/" width="44" height="44" loading="lazy" alt="">'
    ]
    assert html.count('<span class="face"') == 14
    leave_out([lund], alice)
    assert len(images(dana.get(f"{address}?country=DK&q=").content.decode())) == 1


def test_no_other_page_shows_photos(dana: Dana, alice: User) -> None:
    for target in dana.ask().target_list.targets.all()[:9]:
        photos.keep(target=target, content=faces.picture(), by=alice)
    write = choose(dana).replace("/to/", "/write/")
    for address in (dana.home, f"{dana.home}suggested/", f"{dana.home}fixed/", write):
        assert "/photo/" not in page(dana.get(address))


def test_a_photo_is_what_it_says_and_may_be_kept(dana: Dana, alice: User) -> None:
    kept = photos.keep(target=someone(dana, "DK"), content=faces.picture(), by=alice)
    answer = dana.get(f"/photo/{kept.digest}/")
    assert answer.content == bytes(kept.content)
    assert answer["Content-Type"] == "image/webp"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Cookie" not in answer.get("Vary", "")
    assert not answer.cookies


def test_a_photo_that_was_deleted_or_never_was_is_not_found(dana: Dana, alice: User) -> None:
    target = someone(dana, "DK")
    kept = photos.keep(target=target, content=faces.picture(), by=alice)
    photos.remove(target=target, by=alice)
    for digest in (kept.digest, "x", "0" * 32):
        assert dana.get(f"/photo/{digest}/").status_code == 404


def test_choosing_among_720_people_with_photos_stays_light(alice: User) -> None:
    dana = Dana(parliament.a_parliament_campaign(alice))
    address = choose(dana)
    bare = weigh(dana, "to", address)
    within(bare, html=30, total=40, requests=4)
    for target in dana.ask().target_list.targets.filter(country__in=("AT", "BE")):
        photos.keep(target=target, content=faces.picture(colour=f"#{target.pk:06x}"), by=alice)
    html = dana.get(address).content.decode()
    seen = images(html)
    assert len(seen) >= 38
    assert all(' loading="lazy"' in image for image in seen)
    assert len(html) - len(bare.html) <= 4 * KB
