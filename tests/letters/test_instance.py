"""When a process may send from a database, and what it does where it may not. Each test is a host of its own."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import Exists
from django.test import override_settings

from campaigns.models import Ask
from letters import clock, instance, outbox, standing, state_file, statistics
from letters.asked_again import Question
from letters.models import Delivery, DeliveryEvent, Instance, Letter, Notice
from letters.standing import Verdict
from letters.state_file import Memory
from tests import cast
from tests.letters import deeds

pytestmark = pytest.mark.django_db(transaction=True)
NOW = cast.NOW
THEIRS = "b" * 32
IS_SHARED = connection.vendor == "postgresql"  # many hosts may send from it; a SQLite database has one


class BootClock:
    """Seconds since the machine started, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(autouse=True)
def host(tmp_path: Path) -> Iterator[Path]:
    """Be a host that knows nothing yet."""
    with override_settings(DATA=tmp_path, INSTANCE_ID=""):
        yield tmp_path


@pytest.fixture
def boot(monkeypatch: pytest.MonkeyPatch) -> BootClock:
    """Return the machine's own clock."""
    boot = BootClock()
    monkeypatch.setattr(clock, "boot_seconds", boot)
    return boot


def row() -> Instance:
    """Return the database's row."""
    return Instance.objects.get()


def restart() -> bool:
    """Start the process again; return whether it may send."""
    instance.forget()
    return instance.may_send(now=NOW)


def epochs(host: Path) -> tuple[int, int]:
    """Return the database's epoch and the host's."""
    memory = state_file.read(host)
    assert memory is not None
    assert memory.identity == row().identity
    return row().epoch, memory.epoch


def claimable() -> int:
    """Return how many deliveries the claim's condition lets through."""
    seen = instance.seen()
    return Delivery.objects.filter(Exists(instance.unchanged(seen.identity, seen.epoch))).count()


@pytest.mark.parametrize(
    "change", [{"identity": THEIRS}, {"epoch": 0}, {"on_hold_since": NOW}], ids=["another's", "older", "on hold"]
)
def test_a_claim_takes_nothing_from_a_database_that_is_no_more_what_was_seen(ask: Ask, change: dict[str, Any]) -> None:
    deeds.a_confirmed_letter(ask)
    assert restart()
    seen, kept = instance.seen(), Instance.objects.values(*change).get()
    Instance.objects.update(**change)
    assert outbox.claim(limit=2, ours=seen).ids == []
    Instance.objects.update(**kept)
    assert len(outbox.claim(limit=2, ours=seen).ids) == 2
    instance.forget()
    assert outbox.claim(ours=instance.seen()).ids == [], "nothing, before any look"


