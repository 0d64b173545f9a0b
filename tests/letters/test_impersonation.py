"""Nobody confirms, reads or sends in another person's name, however the steps are mixed."""

from datetime import datetime, timedelta

import pytest

from campaigns.models import Ask
from letters import forgetting, notices, supporters, tokens, writing
from letters.models import Letter, Notice, Supporter
from tests.letters import deeds
from worker import supporter_mail

pytestmark = pytest.mark.django_db
VICTIM, ATTACKER = "victim@mail.example", "attacker@mail.example"


def test_the_mail_goes_to_the_address_that_was_sent_from_whatever_the_letter_says_by_now(
    ask: Ask, now: datetime
) -> None:
    letter = deeds.an_awaiting_letter(ask, email=VICTIM)
    notice = deeds.the_notice(letter)
    writing.revise(letter, posted={"email": ATTACKER, "name": "BUY AT evil.example"}, now=now)
    to = supporters.address_of(notice.supporter)
    assert to == VICTIM
    mail = supporter_mail.compose(notice, to)
    assert mail.envelope_to == VICTIM
    assert ATTACKER.encode() not in mail.data
    assert b"evil.example" not in mail.data, "nothing that was typed is in it"


def test_a_letter_of_another_address_cannot_be_confirmed_by_this_ones_mail(ask: Ask, now: datetime) -> None:
    mine = deeds.an_awaiting_letter(ask, email=ATTACKER)
    notice = deeds.the_notice(mine)
    Letter.objects.filter(pk=mine.pk).update(supporter=deeds.an_awaiting_letter(ask, email=VICTIM).supporter)
    assert writing.confirm_by_link(notice, chosen={mine.pk: writing.digest(mine)}, now=now) == []
    assert not writing.confirm_by_code(mine, code=tokens.code(bytes(notice.key)), now=now)
    with pytest.raises(ValueError, match="another address"):
        supporters.keep(notice.supporter, writing.read(deeds.an_awaiting_letter(ask, email=VICTIM)))


def test_a_wrong_code_never_tells_that_the_address_has_written(ask: Ask, now: datetime) -> None:
    deeds.a_confirmed_letter(ask, email=VICTIM)
    forged = deeds.an_awaiting_letter(ask, email=VICTIM)
    for stage in ("awaiting_confirmation", "draft"):
        Letter.objects.filter(pk=forged.pk).update(stage=stage)
        assert writing.confirm_by_code(forged, code="000000", now=now) is False


def test_a_text_changed_after_it_was_shown_is_not_confirmed(ask: Ask, now: datetime) -> None:
    letter = deeds.an_awaiting_letter(ask, email=VICTIM)
    notice = deeds.the_notice(letter)
    shown = {letter.pk: writing.digest(letter)}
    writing.revise(letter, posted={"body": "Something quite different, and long enough."}, now=now)
    writing.submit(letter, now=now)
    assert writing.confirm_by_link(notice, chosen=shown, now=now) == []
    assert Letter.objects.get(pk=letter.pk).stage == "awaiting_confirmation"
    again = {letter.pk: writing.digest(Letter.objects.get(pk=letter.pk))}
    assert writing.confirm_by_link(notice, chosen=again, now=now) == [letter]


def test_one_mailbox_gets_three_mails_a_day_whatever_tags_are_added(ask: Ask) -> None:
    for number in range(8):
        deeds.an_awaiting_letter(ask, email=f"victim+{number}@mail.example")
    assert Notice.objects.count() == notices.MOST_A_DAY


def test_an_old_link_lists_nothing_and_its_code_is_worth_nothing(ask: Ask, now: datetime) -> None:
    letter = deeds.an_awaiting_letter(ask, email=VICTIM)
    notice = deeds.the_notice(letter)
    later = now + timedelta(hours=73)
    assert writing.awaiting(notice, now=later) == []
    assert not writing.confirm_by_code(letter, code=tokens.code(bytes(notice.key)), now=later)


def test_who_a_supporter_is_goes_with_the_last_text(ask: Ask, now: datetime) -> None:
    letter = deeds.a_confirmed_letter(ask, email=VICTIM)
    rows = deeds.deliveries(letter)
    assert forgetting.letters(now=now + timedelta(days=400)) == 0, "deliveries that have not ended keep the text"
    for row in rows:
        type(row).objects.filter(pk=row.pk).update(state="sent", sent_at=now, ended_at=now)
    assert forgetting.letters(now=now + timedelta(days=27)) == 0
    assert forgetting.supporters_without_letters(now=now + timedelta(days=27)) == 0
    assert forgetting.letters(now=now + timedelta(days=29)) == 1
    assert forgetting.supporters_without_letters(now=now + timedelta(days=29)) == 1
    assert bytes(Letter.objects.get(pk=letter.pk).sealed) == b""
    assert bytes(Supporter.objects.get().sealed) == b""
    again = deeds.an_awaiting_letter(ask, email=VICTIM)
    assert again.supporter is not None
    assert supporters.address_of(again.supporter) == VICTIM
