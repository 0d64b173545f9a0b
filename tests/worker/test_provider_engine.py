"""Letters over a provider's API, through the whole engine and the real database."""

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from campaigns.models import Ask, Campaign
from config import providers
from letters import instance, outbox, statistics, tokens
from letters.models import Delivery, DeliveryEvent, Notice, ProviderName
from tests.letters import deeds
from tests.worker.fake_provider import KEY, Act, FakeProvider, Request, honest, says
from tests.worker.provider_lines import a_line, a_line_to, address
from worker import lines as worker_lines
from worker import loop as loops
from worker import supporter_mail
from worker.engine import Drained, Engine
from worker.transports.provider import ProviderLine, api_of, connected
from worker.transports.wires import Wires

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]
State = Delivery.State
LINES = 4


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    """Return providers that are honest until a test scripts them."""
    with FakeProvider() as provider:
        yield provider


@pytest.fixture
def waiting(ask: Ask) -> list[int]:
    """Return thirty deliveries that are due: ten letters to three targets."""
    for number in range(10):
        deeds.a_confirmed_letter(ask, email=f"dana.{number}@mail.example")
    return list(Delivery.objects.order_by("pk").values_list("pk", flat=True))


@pytest.fixture(autouse=True)
def the_tallies_agree(campaign: Campaign) -> Iterator[None]:
    """Whatever happened, the counts agree with the rows."""
    yield
    assert statistics.recount(campaign) == 0


def drain(url: str, esp: str = "mailgun", *, seconds: float = 10.0) -> Drained:
    """Send all that is due over four lines to an API."""
    assert instance.may_send(now=timezone.now())
    api = api_of(a_line_to(url, esp)._account)
    carrier = Wires(lambda: connected(api, patience=seconds / 120), connections=LINES)
    try:
        return Engine(carrier, stop=threading.Event()).drain()
    finally:
        carrier.close()


def states() -> dict[str, int]:
    """Return how many deliveries stand where."""
    return dict(Counter(Delivery.objects.values_list("state", flat=True)))