def test_a_claims_question_is_made_once_while_the_epoch_rises(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    deeds.a_confirmed_letter(ask)
    assert restart()
    made, real = list[Question](), Question

    def counted(*how: Any, **marks: Any) -> Question:
        made.append(real(*how, **marks))
        return made[-1]

    monkeypatch.setattr(outbox, "Question", counted)
    seen, limit = instance.seen(), 17  # a limit that no other test asks with
    assert outbox.claim(limit=limit, ours=Memory(seen.identity, seen.epoch + 1)).ids == []
    assert len(outbox.claim(limit=limit, ours=seen).ids) == 3
    assert len(made) == 1


# ── all is well ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_installation_sends_and_its_epoch_rises_at_each_start(host: Path) -> None:
    assert restart()
    assert epochs(host) == (row().epoch, row().epoch)
    before = row().epoch
    assert restart()
    assert epochs(host) == (before + 1, before + 1)


def test_letters_that_were_confirmed_before_the_first_worker_started_are_sent(letter: Letter, host: Path) -> None:
    assert claimable() == 0, "nothing, before any look"
    assert restart()
    assert claimable() == 3
    assert epochs(host) == (1, 1)


def test_an_idle_process_lets_the_epoch_rise_every_ten_minutes_and_looks_once_a_second(
    boot: BootClock, host: Path, django_assert_num_queries: Any
) -> None:
    restart()
    begun = row().epoch
    boot.seconds += 0.9
    with django_assert_num_queries(0):
        assert instance.may_send(now=NOW)
    boot.seconds += 598
    assert instance.may_send(now=NOW)
    assert row().epoch == begun
    boot.seconds += 2
    assert instance.may_send(now=NOW)
    assert epochs(host) == (begun + 1, begun + 1)


def test_a_sending_process_lets_it_rise_every_second_and_once_more_when_it_ends(boot: BootClock, host: Path) -> None:
    """So that a backup made more than a second before the last letter left is known for what it is."""
    restart()
    begun = row().epoch
    risen = []
    for _ in range(20):
        boot.seconds += 0.25
        assert instance.note_sending(now=NOW)
        risen.append(row().epoch - begun)
    assert risen[-1] == 5
    assert risen == sorted(risen)
    boot.seconds += 0.1
    instance.note_sending(now=NOW)
    assert row().epoch == begun + 5
    instance.settle(now=NOW)
    assert epochs(host) == (begun + 6, begun + 6)
    instance.settle(now=NOW)
    assert row().epoch == begun + 6, "nothing was sent in this one"


def test_what_was_sent_at_the_end_of_a_burst_closes_its_epoch_at_the_next_look(boot: BootClock) -> None:
    restart()
    boot.seconds += 0.5
    instance.note_sending(now=NOW)
    begun = row().epoch
    boot.seconds += 0.6
    instance.may_send(now=NOW)
    assert row().epoch == begun + 1
    boot.seconds += 5
    instance.may_send(now=NOW)
    assert row().epoch == begun + 1


def test_the_epoch_of_another_process_is_remembered_here(boot: BootClock, host: Path) -> None:
    """And where another lets it rise, this one need not."""
    restart()
    Instance.objects.update(epoch=77)
    boot.seconds += 599
    assert instance.may_send(now=NOW)
    assert epochs(host) == (77, 77)
    boot.seconds += 599
    assert instance.may_send(now=NOW)
    assert row().epoch == 77


def test_the_clock_of_the_host_does_not_matter(boot: BootClock, host: Path) -> None:
    restart()
    for year in (1970, 2090, 2011):
        boot.seconds += 700
        assert instance.may_send(now=NOW.replace(year=year))
        assert restart()
        assert epochs(host)[0] == epochs(host)[1]


def test_two_processes_of_a_new_host_are_both_let_in(letter: Letter, host: Path) -> None:
    """The second waits until the first has written down what it found, whoever comes first."""
    found: list[Verdict] = []

    def start() -> None:
        try:
            found.append(instance.look(now=NOW))
        finally:
            connection.close()

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [Verdict.OURS] * 3
    assert Instance.objects.count() == 1


def test_a_host_joins_by_the_setting(letter: Letter, host: Path) -> None:
    """On PostgreSQL, whatever has been sent; a SQLite database is its host's own."""
    restart()
    deeds.send_all()
    (host / state_file.NAME).unlink()
    with override_settings(INSTANCE_ID=row().identity):
        assert restart() is IS_SHARED


def test_a_state_file_that_was_deleted_under_a_running_process_is_written_again(
    boot: BootClock, host: Path, letter: Letter
) -> None:
    restart()
    (host / state_file.NAME).unlink()
    boot.seconds += 601
    assert instance.may_send(now=NOW)
    assert epochs(host)[0] == epochs(host)[1]


def test_an_empty_installation_is_taken_as_it_is(host: Path) -> None:
    """Another database, an older one, the file of another installation: there is nothing to send twice."""
    restart()
    for change in ({"epoch": 0}, {"identity": THEIRS}):
        Instance.objects.update(**change)
        assert restart()
        assert epochs(host)[0] == epochs(host)[1]
    Instance.objects.all().delete()
    assert restart()


@pytest.mark.parametrize("strange", ["unknown", "copied", "behind", "older than ids"])
def test_a_database_in_which_nothing_waits_is_taken_as_it_is(ask: Ask, host: Path, strange: str) -> None:
    """Nothing can go out twice. New deliveries still get names that none before had."""
    restart()
    newest = max(deeds.a_confirmed_letter(ask).deliveries.values_list("pk", flat=True))
    deeds.send_all()
    Notice.objects.update(state="sent")
    match strange:
        case "older than ids":
            unknown(host)
            Instance.objects.all().delete()
        case "behind":
            behind(host)
        case _:
            {"unknown": unknown, "copied": copied}[strange](host)
    assert restart()
    assert epochs(host)[0] == epochs(host)[1]
    new = deeds.a_confirmed_letter(ask, email="erik@mail.example")
    assert min(new.deliveries.values_list("pk", flat=True)) >= newest + 2**32
    assert restart()
    assert claimable() == len(deeds.deliveries(new)) + 3, "all of them, in whatever state"


@pytest.mark.parametrize("state", ["queued", "sending", "held", "uncertain"])
def test_a_database_in_which_anything_waits_is_not(letter: Letter, host: Path, state: str) -> None:
    """One delivery that may have been sent is enough, and so is one mail to a supporter."""
    restart()
    deeds.send_all()
    Notice.objects.update(state="sent")
    deeds.put_into(deeds.deliveries(letter)[0], state)
    copied(host)
    assert not restart()


def test_nor_is_one_in_which_mail_to_a_supporter_waits(letter: Letter, host: Path) -> None:
    restart()
    deeds.send_all()
    copied(host)
    assert Notice.objects.filter(state="queued").exists()
    assert not restart()


def test_another_installations_database_is_not_taken_because_it_rests(letter: Letter, host: Path) -> None:
    restart()
    deeds.send_all()
    Notice.objects.update(state="sent")
    foreign(host)
    assert not restart()


def test_nothing_is_sent_without_a_state_file(host: Path, caplog: pytest.LogCaptureFixture, letter: Letter) -> None:
    """A disk that is full: the next backup could not be told from the present."""
    (host / state_file.NAME).mkdir()
    assert not restart()
    assert claimable() == 0
    assert "nothing is sent without it" in caplog.text or "Is a directory" in caplog.text


# ── a backup was restored ────────────────────────────────────────────────────────────────────────────────


def behind(host: Path, *, by: int = 1) -> None:
    """Let this host have seen more than the database knows."""
    memory = state_file.read(host)
    assert memory is not None
    state_file.write(host, memory.identity, row().epoch + by)


def test_a_restored_backup_holds_all_that_waits_and_sends_nothing(
    ask: Ask, host: Path, caplog: pytest.LogCaptureFixture
) -> None:
    restart()
    first, second = (deeds.a_confirmed_letter(ask, email=f"{name}@mail.example") for name in ("dana", "erik"))
    sending, fenced = deeds.deliveries(first)[:2]
    deeds.put_into(sending, "sending")
    deeds.put_into(fenced, "sending")
    Delivery.objects.filter(pk=fenced.pk).update(dot_at=NOW, ambiguous=1)
    kept = deeds.put_into(deeds.deliveries(second)[0], "sent")
    behind(host)
    assert not restart()
    assert not instance.may_send(now=NOW)
    assert claimable() == 0
    assert deeds.states(first) == ["held"] * 3
    assert deeds.states(second) == ["held", "held", "sent"]
    held = Delivery.objects.filter(state="held")
    assert set(held.values_list("reason", "token", "lease_until", "dot_at")) == {("restored", "", None, None)}
    assert sorted(held.values_list("ambiguous", flat=True)) == [1, 1, 1, 1, 2], "a copy may have been taken since"
    assert set(DeliveryEvent.objects.filter(reason="restored").values_list("from_state", "to_state")) == {
        ("queued", "held"), ("sending", "held"),
    }  # fmt: skip
    assert Delivery.objects.get(pk=kept.pk).ambiguous == 0
    assert statistics.recount(ask.campaign) == 0
    assert caplog.text.count("a backup was restored") == 1, "said once"
    assert instance.may_write_to_supporters(), "somebody may be waiting to confirm"


def test_letters_confirmed_during_a_hold_wait_and_are_not_held(ask: Ask, host: Path) -> None:
    """They cannot have been sent by anybody, and need no decision."""
    restart()
    old = deeds.a_confirmed_letter(ask)
    behind(host)
    assert not restart()
    new = deeds.a_confirmed_letter(ask, email="erik@mail.example")
    assert not restart()
    assert (deeds.states(old), deeds.states(new)) == (["held"] * 3, ["queued"] * 3)
    assert claimable() == 0


def test_deliveries_made_after_a_restore_have_names_that_none_before_had(ask: Ask, host: Path) -> None:
    """The ids that come next were given to others, whose Message-ID is out in the world."""
    restart()
    newest = max(deeds.a_confirmed_letter(ask).deliveries.values_list("pk", flat=True))
    behind(host)
    restart()
    restart()
    new = deeds.a_confirmed_letter(ask, email="erik@mail.example")
    ids = sorted(new.deliveries.values_list("pk", flat=True))
    assert newest + 2**32 <= ids[0] <= ids[-1] < newest + 2**32 + 20, "once, not at each look"


def test_a_hold_that_was_interrupted_is_finished_by_whoever_comes_next(
    ask: Ask, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restart()
    letter = deeds.a_confirmed_letter(ask)
    behind(host)

    def killed(**_facts: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("letters.holding.set_aside", killed)
        with pytest.raises(KeyboardInterrupt):
            restart()
    assert row().on_hold_since is not None
    assert deeds.states(letter) == ["queued"] * 3
    assert not restart()
    assert deeds.states(letter) == ["held"] * 3


def test_a_worker_holds_a_portion_at_each_look(ask: Ask, host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a million take no worker away from the mail of those who want to confirm."""
    monkeypatch.setattr("letters.holding.AT_ONCE", 0.0)
    restart()
    letter = deeds.a_confirmed_letter(ask)
    behind(host)
    assert not restart()
    assert (deeds.states(letter), row().set_aside_at, claimable()) == (["queued"] * 3, None, 0)
    monkeypatch.setattr("letters.holding.AT_ONCE", 5.0)
    assert not restart()
    assert deeds.states(letter) == ["held"] * 3


def test_many_are_held_in_pieces(ask: Ask, host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("letters.holding.CHUNK", 2)
    restart()
    letter = deeds.a_confirmed_letter(ask)
    behind(host)
    restart()
    assert deeds.states(letter) == ["held"] * 3
    assert row().set_aside_at is not None


@pytest.mark.parametrize("change", [{"epoch": 0}, {"identity": THEIRS}, {"on_hold_since": NOW}])
def test_a_running_process_notices_within_a_second(
    letter: Letter, boot: BootClock, host: Path, change: dict[str, Any]
) -> None:
    """A restore under its feet; and the claim's own condition notices at once."""
    restart()
    assert claimable() == 3
    Instance.objects.update(**change)
    assert claimable() == 0
    boot.seconds += 1
    assert not instance.may_send(now=NOW)
    assert claimable() == 0


@pytest.mark.parametrize("change", [{"epoch": 0}, {"identity": THEIRS}, {"on_hold_since": NOW}])
def test_a_process_that_is_about_to_send_notices_too(letter: Letter, boot: BootClock, change: dict[str, Any]) -> None:
    restart()
    boot.seconds += 1
    Instance.objects.update(**change)
    assert not instance.note_sending(now=NOW)
    assert not instance.may_send(now=NOW)


def test_a_database_that_lost_its_row_under_a_process_is_not_the_one_it_was(
    letter: Letter, boot: BootClock, host: Path
) -> None:
    """Restored from before it had one; what has been sent since is forgotten there."""
    restart()
    deeds.send_all()
    Instance.objects.all().delete()
    boot.seconds += 1
    assert not instance.may_send(now=NOW)
    assert not restart()


def test_what_this_host_has_seen_outlives_the_process_that_saw_it(letter: Letter, boot: BootClock, host: Path) -> None:
    restart()
    Instance.objects.update(epoch=50)
    boot.seconds += 1
    instance.may_send(now=NOW)
    Instance.objects.update(epoch=49)
    assert not restart()


def test_a_database_made_anew_from_a_dump_is_noticed_without_any_state_file(letter: Letter, host: Path) -> None:
    """Containers that keep nothing: PostgreSQL's numbers of cluster, database and table are another's."""
    restart()
    (host / state_file.NAME).unlink()
    with override_settings(INSTANCE_ID=row().identity):
        if IS_SHARED:
            assert restart()
            cluster, database, table = row().body.split("/")
            Instance.objects.update(body=f"{cluster}/{database}/{int(table) + 1}")
        assert not restart()
    assert deeds.states(letter) == ["held"] * 3
    assert row().on_hold_because == "restored"


# ── a copy, or somebody else's ───────────────────────────────────────────────────────────────────────────


def unknown(host: Path) -> None:
    """Let this host have no memory."""
    (host / state_file.NAME).unlink()


def foreign(host: Path) -> None:
    """Let this host belong to another installation."""
    state_file.write(host, THEIRS, 1)


def copied(host: Path) -> None:
    """Let this host's memory be one that was copied from elsewhere."""
    put_back(host)
    kept = (host / state_file.NAME).read_text()
    (host / state_file.NAME).write_text(kept.replace('"place": ', '"place": "elsewhere", "was": '))


def put_back(host: Path) -> None:
    """Let this host's memory be one that was put back from a backup of the whole directory."""
    kept = (host / state_file.NAME).read_text()
    (host / state_file.NAME).write_text(kept.replace('"made": ', '"made": 1'))


def garbled(host: Path) -> None:
    """Let this host's memory be unreadable."""
    (host / state_file.NAME).write_text("{")


STRANGE: list[Callable[[Path], None]] = [unknown, foreign, copied, garbled]


@pytest.mark.parametrize("strange", STRANGE)
def test_a_host_that_does_not_know_a_database_sends_nothing_from_it(
    letter: Letter, host: Path, strange: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """In PostgreSQL others go on: a new host without its setting must not stop them. In SQLite there are no others."""
    restart()
    strange(host)
    assert not restart()
    assert not instance.may_send(now=NOW)
    assert claimable() == 0
    assert not instance.may_write_to_supporters(), "nor to the supporters of the database it was copied from"
    assert deeds.states(letter) == ["queued" if IS_SHARED else "held"] * 3
    assert row().on_hold_because == ("" if IS_SHARED else "copied")
    said = standing.announcement(now=NOW)
    assert ("--join" in said) is IS_SHARED
    assert caplog.text.count(said) == 1


def test_a_whole_directory_put_back_is_a_restored_backup(
    letter: Letter, host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mail to supporters goes on. With PostgreSQL only the state file was put back: the database may be well."""
    monkeypatch.setattr(state_file, "_MACHINE_ID", tmp_path / "machine-id")
    (tmp_path / "machine-id").write_text("a1b2")
    restart()
    put_back(host)
    assert not restart()
    assert row().on_hold_because == ("" if IS_SHARED else "restored")
    assert instance.may_write_to_supporters() is not IS_SHARED


@pytest.mark.parametrize("strange", STRANGE)
def test_a_copy_made_anew_is_held_whatever_the_host_knows(letter: Letter, host: Path, strange: Any) -> None:
    restart()
    if IS_SHARED:
        Instance.objects.update(body="1/2/3")
    strange(host)
    assert not restart()
    assert deeds.states(letter) == ["held"] * 3


def test_a_setting_that_names_another_installation_sends_nothing(letter: Letter, host: Path) -> None:
    restart()
    with override_settings(INSTANCE_ID=THEIRS):
        assert not restart()


def test_a_database_used_before_it_had_an_id_is_not_taken_without_a_word(letter: Letter, host: Path) -> None:
    """An upgrade, or a backup from before it; INSTANCE_ID or a person says which."""
    deeds.attempt(deeds.LATER)
    assert not restart()
    Instance.objects.all().delete()
    with override_settings(INSTANCE_ID=THEIRS):
        assert restart()
        assert row().identity == THEIRS


def test_the_other_processes_go_on_while_one_is_stopped_with_the_file_in_its_hands(
    letter: Letter, boot: BootClock, host: Path
) -> None:
    restart()
    with state_file.alone(host, seconds=1):
        boot.seconds += 601
        assert instance.may_send(now=NOW)
    assert outbox.claim().ids
