"""Confirmation mail: its caps, and how it is claimed and tried again."""

from datetime import datetime, timedelta

import pytest

from accounts.models import User
from campaigns import publishing
from campaigns.models import Ask
from letters import notices, tokens, writing
from letters.models import Notice
from targets import suppressions
from tests import cast
from tests.letters import deeds

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def _kinds() -> list[str]:
    return list(Notice.objects.order_by("pk").values_list("kind", flat=True))


def _another_ask(alice: User, ask: Ask) -> Ask:
    """Return a second ask of the same campaign."""
    other = publishing.save_ask(
        campaign=ask.campaign, by=alice, target_list=ask.target_list, title="Another letter"
    )
    publishing.save_template(ask=other, by=alice, language="en", passages=cast.WORDING)
    return other


def _asks(alice: User, n: int) -> list[Ask]:
    return [cast.the_ask(cast.an_open_campaign(alice, slug=f"campaign-{i}")) for i in range(n)]


def test_one_mail_a_day_for_a_campaign(ask: Ask, now: datetime) -> None:
    letter = deeds.an_awaiting_letter(ask)
    assert (letter.mail_asked_at, notices.next_possible_at(letter)) == (now, now + DAY)
    assert not notices.ask_for_confirmation(letter, now=now + DAY - timedelta(seconds=1))
    assert notices.ask_for_confirmation(letter, now=now + DAY)
    assert Notice.objects.count() == 2


def test_a_new_mail_for_the_campaign_once_the_address_was_proved(alice: User, ask: Ask, now: datetime) -> None:
    deeds.a_confirmed_letter(ask)
    deeds.an_awaiting_letter(_another_ask(alice, ask), now=now + timedelta(minutes=1))
    assert _kinds() == ["confirmation", "confirmation"]


def test_an_address_that_wrote_for_an_ask_is_told_so_in_place_of_a_confirmation(ask: Ask, now: datetime) -> None:
    first = deeds.a_confirmed_letter(ask)
    later = now + timedelta(minutes=1)
    second = deeds.an_awaiting_letter(ask, now=later)
    told = deeds.the_notice(second)
    assert (told.kind, told.letter, told.language) == ("already", first, second.language)
    assert notices.find_confirmation(tokens.make(tokens.CONFIRM, bytes(told.key))) is None, "it confirms nothing"
    assert not writing.confirm_by_code(second, code=tokens.code(bytes(told.key)), now=later)


def test_what_tells_of_a_letter_is_under_the_caps_of_all_confirmations(
    alice: User, ask: Ask, now: datetime
) -> None:
    deeds.a_confirmed_letter(ask)
    for minute in range(1, 9):
        second = deeds.an_awaiting_letter(ask, now=now + timedelta(minutes=minute))
    assert _kinds() == ["confirmation", "already"], "one a day for a campaign"
    assert not notices.ask_for_confirmation(second, now=now + DAY)
    deeds.an_awaiting_letter(_another_ask(alice, ask), now=now + timedelta(minutes=10))
    assert _kinds() == ["confirmation", "already"], "whatever it says"
    for day in range(1, 20):
        notices.ask_for_confirmation(second, now=now + timedelta(minutes=10) + day * DAY)
    assert _kinds() == ["confirmation", *["already"] * notices.MOST_UNCONFIRMED_EVER]


def test_a_suppressed_address_is_not_told_either(ask: Ask, now: datetime) -> None:
    deeds.a_confirmed_letter(ask)
    deeds.suppress(cast.DANA["email"])
    deeds.an_awaiting_letter(ask, now=now + timedelta(minutes=1))
    assert _kinds() == ["confirmation"]


