"""Erasing what is held about an address, and erasing it again out of a backup."""

from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from campaigns.models import Ask
from letters import (
    consents,
    erasure_journal,
    erasures,
    holdings,
    inquiries,
    notices,
    outbox,
    statistics,
    supporters,
    telling,
    told_replies,
)
from letters.erasure_journal import Line
from letters.models import Delivery, Letter, Notice, Supporter
from letters.rights import Consent, Erasure
from targets import suppressions
from tests import cast
from tests.letters import deeds

pytestmark = pytest.mark.django_db
DANA = suppressions.address_hash(cast.DANA["email"])
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _no_journal() -> None:
    (settings.DATA / erasure_journal.NAME).unlink(missing_ok=True)


@pytest.fixture
def now() -> datetime:
    """Return the real present: supporters are dated by it."""
    return timezone.now()


@pytest.fixture
def letter(ask: Ask, now: datetime) -> Letter:
    """Return Dana's confirmed letter, one of whose copies was accepted."""
    letter = deeds.a_confirmed_letter(ask, now=now)
    assert letter.supporter is not None
    consents.give(letter.supporter, "news", words="Tell me what happens.", language="en", now=now)
    deeds.put_into(deeds.deliveries(letter)[0], "sent")
    return letter


def test_everything_about_an_address_goes_and_what_waits_is_stopped(letter: Letter, now: datetime) -> None:
    sent = deeds.deliveries(letter)[0]
    told_replies.tell(letter, target=sent.target.public_id, kind="real", now=now)
    assert erasures.erase(DANA, now=now + timedelta(minutes=1)) == 2
    assert deeds.states(letter) == ["cancelled", "cancelled", "sent"]
    supporter = Supporter.objects.get()
    assert bytes(supporter.sealed) == b""
    assert bytes(supporter.address_hash) != DANA
    assert (supporter.wants_news_at, supporter.erased_at is not None) == (None, True)
    assert bytes(Letter.objects.get().sealed) == b""
    assert not Consent.objects.exists()
    assert not Notice.objects.exists()
    assert told_replies.counts(letter.campaign)["real"] == 0
    assert holdings.of(DANA).held == []
    assert bytes(Erasure.objects.get().address_hash) == DANA


def test_the_ledger_adds_up_after_an_erasure(letter: Letter, now: datetime) -> None:
    erasures.erase(DANA, now=now + timedelta(minutes=1))
    assert statistics.ledger(letter.campaign).adds_up
    assert statistics.recount(letter.campaign) == 0


def test_what_a_worker_holds_gets_no_fence_any_more(ask: Ask, now: datetime) -> None:
    letter = deeds.a_confirmed_letter(ask)
    claim = outbox.claim(limit=10)
    assert claim.ids
    digests = deeds.digests(claim)
    erasures.erase(DANA, now=timezone.now() + timedelta(minutes=1))
    assert outbox.fence(claim.token, digests) == set()
    outbox.record(claim, dict.fromkeys(claim.ids, deeds.UNSENT))
    assert deeds.states(letter) == ["cancelled"] * 3


def test_nobody_elses_letter_is_touched(letter: Letter, ask: Ask, now: datetime) -> None:
    other = deeds.a_confirmed_letter(ask, email="somebody@mail.example", now=now)
    erasures.erase(DANA, now=now + timedelta(minutes=1))
    assert deeds.states(other) == ["queued"] * 3
    assert bytes(Letter.objects.get(pk=other.pk).sealed)


