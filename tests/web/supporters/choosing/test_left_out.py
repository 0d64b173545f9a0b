"""What supporters see of those whom organisers left out, without JavaScript."""

import re
from collections.abc import Sequence
from html import unescape

import pytest
from django.utils import timezone

from accounts.models import User
from targets import exclusions
from targets.models import ListEntry, Target
from tests import parliament
from tests.web.supporters.choosing.test_to import begin, boxes, choose, names, someone, ticked
from tests.web.supporters.conftest import DANA, SENTENCE, Dana, one_h1, page
from tests.web.test_weights import weigh, within

WORDS = "has met the families <already>"


def leave_out(targets: Sequence[Target], by: User, exclusion: str = "own", until: str = "") -> None:
    """Leave these targets out of the list."""
    for entry in ListEntry.objects.filter(target__in=targets).select_related("target", "target_list__organisation"):
        exclusions.exclude(
            entry=entry, exclusion=exclusion, words=WORDS, until=until, by=by, now=timezone.now()
        )


def everybody(dana: Dana, **only: str) -> list[Target]:
    """Return the members of parliament."""
    return list(dana.ask().target_list.targets.filter(**only))


def said_of(html: str, target: Target) -> str:
    """Return the line below the name of somebody who has no box, as read."""
    name = re.escape(target.name)
    above = r'<div class="choice out">\s*(?:<span class="face"[^>]*>[^<]*</span>\s*|<img[^>]*>\s*)?<div><p>'
    found = re.search(rf"{above}<bdi>{name}</bdi></p>\s*<p[^>]*>(.*?)</p>", html)
    assert found is not None
    return unescape(re.sub(r"<[^>]+>", "", found[1])).strip()


def test_they_stand_among_the_others_with_the_reason_and_without_a_box(dana: Dana, alice: User) -> None:
    address = choose(dana)
    left_out = someone(dana, "DK", 3)
    assert "gets no letters at the moment" not in page(dana.get(address))
    leave_out([left_out], alice)
    html = dana.get(f"{address}?country=DK&q=").content.decode()
    assert left_out.public_id not in html
    assert said_of(html, left_out).endswith(WORDS)
    assert len(boxes(html)) == 14
    assert "Who has no box gets no letters at the moment" in html


@pytest.mark.parametrize(
    ("language", "exclusion", "until", "words"),
    [
        ("en", "ally", "", "already supports us"),
        ("en", "answered", "", "has answered"),
        ("en", "away", "2099-12-12", "away until 12 December 2099"),
        ("de", "own", "", WORDS),
    ],
)
def test_the_reason_is_said_in_the_language_of_the_page(
    dana: Dana, alice: User, language: str, exclusion: str, until: str, words: str
) -> None:
    address = choose(dana).replace("/en/", f"/{language}/")
    left_out = someone(dana, "DK", 3)
    leave_out([left_out], alice, exclusion, until)
    assert said_of(dana.get(f"{address}?country=DK&q=").content.decode(), left_out).endswith(words)


def test_who_was_away_has_a_box_again(dana: Dana, alice: User) -> None:
    back = someone(dana, "DK", 3)
    leave_out([back], alice, "away", "2099-12-12")
    ListEntry.objects.filter(target=back).update(excluded_until="2011-12-12")
    html = page(dana.get(choose(dana) + "?country=DK&q="))
    assert back.public_id in boxes(html)
    assert "away until" not in html


def test_their_id_in_a_form_is_refused_by_name_and_the_others_stay_ticked(dana: Dana, alice: User) -> None:
    address, left_out, mine = choose(dana), someone(dana, "DK", 3), someone(dana, "FR").public_id
    before = names(dana.letter())
    leave_out([left_out], alice)
    answer = dana.post(address, {"to": [mine, left_out.public_id], "q": "", "country": "DK"})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "<title>Error: " in html
    assert unescape(html).count(f"No letters go to {left_out.name} at the moment.") == 2  # above, and at the boxes
    assert ticked(html) == {mine}
    assert said_of(html, left_out)
    assert names(dana.letter()) == before - {left_out.public_id}


