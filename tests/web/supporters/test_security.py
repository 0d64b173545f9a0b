"""Pages without cookies, and posts from elsewhere."""

import re

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from letters.models import Letter
from tests.web.supporters.conftest import DANA, SENTENCE, Dana, page, values
from web.security import SupporterPagesCarryNoCookie, is_foreign


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ({}, False),
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "same-site"}, True),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "cross-site", "origin": "http://testserver"}, True),
        ({"origin": "null"}, True),
        ({"origin": "http://testserver"}, False),
        ({"origin": "http://localhost:8000"}, False),
        ({"origin": "https://evil.example"}, True),
        ({"origin": "http://testserver.evil.example"}, True),
    ],
)
def test_a_foreign_post_is_known_by_what_the_browser_says(headers: dict[str, str], *, foreign: bool) -> None:
    assert is_foreign(RequestFactory().post("/", headers=headers)) is foreign


@pytest.mark.parametrize(
    ("path", "foreign"),
    [
        ("/letter/token/", False),
        ("/en/oil/draft/token/write/", False),
        ("/en/oil/confirm/token/", False),
        ("/en/oil/leaders/", True),
        ("/en/draft/leaders/", True),
        ("/en/oil/draft/", True),
        ("/postbox/empty/", True),
        ("/postbox/empty/?x=/letter/token/", True),
    ],
)
def test_a_page_that_says_not_where_it_comes_from_may_post_only_where_a_token_is(path: str, *, foreign: bool) -> None:
    assert is_foreign(RequestFactory().post(path, headers={"origin": "null"})) is foreign
    said = {"origin": "null", "sec-fetch-site": "same-origin"}
    assert not is_foreign(RequestFactory().post(path, headers=said))


def test_a_foreign_post_changes_nothing_and_gives_the_text_back(dana: Dana) -> None:
    write = dana.begin()
    before = dana.content()
    answer = dana.post(write, {**DANA, "body": "Words from <elsewhere>."}, **{"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert values(answer)["body"] == "Words from <elsewhere>."
    assert f'action="{write}"' in page(answer)
    assert dana.content() == before
    again = dana.post(write, values(answer))
    assert again.status_code == 303


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:8000.evil.example"])
def test_a_letter_cannot_be_begun_or_confirmed_from_another_site(dana: Dana, origin: str) -> None:
    client = Client(headers={"origin": origin})
    assert client.post(f"{dana.home}leaders/", {"sentence": SENTENCE}).status_code == 403
    assert not Letter.objects.exists()
    dana.send()
    assert client.post(dana.link()).status_code == 403
    assert dana.letter().stage == Letter.Stage.AWAITING


def test_no_cookie_leaves_outside_the_organisers_pages() -> None:
    def with_cookie(_request: HttpRequest) -> HttpResponse:
        answer = HttpResponse("")
        answer.set_cookie("tracked", "yes")
        return answer

    middleware = SupporterPagesCarryNoCookie(with_cookie)
    assert not middleware(RequestFactory().get("/en/campaign/")).cookies
    assert middleware(RequestFactory().get("/organise/")).cookies


def test_a_visitor_who_brings_cookies_gets_the_same_page_and_none_back(dana: Dana) -> None:
    dana.browser.cookies["sessionid"] = "x" * 32
    answer = dana.get(dana.home)
    assert answer.status_code == 200
    assert not answer.cookies


def test_the_page_allows_nothing_from_elsewhere(dana: Dana) -> None:
    answer = dana.get(dana.home)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    nonce = page(answer).split('nonce="')[1].split('"')[0]
    assert nonce
    assert f"'nonce-{nonce}'" in policy
    html = page(answer)
    assert "style=" not in html
    assert re.findall("<script[^>]*>", html) == ['<script src="/static/js/supporters.js" defer>']
    assert "http://" not in html.replace("http://testserver", "")
