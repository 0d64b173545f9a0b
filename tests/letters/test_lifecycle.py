"""Every state, every move, the history and the tallies that each move leaves."""

import ast
import itertools
import random
import re
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from campaigns.models import Ask, Campaign
from letters import lifecycle, statistics
from letters.lifecycle import Change, Fact, ForbiddenMove
from letters.models import Delivery, DeliveryEvent, DeliveryTally, HourTally, Letter
from targets import lists, suppressions
from targets.models import Address, Target
from tests import cast
from tests.letters import deeds

pytestmark = pytest.mark.django_db
STAGES = list(Letter.Stage.values)
STATES = list(Delivery.State.values)
ROOT = Path(lifecycle.__file__).resolve().parent.parent
LEASED = {"token": "n" * 32, "lease_until": cast.NOW}


def _change(to: str, **more: object) -> Change:
    return Change(fact=Fact(reason="tested", words="why"), columns={**(LEASED if to == "sending" else {}), **more})


def _only(delivery: Delivery) -> "QuerySet[Delivery]":
    return Delivery.objects.filter(pk=delivery.pk)


@pytest.mark.parametrize(("at", "to"), [*itertools.product(STAGES, STAGES)])
def test_a_letter_moves_as_the_table_says_or_not_at_all(letter: Letter, at: str, to: str) -> None:
    Letter.objects.filter(pk=letter.pk).update(stage=at, confirmed_at=cast.NOW, ended_at=None)
    letter.refresh_from_db()
    before = Letter.objects.filter(pk=letter.pk).values().get()
    if (at, to) in lifecycle.LETTER_MOVES:
        assert lifecycle.move_letter(letter, to, now=cast.NOW, from_=(at,))
        after = Letter.objects.get(pk=letter.pk)
        assert after.stage == letter.stage == to
        assert (after.ended_at is not None) == (to in {"expired", "withdrawn"})
    else:
        with pytest.raises(ForbiddenMove):
            lifecycle.move_letter(letter, to, now=cast.NOW, from_=(at,))
        assert Letter.objects.filter(pk=letter.pk).values().get() == before


@pytest.mark.parametrize(("at", "to"), [*itertools.product(STATES, STATES)])
def test_a_delivery_moves_as_the_table_says_or_not_at_all(letter: Letter, at: str, to: str) -> None:
    delivery = deeds.put_into(deeds.deliveries(letter)[0], at)
    before = _only(delivery).values().get()
    tallies = sorted(DeliveryTally.objects.values_list())
    events = DeliveryEvent.objects.count()
    if (at, to) in lifecycle.DELIVERY_MOVES:
        assert lifecycle.move_deliveries(_only(delivery), to, _change(to), now=cast.NOW) == [delivery.pk]
        after = Delivery.objects.get(pk=delivery.pk)
        assert (after.state, after.reason) == (to, "tested")
        assert (after.sent_at is not None) == (to == "sent")
        assert (after.ended_at is not None) == (to in {"sent", "failed", "cancelled"})
        assert (after.token, after.lease_until) == (("n" * 32, cast.NOW) if to == "sending" else ("", None))
        event = DeliveryEvent.objects.get(delivery=delivery)
        assert (event.from_state, event.to_state, event.reason, event.words) == (at, to, "tested", "why")
        assert sorted(DeliveryTally.objects.values_list()) != tallies
        ended = HourTally.objects.filter(measure__in=["sent", "failed", "uncertain"]).values_list("measure", "count")
        assert list(ended) == ([(to, 1)] if to in {"sent", "failed", "uncertain"} else [])
    else:
        with pytest.raises(ForbiddenMove):
            lifecycle.move_deliveries(_only(delivery), to, _change(to), now=cast.NOW)
        assert _only(delivery).values().get() == before
        assert sorted(DeliveryTally.objects.values_list()) == tallies
        assert DeliveryEvent.objects.count() == events
    assert statistics.recount(letter.campaign) == 0


def test_every_state_is_reached_and_explained() -> None:
    assert set(lifecycle.LETTER_STAGES) == set(STAGES)
    assert set(lifecycle.DELIVERY_STATES) == set(STATES)
    assert {to for _, to in lifecycle.DELIVERY_MOVES} == set(STATES)
    assert {at for at, _ in lifecycle.DELIVERY_MOVES}.isdisjoint({"sent", "failed", "cancelled"})
    assert ("sending", "cancelled") not in lifecycle.DELIVERY_MOVES


def test_a_batch_with_one_forbidden_row_moves_none(letter: Letter) -> None:
    first, second, _ = deeds.deliveries(letter)
    deeds.put_into(second, "sent")
    with pytest.raises(ForbiddenMove):
        lifecycle.move_deliveries(
            Delivery.objects.filter(pk__in=[first.pk, second.pk]), "held", _change("held"), now=cast.NOW
        )
    assert deeds.states(letter) == ["queued", "queued", "sent"]


