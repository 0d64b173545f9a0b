"""Whoever is not the provider changes nothing, learns nothing, and is counted; bodies stay out of the logs."""

import gzip
import hmac
import logging
import random

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings

from config import hooks
from letters import tokens
from letters.feedback import Report
from letters.models import Delivery
from tests.web.hooks import senders
from tests.web.hooks.conftest import Poster, counts
from tests.web.hooks.forgeries import FORGERIES
from tests.web.hooks.senders import ESPS, Told, post
from web.hooks import bodies

pytestmark = pytest.mark.django_db
CASES = [(name, esp) for name, forgery in FORGERIES.items() for esp in forgery.esps]
SEEDS = range(4)
SHARED_KEYS = set(senders.SIGNERS) - {"amazon-ses", "postal", "sendgrid"}  # the others sign what anybody can check


@pytest.mark.parametrize(("name", "esp"), senders.each(CASES))
def test_a_forged_event_changes_nothing_and_is_counted(
    sent: list[Delivery], tell: Poster, name: str, esp: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    reference = tokens.reference(sent[0].pk)
    before = list(Delivery.objects.order_by("pk").values())
    forgery = FORGERIES[name]
    for seed in SEEDS:
        answer = tell(forgery.make(esp, reference, random.Random(seed)))  # noqa: S311  the same each time
        assert answer.status_code in forgery.statuses, seed
    assert list(Delivery.objects.order_by("pk").values()) == before
    assert not Report.objects.exists()
    assert sum(counts().values()) == len(SEEDS)
    assert reference not in caplog.text
    assert senders.ADDRESS not in caplog.text
    assert senders.SECRET not in caplog.text


@pytest.mark.parametrize("esp", senders.each(ESPS))
def test_the_true_event_is_taken(sent: list[Delivery], tell: Poster, esp: str) -> None:
    """Else what is refused above might be refused for another reason."""
    for packing in (None, "gzip"):
        request = post(esp, [Told("bounced", tokens.reference(sent[0].pk))])
        if packing:
            request = request.but(gzip.compress(request.body), Content_Encoding=packing)
        assert tell(request).status_code == 200
    assert counts() == {"taken": 1, "repeated": 1}


@pytest.mark.parametrize("esp", senders.each(ESPS))
def test_secrets_are_compared_in_constant_time(
    sent: list[Delivery], tell: Poster, monkeypatch: pytest.MonkeyPatch, esp: str
) -> None:
    """How long a refusal takes says nothing of how much was guessed right."""
    compared: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return real(one, other)

    monkeypatch.setattr("secrets.compare_digest", compare)  # Django's and Anymail's
    monkeypatch.setattr("hmac.compare_digest", compare)  # ours
    request = post(esp, [Told("bounced", tokens.reference(sent[0].pk))])
    assert tell(request.but(Authorization=senders.basic("x" * len(senders.SECRET)))).status_code == 400
    assert (b"x" * len(senders.SECRET), senders.SECRET.encode()) in compared
    compared.clear()
    if esp in SHARED_KEYS:
        assert tell(FORGERIES["signature wrong"].make(esp, "", random.Random(1))).status_code == 400  # noqa: S311
        assert len(compared) >= 2, "name and password, and then the signature"


@pytest.mark.parametrize("esp", senders.each(ESPS))
def test_other_methods_are_405_and_head_is_200(client: Client, esp: str) -> None:
    path = f"/hooks/{esp}/tracking/"
    for method in ("get", "put", "delete", "patch", "options"):
        status = getattr(client, method)(path).status_code
        assert status == (200 if (method, esp) == ("get", "unisender-go") else 405), method
    assert client.head(path).status_code == 200
    assert counts() == {}


@pytest.mark.parametrize(
    "path", ["scaleway/tracking", "nobody/tracking", "mailgun/opens", "unisender-go/inbound", "mailgun"]
)
def test_there_is_no_other_hook(client: Client, path: str) -> None:
    assert client.post(f"/hooks/{path}/", b"{}", content_type="application/json").status_code == 404


def test_a_hook_that_is_not_configured_is_absent(client: Client, settings: Settings) -> None:
    settings.HOOKS = hooks.read("none", "", "", None)
    for esp in ESPS:
        assert client.post(f"/hooks/{esp}/tracking/", b"{}", content_type="application/json").status_code == 404


@pytest.mark.parametrize("esp", senders.each(ESPS))
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"7", b'"x"', b"[" * 100_000, b"\xff\xfe", b'{"a": ' * 50_000, b"[null]", b"[[[]]]",
     b"1e999999"],
)  # fmt: skip
def test_what_is_not_json_or_not_theirs_is_400(client: Client, esp: str, body: bytes, settings: Settings) -> None:
    """With the name and password, so that it is read at all."""
    answer = client.generic(
        "POST", f"/hooks/{esp}/tracking/", body, content_type="application/json", HTTP_AUTHORIZATION=senders.basic()
    )
    assert answer.status_code == 400
    assert sum(counts().values()) == 1


@pytest.mark.parametrize("packing", ["gzip", "deflate", "br", "gzip, gzip"])
def test_a_body_that_is_not_packed_as_it_says_is_400(sent: list[Delivery], tell: Poster, packing: str) -> None:
    request = post("postmark", [Told("bounced", tokens.reference(sent[0].pk))])
    assert tell(request.but(Content_Encoding=packing)).status_code == 400
    cut = gzip.compress(request.body)[:-9]
    assert tell(request.but(cut, Content_Encoding="gzip")).status_code == 400
    assert not Report.objects.exists()


def test_a_body_is_never_read_beyond_its_bound() -> None:
    """Whatever its length is said to be, and before anything is unpacked."""
    read = 0

    class Endless:
        def read(self, size: int = -1) -> bytes:
            nonlocal read
            read += size
            return b" " * size

    request = RequestFactory().post("/", b"", content_type="application/json")
    request._stream = Endless()  # type: ignore[assignment]  # a stream is what can be read
    request.META["CONTENT_LENGTH"] = "5"
    with pytest.raises(bodies.TooLarge):
        bodies.read(request, most=1_000_000)
    assert read <= 1_200_000
    request.META["CONTENT_LENGTH"] = "9" * 400
    read = 0
    with pytest.raises(bodies.TooLarge):
        bodies.read(request, most=1_000_000)
    assert read == 0


def test_no_answer_sets_a_cookie_or_asks_for_a_form_token(sent: list[Delivery], tell: Poster) -> None:
    answer: HttpResponse = tell(post("postmark", [Told("bounced", tokens.reference(sent[0].pk))]))
    assert not answer.cookies
    assert "no-store" in answer["Cache-Control"]
