"""Amazon's SNS is believed for its signature alone, and nothing but Amazon is ever visited because of what it says."""

import json

import pytest

from letters import tokens
from letters.models import Delivery
from tests.web.hooks import senders
from tests.web.hooks.conftest import Poster, counts
from tests.web.hooks.senders import CERTIFICATE_URL, Post, Told, post
from web.hooks import sns
from web.hooks.proofs import Forged

pytestmark = pytest.mark.django_db
HOST = "https://sns.eu-central-1.amazonaws.com"
CONFIRMS = f"{HOST}/?Action=ConfirmSubscription&Token=t"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the addresses that were visited, in their order; each answers with Amazon's certificate."""
    visited: list[str] = []

    def fetch(address: str) -> bytes:
        visited.append(address)
        return senders.certificate()

    monkeypatch.setattr(sns, "fetch", fetch)
    return visited


def a_subscription(address: str) -> Post:
    """Return the handshake that Amazon begins a subscription with."""
    return senders.notification(
        "You have chosen …", kind="SubscriptionConfirmation", SubscribeURL=address, Token="t"
    )  # fmt: skip


def test_name_and_password_are_asked_for(tell: Poster) -> None:
    answer = tell(post("amazon-ses", [Told("bounced", "x")]).but(Authorization=None))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    "address",
    ["http://sns.eu-central-1.amazonaws.com/x.pem", f"{HOST}.evil.example/x.pem",
     "https://evil.example/sns.eu-central-1.amazonaws.com/x.pem", f"{HOST}@evil.example/x.pem", f"{HOST}:8443/x.pem",
     "https://s3.amazonaws.com/x.pem", "https://sns.amazonaws.com/x.pem", "https://sns.eu.central.amazonaws.com/x.pem",
     "https://evil.example\\@sns.eu-central-1.amazonaws.com/x.pem", "", "https://127.0.0.1/x.pem",
     "file:///etc/passwd", "https://[::1", f"{HOST}/x .pem", "//sns.eu-central-1.amazonaws.com/x.pem", f"{HOST}/cert"],
)  # fmt: skip
def test_the_certificate_comes_from_amazon_alone(tell: Poster, asked: list[str], address: str) -> None:
    request = senders.notification({"eventType": "Delivery"}, SigningCertURL=address)
    assert tell(request).status_code == 400
    assert asked == []
    assert counts() == {"forged": 1}


def test_the_certificate_is_fetched_once(tell: Poster, asked: list[str], sent: list[Delivery]) -> None:
    for kind in ("delivered", "bounced"):
        assert tell(post("amazon-ses", [Told(kind, tokens.reference(sent[0].pk))])).status_code == 200
    assert asked == [CERTIFICATE_URL]


@pytest.mark.parametrize("address", [CONFIRMS, "https://sns.cn-north-1.amazonaws.com.cn/?Action=ConfirmSubscription"])
def test_a_subscription_is_confirmed_at_amazon(tell: Poster, asked: list[str], address: str) -> None:
    assert tell(a_subscription(address)).status_code == 200
    assert asked == [CERTIFICATE_URL, address]


@pytest.mark.parametrize("address", ["https://evil.example/", "http://169.254.169.254/latest/meta-data", ""])
def test_a_subscription_elsewhere_is_refused_though_it_is_signed(
    tell: Poster, asked: list[str], address: str
) -> None:
    assert tell(a_subscription(address)).status_code == 400
    assert asked == [CERTIFICATE_URL]


def test_a_subscription_that_amazon_did_not_sign_is_not_visited(tell: Poster, asked: list[str]) -> None:
    request = a_subscription(CONFIRMS)
    changed = {**json.loads(request.body), "Token": "another"}
    assert tell(request.but(json.dumps(changed).encode())).status_code == 400
    assert asked == [CERTIFICATE_URL]


def test_the_end_of_a_subscription_changes_nothing(tell: Poster, asked: list[str]) -> None:
    request = senders.notification("You have …", kind="UnsubscribeConfirmation", SubscribeURL=CONFIRMS, Token="t")
    assert tell(request).status_code == 200
    assert asked == [CERTIFICATE_URL]


def test_amazon_out_of_reach_is_told_to_come_again(tell: Poster, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(_address: str) -> bytes:
        raise sns.Unreachable

    monkeypatch.setattr(sns, "fetch", unreachable)
    assert tell(post("amazon-ses", [Told("bounced", "x")])).status_code == 503
    assert counts() == {"busy": 1}


def test_a_certificate_that_is_none_proves_nothing(tell: Poster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sns, "fetch", lambda _address: b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")
    assert tell(post("amazon-ses", [Told("bounced", "x")])).status_code == 400


def test_only_addresses_of_amazon_are_put_together_anew() -> None:
    assert sns.of_amazon("https://SNS.eu-central-1.amazonaws.com:443/x.pem#y") == f"{HOST}/x.pem"
    with pytest.raises(Forged):
        sns.of_amazon("https://evil.example/")
