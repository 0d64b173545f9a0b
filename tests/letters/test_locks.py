"""Who gives way where a person and a worker want the same deliveries."""

import threading
from collections.abc import Callable

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import Sum
from django.utils import timezone

from accounts.models import User
from campaigns.models import Ask
from letters import erasures, lifecycle, locks, outbox, steering, tallies
from letters.models import Delivery, DeliveryTally, Letter
from tests.letters import deeds


class _Said(Exception):
    """What a database's driver raises."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


def fails(times: int, sqlstate: str) -> list[int]:
    """Do something that fails so often with this code of PostgreSQL's, patiently; return what was done."""
    done: list[int] = []

    def deed() -> None:
        done.append(len(done) + 1)
        if len(done) <= times:
            raise OperationalError(sqlstate) from _Said(sqlstate)

    locks.giving_way(deed, tries_after=(0.0, 0.0))
    return done


@pytest.mark.django_db(transaction=True)
def test_a_deed_is_done_again_where_its_rows_were_taken_and_for_no_other_reason() -> None:
    assert fails(0, "") == [1]
    assert fails(2, "40P01") == [1, 2, 3]
    with pytest.raises(locks.Taken):
        fails(3, "55P03")
    with pytest.raises(OperationalError, match="57P03"):
        fails(1, "57P03")


@pytest.mark.django_db
def test_within_a_transaction_of_somebody_else_it_is_done_once() -> None:
    with pytest.raises(OperationalError):
        fails(1, "40P01")


def _ask_to_stop(_letter: Letter, _by: User) -> None:
    lifecycle.ask_to_stop(Delivery.objects.all(), reason="stopped")


def _stop_the_campaign(letter: Letter, by: User) -> None:
    steering.stop_waiting(campaign=letter.campaign, by=by, now=timezone.now())


def _erase(letter: Letter, _by: User) -> None:
    assert letter.supporter is not None
    erasures.erase(bytes(letter.supporter.address_hash), now=timezone.now())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("deed", "reason"), [(_ask_to_stop, "stopped"), (_stop_the_campaign, "stopped"), (_erase, "erased")]
)
def test_a_worker_never_loses_its_group_to_somebody_who_stops_what_it_holds(
    ask: Ask, alice: User, deed: Callable[[Letter, User], None], reason: str
) -> None:
    """Each has what the other wants next: PostgreSQL would end either of them."""
    letter = deeds.a_confirmed_letter(ask)
    first, *_, last = sorted(outbox.claim(limit=10).ids)
    has_last, wants_first, errors = threading.Event(), threading.Event(), list[BaseException]()

    def work() -> None:
        try:
            with transaction.atomic():
                Delivery.objects.filter(pk=last).update(attempts=7)
                has_last.set()
                wants_first.wait(0.2)
                Delivery.objects.filter(pk=first).update(attempts=7)
        except BaseException as error:  # noqa: BLE001  told below
            errors.append(error)
        finally:
            connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    assert has_last.wait(10)
    deed(letter, alice)
    worker.join(10)
    assert errors == []
    assert set(Delivery.objects.values_list("reason", flat=True)) == {f"asked: {reason}"}
    assert Delivery.objects.filter(attempts=7).count() == 2


@pytest.mark.django_db(transaction=True)
def test_who_counts_beside_a_recorder_never_waits_for_it_in_a_ring(ask: Ask) -> None:
    """A recorder counts several times before it commits; each time in order, but not over all of them."""
    letter = deeds.a_confirmed_letter(ask)
    first, *_, last = sorted(letter.deliveries.values_list("target", flat=True))
    one, other = ((letter.campaign_id, ask.pk, target, "held", False, 0) for target in (first, last))
    errors: list[BaseException] = []

    def sweep() -> None:
        try:
            with transaction.atomic():
                tallies.count({one: 1, other: 1})
        except BaseException as error:  # noqa: BLE001  told below
            errors.append(error)
        finally:
            connection.close()

    with transaction.atomic():
        tallies.count({one: 1, other: 1})  # so that both have their rows
    beside = threading.Thread(target=sweep)
    beside.start()
    beside.join(10)
    beside = threading.Thread(target=sweep)
    with transaction.atomic():
        tallies.count({other: 1})
        beside.start()
        beside.join(0.5)  # on SQLite it waits for the commit
        tallies.count({one: 1})
    beside.join(10)
    assert errors == []
    counted = DeliveryTally.objects.filter(state="held").values_list("target").annotate(n=Sum("count"))
    assert dict(counted) == {first: 4, last: 4}
