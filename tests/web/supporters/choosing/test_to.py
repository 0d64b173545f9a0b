"""Choosing who gets the letter, without JavaScript."""

import gzip
import re
from collections.abc import Mapping

import pytest

from accounts.models import User
from letters import writing
from letters.models import Delivery, Letter
from targets import lists
from targets.models import Address, Target, TargetList
from tests import cast, parliament
from tests.web.supporters.conftest import DANA, SENTENCE, Dana, one_h1, page
from web import presentation
from web.supporters import browsing, people


def begin(dana: Dana, slug: str = "suggested", **fields: object) -> str:
    """Begin a letter as the campaign's page does; return where it leads."""
    answer = dana.post(f"{dana.home}{slug}/", {"sentence": SENTENCE, **fields})
    assert answer.status_code == 303, page(answer)
    return answer["Location"]


def choose(dana: Dana, slug: str = "suggested", **fields: object) -> str:
    """Begin a letter and go to choosing."""
    address = begin(dana, slug, then="to", **fields)
    assert address.endswith("/to/")
    return address


def boxes(html: str) -> dict[str, bool]:
    """Return the public ids on the page, and whether they are ticked."""
    tags = re.findall(r'<input type="checkbox"[^>]* name="to"[^>]*>', html)
    return {re.search(r'value="([^"]*)"', tag)[1]: " checked" in tag for tag in tags}  # type: ignore[index]


def ticked(html: str) -> set[str]:
    """Return the public ids that are ticked."""
    return {public_id for public_id, is_ticked in boxes(html).items() if is_ticked}


def query(fields: Mapping[str, object]) -> str:
    """Return a query as a browser makes it of a form."""
    pairs = [(name, one) for name, value in fields.items() for one in (value if isinstance(value, list) else [value])]
    return "?" + "&".join(f"{name}={one}" for name, one in pairs)


def someone(dana: Dana, country: str, n: int = 0) -> Target:
    """Return a member of parliament."""
    return dana.ask().target_list.targets.filter(country=country, email__isnull=False).order_by("pk")[n]


def names(letter: Letter) -> set[str]:
    """Return the public ids to whom a letter would go."""
    return {target.public_id for target in writing.targets_of(letter, now=cast.NOW)}


# The campaign's page


def test_the_campaign_page_names_whom_we_suggest_and_why_and_the_draft_goes_to_them(dana: Dana) -> None:
    html = page(dana.get(f"{dana.home}suggested/"))
    named = re.findall(r'<input type="hidden" name="to" value="([^"]+)"', html)
    assert len(named) == 3
    assert html.count("few letters yet") == 3
    assert "Change" in html
    begin(dana, to=named)
    assert names(dana.letter()) == set(named)


def test_change_keeps_the_sentence_and_leads_to_the_choice(dana: Dana) -> None:
    address = choose(dana)
    assert dana.content().sentence == SENTENCE
    assert one_h1(dana.get(address)) == "Who should get your letter?"


def test_a_fixed_ask_has_no_choice(dana: Dana) -> None:
    html = page(dana.get(f"{dana.home}fixed/"))
    assert "and 69 others" in html
    assert ">Change<" not in html
    address = begin(dana, "fixed", then="to")
    assert address.endswith("/write/")
    assert dana.get(address.replace("/write/", "/to/")).status_code == 404
    assert "It goes to" not in page(dana.get(address))


def test_where_supporters_choose_by_themselves_the_way_leads_there_first(dana: Dana) -> None:
    html = page(dana.get(f"{dana.home}up-to/"))
    assert "You choose who gets your letter" in html
    assert "5 people at most" in html
    address = begin(dana, "up-to")
    assert address.endswith("/to/")
    html = page(dana.get(address))
    assert ticked(html) == set()
    assert f'<a href="{dana.home}up-to/">Back</a>' in html
    for step in ("write", "check"):
        assert "/to/" in dana.get(address.replace("/to/", f"/{step}/"))["Location"]


