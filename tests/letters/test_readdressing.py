"""A corrected address reaches the letters that wait, and nobody is led anywhere without a sender's word."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import AuditEntry, User
from letters import readdressing, statistics, steering
from letters.models import Delivery, Letter
from targets import lists
from targets.models import Target
from tests import cast
from tests.letters import deeds

pytestmark = pytest.mark.django_db
NOW = cast.NOW
NEW = "anna.lund@new.example"


@pytest.fixture
def anna(letter: Letter) -> Target:
    """Return the first of the three that Dana's letter waits for."""
    return Target.objects.get(name="Anna Lund")


def corrected(target: Target, email: str) -> Target:
    """Let an organiser change the address on the list."""
    (target_list,) = target.lists.all()
    values = {**cast.TARGETS[0], "email": email}
    return lists.save_target(target_list=target_list, values=values, target=target)[0]


def test_waiting_letters_get_the_new_address_and_leave_once_they_are_let_go(
    anna: Target, letter: Letter, alice: User
) -> None:
    assert readdressing.follow(corrected(anna, NEW), by=alice, now=NOW) == 1
    delivery = Delivery.objects.select_related("address").get(target=anna)
    assert (delivery.state, delivery.reason, delivery.address.value) == ("held", "address_changed", NEW)
    assert sorted(deeds.states(letter)) == ["held", "queued", "queued"], "the others have nothing to do with it"
    assert steering.let_go(delivery=delivery, by=alice, now=NOW)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.address.value) == ("queued", NEW)
    assert statistics.recount(letter.campaign) == 0
    entry = AuditEntry.objects.get(deed="gave waiting letters another address")
    assert (entry.subject, entry.details) == ("Anna Lund", {"deliveries": 1})


def test_a_letter_that_was_tried_keeps_its_address(anna: Target, alice: User) -> None:
    Delivery.objects.filter(target=anna).update(attempts=1, first_tried_at=NOW, digest="a" * 64)
    before = Delivery.objects.get(target=anna).address
    assert readdressing.follow(corrected(anna, NEW), by=alice, now=NOW) == 0
    assert Delivery.objects.get(target=anna).address == before
    assert not AuditEntry.objects.filter(deed="gave waiting letters another address").exists()


@pytest.mark.parametrize(
    "columns",
    [
        {"state": "sending", "token": "a" * 32, "lease_until": NOW},
        {"state": "sent", "sent_at": NOW, "ended_at": NOW},
        {"state": "failed", "ended_at": NOW},
        {"state": "uncertain"},
        {"state": "cancelled", "ended_at": NOW},
    ],
    ids=lambda columns: columns["state"],
)
def test_what_is_under_way_or_has_ended_is_left_alone(anna: Target, alice: User, columns: dict[str, Any]) -> None:
    Delivery.objects.filter(target=anna).update(**columns)
    assert readdressing.follow(corrected(anna, NEW), by=alice, now=NOW) == 0
    delivery = Delivery.objects.select_related("address").get(target=anna)
    assert (delivery.state, delivery.address.value) == (columns["state"], cast.TARGETS[0]["email"])


def test_what_a_sender_must_let_go_already_stays_held_for_its_own_reason(anna: Target, alice: User) -> None:
    Delivery.objects.filter(target=anna).update(state="held", reason="cannot_compose")
    assert readdressing.follow(corrected(anna, NEW), by=alice, now=NOW) == 1
    delivery = Delivery.objects.select_related("address").get(target=anna)
    assert (delivery.state, delivery.reason, delivery.address.value) == ("held", "cannot_compose", NEW)


@pytest.mark.parametrize("reason", ["restored", "stopped"])
def test_what_goes_on_without_a_senders_word_keeps_its_address(anna: Target, alice: User, reason: str) -> None:
    """The operator releases a restored backup; what a pause caught at the fence goes on by itself."""
    Delivery.objects.filter(target=anna).update(state="held", reason=reason)
    assert readdressing.follow(corrected(anna, NEW), by=alice, now=NOW) == 0
    assert Delivery.objects.get(target=anna).address.value == cast.TARGETS[0]["email"]


def test_what_may_have_been_taken_already_keeps_its_address(anna: Target, alice: User) -> None:
    """A released backup sends it once more: the same bytes, to the same mailbox."""
    Delivery.objects.filter(target=anna).update(ambiguous=1)
    assert readdressing.follow(corrected(anna, NEW), by=alice, now=NOW) == 0
    assert Delivery.objects.get(target=anna).state == "queued"


def test_a_target_that_loses_its_address_or_keeps_it_changes_nothing(anna: Target, alice: User) -> None:
    (target_list,) = anna.lists.all()
    assert readdressing.follow(anna, by=alice, now=NOW) == 0
    on_paper = {**cast.TARGETS[0], "email": "", "postal_address": "Canal Street 1\n1000 Northtown"}
    lists.save_target(target_list=target_list, values=on_paper, target=anna)
    assert readdressing.follow(anna, by=alice, now=NOW) == 0
    assert Delivery.objects.get(target=anna).state == "queued"


def test_the_pace_of_the_new_mailbox_holds(anna: Target, letter: Letter, alice: User) -> None:
    """Let go, it waits for its slot there: a new address has the usual pace."""
    readdressing.follow(corrected(anna, NEW), by=alice, now=NOW)
    steering.let_go_all(campaign=letter.campaign, reason=readdressing.REASON, by=alice, now=NOW)
    delivery = Delivery.objects.get(target=anna)
    assert (delivery.state, delivery.due_at, delivery.address.cap_per_hour) == ("queued", None, 60)


def test_many_letters_are_held_in_portions(anna: Target, letter: Letter, alice: User, ask_again: None) -> None:
    assert readdressing.follow(corrected(anna, NEW), by=alice, now=NOW + timedelta(hours=1)) == 4
    assert set(Delivery.objects.filter(target=anna).values_list("state", flat=True)) == {"held"}


@pytest.fixture
def ask_again(letter: Letter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let three more people write to the same three."""
    monkeypatch.setattr(readdressing, "_CHUNK", 2)
    for n in range(3):
        deeds.a_confirmed_letter(letter.ask, email=f"more{n}@mail.example")
