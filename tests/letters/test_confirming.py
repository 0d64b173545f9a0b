"""The supporter sends: confirm, run out, the next letter, not me, taking back."""

from datetime import datetime, timedelta

import pytest

from accounts.models import User
from campaigns import publishing
from campaigns.models import Ask, Campaign
from letters import forgetting, notices, outbox, supporters, tokens, unwritten, writing
from letters.endings import Accepted, Ambiguous
from letters.models import Delivery, Letter, Notice, Supporter
from letters.writing import AlreadyWritten, CampaignClosed, LetterRefused
from targets import suppressions
from targets.models import Target
from tests import cast
from tests.letters import deeds
from tests.letters.deeds import Clock

pytestmark = pytest.mark.django_db
DANA = {"name": cast.DANA["name"], "email": cast.DANA["email"], "town": cast.DANA["town"]}


def _code(letter: Letter) -> str:
    return tokens.code(bytes(deeds.the_notice(letter).key))


def _fresh(letter: Letter) -> Letter:
    return Letter.objects.get(pk=letter.pk)


# ── send and confirm ─────────────────────────────────────────────────────────────────────────────────────


def test_a_letter_waits_for_its_mail_and_has_no_deliveries(ask: Ask, now: datetime) -> None:
    letter = deeds.an_awaiting_letter(ask)
    assert (letter.stage, letter.expires_at) == ("awaiting_confirmation", now + timedelta(hours=72))
    assert Notice.objects.get().letter_id == letter.pk
    assert not writing.submit(letter, now=now)  # a double click
    assert not writing.submit(_fresh(letter), now=now)
    assert (Notice.objects.count(), Delivery.objects.count()) == (1, 0)


@pytest.mark.parametrize("way", ["link", "code"])
def test_confirming_makes_the_deliveries_once(ask: Ask, now: datetime, way: str) -> None:
    letter = deeds.an_awaiting_letter(ask)
    notice, code = deeds.the_notice(letter), _code(letter)
    stale = _fresh(letter)

    def confirm(which: Letter) -> object:
        if way == "link":
            return writing.confirm_by_link(notice, chosen=None, now=now)
        return writing.confirm_by_code(which, code=code, now=now)

    assert confirm(letter)
    assert not confirm(letter)
    confirm(stale)
    done = _fresh(letter)
    assert (done.stage, done.confirmed_at, done.expires_at) == ("confirmed", now, None)
    assert len(deeds.deliveries(done)) == 3
    assert done.supporter is not None
    assert done.supporter.proven_at == now
    assert not Notice.objects.filter(used_at=None).exists()
    assert writing.submit(done, now=now)


@pytest.mark.parametrize("typed", ["{}", " {} ", "{0[0]}{0[1]}{0[2]} {0[3]}{0[4]}{0[5]}", "wide"])
def test_a_code_is_taken_as_people_type_it(ask: Ask, now: datetime, typed: str) -> None:
    letter = deeds.an_awaiting_letter(ask)
    code = _code(letter)
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
    assert writing.confirm_by_code(letter, code=wide if typed == "wide" else typed.format(code), now=now)


def test_five_wrong_codes_close_the_code_but_not_the_link(ask: Ask, now: datetime) -> None:
    letter = deeds.an_awaiting_letter(ask)
    wrong = f"{(int(_code(letter)) + 1) % 10**6:06d}"
    for left in (4, 3, 2, 1, 0):
        assert not writing.confirm_by_code(letter, code=wrong, now=now)
        assert notices.CODE_TRIES - deeds.the_notice(letter).code_tries == left
    assert not writing.confirm_by_code(letter, code=_code(letter), now=now)
    assert _fresh(letter).stage == "awaiting_confirmation"
    assert writing.confirm_by_link(deeds.the_notice(letter), chosen=None, now=now)


@pytest.mark.parametrize("code", ["", "1", "abc", "٠", "²³", "1234567890123", "\x00"])
def test_no_code_confirms_nothing(ask: Ask, now: datetime, code: str) -> None:
    assert not writing.confirm_by_code(deeds.an_awaiting_letter(ask), code=code, now=now)


def test_the_code_of_another_letter_confirms_nothing(ask: Ask, now: datetime) -> None:
    mine = deeds.an_awaiting_letter(ask)
    other = deeds.an_awaiting_letter(ask, email="other@mail.example")
    assert not writing.confirm_by_code(mine, code=_code(other), now=now)


