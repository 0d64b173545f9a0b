"""What a person decides about a restored or copied database, by deed and by `manage.py adopt`."""

import io
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Exists, F
from django.test import override_settings

from accounts.models import AuditEntry
from campaigns.models import Ask
from letters import adopting, holding, instance, standing, state_file, statistics, writing
from letters.adopting import NotNow
from letters.models import Delivery, DeliveryEvent, Instance, Letter
from targets import suppressions
from targets.models import Address
from tests import cast
from tests.letters import deeds

pytestmark = pytest.mark.django_db(transaction=True)
NOW = cast.NOW
OURS, THEIRS = "a" * 32, "b" * 32
IS_SHARED = connection.vendor == "postgresql"
LATER = NOW + timedelta(days=1)


@pytest.fixture(autouse=True)
def host(tmp_path: Path, clock: deeds.Clock) -> Iterator[Path]:
    """Be a host that knows nothing yet."""
    with override_settings(DATA=tmp_path, INSTANCE_ID=""):
        yield tmp_path


def restart() -> bool:
    """Start the worker again; return whether it may send."""
    instance.forget()
    return instance.may_send(now=NOW)


def restore(host: Path) -> None:
    """Let the database be one epoch behind what this host has seen, and let a worker notice."""
    assert restart()
    state_file.write(host, Instance.objects.get().identity, Instance.objects.get().epoch + 1)
    assert not restart()


def claimed() -> list[str]:
    """Let a worker take all it may; return to whom, sorted."""
    seen = instance.seen()
    ours = Exists(instance.unchanged(seen.identity, seen.epoch))
    rows = Delivery.objects.filter(ours, state="queued", due_at__lte=LATER)
    return sorted(rows.values_list("target__name", flat=True))


@pytest.fixture
def held(letter: Letter, host: Path) -> Letter:
    """Return a letter whose three deliveries are held since a restore."""
    restore(host)
    return letter


def adopt(*options: str) -> str:
    """Run the command; return what it says."""
    said = io.StringIO()
    call_command("adopt", *options, stdout=said)
    return said.getvalue()


# ── release ──────────────────────────────────────────────────────────────────────────────────────────────


def test_released_deliveries_leave_and_the_host_sends_again(held: Letter) -> None:
    decided = adopting.release(by="operator Olga", now=NOW)
    assert (decided.moved, decided.kept) == (3, 0)
    assert restart()
    assert len(claimed()) == 3
    assert set(Delivery.objects.values_list("ambiguous", flat=True)) == {1}, "the second copy is explained"
    assert set(DeliveryEvent.objects.filter(to_state="queued").values_list("reason", "by")) == {
        ("let_go", "operator Olga")
    }
    assert statistics.recount(held.campaign) == 0
    assert standing.announcement(now=NOW) == ""