def test_by_country_the_page_asks_for_the_country_and_keeps_the_sentence(dana: Dana) -> None:
    answer = dana.post(f"{dana.home}by-country/", {"sentence": SENTENCE, "country": ""})
    html = page(answer)
    assert answer.status_code == 422
    assert "<title>Error: " in html
    assert 'href="#country"' in html
    assert 'id="country-error"' in html
    assert SENTENCE in html
    assert not Letter.objects.exists()


def test_by_country_the_address_may_name_it_and_the_page_names_its_people(dana: Dana) -> None:
    html = page(dana.get(f"{dana.home}by-country/?country=dk"))
    assert '<option value="DK" selected>Denmark' in html
    assert html.count("from your country") == 3
    named = re.findall(r'<input type="hidden" name="to" value="([^"]+)"', html)
    assert {Target.objects.get(public_id=public_id).country for public_id in named} == {"DK"}


def test_by_country_people_named_for_another_country_do_not_count(dana: Dana) -> None:
    german = someone(dana, "DE").public_id
    begin(dana, "by-country", country="DK", to=[german], **{"named-for": "DE"})
    assert {target.country for target in writing.targets_of(dana.letter(), now=cast.NOW)} == {"DK"}
    begin(dana, "by-country", country="DE", to=[german], **{"named-for": "DE"})
    assert names(dana.letter()) == {german}


def test_by_country_somebody_from_elsewhere_reads_why_others_are_suggested(dana: Dana) -> None:
    write = begin(dana, "by-country", country="ZZ")
    assert "Nobody on this list is from your country." in page(dana.get(write))
    assert "Nobody on this list is from Iceland." in page(dana.get(f"{dana.home}by-country/?country=IS"))
    assert len(names(dana.letter())) == 3


@pytest.mark.parametrize("forged", ["x" * 22, "", "\x00"])
def test_the_campaign_page_takes_nobody_who_is_not_on_the_list(dana: Dana, forged: str) -> None:
    answer = dana.post(f"{dana.home}suggested/", {"sentence": SENTENCE, "to": [forged]})
    assert answer.status_code == 422
    assert SENTENCE in page(answer)
    assert not Letter.objects.exists()


# The page of choice


def test_it_shows_forty_people_a_page_by_country_within_its_weight(dana: Dana) -> None:
    address = choose(dana)
    html = dana.get(address).content.decode()
    assert len(boxes(html)) == 40 + 3
    assert len(gzip.compress(html.replace(str(presentation.styles()), "").encode())) <= 30 * 1024
    assert html.count("<script") == 1  # the counter's, which the page does without
    assert re.findall(r"<legend><bdi>(.*?)</bdi></legend>", html) == ["Denmark", "France"]
    assert "Page 1 of 2" in html


def test_each_line_says_who_it_is_and_how_the_letter_reaches_them(dana: Dana) -> None:
    html = page(dana.get(choose(dana) + "?country=DE&q="))
    assert html.count("by post only") == 1
    assert html.count("by e-mail") == 29
    assert "Member of Parliament" in html
    assert "They can put a question to the Council." in html  # what they can do


def test_the_limit_and_the_counter_are_said_and_no_box_is_disabled(dana: Dana) -> None:
    html = page(dana.get(choose(dana)))
    assert "One letter may go to 5 people at most." in html
    assert "<b>3</b> of at most 5 chosen" in html
    assert 'id="counter-said" role="status"' in html
    assert "Write to these 3 people" in html
    assert " disabled" not in html


def test_the_filter_keeps_what_is_ticked_without_javascript(dana: Dana) -> None:
    address = choose(dana)
    mine = [someone(dana, "DE").public_id, someone(dana, "DK", 3).public_id]
    html = page(dana.get(address + query({"q": "", "country": "FR", "to": mine})))
    assert ticked(html) == set(mine)
    shown = Target.objects.filter(public_id__in=set(boxes(html)) - set(mine))
    assert {target.country for target in shown} == {"FR"}
    assert dana.letter().stage == Letter.Stage.DRAFT
    assert names(dana.letter()) != set(mine)  # looking changes nothing


