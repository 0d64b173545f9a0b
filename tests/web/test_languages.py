"""Which language a page speaks, and the way to the others."""

import re
from email import message_from_bytes, policy
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.test import RequestFactory

from campaigns.models import Partner
from letters.models import Letter
from tests.web.supporters.conftest import Dana, campaign, dana, page, values
from web import languages
from worker import supporter_mail

__all__ = ["campaign", "dana"]
CODES = [code for code, _name in settings.LANGUAGES]


@pytest.mark.parametrize(
    ("address", "header", "code"),
    [
        ("/", "", "en"),
        ("/", "de", "de"),
        ("/", "de-AT,de;q=0.9,en;q=0.5", "de"),
        ("/", "qqq,kk;q=0.8,ru;q=0.7", "kk"),
        ("/", "ar-EG;q=0.3, fr;q=0.9", "fr"),
        ("/", "zz,*;q=0.5", "en"),
        ("/", "*", "en"),
        ("/", "de;q=nonsense", "en"),
        ("/", "x" * 100_000, "en"),
        ("/", "'; DROP TABLE letters --", "en"),
        ("/fr/oil-workers/", "de", "fr"),
        ("/zz/oil-workers/", "de", "de"),
        ("/?lang=ru", "de", "ru"),
        ("/?lang=../../etc", "de", "de"),
        ("/fr/x/?lang=ru", "de", "fr"),
        ("/letter/token/", "es", "es"),
        ("/organise/nothing/", "de", "en"),
        ("/postbox/nothing/", "de", "en"),
    ],
)
def test_the_address_decides_then_the_choice_then_the_browser(
    rf: RequestFactory, address: str, header: str, code: str
) -> None:
    assert languages.of_request(rf.get(address, headers={"accept-language": header})) == code


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/de/nothing-here/", "/zz/nothing-here/"])
def test_an_error_page_speaks_the_language_of_its_address_or_browser(client: Any, address: str) -> None:
    answer = client.get(address, headers={"accept-language": "de"})
    assert answer.status_code == 404
    assert '<html lang="de" dir="ltr">' in page(answer)
    assert answer["Vary"].split(", ").count("Accept-Language") == 1
    assert '<html lang="ar" dir="rtl">' in page(client.get("/ar/nothing-here/", headers={"accept-language": "de"}))


def test_the_front_door_leads_to_the_only_campaign_in_the_browsers_language(dana: Dana) -> None:
    answer = dana.browser.get("/", headers={"accept-language": "kk-KZ, ru"})
    assert answer["Location"] == f"/kk/{dana.campaign.slug}/"
    assert "Accept-Language" in answer["Vary"]


def test_the_confirmation_mail_speaks_the_language_of_the_page(dana: Dana) -> None:
    dana.home = f"/de/{dana.campaign.slug}/"
    dana.send()
    message = supporter_mail.compose(dana.notice(), "dana@mail.example")
    mail = message_from_bytes(message.data, policy=policy.default)
    text = mail.get_content()
    assert f"Ihr Code: {dana.code()}" in text
    assert f"/de/{dana.campaign.slug}/confirm/" in text
    assert mail["Subject"].startswith("Noch ein Tipp: Ihr Brief an ")


def test_mail_and_status_follow_a_language_switched_on_the_way(dana: Dana) -> None:
    check = switch(page(dana.get(dana.write())))["fr"]
    assert dana.post(check)["Location"].startswith("/fr/")
    text = message_from_bytes(supporter_mail.compose(dana.notice(), "dana@mail.example").data, policy=policy.default)
    assert f"Votre code\u00a0: {dana.code()}" in text.get_content()
    assert '<html lang="fr"' in page(dana.get(dana.status()))


def switch(html: str) -> dict[str, str]:
    """Return where the language switch of a page leads, by language."""
    start = html.index('<nav class="languages"')
    part = html[start : html.index("</nav>", start)]
    return {
        line.split(' lang="')[1][:2]: unescape(re.split(' href="| formaction="', line)[1].split('"')[0])
        for line in part.split("<li>")[1:]
    }


def press(dana: Dana, address: str, language: str, **typed: str) -> Any:
    """Fill in a page's form and press a language; return where that leads, or what it shows."""
    shown = dana.get(address)
    filled = {name: text for name, text in values(shown).items() if name != "news"}  # which is not ticked
    return dana.post(switch(page(shown))[language], {**filled, **typed, "then": "stay"})


def test_every_step_leads_to_itself_in_every_language_with_all_that_was_typed(dana: Dana) -> None:
    step = dana.write(subject="A request before the jubilee")
    for address in (step.replace("/check/", "/write/"), step):
        for code, link in switch(page(dana.get(f"{address}?news=yes"))).items():
            assert link == f"/{code}{address[3:]}" + ("?news=yes" if address == step else "")
            html = page(dana.get(link))
            assert f'<html lang="{code}" dir="{languages.direction_of(code)}">' in html
            assert "A request before the jubilee" in html
            assert "Dana Writer" in html
    assert Letter.objects.count() == 1