def test_a_worker_that_looks_in_the_middle_of_an_adoption_holds_nothing_anew(
    held: Letter, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is released already, and this host does not know it yet."""
    (host / state_file.NAME).unlink()
    write, may_send = state_file.write, []

    def look() -> None:
        try:
            may_send.append(restart())
        finally:
            connection.close()

    worker = threading.Thread(target=look)

    def written(*what: Any) -> None:
        worker.start()
        time.sleep(0.3)  # time enough to look, for a worker that is not kept from it
        monkeypatch.undo()
        write(*what)

    monkeypatch.setattr(state_file, "write", written)
    adopting.release(by="operator Olga", now=NOW)
    worker.join(20)
    assert may_send == [True]
    assert len(claimed()) == 3


def test_a_worker_that_found_the_hold_before_it_ended_holds_nothing_anew(held: Letter) -> None:
    seen = Instance.objects.get()
    adopting.release(by="operator Olga", now=NOW)
    assert standing.put_on_hold(seen, standing.Verdict.BEHIND, now=NOW)
    assert Instance.objects.get().on_hold_since is None
    assert holding.set_aside(now=NOW, seconds=holding.AT_ONCE) == 0
    assert deeds.states(held) == ["queued"] * 3


def test_an_adoption_gives_way_to_a_worker_that_has_just_begun(
    letter: Letter, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its look and its hold the database rose to another epoch: others send from it."""
    standing.the_row()
    Instance.objects.update(epoch=5, advanced_at=None)
    (host / state_file.NAME).unlink(missing_ok=True)
    inspect = standing.inspect

    def rising() -> object:
        found = inspect()
        Instance.objects.update(epoch=F("epoch") + 1)
        return found

    monkeypatch.setattr(standing, "put_on_hold", lambda *_seen, **_now: False)
    monkeypatch.setattr(standing, "inspect", rising)
    with pytest.raises(NotNow, match="began to use this database"):
        adopting.cancel(by="operator Olga", now=NOW)
    assert deeds.states(letter) == ["queued"] * 3


def test_a_release_does_not_come_back_at_the_next_start_on_any_host(held: Letter, host: Path) -> None:
    """Another host may have seen a little more of what the backup forgot."""
    identity = Instance.objects.get().identity
    memory = state_file.read(host)
    assert memory is not None
    adopting.release(by="Olga", now=NOW)
    state_file.write(host, identity, memory.epoch + 100_000)
    assert restart()
    assert Instance.objects.get().identity == identity


def test_an_adoption_is_ahead_of_an_earlier_one_that_this_host_never_saw(letter: Letter, host: Path) -> None:
    """A backup from before both, adopted elsewhere, days later."""
    restore(host)
    adopting.release(by="Olga", now=NOW)
    first = Instance.objects.get().epoch
    Instance.objects.update(epoch=2, on_hold_since=NOW, on_hold_because="restored")
    (host / state_file.NAME).unlink()
    adopting.release(by="Olga", now=LATER)
    assert Instance.objects.get().epoch > first + 24 * 3600


def test_a_paced_mailbox_keeps_its_pace(held: Letter) -> None:
    """The others leave at once."""
    Address.objects.filter(value="minister@foreign.example").update(cap_per_hour=1)
    adopting.release(by="Olga", now=NOW)
    due = dict(Delivery.objects.values_list("target__name", "due_at"))
    assert due == {"Anna Lund": NOW, "Bruno Keller": None, "Office of the President": NOW}


def test_time_on_hold_does_not_count_towards_giving_up(held: Letter) -> None:
    """It was held this morning; the five days of one that had been tried go on from there."""
    Delivery.objects.filter(target__name="Anna Lund").update(first_tried_at=NOW - timedelta(hours=3), attempts=1)
    adopting.release(by="Olga", now=NOW + timedelta(days=6))
    rested = dict(Delivery.objects.values_list("target__name", "rested_for"))
    assert rested == {"Anna Lund": 6 * 24 * 3600, "Bruno Keller": 0, "Office of the President": 0}


def test_what_may_have_been_taken_three_times_stays_held(held: Letter) -> None:
    """Sent again by a person already: a fourth copy would be one more than we promise."""
    often = deeds.delivery_to(held, "Anna Lund")
    Delivery.objects.filter(pk=often.pk).update(ambiguous=3, sent_again=1)
    decided = adopting.release(by="Olga", now=NOW)
    assert (decided.moved, decided.kept) == (2, 1)
    often.refresh_from_db()
    assert (often.state, often.reason) == ("held", "restored")
    assert restart()
    assert adopting.cancel(by="Olga", now=NOW).moved == 1
    assert deeds.states(held) == ["cancelled", "queued", "queued"]


def test_what_nobody_wants_any_more_is_cancelled(held: Letter) -> None:
    """Suppressed on the restored database; what was suppressed after the backup it cannot know."""
    deeds.suppress("minister@foreign.example")
    assert adopting.release(by="Olga", now=NOW).moved == 2
    row = deeds.delivery_to(held, "Bruno Keller")
    assert (row.state, row.reason) == ("cancelled", "not_released")


def test_what_is_suppressed_for_a_time_waits_for_its_end(held: Letter) -> None:
    suppressions.add(suppressions.address_hash("minister@foreign.example"), reason="asked", until=LATER)
    assert adopting.release(by="Olga", now=NOW).moved == 3
    assert deeds.states(held) == ["queued"] * 3


def test_a_letter_taken_back_while_it_was_being_sent_is_not_sent_after_all(letter: Letter, host: Path) -> None:
    """The backup was made before its attempt had ended: its stop was only asked for."""
    deeds.put_into(deeds.delivery_to(letter, "Anna Lund"), "sending")
    writing.withdraw(letter, now=NOW)
    assert deeds.states(letter) == ["cancelled", "cancelled", "sending"]
    restore(host)
    assert adopting.release(by="Olga", now=NOW).moved == 0
    assert deeds.states(letter) == ["cancelled"] * 3
    assert set(Delivery.objects.values_list("reason", flat=True)) == {"withdrawn"}


def test_what_organisers_let_go_during_a_hold_waits_for_the_operator_too(held: Letter) -> None:
    """It may have been sent as well; nothing leaves past the operator."""
    Delivery.objects.filter(target__name="Anna Lund").update(state="queued", reason="", due_at=NOW)
    assert claimed() == []
    adopting.cancel(by="Olga", now=NOW)
    assert deeds.states(held) == ["cancelled"] * 3


def test_a_release_is_audited_in_each_organisation(held: Letter) -> None:
    adopting.release(by="operator Olga", now=NOW)
    entry = AuditEntry.objects.get(deed__startswith="released")
    assert (entry.organisation, entry.subject) == (held.campaign.organisation, held.campaign.slug)
    assert entry.details == {"deliveries": 3, "operator": "operator Olga"}


def test_many_are_released_in_pieces(held: Letter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "CHUNK", 2)
    assert adopting.release(by="Olga", now=NOW).moved == 3


# ── cancel ───────────────────────────────────────────────────────────────────────────────────────────────


def test_cancelled_deliveries_never_leave_and_new_ones_do(held: Letter, ask: Ask) -> None:
    new = deeds.a_confirmed_letter(ask, email="erik@mail.example")
    assert adopting.cancel(by="Olga", now=NOW).moved == 3
    assert deeds.states(held) == ["cancelled"] * 3
    assert deeds.states(new) == ["queued"] * 3
    assert restart()
    assert len(claimed()) == 3
    assert statistics.recount(held.campaign) == 0


# ── whose database it is then ────────────────────────────────────────────────────────────────────────────


def test_a_restored_backup_keeps_its_id(held: Letter) -> None:
    before = Instance.objects.get().identity
    assert adopting.release(by="Olga", now=NOW).identity == before


@pytest.mark.parametrize(
    ("setting", "memory", "becomes"), [("", THEIRS, THEIRS), (OURS, "", OURS), (OURS, THEIRS, OURS), ("", "", "new")]
)
def test_a_copy_becomes_the_adopting_hosts_own(
    letter: Letter, host: Path, setting: str, memory: str, becomes: str
) -> None:
    restart()
    before = Instance.objects.get().identity
    Instance.objects.update(body="1/2/3" if IS_SHARED else "")
    (host / state_file.NAME).unlink()
    if memory:
        state_file.write(host, memory, 5)
    with override_settings(INSTANCE_ID=setting):
        assert not restart()
        found = adopting.release(by="Olga", now=NOW).identity
        assert found == becomes if becomes != "new" else found not in {before, OURS, THEIRS}
        assert restart()
        assert len(claimed()) == 3


def test_an_id_of_the_settings_is_written_into_a_restored_backup_too(letter: Letter, host: Path) -> None:
    restore(host)
    with override_settings(INSTANCE_ID=THEIRS):
        assert adopting.release(by="Olga", now=NOW).identity == THEIRS
        assert restart()


def unknown_to(host: Path) -> None:
    """Let this host not know the database."""
    assert restart()
    (host / state_file.NAME).unlink()
    instance.forget()


def test_a_host_joins_a_database_that_others_use(letter: Letter, host: Path) -> None:
    """Nothing in it changes. Nobody else uses a SQLite database: there a person must decide."""
    unknown_to(host)
    before = Instance.objects.get()
    if not IS_SHARED:
        with pytest.raises(NotNow, match="on hold"):
            adopting.join(now=NOW)
        return
    assert adopting.join(now=NOW) == before.identity
    after = Instance.objects.get()
    assert (after.identity, after.epoch, after.on_hold_since) == (before.identity, before.epoch, None)
    assert restart()
    assert len(claimed()) == 3


def test_nobody_joins_past_a_hold_or_a_setting(held: Letter) -> None:
    with pytest.raises(NotNow, match="on hold"):
        adopting.join(now=NOW)
    adopting.release(by="Olga", now=NOW)
    with override_settings(INSTANCE_ID=THEIRS), pytest.raises(NotNow, match=r"on hold|INSTANCE_ID says"):
        adopting.join(now=NOW)


def test_a_database_that_others_use_is_not_taken_from_them(letter: Letter, host: Path, clock: deeds.Clock) -> None:
    """Its letters are on their way. After eleven silent minutes nobody can be using it."""
    unknown_to(host)
    clock.pass_by(seconds=5)
    if IS_SHARED:
        for decide in (adopting.release, adopting.cancel):
            with pytest.raises(NotNow, match=r"5 seconds ago.*--join.*11 minutes"):
                decide(by="Olga", now=clock.now)
        assert deeds.states(letter) == ["queued"] * 3
        clock.pass_by(minutes=11)
    assert adopting.release(by="Olga", now=clock.now).moved == 3
    assert set(Delivery.objects.values_list("state", "ambiguous")) == {("queued", 1)}


@pytest.mark.parametrize("deed", ["release", "cancel"])
def test_there_is_nothing_to_decide_where_all_is_well(letter: Letter, deed: str) -> None:
    restart()
    with pytest.raises(NotNow, match="Nothing is on hold"):
        getattr(adopting, deed)(by="Olga", now=NOW)
    assert deeds.states(letter) == ["queued"] * 3


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_shows_what_is_held_since_when_and_what_may_be_done(held: Letter) -> None:
    before = list(Delivery.objects.order_by("pk").values())
    said = adopt()
    assert "Sending is on hold since a backup was restored (noticed on 23 November 2011 at 10:00 UTC)" in said
    assert "It stands as of 23 November 2011, 10:00 UTC" in said
    assert "Held: 3 deliveries. Others that wait: 0." in said
    assert "oil-workers (Oil Workers' Aid): 3" in said
    assert "--release sends" in said
    assert "--cancel stops" in said
    assert list(Delivery.objects.order_by("pk").values()) == before


def test_the_command_notices_a_restored_backup_before_any_worker_does(letter: Letter, host: Path) -> None:
    """So that the pages may open only when nothing can be mixed up any more."""
    assert restart()
    state_file.write(host, Instance.objects.get().identity, 99)
    assert "Held: 3 deliveries" in adopt()
    assert deeds.states(letter) == ["held"] * 3


def test_the_command_says_that_all_is_well(letter: Letter) -> None:
    assert "Others that wait: 3" in adopt(), "also before the first worker has started"
    assert restart()
    said = adopt()
    assert "This host sends from it. Nothing is on hold." in said
    assert "--release" not in said


def test_the_command_names_the_id_that_a_further_host_needs(letter: Letter, host: Path) -> None:
    unknown_to(host)
    assert Instance.objects.get().identity in adopt()


@pytest.mark.parametrize(("option", "said"), [("--release", "3 deliveries released"), ("--cancel", "3 deliveries can")])
def test_the_command_decides(held: Letter, option: str, said: str) -> None:
    assert said in adopt(option)
    assert restart()
    with pytest.raises(CommandError, match="Nothing is on hold"):
        adopt(option)


def test_the_command_says_what_stays_held(held: Letter) -> None:
    Delivery.objects.update(ambiguous=F("ambiguous") + 2)
    said = adopt("--release")
    assert "0 deliveries released" in said
    assert "3 stay held" in said


def test_one_decision_at_a_time(held: Letter) -> None:
    with pytest.raises(CommandError, match="not allowed with"):
        adopt("--release", "--cancel")