def test_the_second_caller_of_a_move_gets_nothing(letter: Letter) -> None:
    rows = Delivery.objects.filter(letter=letter, state="queued")
    assert len(lifecycle.move_deliveries(rows, "held", _change("held"), now=cast.NOW)) == 3
    assert lifecycle.move_deliveries(rows, "held", _change("held"), now=cast.NOW) == []
    assert DeliveryEvent.objects.count() == 3
    other = Letter.objects.get(pk=letter.pk)
    assert lifecycle.move_letter(letter, "withdrawn", now=cast.NOW)
    assert not lifecycle.move_letter(other, "withdrawn", now=cast.NOW)
    assert other.stage == "confirmed"  # the object in hand is changed on success only


def test_each_row_of_a_batch_can_have_a_change_of_its_own(letter: Letter) -> None:
    rows = deeds.deliveries(letter)
    changes = {row.pk: Change(fact=Fact(reason=f"r{n}", code=450 + n)) for n, row in enumerate(rows)}
    lifecycle.move_deliveries(Delivery.objects.filter(letter=letter), "held", changes, now=cast.NOW)
    assert [row.reason for row in deeds.deliveries(letter)] == ["r0", "r1", "r2"]
    codes = DeliveryEvent.objects.order_by("delivery").values_list("code", flat=True)
    assert list(codes) == [450, 451, 452]


def test_attempts_never_fall_below_nought(letter: Letter) -> None:
    delivery = deeds.deliveries(letter)[0]
    lifecycle.move_deliveries(_only(delivery), "held", Change(attempts=-1), now=cast.NOW)
    assert Delivery.objects.get(pk=delivery.pk).attempts == 0
    assert statistics.recount(letter.campaign) == 0


def test_the_deliveries_of_a_letter_are_one_statement(ask: Ask) -> None:
    letter = deeds.an_awaiting_letter(ask)
    with CaptureQueriesContext(connection) as queries:
        lifecycle.create_deliveries(letter, now=cast.NOW, paced=True)
    inserts = [q["sql"] for q in queries if "letters_delivery (" in q["sql"]]
    assert len(inserts) == 1
    # Deliveries, their tally, the hour; on PostgreSQL the latter two are prepared, past Django's own log.
    assert len(queries) == (1 if connection.vendor == "postgresql" else 3)
    assert Delivery.objects.filter(letter=letter).count() == 3


def test_deliveries_are_made_once_however_often_they_are_asked_for(letter: Letter) -> None:
    assert lifecycle.create_deliveries(letter, now=cast.NOW, paced=True) == 0
    assert len(deeds.deliveries(letter)) == 3
    assert statistics.recount(letter.campaign) == 0


@pytest.mark.parametrize("why", ["dead", "suppressed", "retired", "paper"])
def test_no_delivery_goes_where_none_may_or_can(ask: Ask, why: str) -> None:
    target = Target.objects.get(name="Bruno Keller")
    assert target.email is not None
    match why:
        case "dead":
            Address.objects.filter(pk=target.email.pk).update(status="dead")
        case "suppressed":
            suppressions.add(suppressions.address_hash("Minister@FOREIGN.example"), reason="asked")
        case "retired":
            lists.retire(target_list=ask.target_list, target=target, now=cast.NOW)
        case "paper":
            lists.save_target(
                target_list=ask.target_list, target=target,
                values={"name": "Bruno Keller", "postal_address": "Castle Square 2\n10115 Berlin"},
            )  # fmt: skip
    letter = deeds.a_confirmed_letter(ask)
    assert sorted(d.target.name for d in deeds.deliveries(letter)) == ["Anna Lund", "Office of the President"]


def test_a_suppression_that_ran_out_stops_nothing(ask: Ask) -> None:
    hashed = suppressions.address_hash("minister@foreign.example")
    suppressions.add(hashed, reason="asked", until=cast.NOW)
    assert len(deeds.deliveries(deeds.a_confirmed_letter(ask))) == 3


@pytest.mark.parametrize(
    "pace", [{"cap_per_hour": 5}, {"cap_per_day": 5}, {"opens_at": "09:00", "closes_at": "17:00"}]
)
def test_a_paced_delivery_waits_without_a_due_time(ask: Ask, pace: dict[str, object]) -> None:
    Address.objects.filter(value="minister@foreign.example").update(**pace)
    due = {d.address.value: d.due_at for d in deeds.deliveries(deeds.a_confirmed_letter(ask))}
    assert due == {
        "office@northland.example": cast.NOW, "minister@foreign.example": None, "president@southland.example": cast.NOW,
    }  # fmt: skip


def test_the_database_itself_refuses_a_second_delivery_to_a_target(letter: Letter) -> None:
    delivery = deeds.deliveries(letter)[0]
    delivery.pk = None
    delivery._state.adding = True
    with pytest.raises(IntegrityError), transaction.atomic():
        delivery.save()


