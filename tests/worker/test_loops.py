"""Whatever we send is known when it comes back, and dropped: nothing turns in a ring (RELIABILITY B71)."""

from collections.abc import Callable

import pytest
from django.conf import settings

from campaigns.models import Ask
from letters import alarms, arrivals, breaker, incoming, outbox, replies, tokens
from letters.arrivals import What
from letters.incoming import Mail
from letters.mime import read
from letters.models import Notice
from letters.pause_words import Cause
from tests import cast
from tests.letters import deeds
from worker import alarm_mail, reply_mail, supporter_mail

pytestmark = pytest.mark.django_db
OFFICE = "office@northland.example"


@pytest.fixture(autouse=True)
def _no_counts_of_earlier_tests() -> None:
    arrivals.forget_gathered()


def a_letter(ask: Ask) -> bytes:
    """Return a letter as it leaves."""
    deeds.a_confirmed_letter(ask)
    return next(iter(deeds.composed(outbox.claim()).values())).data


def a_confirmation(ask: Ask) -> bytes:
    """Return the mail that asks a supporter to confirm."""
    notice = deeds.the_notice(deeds.an_awaiting_letter(ask))
    return supporter_mail.compose(notice, cast.DANA["email"]).data


def an_answer_passed_on(ask: Ask) -> bytes:
    """Return the mail that passes a target's answer on."""
    letter = deeds.a_confirmed_letter(ask)
    deeds.send_all()
    said = read(f"From: {OFFICE}\r\nSubject: Re: strike\r\n\r\nThank you.\r\n".encode())
    replies.keep(delivery=deeds.deliveries(letter)[0], mail=said, is_automatic=False, now=cast.NOW)
    message = reply_mail.compose(Notice.objects.get(kind="reply"), cast.DANA["email"])
    assert message is not None
    return message.data


def an_alarm(ask: Ask) -> bytes:
    """Return the mail that tells members of a pause."""
    breaker.trip(campaign=ask.campaign, cause=Cause.BOUNCES, evidence={"suppressed": 3, "targets": 9}, now=cast.NOW)
    (alarm,) = alarms.claim(limit=5, now=cast.NOW)
    return alarm_mail.compose(alarm).data


@pytest.mark.parametrize("door", ["letter@{my}", "confirm@{my}", "return-{name}@{my}", "reply-{name}@{my}", ""])
@pytest.mark.parametrize("made", [a_letter, a_confirmation, an_answer_passed_on, an_alarm])
def test_our_own_mail_that_comes_back_is_dropped(ask: Ask, made: Callable[[Ask], bytes], door: str) -> None:
    data = made(ask)
    before = Notice.objects.count()
    other = deeds.deliveries(deeds.a_confirmed_letter(ask, email="erik@mail.example"))[0]
    to = door.format(my=settings.MAIL_DOMAIN, name=tokens.reference(other.pk))
    for sender in ("", f"letter@{settings.MAIL_DOMAIN}", OFFICE):
        assert incoming.take(Mail(to, sender, data), now=cast.NOW) == What.LOOPED
    assert Notice.objects.count() == before + 1, "no more than the confirmation that Erik was asked for"
