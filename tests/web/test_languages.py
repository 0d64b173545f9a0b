"""Which language a page speaks, and the way to the others."""

import re
from email import message_from_bytes, policy
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.test import RequestFactory
from django.utils import timezone

from campaigns.models import Partner
from letters import inquiries, tokens
from letters.models import Letter, Notice, Supporter
from letters.rights import Consent
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
    confirm = dana.send(copy_to_me="yes")
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


def test_the_print_page_of_a_letter_on_its_way_is_led_to_and_left_in_the_chosen_language(dana: Dana) -> None:
    dana.confirm()
    here = f"{dana.status()}print/"
    assert f'href="{here}?lang=de"' in page(dana.get(f"{dana.status()}?lang=de"))
    assert '<html lang="en"' in page(dana.get(here))
    html = page(dana.get(switch(page(dana.get(here)))["de"]))
    assert '<html lang="de"' in html
    assert f'action="{here}letters.pdf?lang=de"' in html
    assert f'formaction="{here}?lang=de"' in html
    assert f'href="{dana.status()}?lang=de"' in html
    target = html.split('name="to" value="')[1].split('"')[0]
    assert dana.post(f"{here}?lang=de", {"to": target})["Location"] == f"{here}?posted=yes&lang=de"
    refused = dana.post(f"{here}letters.pdf?lang=de")
    assert refused.status_code == 422
    assert '<html lang="de"' in page(refused)
    assert switch(page(refused))["fr"] == f"{here}?lang=fr", "the page, not the PDF"


def test_a_refused_print_of_a_draft_leads_to_its_page_in_every_language(dana: Dana) -> None:
    here = dana.write().replace("/check/", "/print/")
    refused = dana.post(f"{here}letters.pdf")
    assert refused.status_code == 422
    assert switch(page(refused))["fr"] == f"/fr{here[3:]}"


def test_the_page_that_stops_mail_can_be_switched_before_and_after(dana: Dana) -> None:
    dana.post(dana.send(), {"code": dana.code(), "news": "yes"})
    address = f"/my/stop/{tokens.make(tokens.STOP, bytes(Supporter.objects.get().key))}/"
    german = switch(page(dana.get(address)))["de"]
    asked = page(dana.get(german))
    assert '<html lang="de"' in asked
    assert "?</h1>" in asked
    done = page(dana.post(german))
    assert '<html lang="de"' in done
    again = page(dana.get(switch(done)["fr"]))
    assert '<html lang="fr"' in again
    assert "<form" not in again, "it is done in every language"


def test_my_data_speaks_as_the_browser_asks_and_can_be_switched(dana: Dana) -> None:
    first = dana.browser.get("/my/", headers={"accept-language": "kk-KZ, ru"})
    assert '<html lang="kk"' in page(first)
    assert switch(page(first))["de"] == "/my/?lang=de"
    html = page(dana.browser.get("/my/?lang=de", headers={"accept-language": "kk"}))
    assert '<html lang="de"' in html
    assert 'action="/my/?lang=de"' in html
    assert dana.post("/my/?lang=de", {"email": "dana@mail.example"})["Location"] == "/my/?asked=yes&lang=de"
    assert '<html lang="de"' in page(dana.post("/my/?lang=de", {"email": "dana@"}))


def test_what_is_behind_the_link_to_my_data_can_be_switched_at_every_step(dana: Dana) -> None:
    dana.post(dana.send(), {"code": dana.code(), "news": "yes"})
    dana.post("/my/?lang=de", {"email": "dana@mail.example"})
    inquiries.answer(now=timezone.now())
    link = f"/my/open/{tokens.make(tokens.MY_DATA, bytes(Notice.objects.get(kind='my_data').key))}/"
    html = page(dana.get(link))
    assert '<html lang="de"' in html
    opened = dana.post(switch(html)["fr"])["Location"]
    assert opened.endswith("/?lang=fr")
    html = page(dana.get(opened))
    assert '<html lang="fr"' in html
    assert f'href="{dana.status()}?lang=fr"' in html
    see = opened.partition("?")[0]
    for step in ("download", "delete"):
        assert f'action="{see}{step}/?lang=fr"><input type="hidden" name="lang" value="fr">' in html
        asked = page(dana.get(f"{see}{step}/?lang=fr"))
        assert '<html lang="fr"' in asked
        assert f'href="{opened}"' in asked
        assert f'action="{see}{step}/?lang=fr"' in asked
        assert set(switch(asked)) == set(CODES)
    organisation = dana.campaign.organisation.public_id
    for deed in ("no-news", "news"):
        answer = dana.post(opened, {"deed": deed, "organisation": organisation})
        assert answer["Location"] == f"{see}?done={deed}&lang=fr"
    assert Consent.objects.latest("id").language == "fr", "in whose words it was agreed to"
    assert dana.post(f"{see}delete/?lang=fr")["Location"] == f"{see}?done=deleted&lang=fr"
    assert '<html lang="fr"' in page(dana.get(f"{link}?lang=fr")), "also where it has run out"
