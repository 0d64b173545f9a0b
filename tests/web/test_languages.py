"""Which language a page speaks, and the way to the others."""

from email import message_from_bytes, policy
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.test import RequestFactory

from letters.models import Letter
from tests.web.supporters.conftest import Dana, campaign, dana, page
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
        line.split('hreflang="')[1][:2]: unescape(line.split('href="')[1].split('"')[0])
        for line in part.split("<li>")[1:]
    }


def test_every_step_leads_to_itself_in_every_language_with_all_that_was_typed(dana: Dana) -> None:
    step = dana.write(subject="A request before the jubilee")
    for address in (dana.home, step.replace("/check/", "/write/"), step):
        for code, link in switch(page(dana.get(f"{address}?news=yes"))).items():
            assert link == f"/{code}{address[3:]}?news=yes"
            html = page(dana.get(link))
            assert f'<html lang="{code}" dir="{languages.direction_of(code)}">' in html
            if address != dana.home:
                assert "A request before the jubilee" in html
                assert "Dana Writer" in html
    assert Letter.objects.count() == 1


def test_the_switch_names_every_language_in_itself(dana: Dana) -> None:
    html = page(dana.get(dana.home))
    for code, name in settings.LANGUAGES:
        assert f'lang="{code}" dir="{languages.direction_of(code)}" hreflang="{code}"' in html
        assert f">{name}</a>" in html
    assert html.count('aria-current="true">English') == 1


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
