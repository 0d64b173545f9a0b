"""Going on with a draft later: how long it is kept, and whom its link may be mailed to."""

from datetime import datetime, timedelta

import pytest

from accounts.models import User
from campaigns import publishing
from campaigns.models import Ask
from letters import continuing, erasures, forgetting, notices, supporters, writing
from letters.models import Letter, Notice, Supporter
from letters.refusals import LetterRefused
from targets import suppressions
from tests import cast
from tests.letters import deeds

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DANA = cast.DANA["email"]


def _kinds() -> list[str]:
    return list(Notice.objects.order_by("pk").values_list("kind", flat=True))


def _kept(ask: Ask, *, now: datetime, **more: str) -> Letter:
    letter = deeds.a_draft(ask, now=now, **more)
    continuing.keep_for_later(letter, language="en", now=now)
    return letter


def test_a_draft_lives_a_day_and_a_week_where_its_link_is_asked_for(ask: Ask, now: datetime) -> None:
    plain, kept = deeds.a_draft(ask, now=now), _kept(ask, now=now)
    assert (plain.expires_at, kept.expires_at) == (now + DAY, now + 7 * DAY)
    assert forgetting.expire(now=now + 6 * DAY) == 1
    assert forgetting.expire(now=now + 7 * DAY - timedelta(seconds=1)) == 0
    assert forgetting.expire(now=now + 7 * DAY) == 1
    assert bytes(Letter.objects.get(pk=kept.pk).sealed) == b""


def test_going_on_never_shortens_its_time_and_lengthens_it_at_the_end(ask: Ask, now: datetime) -> None:
    letter = _kept(ask, now=now)
    writing.revise(letter, posted={"subject": "Another subject"}, now=now + 2 * DAY)
    assert Letter.objects.get().expires_at == now + 7 * DAY
    writing.revise(letter, posted={"subject": "One more subject"}, now=now + 7 * DAY - HOUR)
    assert Letter.objects.get().expires_at == now + 8 * DAY - HOUR


def test_a_letter_sent_and_taken_back_to_be_changed_keeps_its_week(ask: Ask, now: datetime) -> None:
    letter = _kept(ask, now=now)
    assert not writing.submit(letter, now=now + HOUR)
    writing.revise(letter, posted={"subject": "Another subject"}, now=now + 2 * HOUR)
    assert Letter.objects.get().expires_at == now + 7 * DAY


@pytest.mark.parametrize("email", ["", "no address", "office@"])
def test_without_an_address_there_is_no_link_and_no_week(ask: Ask, now: datetime, email: str) -> None:
    letter = writing.begin(ask=ask, language="en", now=now)
    with pytest.raises(LetterRefused):
        writing.revise(letter, posted={"email": email}, now=now)
    with pytest.raises(LetterRefused) as refused:
        continuing.keep_for_later(letter, language="en", now=now)
    assert set(refused.value.errors) == {"email"}
    assert Letter.objects.get().expires_at == now + DAY
    assert _kinds() == []


def test_a_letter_that_is_no_draft_any_more_is_not_kept_for_later(ask: Ask, now: datetime) -> None:
    letter = deeds.a_draft(ask, now=now)
    Letter.objects.update(stage="expired")
    with pytest.raises(LetterRefused, match="already sent or its time has run out"):
        continuing.keep_for_later(letter, language="en", now=now)
    assert _kinds() == []


def test_nobody_is_mailed_at_will(ask: Ask, alice: User, now: datetime) -> None:
    for minute in range(20):
        _kept(ask, now=now + timedelta(minutes=minute))
    assert _kinds() == ["later"], "one a day for a campaign"
    for number in range(5):
        other = cast.the_ask(cast.an_open_campaign(alice, slug=f"campaign-{number}"))
        _kept(other, now=now + HOUR)
    assert len(_kinds()) == notices.MOST_A_DAY
    for day in range(1, 30):
        _kept(ask, now=now + HOUR + day * DAY)
    assert len(_kinds()) == notices.MOST_UNCONFIRMED_EVER


def test_the_week_is_the_same_for_whoever_gets_no_mail(ask: Ask, now: datetime) -> None:
    deeds.suppress(DANA)
    letter = _kept(ask, now=now)
    assert letter.expires_at == now + 7 * DAY
    assert _kinds() == []


def test_a_link_asked_for_after_a_confirmation_waits_for_another_day(ask: Ask, now: datetime) -> None:
    deeds.an_awaiting_letter(ask, now=now)
    _kept(ask, now=now + HOUR)
    assert _kinds() == ["confirmation"]


def test_who_is_done_on_the_same_day_gets_the_confirmation_at_once(ask: Ask, now: datetime) -> None:
    letter = _kept(ask, now=now)
    assert not writing.submit(letter, now=now + HOUR)
    assert _kinds() == ["later", "confirmation"]
    assert not notices.ask_for_confirmation(letter, now=now + 2 * HOUR)
    assert writing.confirm_by_link(deeds.the_notice(letter), chosen=None, now=now + 2 * HOUR)
    assert not Notice.objects.filter(used_at=None).exists(), "a proof closes them all"


def test_a_draft_stays_nobodys_until_its_address_is_proved(ask: Ask, now: datetime) -> None:
    letter = Letter.objects.get(pk=_kept(ask, now=now).pk)
    owner = Notice.objects.get().supporter
    assert letter.supporter is None
    assert supporters.person(owner) == {"name": "", "email": DANA, "town": "", "country": ""}
    Notice.objects.update(state="sent")
    assert forgetting.supporters_without_letters(now=now + HOUR) == 1, "the address goes once the mail has left"


@pytest.mark.parametrize("how", ["as it was", "another address", "sent"])
def test_erasing_an_address_erases_the_draft_whose_link_it_has(ask: Ask, now: datetime, how: str) -> None:
    letter = _kept(ask, now=now)
    if how == "another address":
        writing.revise(letter, posted={"email": "erik@mail.example"}, now=now)
    elif how == "sent":
        writing.submit(letter, now=now)
    Supporter.objects.update(created_at=now)
    erasures.erase(suppressions.address_hash(DANA), now=now + HOUR)
    assert (bytes(Letter.objects.get().sealed) == b"") == (how != "another address")
    assert not Notice.objects.filter(kind="later").exists()


def test_a_letter_begun_after_it_has_no_week_of_its_own(ask: Ask, alice: User, now: datetime) -> None:
    letter = _kept(ask, now=now)
    other = publishing.save_ask(campaign=ask.campaign, by=alice, target_list=ask.target_list, title="Another letter")
    publishing.save_template(ask=other, by=alice, language="en", passages=cast.WORDING)
    assert writing.begin(ask=other, language="en", now=now, after=letter).expires_at == now + DAY