def make_due() -> None:
    """Let the waits between attempts pass."""
    Delivery.objects.filter(state=State.QUEUED).update(due_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize("esp", ["mailgun", "postmark", "brevo", "resend"])
def test_each_delivery_arrives_exactly_once_and_its_name_is_kept(
    waiting: list[int], provider: FakeProvider, esp: str
) -> None:
    """Thirty deliveries over four lines that stay open."""
    assert drain(provider.url(esp), esp) == Drained(sent=30)
    assert provider.copies() == {tokens.reference(pk): 1 for pk in waiting}
    assert states() == {"sent": 30}
    assert provider.connections <= LINES
    assert ProviderName.objects.count() == 30
    assert set(ProviderName.objects.values_list("name", flat=True)) == {f"name-{n}" for n in range(1, 31)}


def test_a_provider_that_cannot_be_reached_costs_no_attempt(waiting: list[int]) -> None:
    """Everything claimed is given back as if it had not been claimed."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = drain(f"http://127.0.0.1:{port}/mailgun/")
    assert "refused" in done.line_down
    assert states() == {"queued": 30}
    assert set(Delivery.objects.values_list("attempts", "ambiguous")) == {(0, 0)}


def test_a_key_that_is_not_valid_holds_what_was_tried_and_fails_nothing(
    waiting: list[int], provider: FakeProvider, campaign: Campaign
) -> None:
    """401 is our fault: a person must look, and no letter is lost or counted against its target."""
    provider.script = lambda _r: says(401, {"message": f"Forbidden: {KEY}"})
    drain(provider.url("mailgun"))
    counts = states()
    assert set(counts) <= {"held", "queued"}
    assert counts["held"] >= 1
    assert not Delivery.objects.filter(state=State.HELD, reason="").exists()
    assert set(Delivery.objects.values_list("ambiguous", flat=True)) == {0}
    words = list(DeliveryEvent.objects.filter(to_state="held").values_list("words", flat=True))
    assert all(KEY not in one for one in words)
    assert provider.taken == []
    assert len(provider.requests) <= counts["held"]


def test_twice_unclear_is_left_to_a_person_and_at_most_two_copies_were_taken(
    waiting: list[int], provider: FakeProvider
) -> None:
    """The provider takes each letter and then says 500: the ledger says so, and no third is sent by itself."""
    provider.script = lambda _r: says(500, {"message": "oops"}, takes=True)
    drain(provider.url("mailgun"))
    assert states() == {"queued": 30}
    assert set(Delivery.objects.values_list("ambiguous", flat=True)) == {1}
    assert not Delivery.objects.filter(due_at__lt=timezone.now() + timedelta(minutes=14)).exists()
    make_due()
    drain(provider.url("mailgun"))
    assert states() == {"uncertain": 30}
    make_due()
    assert drain(provider.url("mailgun")) == Drained()
    assert set(provider.copies().values()) == {2}
    copies: dict[str, set[tuple[str, str]]] = {}
    for mail in provider.taken:
        copies.setdefault(mail.delivery, set()).add((mail.headers["message-id"], mail.text))
    assert {len(bodies) for bodies in copies.values()} == {1}, "all copies of one delivery are the same"


def test_a_provider_that_folds_takes_an_unclear_letter_once(waiting: list[int], provider: FakeProvider) -> None:
    """The same bytes carry the same key: the answer that was lost comes again."""
    provider.script = lambda _request: says(500, {"message": "oops"}, takes=True)
    drain(provider.url("resend"), "resend")
    make_due()
    provider.script = lambda _request: None
    assert drain(provider.url("resend"), "resend") == Drained(sent=30)
    assert set(provider.copies().values()) == {1}
    assert provider.folded == 30
    assert set(Delivery.objects.values_list("state", "ambiguous")) == {("sent", 1)}


def test_too_much_is_tried_later_and_counts_against_nobody(waiting: list[int], provider: FakeProvider) -> None:
    said_no: set[str] = set()

    def script(request: Request) -> Act | None:
        reference = request.document["v:delivery"]
        if reference in said_no:
            return None
        said_no.add(reference)
        return says(429, {"message": "Slow down"}, headers={"Retry-After": "0"})

    provider.script = script
    drain(provider.url("mailgun"))
    assert states() == {"queued": 30}
    assert not Delivery.objects.filter(due_at__lte=timezone.now()).exists()
    make_due()
    assert drain(provider.url("mailgun")) == Drained(sent=30)
    assert set(provider.copies().values()) == {1}
    assert set(Delivery.objects.values_list("ambiguous", flat=True)) == {0}


def test_a_refused_target_fails_alone(waiting: list[int], provider: FakeProvider) -> None:
    def script(request: Request) -> Act | None:
        if "minister@foreign.example" in request.document["to"]:
            return says(400, {"message": "'to' parameter is not a valid address"})
        return None

    provider.script = script
    drain(provider.url("mailgun"))
    assert states() == {"sent": 20, "failed": 10}
    failed = Delivery.objects.filter(state=State.FAILED)
    assert set(failed.values_list("address__value", flat=True)) == {"minister@foreign.example"}


def test_a_stop_between_claim_and_request_sends_nothing(
    waiting: list[int], provider: FakeProvider, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fence is asked for when the connection stands, right before the request is written."""
    real = outbox.claim

    def claim(**limits: Any) -> outbox.Claim:
        claimed = real(**limits)
        Campaign.objects.filter(pk=campaign.pk).update(paused_at=timezone.now())
        return claimed

    monkeypatch.setattr(outbox, "claim", claim)
    drain(provider.url("mailgun"))
    assert provider.requests == []
    assert set(states()) <= {"held", "queued"}
    assert Delivery.objects.filter(state=State.HELD, reason="stopped").exists()
    assert set(Delivery.objects.values_list("ambiguous", flat=True)) == {0}


def test_no_line_has_more_than_one_letter_in_flight(waiting: list[int], provider: FakeProvider) -> None:
    """That is what bounds the extra copies of a crash by the number of lines."""
    provider.script = lambda request: Act(honest(request, f"name-{request.number}").answer, waits_for=0.02)
    assert drain(provider.url("mailgun")).sent == 30
    assert 1 < provider.most_in_flight <= LINES


@pytest.mark.parametrize("every", [1, 3])
def test_a_provider_that_ends_its_lines_gets_every_letter_once(
    waiting: list[int], provider: FakeProvider, every: int
) -> None:
    """With each answer, or now and then: what waited on such a line is tried again, and was not sent."""

    def script(request: Request) -> Act | None:
        if request.number % every:
            return None
        answer = honest(request, f"name-{request.number}").answer
        return Act(answer.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1), hangs_up=True)

    provider.script = script
    drain(provider.url("mailgun"))
    if every == 1:
        assert set(Delivery.objects.values_list("state", "attempts")) == {("sent", 1)}
    make_due()
    drain(provider.url("mailgun"))
    assert states() == {"sent": 30}
    assert provider.copies() == {tokens.reference(pk): 1 for pk in waiting}
    assert set(Delivery.objects.values_list("ambiguous", flat=True)) == {0}


def test_the_settings_choose_the_line(provider: FakeProvider, waiting: list[int]) -> None:
    """As the loop runs it: letters to targets and mail to supporters over providers, each over its own."""
    to_targets = providers.read("EMAIL_URL", address("mailgun", provider.url("mailgun")))
    to_supporters = providers.read("SUPPORTER_EMAIL_URL", address("postmark", provider.url("postmark")))
    assert Notice.objects.filter(state=Notice.State.QUEUED).count() == 10
    with override_settings(MAIL_SERVER=to_targets, SUPPORTER_MAIL_SERVER=to_supporters, CONNECTIONS=2):
        assert isinstance(worker_lines.to_targets(), ProviderLine)
        running = loops.Loop()
        while running.turn(rung=True):
            pass
        running._close_lines()
    assert states() == {"sent": 30}
    by_esp = Counter(request.esp for request in provider.requests)
    assert by_esp["mailgun"] == 30
    assert by_esp["postmark"] == 0, "their letters are confirmed: those notices are no longer wanted"


def test_a_notice_that_a_provider_refuses_for_our_fault_waits(provider: FakeProvider, ask: Ask) -> None:
    """And one that it takes is sent once, under no delivery's name."""
    deeds.an_awaiting_letter(ask, now=timezone.now())
    provider.script = lambda _r: says(401, {"Message": "no"})
    line = a_line(provider, "postmark")
    assert supporter_mail.send_due(line) == 0
    notice = Notice.objects.get()
    assert (notice.state, notice.attempts) == (Notice.State.QUEUED, 1)
    Notice.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    provider.script = lambda _request: None
    assert supporter_mail.send_due(line) == 1
    line.close()
    assert Notice.objects.get().state == Notice.State.SENT
    (mail,) = provider.taken
    assert mail.to == "dana@mail.example"
    assert mail.delivery == ""
    assert mail.headers["auto-submitted"] == "auto-generated"
    assert mail.headers["message-id"].startswith("<notice-")