@pytest.mark.parametrize(
    "columns",
    [
        {"state": "lost"}, {"state": "sent"}, {"state": "sending"}, {"state": "failed"}, {"state": "cancelled"},
        {"state": "sending", "token": "x"}, {"state": "sending", "lease_until": cast.NOW},
    ],
)  # fmt: skip
def test_the_database_itself_refuses_a_delivery_that_cannot_be(letter: Letter, columns: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.filter(letter=letter).update(**columns)


@pytest.mark.parametrize("columns", [{"stage": "lost"}, {"confirmed_at": None}, {"supporter": None}])
def test_the_database_itself_refuses_a_letter_that_cannot_be(letter: Letter, columns: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Letter.objects.filter(pk=letter.pk).update(**columns)


def test_the_database_itself_refuses_a_second_confirmed_letter_for_an_ask(letter: Letter, ask: Ask) -> None:
    second = deeds.a_draft(ask)
    with pytest.raises(IntegrityError), transaction.atomic():
        Letter.objects.filter(pk=second.pk).update(
            stage="confirmed", confirmed_at=cast.NOW, supporter=letter.supporter
        )


def test_the_database_itself_refuses_a_line_of_history_that_is_no_move(letter: Letter) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        DeliveryEvent.objects.create(
            delivery=deeds.deliveries(letter)[0], at=cast.NOW, from_state="queued", to_state="queued"
        )


@pytest.mark.parametrize("seed", range(6))
def test_the_ledger_adds_up_after_every_move_of_a_random_life(alice: User, seed: int) -> None:
    campaign = cast.an_open_campaign(alice)
    for n in range(4):
        deeds.a_confirmed_letter(cast.the_ask(campaign), email=f"writer{n}@mail.example")
    chance = random.Random(seed)  # noqa: S311  a life that can be lived again
    for _ in range(40):
        at, to = chance.choice([*lifecycle.DELIVERY_MOVES])
        some = Delivery.objects.filter(state=at).order_by("pk").values_list("pk", flat=True)
        ids = chance.sample(list(some), k=min(len(some), chance.randint(0, 5)))
        change = Change(columns=LEASED if to == "sending" else {}, attempts=chance.choice([-1, 0, 1]))
        lifecycle.move_deliveries(Delivery.objects.filter(pk__in=ids), to, change, now=cast.NOW)
        ledger = statistics.ledger(campaign)
        assert ledger.adds_up
        assert ledger.created == 12
        assert statistics.recount(campaign) == 0


def test_a_recount_finds_and_mends_what_somebody_else_changed(letter: Letter) -> None:
    Delivery.objects.filter(pk=deeds.deliveries(letter)[0].pk).update(state="held")
    assert statistics.recount(letter.campaign) == 2
    assert statistics.recount(letter.campaign, repair=True) == 2
    assert statistics.recount(letter.campaign) == 0
    assert statistics.ledger(letter.campaign).adds_up


def test_a_ledger_without_its_tallies_does_not_add_up(campaign: Campaign, letter: Letter) -> None:
    DeliveryTally.objects.all().delete()
    assert not statistics.ledger(campaign).adds_up
    assert statistics.recount(campaign, repair=True) == 3
    assert statistics.ledger(campaign).adds_up


# ── one writer per column ────────────────────────────────────────────────────────────────────────────────

_OWNERS = {
    "stage": {"letters/lifecycle.py", "campaigns/publishing.py"},
    "state": {"letters/lifecycle.py", "letters/attempts.py", "letters/notices.py"},
    "sent_at": {"letters/lifecycle.py", "letters/attempts.py"},
    "confirmed_at": {"letters/lifecycle.py"},
    "token": {"letters/lifecycle.py", "letters/attempts.py"},
    "feedback": {"letters/lifecycle.py", "letters/tracking.py"},
    "dot_at": {"letters/attempts.py", "letters/outbox.py"},  # taken off at a claim, put on by the fence
    "digest": {"letters/outbox.py"},
    "count": {"letters/tallies.py", "letters/told.py"},  # of deliveries and hours; of self-reports
}


def _writes(path: Path) -> set[str]:
    """Return the columns that a module writes: by `.update(…)`, `.create(…)` or by setting an attribute."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(attr="update" | "update_or_create"), keywords=keywords):
                found |= {keyword.arg for keyword in keywords if keyword.arg}
            case ast.Constant(value=str(text)) if "UPDATE letters_delivery SET" in text:
                columns = re.split(r"\b(?:FROM|WHERE)\b", text.partition(" SET")[2])[0]
                found |= set(re.findall(r"(?:^|,)\s*(\w+) = ", columns))
            case ast.Assign(targets=targets):
                found |= {t.attr for t in targets if isinstance(t, ast.Attribute)}
    return found


def test_each_column_of_a_move_has_one_writer() -> None:
    modules = [
        path for app in ("accounts", "targets", "campaigns", "letters", "web", "worker", "config")
        for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts
    ]  # fmt: skip
    strangers = {
        (path.relative_to(ROOT).as_posix(), column)
        for path in modules
        for column in _writes(path) & set(_OWNERS)
        if path.relative_to(ROOT).as_posix() not in _OWNERS[column]
    }
    assert strangers == set()
    assert "dot_at" in _writes(ROOT / "letters" / "outbox.py")  # the check itself sees writers