def test_after_its_time_a_letter_is_forgotten_and_its_link_confirms_nothing(ask: Ask, now: datetime) -> None:
    draft, waiting = deeds.a_draft(ask), deeds.an_awaiting_letter(ask, email="w@mail.example")
    confirmed = deeds.a_confirmed_letter(ask, email="c@mail.example")
    notice, code = deeds.the_notice(waiting), _code(waiting)
    assert forgetting.expire(now=now + timedelta(hours=24) - timedelta(seconds=1)) == 0
    assert forgetting.expire(now=now + timedelta(hours=24)) == 1
    assert forgetting.expire(now=now + timedelta(hours=72)) == 1
    for letter in (draft, waiting):
        gone = _fresh(letter)
        assert (gone.stage, bytes(gone.sealed), gone.ended_at is None) == ("expired", b"", False)
        assert writing.read(gone).body == ""
    later = now + timedelta(hours=73)
    assert writing.confirm_by_link(notice, chosen=None, now=later) == []
    assert not writing.confirm_by_code(_fresh(waiting), code=code, now=later)
    assert _fresh(confirmed).stage == "confirmed"
    assert writing.read(_fresh(confirmed)).body
    with pytest.raises(LetterRefused):
        writing.submit(_fresh(draft), now=later)


def test_a_campaign_that_closed_in_between_takes_no_letter(ask: Ask, alice: User, now: datetime) -> None:
    draft = deeds.a_draft(ask)
    waiting = deeds.an_awaiting_letter(ask, email="w@mail.example")
    publishing.close(campaign=Campaign.objects.get(), by=alice, ending="ended", words="", now=now)
    with pytest.raises(CampaignClosed):
        writing.submit(_fresh(draft), now=now)
    with pytest.raises(CampaignClosed):
        writing.confirm_by_link(deeds.the_notice(waiting), chosen=None, now=now)
    with pytest.raises(CampaignClosed):
        writing.confirm_by_code(_fresh(waiting), code=_code(waiting), now=now)
    assert not Delivery.objects.exists()
    assert writing.read(_fresh(waiting)).body  # the text is there to be copied


def test_a_paused_campaign_still_confirms(ask: Ask, alice: User, now: datetime) -> None:
    publishing.pause(campaign=ask.campaign, by=alice, now=now)
    assert deeds.states(deeds.a_confirmed_letter(ask)) == ["queued"] * 3


def test_one_letter_for_an_ask_however_often_it_is_written(ask: Ask, now: datetime) -> None:
    one, two = deeds.an_awaiting_letter(ask), deeds.an_awaiting_letter(ask)
    assert writing.confirm_by_link(deeds.the_notice(one), chosen=None, now=now) == [one]
    assert _fresh(two).stage == "awaiting_confirmation"
    assert writing.read(_fresh(two)).body, "what was written is kept until it expires"
    three = deeds.an_awaiting_letter(ask, now=now)  # the page is the same; a mail tells the address itself
    assert list(Notice.objects.order_by("pk").values_list("kind", flat=True)) == ["confirmation", "already"]
    assert three.stage == "awaiting_confirmation"
    assert Letter.objects.filter(stage="confirmed").count() == 1
    assert Delivery.objects.count() == 3


def test_a_link_confirms_the_letters_that_were_chosen(alice: User, ask: Ask, now: datetime) -> None:
    second = _another_ask(alice, ask)
    one, two = deeds.an_awaiting_letter(ask), deeds.an_awaiting_letter(second)
    notice = deeds.the_notice(one)
    assert writing.awaiting(notice, now=now) == [one, two]
    assert writing.confirm_by_link(notice, chosen={two.pk: writing.digest(two), 10**6: ""}, now=now) == [two]
    assert _fresh(one).stage == "awaiting_confirmation"


def test_a_used_link_confirms_nothing_that_was_begun_after_it(alice: User, ask: Ask, now: datetime) -> None:
    used = deeds.the_notice(deeds.a_confirmed_letter(ask))
    later = now + timedelta(hours=1)
    forged = deeds.an_awaiting_letter(_another_ask(alice, ask), now=later)
    assert writing.awaiting(used, now=later) == []
    assert writing.confirm_by_link(used, chosen=None, now=later) == []
    assert writing.confirm_by_link(deeds.the_notice(forged), chosen=None, now=later) == [forged]


def _another_ask(alice: User, ask: Ask) -> Ask:
    second = publishing.save_ask(
        campaign=ask.campaign, by=alice, target_list=ask.target_list, title="A second letter", slug="second"
    )
    publishing.save_template(ask=second, by=alice, language="en", passages=cast.WORDING)
    return second


# ── the next letter of somebody who has just proved the address ──────────────────────────────────────────


def test_the_next_letter_needs_no_mail_of_its_own(alice: User, ask: Ask, now: datetime) -> None:
    first = deeds.a_confirmed_letter(ask)
    second = _another_ask(alice, ask)
    assert unwritten.next_ask(first) == second
    letter = writing.begin(ask=second, language="en", now=now, after=first, proven=True)
    content = writing.read(letter)
    assert (content.name, content.email, content.town) == tuple(DANA.values())
    assert writing.submit(letter, now=now)
    assert len(deeds.deliveries(letter)) == 3
    assert Notice.objects.count() == 1
    assert unwritten.next_ask(letter) is None


