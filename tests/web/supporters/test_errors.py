"""When something goes wrong, words are given back."""

import re
from collections.abc import Iterator
from unittest import mock

import pytest
from django.db import DataError, OperationalError
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.test import Client, RequestFactory

from campaigns.models import Campaign
from letters import privacy, writing
from tests.web.supporters.conftest import DANA, Dana, one_h1, page, values
from web import errors

MINE = "Words that I do not want to write twice."


@pytest.fixture
def failing(dana: Dana) -> Iterator[mock.MagicMock]:
    """Make keeping a letter fail; the test says how."""
    dana.browser.raise_request_exception = False
    with mock.patch("letters.writing.revise") as revise:
        yield revise


def test_a_defect_gives_the_text_back_with_a_reference_and_no_trace(
    dana: Dana, failing: mock.MagicMock, caplog: pytest.LogCaptureFixture
) -> None:
    write = dana.begin()
    failing.side_effect = RuntimeError("secret detail")
    answer = dana.post(write, {**DANA, "body": MINE})
    html = page(answer)
    assert answer.status_code == 500
    assert MINE in html
    assert "secret detail" not in html
    reference = re.search(r"Reference ([0-9A-F]{4})\.", html)
    assert reference is not None
    lines = [record.getMessage() for record in caplog.records if record.name == "web.errors"]
    assert any(reference[1] in line for line in lines)
    assert not any(write in line for line in lines)


def test_a_defect_page_asks_no_database(rf: RequestFactory) -> None:
    answer = errors.server_error(rf.post("/en/x/", {"body": MINE}))  # pytest-django forbids the database here
    assert answer.status_code == 500
    assert MINE in page(answer)


def test_a_database_that_does_not_answer_is_503_with_the_text(dana: Dana, failing: mock.MagicMock) -> None:
    write = dana.begin()
    failing.side_effect = OperationalError("database is locked")
    answer = dana.post(write, {**DANA, "body": MINE})
    assert answer.status_code == 503
    assert answer["Retry-After"] == "30"
    assert MINE in page(answer)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DataError(), 400),
        (privacy.Unreadable(), 500),
        (writing.CampaignClosed(), 409),
        (writing.LetterRefused({"body": "Too long."}), 409),
    ],
)
def test_each_known_error_has_its_status(rf: RequestFactory, error: Exception, status: int) -> None:
    middleware = errors.DomainErrors(lambda _request: HttpResponse())
    answer = middleware.process_exception(rf.post("/", {"body": MINE}), error)
    assert answer is not None
    assert answer.status_code == status
    assert MINE in page(answer)


def test_an_unknown_error_is_left_to_the_framework(rf: RequestFactory) -> None:
    middleware = errors.DomainErrors(lambda _request: HttpResponse())
    assert middleware.process_exception(rf.get("/"), RuntimeError()) is None


def test_more_than_a_letter_can_hold_is_413(dana: Dana) -> None:
    write = dana.begin()
    assert dana.post(write, {**DANA, "body": "x" * 300_000}).status_code == 413
    assert dana.post(write, {f"field{n}": "x" for n in range(5000)}).status_code == 413


def test_a_broken_body_is_400_or_no_change_never_500(dana: Dana) -> None:
    write = dana.begin()
    before = dana.content()
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x", "application/json"):
        answer = dana.browser.post(write, b"\xff\xfe{[", content_type=kind, headers={"sec-fetch-site": "same-origin"})
        assert answer.status_code in {303, 400, 422}
    assert dana.content().body == before.body


@pytest.mark.parametrize("charset", ["hex", "rot13", "idna", "utf-16", "no-such"])
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
def test_a_charset_that_no_form_of_ours_sends_is_400(dana: Dana, kind: str, charset: str) -> None:
    write = dana.begin()
    before = dana.content()
    sent = b'--x\r\nContent-Disposition: form-data; name="body"\r\n\r\nA letter.\r\n--x--\r\n'
    answer = dana.browser.generic("POST", write, sent, content_type=f"{kind}; charset={charset}")
    assert answer.status_code == 400
    assert dana.content() == before