def test_the_language_switch_keeps_what_is_ticked_and_what_is_shown(dana: Dana) -> None:
    address = choose(dana)
    html = page(dana.get(f"{address}?page=2&to="))
    button = re.search(r'formaction="([^"]*)" formmethod="get" name="page" value="2" lang="de"', html)
    assert button is not None
    assert button[1] == f"/de{address[3:]}"
    others = [public_id for public_id, is_ticked in boxes(html).items() if not is_ticked][:2]
    shown = page(dana.get(f"{button[1]}{query({'to': others, 'page': '2'})}"))
    assert '<html lang="de"' in shown
    assert ticked(shown) == set(others)


def test_enter_shows_what_is_asked_for_on_a_long_list(dana: Dana) -> None:
    assert 'formmethod="get"' in first_button(page(dana.get(choose(dana))))


def test_enter_takes_whom_a_short_list_ticks(dana: Dana) -> None:
    target_list = dana.ask().target_list
    for entry in target_list.entries.all()[5:]:
        entry.delete()
    assert "formmethod" not in first_button(page(dana.get(choose(dana))))


def first_button(html: str) -> str:
    """Return the attributes of the button that Enter presses: the first, wherever it stands."""
    first = re.search(r"<button([^>]*)>", html)
    assert first is not None
    assert 'form="choosing"' in first[1]
    assert "name=" not in first[1]
    return first[1]


def test_unticking_everybody_survives_the_filter_too(dana: Dana) -> None:
    assert ticked(page(dana.get(choose(dana) + "?q=&country=FR"))) == set()


def test_the_second_page_keeps_what_is_ticked(dana: Dana) -> None:
    address = choose(dana)
    first = page(dana.get(address))
    mine = sorted(boxes(first))[:4]
    second = page(dana.get(address + query({"q": "", "country": "", "to": mine, "page": 2})))
    assert ticked(second) == set(mine)
    assert "Page 2 of 2" in second
    assert not set(boxes(second)) & (set(boxes(first)) - set(mine) - ticked(first))


@pytest.mark.parametrize("number", ["0", "-1", "99999999999", "x", "٣", "3"])
def test_a_page_that_there_is_not_is_the_nearest_that_there_is(dana: Dana, number: str) -> None:
    assert re.search("Page [12] of 2", page(dana.get(choose(dana) + f"?page={number}")))


@pytest.mark.parametrize("text", ["orban", "ORBÁN", "Orb", "anna orban"])
def test_a_name_is_found_however_it_is_spelled(dana: Dana, text: str) -> None:
    Target.objects.filter(pk=someone(dana, "DE").pk).update(name="Anna Orbán", given_name="Anna", family_name="Orbán")
    assert someone(dana, "DE").public_id in boxes(page(dana.get(choose(dana) + query({"q": text, "country": "DE"}))))


def test_nobody_of_that_name_has_ways_out_that_keep_the_ticks(dana: Dana) -> None:
    address, mine = choose(dana), someone(dana, "FR").public_id
    html = page(dana.get(address + query({"q": "Nobody", "country": "DK", "to": [mine]})))
    assert "Nobody called “Nobody”. Try the family name." in html
    assert 'name="show" value="country" formmethod="get">Show everyone in Denmark<' in html
    assert ticked(html) == {mine}
    html = page(dana.get(address + query({"q": "Nobody", "country": "DK", "to": [mine], "show": "country"})))
    assert len(boxes(html)) == 1 + 14 + 1
    html = page(dana.get(address + query({"q": "Nobody", "country": "DK", "to": [mine], "show": "all"})))
    assert len(boxes(html)) == 1 + 40


def test_a_country_that_nobody_is_from_shows_everybody_and_says_why(dana: Dana) -> None:
    html = page(dana.get(choose(dana) + "?q=&country=IS"))
    assert "Nobody on this list is from Iceland. Everybody on it may get your letter." in html
    assert len(boxes(html)) == 40


