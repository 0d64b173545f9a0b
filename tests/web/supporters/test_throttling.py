"""One network may not send confirmation mails without end; what it wrote is kept."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import RequestFactory

from campaigns.models import Partner
from letters.models import Letter, Notice
from tests.web.supporters.conftest import SENTENCE, Dana, page
from web import throttling

NOW = datetime(2011, 11, 23, 10, 2, tzinfo=UTC)


def test_past_the_limit_the_letter_stays_on_its_page(dana: Dana, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling.must_wait, "__kwdefaults__", {"most": 2})
    monkeypatch.setattr(throttling, "WINDOW", 10**10)  # so that no window ends during the test
    for number in range(2):
        dana.send(email=f"writer.{number}@mail.example")
    check = dana.write(email="writer.3@mail.example")
    answer = dana.post(check)
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= throttling.WINDOW
    assert "Your letter is safe on this page" in page(answer)
    assert SENTENCE in page(answer)
    assert dana.letter().stage == Letter.Stage.DRAFT
    assert Notice.objects.count() == 2


def test_a_network_does_not_begin_drafts_without_end_and_what_it_wrote_is_given_back(
    dana: Dana, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttling, "MOST_BEGUN", 2)
    monkeypatch.setattr(throttling, "WINDOW", 10**10)  # so that no window ends during the test
    ask = f"{dana.home}{dana.ask().slug}/"
    for _ in range(2):
        assert dana.post(ask, {"sentence": "Hello."}).status_code == 303
    answer = dana.post(ask, {"sentence": SENTENCE})
    assert answer.status_code == 429
    assert SENTENCE in page(answer)
    Partner.objects.create(campaign=dana.campaign, slug="ports", name="Ports", origins=["https://ports.example"])
    framed = dana.post(f"/embed/{dana.campaign.slug}/{dana.ask().slug}/", {"partner": "ports", "sentence": SENTENCE})
    assert framed.status_code == 429
    assert "https://ports.example" in framed["Content-Security-Policy"], "the frame shows it"
    assert Letter.objects.count() == 2


def test_links_to_drafts_are_counted_with_them(dana: Dana, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling.must_wait, "__kwdefaults__", {"most": 1})
    monkeypatch.setattr(throttling, "WINDOW", 10**10)  # so that no window ends during the test
    dana.send(email="writer.1@mail.example")
    write = dana.begin()
    answer = dana.post(write, {"email": "writer.2@mail.example", "subject": "Kept all the same", "then": "later"})
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= throttling.WINDOW
    assert "Kept all the same" in page(dana.get(write))
    assert dana.letter().kept_until is None
    assert Notice.objects.count() == 1


@pytest.mark.parametrize(("one", "other", "shared"), [
    ("192.0.2.7", "192.0.2.200", True), ("192.0.2.7", "198.51.100.7", False),
    ("2001:db8:1:2::1", "2001:db8:1:3::9", True), ("2001:db8:1::1", "2001:db8:2::1", False),
])  # fmt: skip
def test_a_bucket_is_a_network_for_a_window(one: str, other: str, *, shared: bool) -> None:
    requests = RequestFactory()
    for _time in range(3):
        assert throttling.must_wait(requests.get("/", REMOTE_ADDR=one), deed="t", now=NOW, most=3) == 0
    wait = throttling.must_wait(requests.get("/", REMOTE_ADDR=other), deed="t", now=NOW, most=3)
    assert (wait > 0) is shared
    later = NOW.replace(minute=12)
    assert throttling.must_wait(requests.get("/", REMOTE_ADDR=one), deed="t", now=later, most=3) == 0


def test_only_our_own_proxy_is_believed(settings: Any) -> None:
    forged = RequestFactory().get("/", REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_FOR="203.0.113.9, 198.51.100.1")
    alone = throttling._network(RequestFactory().get("/", REMOTE_ADDR="192.0.2.7"), NOW)
    seen_by_the_proxy = throttling._network(RequestFactory().get("/", REMOTE_ADDR="198.51.100.1"), NOW)
    assert throttling._network(forged, NOW) == alone
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert throttling._network(forged, NOW) == seen_by_the_proxy