@pytest.mark.parametrize(
    ("path", "announced", "status"),
    [
        ("/en/x/y/", 524_288, 200), ("/en/x/y/", 524_289, 413), ("/organise/x/", 524_289, 200),
        ("/organise/x/", 12_582_912, 200), ("/organise/x/", 12_582_913, 413), ("/organised/", 4_000_000, 413),
        ("/en/x/y/", "many", 200),
    ],
)  # fmt: skip
def test_what_is_too_much_is_refused_before_it_is_read(
    rf: RequestFactory, path: str, announced: int | str, status: int
) -> None:
    request = rf.post(path, b"--x--", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH=str(announced))
    with mock.patch.object(request, "_stream") as stream:
        answer = errors.BearableRequests(lambda _request: HttpResponse())(request)
    assert answer.status_code == status
    assert not stream.read.called


def test_the_house_is_asked_under_any_host(client: Client, db: None) -> None:
    assert client.get("/healthz", headers={"host": "10.0.0.7:8000"}).status_code == 200
    assert client.post("/healthz", headers={"host": "10.0.0.7:8000"}).status_code == 405


def test_a_strange_host_is_400(dana: Dana) -> None:
    assert dana.browser.get(dana.home, headers={"host": "evil.example"}).status_code == 400


def test_an_unknown_address_leads_to_the_open_campaigns(client: Client, db: None) -> None:
    for address in ("/nothing", "/en/%00/", "/%2e%2e/", "/en/a/b/c/d/e/", "/" + "x" * 10_000):
        answer = client.get(address)
        assert answer.status_code == 404, address
        assert "There is no page here" in one_h1(answer)


def test_an_expired_organisers_form_is_issued_again_without_secrets(rf: RequestFactory) -> None:
    request = rf.post("/organise/x/", {"title": "A title", "password": "hunter2 hunter2", "words": "w" * 60})
    answer = errors.form_expired(request)
    found = values(answer)
    assert answer.status_code == 403
    assert found["title"] == "A title"
    assert found["words"] == "w" * 60
    assert found["csrfmiddlewaretoken"]
    assert get_token(request)
    assert "hunter2" not in page(answer)


def test_a_foreign_organisers_form_is_not_issued_again(rf: RequestFactory) -> None:
    request = rf.post("/organise/x/", {"title": "w" * 60}, headers={"sec-fetch-site": "cross-site"})
    html = page(errors.form_expired(request))
    assert "<form" not in html
    assert "w" * 60 in html


def test_a_lost_visitor_sees_what_is_open_and_every_lost_address_reads_the_same(dana: Dana) -> None:
    def read(address: str) -> str:
        return re.sub(r'nonce="[^"]*"', "", page(dana.get(address)))

    assert f'href="{dana.home}"' in read("/en/nothing/")
    assert read("/letter/nonsense/") == read("/letter/other/") == read("/my/see/nonsense/")


def test_a_lost_visitor_is_answered_without_a_database_too(rf: RequestFactory) -> None:
    with mock.patch.object(Campaign.objects, "filter", side_effect=OperationalError):
        answer = errors.not_found(rf.get("/en/x/"))
    assert answer.status_code == 404
    assert "See which campaigns are open" in page(answer)


def test_an_outage_names_the_time_to_try_again(dana: Dana, failing: mock.MagicMock) -> None:
    write = dana.begin()
    failing.side_effect = OperationalError("gone")
    assert re.search(r"try again at [0-9:apm ]+ ?\S* UTC", page(dana.post(write, {**DANA, "body": MINE})))


def test_the_house_says_whether_it_stands(client: Client, db: None) -> None:
    assert client.get("/healthz").content == b"ok\n"
    with mock.patch("web.front.connection.cursor", side_effect=OperationalError):
        assert client.get("/healthz").status_code == 503
