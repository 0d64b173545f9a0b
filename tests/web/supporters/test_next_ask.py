"""The next letter: what goes along to it, from which page, and to whom it is not told."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.models import Campaign
from letters import tokens, unwritten
from letters.models import Letter, Notice, Supporter
from tests.web.supporters.conftest import DANA, Dana, page, values


def _offered(dana: Dana, html: str) -> tuple[str, str]:
    """Return which ask a page offers next, and the token that goes along; empty where it offers none."""
    form = re.search(rf'(?s)<form class="envelope" method="post" action="{dana.home}([^/]+)/">(.*?)</form>', html)
    if form is None:
        return "", ""
    token = re.search(r'name="after" value="([^"]+)"', form[2])
    assert token is not None
    assert "Write the next letter" in form[2]
    return form[1], token[1]


def _keeps_the_details(dana: Dana, ask: str, token: str) -> str:
    """Begin the next letter and check that nothing has to be typed again; return where it is checked."""
    write = dana.post(f"{dana.home}{ask}/", {"after": token})["Location"]
    filled = values(dana.get(write))
    assert (filled["name"], filled["email"]) == (DANA["name"], DANA["email"])
    assert dana.content().town == DANA["town"]
    return dana.post(write, {})["Location"]


@pytest.mark.parametrize("way", ["own-mail", "print"])
def test_a_letter_that_goes_without_us_is_followed_by_the_next_in_order_to_the_last(dana: Dana, way: str) -> None:
    check = dana.write()
    seen: list[str] = []
    for _ask in range(3):
        html = page(dana.get(check.replace("/check/", f"/{way}/")))
        ask, token = _offered(dana, html)
        assert html.count("Begin with my sentence again") == (not seen), "offered for reuse, never pasted silently"
        seen.append(ask)
        if ask:
            assert "Your details are kept." in html
            check = _keeps_the_details(dana, ask, token)
    assert seen == ["embassies", "performers", ""]
    dana.post(check)
    assert dana.letter().stage == Letter.Stage.AWAITING, "without a proof it needs a mail of its own"


def test_the_next_letter_comes_first_once_we_were_told_that_one_was_sent(dana: Dana) -> None:
    here = dana.write().replace("/check/", "/own-mail/")
    html = page(dana.get(here))
    assert '<button class="button second">Write the next letter' in html
    target = re.search(r'name="target" value="([^"]+)"', html)
    assert target is not None
    dana.post(here, {"target": target[1]})
    assert re.findall(r'<button class="button">([^<]+)', page(dana.get(here))) == ["Write the next letter"]


def test_a_used_link_offers_the_next_letter_while_it_counts(dana: Dana) -> None:
    dana.confirm()
    link = dana.link()
    ask, token = _offered(dana, page(dana.get(link)))
    assert (ask, tokens.read(tokens.PROVEN, token)) == ("embassies", None)
    dana.post(_keeps_the_details(dana, ask, token))
    assert dana.letter().stage == Letter.Stage.AWAITING
    Letter.objects.latest("id").delete()
    Notice.objects.update(created_at=timezone.now() - timedelta(days=8))
    html = page(dana.get(link))
    assert _offered(dana, html) == ("", "")
    assert f'href="{dana.home}embassies/#write"' in html
    assert DANA["email"] not in html


def test_who_has_just_proved_the_address_goes_on_without_a_mail(dana: Dana) -> None:
    sent = dana.confirm()
    write = dana.begin(after=sent.split("/")[-3])
    html = page(dana.post(dana.post(write, {})["Location"]))
    assert "already sent this letter" in html
    assert "no second mail is needed" in html
    dana.post(_keeps_the_details(dana, *_offered(dana, html)))
    assert dana.letter().stage == Letter.Stage.CONFIRMED
    assert Notice.objects.count() == 1


def test_a_code_that_fits_for_a_second_letter_leads_on_with_the_details(dana: Dana) -> None:
    dana.send()
    second = dana.send()
    dana.press(dana.link(), {"letter": str(Letter.objects.earliest("id").pk)})
    Notice.objects.update(used_at=None)
    html = page(dana.post(second, {"code": dana.code()}))
    assert "already sent this letter" in html
    _keeps_the_details(dana, *_offered(dana, html))


def test_a_letters_status_leads_to_the_next_one_and_tells_nothing(dana: Dana) -> None:
    dana.confirm()
    html = page(dana.get(dana.status()))
    assert f'href="{dana.home}embassies/#write"' in html
    assert "name=\"after\"" not in html
    assert DANA["email"] not in html
    token = dana.status().split("/")[-2]
    dana.post(f"{dana.home}embassies/", {"after": token})
    assert dana.content().email == "", "it opens no details either"


@pytest.mark.parametrize("way", ["own-mail", "print"])
def test_who_has_proved_nothing_does_not_learn_what_an_address_wrote(dana: Dana, way: str) -> None:
    dana.confirm(1)
    somebody = Dana(dana.campaign)
    here = somebody.send().replace("/confirm/", f"/{way}/")
    assert somebody.letter().stage == Letter.Stage.AWAITING
    assert _offered(somebody, page(somebody.get(here)))[0] == "embassies"


def test_no_mail_is_promised_away_once_the_proof_is_old(dana: Dana) -> None:
    sent = dana.confirm()
    assert "no second mail is needed" in page(dana.get(sent))
    Supporter.objects.update(proven_at=timezone.now() - timedelta(hours=3))
    html = page(dana.get(sent))
    assert "Your details are kept." in html
    dana.post(_keeps_the_details(dana, *_offered(dana, html)))
    assert dana.letter().stage == Letter.Stage.AWAITING


def test_nothing_is_offered_that_cannot_be_written(dana: Dana) -> None:
    sent = dana.confirm()
    dana.ask(1).templates.all().delete()
    assert _offered(dana, page(dana.get(sent)))[0] == "performers"
    own_mail = dana.write().replace("/check/", "/own-mail/")
    assert _offered(dana, page(dana.get(own_mail)))[0] == "performers"
    assert unwritten.next_ask(dana.letter()) == dana.ask(2)
    Campaign.objects.update(stage=Campaign.Stage.CLOSED, ending="ended", closed_at=timezone.now())
    for address in (sent, dana.link(), dana.status()):
        html = page(dana.get(address))
        assert _offered(dana, html) == ("", "")
        assert "#write" not in html