def test_three_mails_a_day_for_an_address_whatever_the_campaign(alice: User, now: datetime) -> None:
    asks = _asks(alice, 5)
    spellings = ["dana.w@gmail.com", "danaw@gmail.com", "DANAW+x@googlemail.com", "d.a.n.a.w@gmail.com"]
    for n, (ask, email) in enumerate(zip(asks, spellings, strict=False)):
        deeds.an_awaiting_letter(ask, email=email, now=now + n * timedelta(hours=1))
    assert Notice.objects.count() == 3
    fourth = deeds.an_awaiting_letter(asks[4], email=spellings[0], now=now + timedelta(hours=4))
    assert not notices.ask_for_confirmation(fourth, now=now + DAY - timedelta(seconds=1))
    assert notices.ask_for_confirmation(fourth, now=now + DAY)
    assert not notices.ask_for_confirmation(fourth, now=now + 2 * DAY - timedelta(seconds=1))


def test_ten_unconfirmed_mails_are_the_last_ever(ask: Ask, now: datetime) -> None:
    letter = deeds.an_awaiting_letter(ask)
    for n in range(1, 10):
        assert notices.ask_for_confirmation(letter, now=now + n * DAY)
    assert not notices.ask_for_confirmation(letter, now=now + 100 * DAY)
    assert Notice.objects.count() == 10
    Notice.objects.filter(pk=deeds.the_notice(letter).pk).update(used_at=now)
    assert notices.ask_for_confirmation(letter, now=now + 101 * DAY)


def test_caps_are_those_of_the_promise() -> None:
    assert (notices.MOST_A_DAY, notices.MOST_PER_CAMPAIGN_AND_DAY, notices.MOST_UNCONFIRMED_EVER) == (3, 1, 10)


def test_a_suppressed_address_gets_no_mail(ask: Ask, now: datetime) -> None:
    suppressions.add(suppressions.address_hash(cast.DANA["email"]), reason="not_me", until=now + DAY)
    letter = deeds.an_awaiting_letter(ask)
    assert letter.stage == "awaiting_confirmation"
    assert not Notice.objects.exists()
    assert notices.ask_for_confirmation(letter, now=now + DAY)


def test_a_link_names_its_mail_and_no_other(ask: Ask) -> None:
    notice = deeds.the_notice(deeds.an_awaiting_letter(ask))
    assert notices.find_confirmation(tokens.make(tokens.CONFIRM, bytes(notice.key))) == notice
    assert notices.find_confirmation(tokens.make(tokens.DRAFT, bytes(notice.key))) is None
    assert notices.find_confirmation(tokens.make(tokens.CONFIRM, bytes(16))) is None


def test_a_mail_is_claimed_once_and_comes_back_when_its_worker_is_lost(ask: Ask, now: datetime) -> None:
    deeds.an_awaiting_letter(ask)
    assert len(notices.claim(limit=10, now=now)) == 1
    assert notices.claim(limit=10, now=now + notices.LEASE) == []
    (again,) = notices.claim(limit=10, now=now + notices.LEASE + timedelta(seconds=1))
    assert again.attempts == 2


def test_a_mail_is_tried_again_and_given_up_in_the_end(ask: Ask, now: datetime) -> None:
    deeds.an_awaiting_letter(ask)
    at, tries = now, 0
    while claimed := notices.claim(limit=10, now=at):
        tries += 1
        notices.record(claimed[0], sent=False, refused=False, now=at)
        assert notices.claim(limit=10, now=at) == []
        at += timedelta(hours=2)
    assert tries == notices.MOST_ATTEMPTS
    assert Notice.objects.get().state == "failed"


@pytest.mark.parametrize(("sent", "refused", "state"), [(True, False, "sent"), (False, True, "failed")])
def test_a_mail_that_ended_is_not_claimed_again(
    ask: Ask, now: datetime, sent: bool, refused: bool, state: str
) -> None:
    deeds.an_awaiting_letter(ask)
    (claimed,) = notices.claim(limit=10, now=now)
    notices.record(claimed, sent=sent, refused=refused, now=now)
    assert (Notice.objects.get().state, Notice.objects.get().ended_at) == (state, now)
    assert notices.claim(limit=10, now=now + 9 * DAY) == []