def test_a_text_in_the_filter_is_shown_as_typed_and_harms_nothing(dana: Dana) -> None:
    html = dana.get(choose(dana) + "?q=%3Cscript%3Ealert(1)%3C/script%3E%00&country='--").content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_the_choice_is_kept_and_leads_on_to_writing(dana: Dana) -> None:
    address, mine = choose(dana), [someone(dana, "DE").public_id, someone(dana, "FR").public_id]
    answer = dana.post(address, {"to": mine, "news": "yes"})
    assert answer.status_code == 303
    assert answer["Location"] == address.replace("/to/", "/write/") + "?news=yes"
    assert names(dana.letter()) == set(mine)
    assert "It goes to" in page(dana.get(answer["Location"]))


def test_a_change_from_the_check_page_returns_there(dana: Dana) -> None:
    check = dana.post(begin(dana), DANA)["Location"]
    html = page(dana.get(check))
    assert "3 people" in html
    change = re.search(r'<a href="([^"]*/to/[^"]*)">Change', html)
    assert change
    mine = [someone(dana, "DK").public_id]
    assert '<input type="hidden" name="back" value="check">' in page(dana.get(change[1]))
    answer = dana.post(change[1].partition("?")[0], {"to": mine, "back": "check"})
    assert answer["Location"] == check
    assert someone(dana, "DK").name in page(dana.get(check))


@pytest.mark.parametrize("n", [0, 6, 40])
def test_too_few_or_too_many_are_refused_and_stay_ticked(dana: Dana, n: int) -> None:
    address = choose(dana)
    before, mine = names(dana.letter()), sorted(boxes(page(dana.get(address))))[:n]
    answer = dana.post(address, {"to": mine, "q": "", "country": "DE"})
    html = page(answer)
    assert answer.status_code == 422
    assert "<title>Error: " in html
    assert 'href="#to"' in html
    assert re.search(r'id="to"[^>]*aria-describedby="to-error to-hint" aria-invalid="true"', html)
    assert ticked(html) == set(mine)
    assert names(dana.letter()) == before


def test_somebody_unknown_or_elsewhere_is_refused_and_the_others_stay_ticked(dana: Dana, charlie: User) -> None:
    theirs = cast.a_list(cast.organisation_of(charlie)).targets.all()[0].public_id
    address, mine = choose(dana), someone(dana, "DE").public_id
    for forged in (theirs, "x" * 22, "\x00", "1 OR 1=1"):
        answer = dana.post(address, {"to": [mine, forged]})
        assert answer.status_code == 422
        assert ticked(page(answer)) == {mine}


@pytest.mark.parametrize("n", [150, 10_000])
def test_ten_thousand_names_are_one_error_and_change_nothing(dana: Dana, n: int) -> None:
    address = choose(dana)
    before = names(dana.letter())
    answer = dana.browser.post(
        address, "&".join(f"to={place}" for place in range(n)), content_type="application/x-www-form-urlencoded",
        headers={"sec-fetch-site": "same-origin"},
    )  # fmt: skip
    assert answer.status_code == 422
    assert 'href="#to"' in page(answer)
    assert names(dana.letter()) == before