@pytest.mark.parametrize("why", ["too late", "not proven", "other address", "address and back"])
def test_without_a_fresh_proof_the_next_letter_waits_for_its_mail(
    alice: User, ask: Ask, now: datetime, why: str
) -> None:
    first = deeds.a_confirmed_letter(ask)
    letter = writing.begin(
        ask=_another_ask(alice, ask), language="en", now=now, after=first, proven=why != "not proven"
    )
    at = now + (supporters.PROOF_LASTS_FOR + timedelta(seconds=1) if why == "too late" else timedelta(0))
    if why in {"other address", "address and back"}:
        writing.revise(letter, posted={"email": "victim@mail.example"}, now=at)
    if why == "address and back":
        writing.revise(letter, posted={"email": cast.DANA["email"]}, now=at)
    assert not writing.submit(letter, now=at)
    assert deeds.deliveries(letter) == []


def test_somebody_proven_is_told_of_the_letter_they_wrote(ask: Ask, now: datetime) -> None:
    first = deeds.a_confirmed_letter(ask)
    again = writing.begin(ask=ask, language="en", now=now, after=first, proven=True)
    with pytest.raises(AlreadyWritten) as already:
        writing.submit(again, now=now)
    assert already.value.letter == first
    assert _fresh(again).stage == "draft"


def test_writing_in_another_campaign_proves_nothing_there(alice: User, ask: Ask, now: datetime) -> None:
    first = deeds.a_confirmed_letter(ask)
    other = cast.the_ask(cast.an_open_campaign(alice, slug="other"))
    letter = writing.begin(ask=other, language="en", now=now, after=first, proven=True)
    assert not writing.submit(letter, now=now)


# ── not me, and taking back ──────────────────────────────────────────────────────────────────────────────


def test_this_is_not_me_takes_back_what_waits_and_stops_all_mail(ask: Ask, now: datetime) -> None:
    letter = deeds.an_awaiting_letter(ask)
    notice = deeds.the_notice(letter)
    assert writing.disown(notice, now=now) == 1
    gone = _fresh(letter)
    assert (gone.stage, bytes(gone.sealed)) == ("withdrawn", b"")
    assert suppressions.covers(suppressions.address_hash("DANA@mail.example"), now=now + timedelta(days=999))
    assert writing.confirm_by_link(notice, chosen=None, now=now) == []
    deeds.an_awaiting_letter(ask, now=now + timedelta(days=3))
    assert Notice.objects.count() == 1


def test_taking_back_stops_what_has_not_left(letter: Letter, clock: Clock) -> None:
    assert writing.withdraw(letter, now=clock.now) == (3, 0)
    assert (_fresh(letter).stage, deeds.states(letter)) == ("withdrawn", ["cancelled"] * 3)
    assert outbox.claim().ids == []
    assert writing.withdraw(_fresh(letter), now=clock.now) == (0, 0)


def test_taking_back_leaves_what_was_sent(letter: Letter, clock: Clock) -> None:
    outbox.record((claim := outbox.claim(limit=1)), {claim.ids[0]: Accepted(250, "ok")})
    assert writing.withdraw(letter, now=clock.now) == (2, 1)
    assert (_fresh(letter).stage, deeds.states(letter)) == ("confirmed", ["cancelled", "cancelled", "sent"])


def test_a_copy_that_may_have_arrived_cannot_be_taken_back(letter: Letter, clock: Clock) -> None:
    outbox.record((claim := outbox.claim(limit=1)), {claim.ids[0]: Ambiguous("the line broke")})
    assert writing.withdraw(letter, now=clock.now) == (3, 1)
    assert (_fresh(letter).stage, deeds.states(letter)) == ("confirmed", ["cancelled"] * 3)
    assert outbox.claim().ids == []


def test_taking_back_before_confirming_forgets_the_text(ask: Ask, now: datetime) -> None:
    letter = deeds.an_awaiting_letter(ask)
    assert writing.withdraw(letter, now=now) == (0, 0)
    assert (_fresh(letter).stage, bytes(_fresh(letter).sealed)) == ("withdrawn", b"")


# ── finding and consent ──────────────────────────────────────────────────────────────────────────────────


def test_a_token_finds_its_letter_and_says_its_purpose(letter: Letter) -> None:
    token = tokens.make(tokens.STATUS, bytes(letter.key))
    assert writing.find((tokens.DRAFT, tokens.STATUS), token) == (letter, tokens.STATUS)
    assert writing.find(tokens.DRAFT, token) is None
    assert writing.find(tokens.STATUS, tokens.make(tokens.STATUS, bytes(16))) is None


def test_one_person_is_one_supporter_however_the_address_is_written(alice: User, ask: Ask) -> None:
    deeds.an_awaiting_letter(ask, email="dana.w@gmail.com")
    deeds.an_awaiting_letter(ask, email="DanaW+oil@googlemail.com")
    assert Supporter.objects.count() == 1
    assert Target.objects.count() == 3
