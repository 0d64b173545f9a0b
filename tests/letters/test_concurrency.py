"""Many at once, on real transactions: one effect."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from django.db import connection

from campaigns.models import Ask
from letters import notices, outbox, releasing, statistics, tokens, writing
from letters.endings import Accepted
from letters.models import Delivery, DeliveryEvent, Letter, Notice
from targets.models import Address
from tests import cast
from tests.letters import deeds

T = TypeVar("T")
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def _at_once(deed: Callable[[], T], times: int) -> list[T]:
    """Do a deed in so many threads at the same moment; return what each got. Raises what one of them raised."""
    start = threading.Barrier(times)

    def one() -> T:
        start.wait()
        try:
            return deed()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return [future.result() for future in [pool.submit(one) for _ in range(times)]]


@pytest.fixture
def ask() -> Ask:
    alice = cast.a_member(cast.an_organisation(), "Alice")
    return cast.the_ask(cast.an_open_campaign(alice))


def test_claims_of_several_workers_share_nothing(ask: Ask) -> None:
    for n in range(10):
        deeds.a_confirmed_letter(ask, email=f"w{n}@mail.example")
    claims = _at_once(lambda: outbox.claim(limit=10), 4)
    taken = [pk for claim in claims for pk in claim.ids]
    assert len(taken) == len(set(taken))
    assert len({claim.token for claim in claims}) == 4
    rest = outbox.claim()
    assert len(taken) + len(rest.ids) == 30
    for claim in [*claims, rest]:
        assert outbox.record(claim, dict.fromkeys(claim.ids, Accepted(250, "ok"))) == set(claim.ids)
    assert statistics.recount(ask.campaign) == 0


def test_workers_that_record_at_once_lose_no_count(ask: Ask) -> None:
    for n in range(8):
        deeds.a_confirmed_letter(ask, email=f"w{n}@mail.example")

    def work() -> int:
        done = 0
        while (claim := outbox.claim(limit=2)).ids:
            done += len(outbox.record(claim, dict.fromkeys(claim.ids, Accepted(250, "ok"))))
        return done

    done = sum(_at_once(work, 4))
    claim = outbox.claim()  # what was skipped because somebody else was looking at it
    done += len(outbox.record(claim, dict.fromkeys(claim.ids, Accepted(250, "ok"))))
    assert done == Delivery.objects.filter(state="sent").count() == 24
    assert DeliveryEvent.objects.filter(to_state="sent").count() == 24
    assert statistics.recount(ask.campaign) == 0
    assert statistics.letters_sent(ask.campaign) == 24


@pytest.mark.parametrize("way", ["link", "code", "submit"])
def test_twenty_confirmations_at_once_have_one_effect(ask: Ask, way: str) -> None:
    letter = deeds.a_draft(ask) if way == "submit" else deeds.an_awaiting_letter(ask)

    def confirm() -> bool:
        mine = Letter.objects.select_related("campaign", "ask", "template", "supporter").get(pk=letter.pk)
        if way == "submit":
            return not writing.submit(mine, now=cast.NOW)
        notice = deeds.the_notice(mine)
        if way == "link":
            return bool(writing.confirm_by_link(notice, chosen=None, now=cast.NOW))
        return writing.confirm_by_code(mine, code=tokens.code(bytes(notice.key)), now=cast.NOW)

    answers = _at_once(confirm, 20)
    fresh = Letter.objects.get(pk=letter.pk)
    if way == "submit":
        assert all(answers)
        assert (fresh.stage, Notice.objects.count()) == ("awaiting_confirmation", 1)
        return
    if way == "link":
        assert sum(answers) == 1
    assert fresh.stage == "confirmed"
    assert Delivery.objects.count() == 3
    assert statistics.ledger(ask.campaign).created == 3
    assert statistics.recount(ask.campaign) == 0
    assert sum(hour.letters for hour in statistics.hours(ask.campaign)) == 1


def test_two_letters_of_one_person_for_one_ask_confirm_once(ask: Ask) -> None:
    letters = [deeds.an_awaiting_letter(ask) for _ in range(4)]
    notice = deeds.the_notice(letters[0])
    confirmed = _at_once(lambda: writing.confirm_by_link(notice, chosen=None, now=cast.NOW), 4)
    assert sum(map(len, confirmed)) == 1
    assert Letter.objects.filter(stage="confirmed").count() == 1
    assert Delivery.objects.count() == 3


def test_a_withdrawal_while_workers_claim_leaves_nothing_on_its_way(ask: Ask) -> None:
    letter = deeds.a_confirmed_letter(ask)
    begun = threading.Barrier(2)

    def deed() -> object:
        if begun.wait() == 0:
            return writing.withdraw(Letter.objects.select_related("campaign").get(pk=letter.pk), now=cast.NOW)
        claim = outbox.claim()
        return outbox.give_back(claim, claim.ids)

    _at_once(deed, 2)
    assert outbox.claim().ids == []
    assert deeds.states(letter) == ["cancelled"] * 3
    assert statistics.recount(ask.campaign) == 0


def test_releases_at_once_give_a_mailbox_its_slots_once(ask: Ask) -> None:
    Address.objects.update(cap_per_hour=3)
    for n in range(6):
        deeds.a_confirmed_letter(ask, email=f"w{n}@mail.example")
    _at_once(lambda: releasing.release(now=cast.NOW), 6)
    for address in Address.objects.filter(kind="email"):
        assert Delivery.objects.filter(address=address, due_at__isnull=False).count() == 3


def test_a_mail_is_claimed_by_one_worker(ask: Ask) -> None:
    for n in range(6):
        deeds.an_awaiting_letter(ask, email=f"w{n}@mail.example")
    taken = [n.pk for claimed in _at_once(lambda: notices.claim(limit=10, now=cast.NOW), 4) for n in claimed]
    assert sorted(taken) == sorted(Notice.objects.values_list("pk", flat=True))


def test_five_tries_at_a_code_are_five_however_many_at_once(ask: Ask) -> None:
    notice = deeds.the_notice(deeds.an_awaiting_letter(ask))
    assert sum(_at_once(lambda: notices.may_try_code(notice), 12)) == 5