def test_a_restored_backup_erases_again_and_leaves_what_was_written_later(letter: Letter, ask: Ask) -> None:
    """The backup has Dana's letter and no tombstone; the journal beside the database has one."""
    later = timezone.now() + timedelta(minutes=1)
    erasure_journal.append(settings.DATA, [Line(DANA, later)])
    assert erasures.replay(now=later) == 1
    assert holdings.of(DANA).held == []
    assert "queued" not in deeds.states(letter)
    assert erasures.replay(now=later) == 0, "once"
    again = deeds.a_confirmed_letter(ask, now=later + DAY)
    Supporter.objects.filter(letters=again).update(created_at=later + DAY)
    Erasure.objects.all().delete()
    assert erasures.replay(now=later + DAY) == 1
    assert [held.letters[0].letter for held in holdings.of(DANA).held] == [again]


def test_the_journal_learns_what_only_the_database_knows(letter: Letter, now: datetime) -> None:
    erasures.erase(DANA, now=now)
    (settings.DATA / erasure_journal.NAME).unlink()
    erasures.replay(now=now)
    assert [line.address_hash for line in erasure_journal.read(settings.DATA)] == [DANA]


def test_a_journal_that_cannot_be_written_hinders_no_erasure(letter: Letter, now: datetime) -> None:
    (settings.DATA / erasure_journal.NAME).mkdir()
    try:
        erasures.erase(DANA, now=now + timedelta(minutes=1))
    finally:
        (settings.DATA / erasure_journal.NAME).rmdir()
    assert holdings.of(DANA).held == []


def test_a_line_cut_by_a_crash_spoils_no_other(tmp_path_factory: pytest.TempPathFactory, now: datetime) -> None:
    directory = tmp_path_factory.mktemp("journal")
    lines = [Line(bytes([n]) * 32, now + n * DAY) for n in range(3)]
    erasure_journal.append(directory, lines[:1])
    with (directory / erasure_journal.NAME).open("a") as file:
        file.write('{"hash": "00ff')
    erasure_journal.append(directory, lines[1:])
    assert erasure_journal.read(directory) == lines
    erasure_journal.keep(directory, since=now + timedelta(hours=1))
    assert erasure_journal.read(directory) == lines[1:]


def test_a_tombstone_outlives_every_backup_and_then_goes(letter: Letter, now: datetime) -> None:
    erasures.erase(DANA, now=now)
    erasures.forget(now=now + 59 * DAY)
    assert Erasure.objects.count() == 1
    erasures.forget(now=now + 61 * DAY)
    assert not Erasure.objects.exists()
    assert erasure_journal.read(settings.DATA) == []
    assert erasures.replay(now=now + 61 * DAY) == 0


def test_the_export_holds_every_letter_delivery_and_consent(letter: Letter, now: datetime) -> None:
    held = holdings.export(holdings.of(DANA), now=now)
    (campaign,) = held["campaigns"]
    assert campaign["you"]["email"] == cast.DANA["email"]
    assert campaign["consents"][0]["words"] == "Tell me what happens."
    (written,) = campaign["letters"]
    assert cast.DANA["sentence"] in written["text"]["body"]
    assert sorted(each["state"] for each in written["deliveries"]) == ["accepted", "waiting", "waiting"]
    assert {each["to"] for each in written["deliveries"]} == {target["name"] for target in cast.TARGETS}


def test_a_letter_is_found_by_its_owners_address_alone(letter: Letter) -> None:
    key = bytes(letter.key).hex()
    assert holdings.find_letter(DANA, key) == letter
    assert holdings.find_letter(suppressions.address_hash("eve@mail.example"), key) is None
    assert holdings.find_letter(DANA, "no hex") is None


# ── asking ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_inquiry_writes_one_row_whatever_the_address(
    letter: Letter, now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for email in (cast.DANA["email"], "nobody@mail.example"):
        with django_assert_num_queries(3):  # a savepoint, the row, its release: nothing is looked up
            inquiries.ask(email, language="en", now=now)


def test_a_known_address_gets_a_link_and_an_unknown_one_nothing(letter: Letter, now: datetime) -> None:
    Notice.objects.all().delete()
    for email in (cast.DANA["email"], "nobody@mail.example"):
        inquiries.ask(email, language="en", now=now)
    assert inquiries.answer(now=now) == 1
    assert inquiries.answer(now=now) == 0
    assert Notice.objects.get().kind == "my_data"


