"""Members hear that a campaign paused by itself: why, what shows it, what to do, where to resume."""

from email import message_from_bytes, policy

import pytest
from django.utils import timezone

from accounts.models import User
from campaigns import publishing
from campaigns.models import Ask, Campaign
from letters import breaker
from letters.composing import Message
from letters.endings import Accepted, Ending
from letters.pause_words import Cause
from letters.stoppages import Alarm
from worker import alarm_mail
from worker.transports import Allow, LineDown

pytestmark = pytest.mark.django_db
EVIDENCE = {"refused": 38, "tried": 40, "minutes": 30, "words": "550 5.7.1 spam", "domain": "amb.example"}


class Kept:
    """A line that keeps what it is given; after `left` letters it is down."""

    def __init__(self, left: int = 100) -> None:
        self.letters: list[Message] = []
        self._left = left

    def send(self, message: Message, *, allow: Allow) -> Ending:
        """Take it."""
        if len(self.letters) == self._left:
            raise LineDown("no route")
        assert allow()
        self.letters.append(message)
        return Accepted(250, "ok")

    def open(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


@pytest.fixture
def paused(ask: Ask) -> Campaign:
    """Return a campaign that paused by itself."""
    breaker.trip(campaign=ask.campaign, cause=Cause.REFUSED, evidence=EVIDENCE, now=timezone.now())
    return Campaign.objects.get()


def test_the_mail_says_what_happened_what_shows_it_and_what_to_do(paused: Campaign, alice: User) -> None:
    line = Kept()
    assert alarm_mail.send_due(line) == 1
    assert alarm_mail.send_due(line) == 0, "once"
    (message,) = line.letters
    assert message.envelope_to == alice.email
    mail = message_from_bytes(message.data, policy=policy.default)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert str(mail["Subject"]).startswith("Paused by itself: ")
    body = mail.get_body()
    assert body is not None
    text = " ".join(body.get_content().split())
    assert "amb.example refused 38 letters within 30 minutes." in text
    assert "38 of 40 tries were refused. The server said: “550 5.7.1 spam”." in text
    assert "What to do: Read the server’s words." in text
    assert f"/organise/campaigns/{paused.slug}/delivery/" in text


def test_nobody_is_told_of_a_pause_that_has_ended(paused: Campaign, alice: User) -> None:
    publishing.resume(campaign=paused, by=alice)
    line = Kept()
    assert alarm_mail.send_due(line) == 0
    assert line.letters == []
    assert Alarm.objects.get().ended_at is not None


def test_an_alarm_waits_for_a_server_that_is_away(paused: Campaign) -> None:
    with pytest.raises(LineDown):
        alarm_mail.send_due(Kept(left=0))
    assert alarm_mail.send_due(Kept()) == 1