def test_another_site_cannot_choose(dana: Dana) -> None:
    address = choose(dana)
    before = names(dana.letter())
    answer = dana.post(address, {"to": [someone(dana, "DK").public_id]}, **{"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert names(dana.letter()) == before


def test_a_letter_that_waits_is_nobody_s_again_once_its_people_change(dana: Dana) -> None:
    check = dana.post(begin(dana), DANA)["Location"]
    confirm = dana.post(check)["Location"]
    assert "/confirm/" in confirm
    mine = someone(dana, "DK").public_id
    assert dana.post(confirm.replace("/confirm/", "/to/"), {"to": [mine]}).status_code == 303
    assert dana.letter().stage == Letter.Stage.DRAFT
    answer = dana.post(confirm, {"code": dana.code()})
    assert not Delivery.objects.exists()
    assert "/check/" in answer["Location"]


def test_after_sending_the_way_leads_to_the_letter(dana: Dana) -> None:
    check = dana.post(begin(dana), DANA)["Location"]
    confirm = dana.post(check)["Location"]
    dana.post(confirm, {"code": dana.code()})
    assert Delivery.objects.count() == 3
    assert dana.get(confirm.replace("/confirm/", "/to/"))["Location"].endswith("/sent/")


# Whom no e-mail reaches


def test_the_check_page_says_who_is_reached_by_post_alone(dana: Dana) -> None:
    alone = dana.ask().target_list.targets.filter(email=None)[0]
    address = choose(dana)
    write = dana.post(address, {"to": [alone.public_id, someone(dana, "DE").public_id]})["Location"]
    html = page(dana.get(dana.post(write, DANA)["Location"]))
    assert re.search(rf"By post only</dt><dd>[^<]*{alone.name}", html)
    assert "Send as it is" in html or "Send my letter" in html


def test_a_letter_that_nobody_can_get_is_kept_and_says_so(dana: Dana) -> None:
    alone = dana.ask().target_list.targets.filter(email=None)[0]
    write = dana.post(choose(dana), {"to": [alone.public_id]})["Location"]
    check = dana.post(write, DANA)["Location"]
    html = page(dana.get(check))
    assert "We cannot deliver letters right now" in html
    assert "Choose somebody else" in html
    assert "Send my letter" not in html
    answer = dana.post(check)
    assert answer.status_code == 422
    assert "We cannot deliver letters right now" in page(answer)
    assert SENTENCE in dana.content().body


@pytest.mark.parametrize("by", ["code", "link"])
def test_a_confirmation_that_reaches_nobody_is_no_loss(dana: Dana, by: str) -> None:
    confirm = dana.post(dana.post(begin(dana), DANA)["Location"])["Location"]
    Address.objects.update(status=Address.Status.DEAD)
    answer = dana.post(confirm, {"code": dana.code()}) if by == "code" else dana.press(dana.link())
    assert answer.status_code == 422
    assert "We cannot deliver letters right now" in page(answer)
    assert dana.letter().stage == Letter.Stage.AWAITING
    assert not Delivery.objects.exists()
    Address.objects.update(status=Address.Status.WORKING)
    assert "/sent/" in dana.post(confirm, {"code": dana.code()})["Location"]
    assert Delivery.objects.count() == 3


# Words


@pytest.mark.parametrize(
    ("kind", "question", "one", "three"),
    [
        ("leaders", "Who should get", "Write to this person", "Write to these 3 people"),
        ("embassies", "Which embassies", "Write to this embassy", "Write to these 3 embassies"),
        ("performers", "Which artists", "Write to this artist", "Write to these 3 artists"),
        ("other", "Who should get", "Write to this person", "Write to these 3 people"),
    ],
)
def test_each_kind_of_list_has_its_words(dana: Dana, kind: str, question: str, one: str, three: str) -> None:
    TargetList.objects.update(kind=kind)
    address = choose(dana)
    html = page(dana.get(address))
    assert question in one_h1(dana.get(address))
    assert three in html
    assert one in page(dana.get(address + query({"q": "", "to": [someone(dana, "DE").public_id]})))
    assert people.button_words(kind, 0) == "Write to those I chose"


def test_a_short_list_has_no_filter(dana: Dana) -> None:
    assert 'name="q"' in page(dana.get(choose(dana)))
    keep = dana.ask().target_list.targets.values_list("pk")[: browsing.LONG_FROM - 1]
    dana.ask().target_list.entries.exclude(target__in=list(keep.values_list("pk", flat=True))).delete()
    assert 'name="q"' not in page(dana.get(choose(dana)))


def test_lists_are_grouped_by_country_else_by_institution_else_not_at_all(alice: User) -> None:
    organisation = cast.organisation_of(alice)
    by_country = parliament.members(organisation, seats={"DE": 4, "FR": 4})
    by_institution = parliament.members(organisation, kind="other", seats={"DE": 10})
    single = cast.a_list(organisation, "A few")
    groups = [
        [name for name, _members in browsing.found(
            lists.reachable_targets(each, now=cast.NOW), browsing.Wanted(), chosen=[]).groups]
        for each in (by_country, by_institution, single)
    ]  # fmt: skip
    assert groups == [["France", "Germany"], sorted(parliament._GROUPS), [""]]