def test_the_campaign_page_refuses_them_and_keeps_the_sentence(dana: Dana, alice: User) -> None:
    left_out = someone(dana, "DK", 3)
    leave_out([left_out], alice)
    answer = dana.post(f"{dana.home}suggested/", {"sentence": SENTENCE, "to": [left_out.public_id]})
    assert answer.status_code == 422
    assert f"No letters go to {left_out.name} at the moment." in page(answer)
    assert SENTENCE in page(answer)


def test_a_fixed_letter_names_and_counts_the_others_alone(dana: Dana, alice: User) -> None:
    first = everybody(dana)[0]
    html = page(dana.get(f"{dana.home}fixed/"))
    assert f"<bdi>{first.name}</bdi>" in html
    assert "and 69 others" in html
    leave_out([first], alice)
    html = page(dana.get(f"{dana.home}fixed/"))
    assert "and 68 others" in html
    check = dana.post(begin(dana, "fixed"), DANA)["Location"]
    assert "Not to" not in page(dana.get(check))


def test_nobody_left_out_is_suggested(dana: Dana, alice: User) -> None:
    leave_out(everybody(dana, country="DE") + everybody(dana, country="FR"), alice)
    html = page(dana.get(f"{dana.home}suggested/"))
    named = re.findall(r'<input type="hidden" name="to" value="([^"]+)"', html)
    assert len(named) == 3
    assert {Target.objects.get(public_id=public_id).country for public_id in named} == {"DK"}


def test_by_country_the_page_says_that_those_at_home_get_none(dana: Dana, alice: User) -> None:
    leave_out(everybody(dana, country="DK"), alice)
    said = "Those from Denmark get no letters at the moment, but others on the list do."
    html = page(dana.get(f"{dana.home}by-country/?country=DK"))
    assert said in html
    assert "Nobody on this list is from Denmark" not in html
    assert said in page(dana.get(begin(dana, "by-country", country="DK")))
    assert said not in page(dana.get(begin(dana, "by-country", country="FR")))


def test_the_check_page_says_who_was_left_out_meanwhile_and_why(dana: Dana, alice: User) -> None:
    mine = [someone(dana, "DE"), someone(dana, "FR")]
    write = dana.post(choose(dana), {"to": [target.public_id for target in mine]})["Location"]
    check = dana.post(write, DANA)["Location"]
    assert "Not to" not in page(dana.get(check))
    leave_out(mine[:1], alice)
    html = page(dana.get(check))
    assert f"<dt>Not to</dt><dd><bdi>{mine[0].name}</bdi>: <bdi>{WORDS}</bdi></dd>" in html
    assert "Send as it is" in html or "Send my letter" in html
    leave_out(mine[1:], alice)
    html = page(dana.get(check))
    assert "We cannot deliver letters right now: those your letter is for get none at the moment." in html
    assert "Choose somebody else" in html
    answer = dana.post(check)
    assert answer.status_code == 422
    assert SENTENCE in dana.content().body


@pytest.mark.parametrize("slug", ["fixed", "suggested", "up-to", "by-country"])
def test_where_everybody_is_left_out_there_is_no_form_and_tell_me_once_is_open(
    dana: Dana, alice: User, slug: str
) -> None:
    leave_out(everybody(dana), alice)
    html = page(dana.get(f"{dana.home}{slug}/"))
    assert "We cannot deliver letters right now" in html
    assert "The people this letter is for get none at the moment." in html
    assert "None of the people this letter is for has a working address" not in html
    assert "Write my letter" not in html
    assert 'name="email"' in html  # tell me once


def test_a_list_of_720_with_many_left_out_stays_light(alice: User) -> None:
    dana = Dana(parliament.a_parliament_campaign(alice))
    address = choose(dana)
    leave_out(everybody(dana, country="AT")[::2], alice)
    found = weigh(dana, "to", address)
    assert one_h1(dana.get(address)) == "Who should get your letter?"
    within(found, html=30, total=40, requests=4)
    assert found.html.count('class="choice out"') >= 10
    assert len(boxes(found.html)) + found.html.count('class="choice out"') == 43
