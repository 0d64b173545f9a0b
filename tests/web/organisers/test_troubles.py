"""What the board says and offers where a campaign paused by itself, deliveries are held, or domains rest."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import Role, User
from campaigns.models import Campaign
from letters import breaker, outbox
from letters.endings import NotSent
from letters.models import Delivery
from letters.pause_words import Cause
from letters.stoppages import SendingStop, TroubledDomain
from tests import cast
from tests.letters import deeds
from tests.web.organisers.letters import a_confirmed_letter

BOARD = "/organise/campaigns/oil-workers/delivery/"
GO, STOP = f"{BOARD}held/our_fault/go/", f"{BOARD}held/our_fault/stop/"


@pytest.fixture
def at_fault(campaign: Campaign) -> Campaign:
    """Return a campaign of which our own mail server sent nothing: three deliveries are held."""
    a_confirmed_letter(cast.the_ask(campaign))
    breaker.forget()
    claim = outbox.claim()
    outbox.record(claim, dict.fromkeys(claim.ids, NotSent("535 5.7.8 sign-in refused", hold=True)))
    assert deeds.states(Delivery.objects.all()[0].letter) == ["held"] * 3
    return Campaign.objects.get()


def test_the_board_names_cause_evidence_and_cure(at_fault: Campaign, as_alice: Client) -> None:
    page = as_alice.get(BOARD).content.decode()
    assert "Paused by itself on" in page
    assert "Our own mail server or provider does not send for us." in page
    assert "535 5.7.8 sign-in refused" in page
    assert "Ask the operator to check the sign-in" in page
    assert GO in page
    assert STOP in page


def test_what_is_held_goes_after_a_question(at_fault: Campaign, as_alice: Client) -> None:
    assert "Let 3 deliveries go?" in as_alice.get(GO).content.decode()
    assert Delivery.objects.filter(state="held").count() == 3, "a look changes nothing"
    answer = as_alice.post(GO, follow=True)
    assert "3 deliveries leave now" in answer.content.decode()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"queued"}
    assert as_alice.get(GO).status_code == 404, "nothing is held any more"


def test_what_is_held_is_stopped_after_a_question(at_fault: Campaign, as_alice: Client) -> None:
    assert "Stop 3 deliveries for good?" in as_alice.get(STOP).content.decode()
    as_alice.post(STOP)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"cancelled"}


def test_who_may_not_send_sees_it_and_decides_nothing(at_fault: Campaign, client: Client, alice: User) -> None:
    analyst = cast.a_member(cast.organisation_of(alice), "Fay", Role.ANALYST)
    client.force_login(analyst, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(BOARD).content.decode()
    assert "Held until somebody has looked" in page
    assert GO not in page
    assert client.post(GO).status_code == 403


def test_another_organisation_s_campaign_is_absent(at_fault: Campaign, client: Client, charlie: User) -> None:
    client.force_login(charlie, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(GO).status_code == 404


@pytest.mark.parametrize("reason", ["restored", "stopped"])
def test_what_is_not_a_member_s_to_decide_has_no_button(at_fault: Campaign, as_alice: Client, reason: str) -> None:
    Delivery.objects.update(reason=reason)
    page = as_alice.get(BOARD).content.decode()
    assert "3 deliveries" in page
    assert "/held/" not in page
    assert as_alice.post(f"{BOARD}held/{reason}/go/").status_code == 404


def test_domains_that_rest_say_until_when_and_what_they_said(campaign: Campaign, as_alice: Client) -> None:
    a_confirmed_letter(cast.the_ask(campaign))
    now = timezone.now()
    TroubledDomain.objects.create(
        domain="northland.example", since=now, last_at=now, code=421, words="4.7.0 too much", strikes=5,
        rests_until=now + timedelta(minutes=10),
    )  # fmt: skip
    TroubledDomain.objects.create(domain="elsewhere.example", since=now, last_at=now, rests_until=now)
    page = as_alice.get(BOARD).content.decode()
    assert "Domains that take no letters at the moment" in page
    assert "northland.example" in page
    assert "421 4.7.0 too much" in page
    assert "elsewhere.example" not in page, "nothing of this campaign waits for it"


def test_a_campaign_that_a_person_paused_is_not_said_to_have_paused_by_itself(
    campaign: Campaign, as_alice: Client
) -> None:
    as_alice.post("/organise/campaigns/oil-workers/pause/")
    assert "Paused by itself" not in as_alice.get(BOARD).content.decode()
    breaker.trip(campaign=campaign, cause=Cause.BOUNCES, evidence={}, now=timezone.now())
    assert "Paused by itself" not in as_alice.get(BOARD).content.decode()


def test_an_operator_s_stop_is_said_on_every_page(
    campaign: Campaign, as_alice: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    a_confirmed_letter(cast.the_ask(campaign))
    call_command("sending", "--stop", "--because", "the provider asked us to")
    assert "Nothing leaves." in as_alice.get("/organise/").content.decode()
    assert "the provider asked us to" in as_alice.get(BOARD).content.decode()
    assert outbox.claim().ids == []
    call_command("sending", "--stop")
    call_command("sending", "--resume")
    assert "It was stopped already." in capsys.readouterr().out
    assert "Nothing leaves." not in as_alice.get("/organise/").content.decode()
    assert len(outbox.claim().ids) == 3
    call_command("sending", "--resume")
    assert "Nothing was stopped." in capsys.readouterr().out
    assert SendingStop.objects.count() == 1