def test_the_switch_keeps_a_sentence_that_is_typed_on_the_campaigns_page_and_begins_no_letter(dana: Dana) -> None:
    first = dana.ask().slug
    for address in (dana.home, f"{dana.home}performers/"):
        answer = press(dana, f"{address}?via=friend", "de", sentence="Half a sentence, and")
        assert answer.status_code == 200
        assert '<html lang="de"' in page(answer)
        shown = values(answer)
        assert (shown["sentence"], shown["via"]) == ("Half a sentence, and", "friend")
        ask = "performers" if "performers" in address else first
        assert f'action="/de/{dana.campaign.slug}/{ask}/"' in page(answer)
    assert not Letter.objects.exists()


def test_the_switch_of_a_partners_frame_keeps_the_sentence_in_the_frame(dana: Dana) -> None:
    Partner.objects.create(campaign=dana.campaign, slug="ports", name="Ports", origins=["https://ports.example"])
    answer = press(dana, f"/embed/{dana.campaign.slug}/?partner=ports", "fr", sentence="Half a sentence, and")
    assert answer.status_code == 200
    assert '<html lang="fr"' in page(answer)
    shown = values(answer)
    assert (shown["sentence"], shown["partner"], shown["lang"]) == ("Half a sentence, and", "ports", "fr")
    assert "https://ports.example" in answer["Content-Security-Policy"]


def test_back_in_a_partners_frame_leads_to_the_form_that_may_be_shown_in_it(dana: Dana) -> None:
    Partner.objects.create(campaign=dana.campaign, slug="ports", name="Ports", origins=["https://ports.example"])
    begun = dana.post(f"/embed/{dana.campaign.slug}/{dana.ask().slug}/", {"partner": "ports", "lang": "fr"})
    back = dana.post(begun["Location"], {"then": "back"})["Location"]
    assert back == f"/embed/{dana.campaign.slug}/?partner=ports&lang=fr"
    assert "https://ports.example" in dana.get(back)["Content-Security-Policy"]


def test_the_switch_of_the_page_to_write_on_keeps_an_unfinished_form_first(dana: Dana) -> None:
    write = dana.begin()
    typed = {"name": "", "email": "dana@", "body": "Half a let", "subject": "", "town": "Leipzig", "news": "yes"}
    answer = press(dana, write, "ar", **typed)
    assert (answer.status_code, answer["Location"]) == (303, f"/ar{write[3:]}?news=yes")
    shown = values(dana.get(answer["Location"]))
    assert {name: shown[name] for name in typed} == typed


def test_a_letter_that_waits_for_its_confirmation_goes_on_waiting_where_nothing_is_typed(dana: Dana) -> None:
    confirm = dana.send()
    write = confirm.replace("/confirm/", "/write/")
    press(dana, write, "de")
    assert dana.letter().stage == Letter.Stage.AWAITING
    press(dana, write, "de", name="Dana W. Writer")
    assert dana.letter().stage == Letter.Stage.DRAFT


def test_the_page_names_itself_in_every_language_to_machines(dana: Dana) -> None:
    html = page(dana.get(f"{dana.home}?via=friend"))
    for code in CODES:
        assert f'<link rel="alternate" hreflang="{code}" href="http://testserver/{code}/{dana.campaign.slug}/">' in html


def test_the_switch_names_every_language_in_itself(dana: Dana) -> None:
    html = page(dana.get(dana.home))
    for code, name in settings.LANGUAGES:
        assert re.search(f'<button [^>]* lang="{code}" dir="{languages.direction_of(code)}"[^>]*>{name}</button>', html)
    assert html.count('aria-current="true">English') == 1
    html = page(dana.get(dana.write()))  # where there is nothing to fill in
    for code, name in settings.LANGUAGES:
        assert f'hreflang="{code}" lang="{code}" dir="{languages.direction_of(code)}"' in html
        assert f">{name}</a>" in html


def test_a_status_page_speaks_the_letters_language_until_another_is_chosen(dana: Dana) -> None:
    dana.home = f"/de/{dana.campaign.slug}/"
    dana.confirm()
    address = dana.status()
    assert '<html lang="de"' in page(dana.get(address))
    assert set(switch(page(dana.get(address)))) == set(CODES)
    chosen = switch(page(dana.get(address)))["ar"]
    assert chosen == f"{address}?lang=ar"
    assert '<html lang="ar" dir="rtl">' in page(dana.get(chosen))
    assert '<html lang="de"' in page(dana.get(f"{address}?lang=nonsense"))
