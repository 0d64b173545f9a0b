"""Reminders of letters that wait for their confirmation: when, how often, and the caps above them."""

from datetime import datetime, timedelta

import pytest

from accounts.models import User
from campaigns import publishing
from campaigns.models import Ask, Campaign
from letters import notices, reminders, writing
from letters.models import Letter, Notice
from targets.models import TargetList
from tests import cast
from tests.letters import deeds

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def _kinds() -> list[str]:
    return list(Notice.objects.order_by("pk").values_list("kind", flat=True))


def test_a_letter_is_reminded_of_after_a_day_and_no_more_where_it_lives_three(ask: Ask, now: datetime) -> None:
    letter = deeds.an_awaiting_letter(ask)
    assert letter.remind_at == now + DAY
    assert reminders.send_due(now=now + DAY - timedelta(seconds=1)) == 0
    assert reminders.send_due(now=now + DAY) == 1
    for hours in range(25, 72):
        assert reminders.send_due(now=now + hours * HOUR) == 0
    assert _kinds() == ["confirmation", "reminder"]


def test_a_letter_that_lives_a_week_is_reminded_of_twice(ask: Ask, now: datetime) -> None:
    Campaign.objects.update(confirm_within_hours=168)
    ask.campaign.refresh_from_db()
    letter = deeds.an_awaiting_letter(ask)
    sent = [hours for hours in range(169) if reminders.send_due(now=now + hours * HOUR)]
    assert sent == [24, 72]
    letter.refresh_from_db()
    assert letter.remind_at is None


def test_two_workers_remind_once(ask: Ask, now: datetime) -> None:
    deeds.an_awaiting_letter(ask)
    assert [reminders.send_due(now=now + DAY) for _ in range(3)] == [1, 0, 0]


def test_a_reminder_has_a_code_and_a_link_of_its_own_that_confirm(ask: Ask, now: datetime) -> None:
    letter = deeds.an_awaiting_letter(ask)
    first = deeds.the_notice(letter)
    reminders.send_due(now=now + DAY)
    second = deeds.the_notice(letter)
    assert second.pk != first.pk
    assert notices.open_confirmation(letter) == second
    assert [each.pk for each in writing.awaiting(second, now=now + DAY)] == [letter.pk]
    assert writing.confirm_by_link(second, chosen=None, now=now + DAY)
    assert Notice.objects.filter(used_at=None).count() == 0, "the first mail's link confirms nothing new any more"


def test_several_letters_of_a_campaign_are_reminded_of_by_one_mail(
    alice: User, ask: Ask, target_list: TargetList, now: datetime
) -> None:
    second = publishing.save_ask(campaign=ask.campaign, by=alice, target_list=target_list, title="Another letter")
    publishing.save_template(ask=second, by=alice, language="en", passages=cast.WORDING)
    deeds.an_awaiting_letter(ask)
    deeds.an_awaiting_letter(second, now=now + HOUR)
    for hours in range(24, 72):
        reminders.send_due(now=now + hours * HOUR)
    assert _kinds() == ["confirmation", "reminder"]


def test_the_caps_of_an_address_win_over_its_reminders(alice: User, now: datetime) -> None:
    asks = [cast.the_ask(cast.an_open_campaign(alice, slug=f"campaign-{n}")) for n in range(4)]
    for n, ask in enumerate(asks[:3]):
        deeds.an_awaiting_letter(ask, now=now + (n * 23) * HOUR)
    at = now
    while at < now + 5 * DAY:
        reminders.send_due(now=at)
        at += HOUR
    made = list(Notice.objects.order_by("created_at").values_list("created_at", flat=True))
    for first in made:
        assert sum(first <= each < first + DAY for each in made) <= notices.MOST_A_DAY


@pytest.mark.parametrize("how", ["confirmed", "changed", "closed", "returned", "suppressed"])
def test_nobody_is_reminded_of_what_does_not_wait_or_cannot_arrive(ask: Ask, now: datetime, how: str) -> None:
    letter = deeds.an_awaiting_letter(ask)
    if how == "confirmed":
        writing.confirm_by_link(deeds.the_notice(letter), chosen=None, now=now)
    elif how == "changed":
        writing.revise(letter, posted={"subject": "Another subject"}, now=now)
    elif how == "closed":
        Campaign.objects.update(stage=Campaign.Stage.CLOSED)
    elif how == "returned":
        Notice.objects.update(came_back_at=now)
    else:
        deeds.suppress(cast.DANA["email"])
    assert reminders.send_due(now=now + DAY) == 0
    assert _kinds() == ["confirmation"]


def test_an_address_that_has_written_sees_the_same_page_and_is_told_once(ask: Ask, now: datetime) -> None:
    deeds.a_confirmed_letter(ask)
    second = deeds.an_awaiting_letter(ask, now=now + HOUR)
    unknown = deeds.an_awaiting_letter(ask, now=now + HOUR, email="somebody@mail.example")
    for letter in (second, unknown):
        assert (letter.mail_asked_at, letter.remind_at) == (now + HOUR, now + HOUR + DAY)
    assert reminders.send_due(now=now + 2 * DAY) == 1
    assert [Letter.objects.get(pk=letter.pk).remind_at for letter in (second, unknown)] == [None, None]
    assert Notice.objects.get(kind="reminder").supporter == unknown.supporter
    assert Notice.objects.get(kind="already").supporter == second.supporter


def test_what_a_cap_kept_back_is_told_when_the_reminder_is_due(
    alice: User, ask: Ask, target_list: TargetList, now: datetime
) -> None:
    deeds.a_confirmed_letter(ask)
    other = publishing.save_ask(campaign=ask.campaign, by=alice, target_list=target_list, title="Another letter")
    publishing.save_template(ask=other, by=alice, language="en", passages=cast.WORDING)
    deeds.an_awaiting_letter(other, now=now + HOUR)
    deeds.an_awaiting_letter(ask, now=now + 2 * HOUR)
    assert _kinds() == ["confirmation", "confirmation"]
    Letter.objects.filter(ask=other).update(remind_at=None)
    assert reminders.send_due(now=now + 27 * HOUR) == 1
    assert _kinds() == ["confirmation", "confirmation", "already"]


def test_of_two_alike_sent_at_once_the_other_is_not_reminded_of(ask: Ask, now: datetime) -> None:
    first = deeds.an_awaiting_letter(ask)
    deeds.an_awaiting_letter(ask)
    assert writing.confirm_by_link(deeds.the_notice(first), chosen={first.pk: writing.digest(first)}, now=now + HOUR)
    assert reminders.send_due(now=now + DAY) == 0
    assert _kinds() == ["confirmation"]


def test_a_returned_confirmation_is_known_by_its_message_id_alone(ask: Ask, now: datetime) -> None:
    letter = deeds.an_awaiting_letter(ask)
    notice = deeds.the_notice(letter)
    right = f"<notice-{notice.pk}-{notices.proof_of(notice)}@letters.postbag.example>"
    assert not notices.note_return(right.replace(notices.proof_of(notice), "0" * 12), now=now)
    assert not notices.note_return("<something-else@mail.example>", now=now)
    assert not notices.came_back(letter)
    assert notices.note_return(right, now=now)
    assert notices.came_back(letter)
