"""Leaving a target out at the desk, and offering it again."""

import pytest
from django.test import Client

from accounts.models import AuditEntry, Role, User
from campaigns.models import Campaign
from letters.models import Delivery
from targets.models import ListEntry, TargetList
from tests import cast
from tests.web.organisers.letters import a_confirmed_letter

ANNA = "Anna Lund"


def address(target_list: TargetList, rest: str = "leave-out/") -> str:
    target = target_list.targets.get(name=ANNA)
    return f"/organise/targets/{target_list.public_id}/{target.public_id}/{rest}"


def text_of(response: object) -> str:
    return bytes(response.content).decode()  # type: ignore[attr-defined]


def entry_of(target_list: TargetList) -> ListEntry:
    return target_list.entries.get(target__name=ANNA)


def sign_in(client: Client, user: User) -> Client:
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_target_is_left_out_and_the_pages_say_so_until_it_is_offered_again(
    as_alice: Client, target_list: TargetList
) -> None:
    one, whole = address(target_list, ""), f"/organise/targets/{target_list.public_id}/"
    assert address(target_list) in text_of(as_alice.get(one))
    assert "What supporters read" in text_of(as_alice.get(address(target_list)))
    words = "has met the <families> already"
    response = as_alice.post(address(target_list), {"exclusion": "own", "words": words}, follow=True)
    page = text_of(response)
    assert response.redirect_chain == [(one, 302)]
    assert "Anna Lund is left out of new letters." in page
    assert "<bdi>has met the &lt;families&gt; already</bdi>" in page
    assert "Not offered" in page
    assert text_of(as_alice.get(whole)).count(">Not offered<") == 1
    shown = text_of(as_alice.get(f"{whole}?show=excluded"))
    assert ANNA in shown
    assert "Bruno Keller" not in shown
    assert 'value="has met the &lt;families&gt; already"' in text_of(as_alice.get(address(target_list)))
    page = text_of(as_alice.post(address(target_list, "offer-again/"), follow=True))
    assert "is offered to supporters again" in page
    assert "Not offered" not in page
    assert entry_of(target_list).exclusion == ""


@pytest.mark.parametrize(
    ("form", "field", "sentence"),
    [
        ({}, "exclusion", "Choose what supporters read."),
        ({"exclusion": "own", "words": ""}, "words", "Write what supporters read"),
        ({"exclusion": "own", "words": "long " * 30}, "words", "This is 149 characters long. Shorten it to 120."),
        ({"exclusion": "away", "until": "next week"}, "until", "Give the last day as year-month-day"),
        ({"exclusion": "away", "until": "2011-11-11"}, "until", "This day has passed."),
    ],
)
def test_what_cannot_be_kept_says_why_at_its_field_and_keeps_what_was_typed(
    as_alice: Client, target_list: TargetList, form: dict[str, str], field: str, sentence: str
) -> None:
    typed = {"words": "some words", "until": "2099-01-01", **form}
    response = as_alice.post(address(target_list), typed)
    page = text_of(response)
    assert response.status_code == 422
    assert "<title>Error: " in page
    assert page.count(sentence) == 2  # in the summary and at the field
    assert f'href="#{field}"' in page
    assert f'id="{field}-error"' in page
    for value in (typed["words"].strip(), typed["until"]):
        assert f'value="{value}"' in page
    if "exclusion" in form:
        assert f'value="{form["exclusion"]}" checked' in page
    assert entry_of(target_list).exclusion == ""


def test_letters_that_wait_are_stopped_only_where_the_box_is_ticked(as_alice: Client, campaign: Campaign) -> None:
    ask = cast.the_ask(campaign)
    a_confirmed_letter(ask)
    page = text_of(as_alice.get(address(ask.target_list)))
    assert "Also stop the 1 delivery to them that waits" in page
    assert 'name="stops" value="yes" checked' not in page
    as_alice.post(address(ask.target_list), {"exclusion": "ally"})
    waiting = Delivery.objects.filter(target__name=ANNA, state="queued")
    assert waiting.count() == 1
    page = text_of(as_alice.post(address(ask.target_list), {"exclusion": "ally", "stops": "yes"}, follow=True))
    assert "Stopped: 1 delivery." in page
    assert not waiting.exists()
    assert Delivery.objects.filter(state="queued").count() == 2
    assert "Also stop" not in text_of(as_alice.get(address(ask.target_list)))


def test_an_editor_leaves_out_and_does_not_stop(client: Client, bob: User, campaign: Campaign) -> None:
    ask = cast.the_ask(campaign)
    a_confirmed_letter(ask)
    sign_in(client, bob)
    page = text_of(client.get(address(ask.target_list)))
    assert "Who may send can stop them" in page
    assert 'name="stops"' not in page
    assert client.post(address(ask.target_list), {"exclusion": "ally", "stops": "yes"}).status_code == 403
    assert entry_of(ask.target_list).exclusion == ""
    assert client.post(address(ask.target_list), {"exclusion": "ally"}).status_code == 302
    assert entry_of(ask.target_list).exclusion == "ally"
    assert Delivery.objects.filter(target__name=ANNA, state="queued").exists()


@pytest.mark.parametrize("role", [Role.ANALYST, Role.SENDER, Role.TRANSLATOR, Role.REPLIES, Role.PARTNER])
def test_other_roles_change_nothing(client: Client, alice: User, target_list: TargetList, role: str) -> None:
    sign_in(client, cast.a_member(cast.organisation_of(alice), "Erin", role))
    for rest in ("leave-out/", "offer-again/"):
        assert client.post(address(target_list, rest), {"exclusion": "ally"}).status_code == 403
    assert entry_of(target_list).exclusion == ""
    assert not AuditEntry.objects.exists()


def test_another_organisations_target_is_as_absent_as_none(
    client: Client, charlie: User, target_list: TargetList
) -> None:
    sign_in(client, charlie)
    for rest in ("leave-out/", "offer-again/"):
        assert client.post(address(target_list, rest), {"exclusion": "ally"}).status_code == 404
    assert entry_of(target_list).exclusion == ""


def test_publishing_counts_only_those_offered(as_alice: Client, alice: User) -> None:
    campaign = cast.a_draft_campaign(alice)
    target_list, publish = cast.the_ask(campaign).target_list, f"/organise/campaigns/{campaign.slug}/publish/"
    as_alice.post(address(target_list), {"exclusion": "answered"})
    page = text_of(as_alice.get(publish))
    assert "goes to 2 offices." in page
    assert "no working e-mail address" not in page
    target_list.entries.update(exclusion="answered")
    assert "Nobody offered on" in text_of(as_alice.get(publish))