def test_three_links_a_day_and_none_to_a_suppressed_address(letter: Letter, now: datetime) -> None:
    for n in range(5):
        inquiries.ask(cast.DANA["email"], language="en", now=now)
        assert inquiries.answer(now=now + n * timedelta(hours=1)) == (n < 3)
    deeds.suppress(cast.DANA["email"])
    inquiries.ask(cast.DANA["email"], language="en", now=now + 2 * DAY)
    assert inquiries.answer(now=now + 2 * DAY) == 0


def test_a_forgotten_address_still_gets_its_link_and_is_forgotten_again(letter: Letter, now: datetime) -> None:
    Supporter.objects.update(sealed=b"")
    inquiries.ask("Dana@mail.example", language="en", now=now)
    assert inquiries.answer(now=now) == 1
    (notice,) = [each for each in notices.claim(limit=10, now=now) if each.kind == "my_data"]
    assert notices.address_of(notice) == "Dana@mail.example"
    notices.record(notice, sent=True, refused=False, now=now)
    notice.refresh_from_db()
    assert bytes(notice.sealed) == b""


def test_an_inquiry_that_no_worker_came_to_answer_is_dropped(letter: Letter, now: datetime) -> None:
    inquiries.ask(cast.DANA["email"], language="en", now=now)
    assert inquiries.answer(now=now + 2 * DAY) == 0
    assert inquiries.answer(now=now) == 0


def test_a_consent_is_kept_with_its_words_and_again_after_it_was_withdrawn(letter: Letter, now: datetime) -> None:
    assert letter.supporter is not None
    assert not consents.give(letter.supporter, "news", words="Other words.", language="en", now=now), "in force"
    assert consents.withdraw(Supporter.objects.all(), "news", now=now + DAY) == 1
    assert Supporter.objects.get().wants_news_at is None
    assert consents.give(letter.supporter, "news", words="Other words.", language="en", now=now + 2 * DAY)
    kept = list(Consent.objects.order_by("pk").values_list("words", "withdrawn_at"))
    assert kept == [("Tell me what happens.", now + DAY), ("Other words.", None)]


def test_a_reply_is_told_only_of_what_arrived_and_the_last_word_counts(letter: Letter, now: datetime) -> None:
    sent, waiting, _ = deeds.deliveries(letter)
    assert not told_replies.tell(letter, target=waiting.target.public_id, kind="real", now=now)
    assert not told_replies.tell(letter, target=sent.target.public_id, kind="shouted", now=now)
    assert told_replies.tell(letter, target=sent.target.public_id, kind="real", now=now)
    assert told_replies.tell(letter, target=sent.target.public_id, kind="standard", now=now)
    assert told_replies.counts(letter.campaign) == {
        "real": 0, "standard": 1, "acknowledged": 0, "none": 0, "unexpected": 0,
    }  # fmt: skip
    assert Delivery.objects.get(pk=sent.pk).replies.count() == 0, "apart from the replies that we saw"


def test_alice_tells_once_those_who_proved_that_they_asked(alice: User, ask: Ask, now: datetime) -> None:
    campaign = ask.campaign
    for name in ("ada", "bell"):
        asked = supporters.waiting_for_proof(campaign, f"{name}@mail.example", language="en")
        assert notices.ask_for_wish(asked, language="en", now=now)
    wish = Notice.objects.filter(kind="once").order_by("pk")[0]
    assert telling.wish(wish, words="Tell me once.", now=now)
    told = telling.tell(campaign=campaign, by=alice, words="It goes on.", now=now + DAY)
    assert told.people == 1
    assert telling.tell(campaign=campaign, by=alice, words="Again.", now=now + DAY).people == 0
    assert Notice.objects.get(kind="told").supporter == wish.supporter
