"""Mail that people ask for themselves, and reminders: what is in it, and what must not be."""

from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from campaigns.models import Ask
from letters import inquiries, notices, reminders, supporters, telling, tokens
from letters.models import Notice
from tests import cast
from tests.letters import deeds
from worker import rights_mail, supporter_mail

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(alice: User) -> Ask:
    """Return the only ask of Alice's open campaign."""
    return cast.the_ask(cast.an_open_campaign(alice))


def _read(message: object) -> EmailMessage:
    data = getattr(message, "data")  # noqa: B009  None where nothing was composed: said by the failure
    return message_from_bytes(data, policy=policy.default)


def _text(mail: EmailMessage) -> str:
    return str(mail.get_content())


def test_a_reminder_holds_its_own_code_and_quotes_nothing_that_was_typed(ask: Ask, now: datetime) -> None:
    letter = deeds.an_awaiting_letter(ask)
    reminders.send_due(now=now + timedelta(days=1))
    notice = Notice.objects.select_related("supporter__campaign__organisation", "letter__ask").get(kind="reminder")
    mail = _read(supporter_mail.compose(notice, cast.DANA["email"]))
    assert str(mail["Subject"]).startswith("Still one tap missing")
    assert _text(mail).startswith(f"Your code: {tokens.code(bytes(notice.key))}")
    assert letter.expires_at is not None
    for typed_by_somebody in (cast.DANA["name"], cast.DANA["sentence"], cast.DANA["town"]):
        assert typed_by_somebody not in mail.as_string()


def test_the_link_to_my_data_goes_to_the_address_alone(ask: Ask) -> None:
    deeds.a_confirmed_letter(ask)
    inquiries.ask(cast.DANA["email"], language="en", now=timezone.now())
    inquiries.answer(now=timezone.now())
    notice = Notice.objects.select_related("supporter__campaign__organisation").get(kind="my_data")
    mail = _read(rights_mail.compose_link(notice, notices.address_of(notice)))
    assert mail["To"] == cast.DANA["email"]
    assert f"{settings.BASE_URL}/my/open/{tokens.make(tokens.MY_DATA, bytes(notice.key))}/" in _text(mail)
    assert mail["Auto-Submitted"] == "auto-generated"


def test_what_was_wished_is_told_in_the_organisers_words_and_can_be_stopped_with_one_tap(
    ask: Ask, alice: User, now: datetime
) -> None:
    asked = supporters.waiting_for_proof(ask.campaign, "ada@mail.example", language="en")
    notices.ask_for_wish(asked, language="en", now=now)
    wish = Notice.objects.select_related("supporter__campaign__organisation").get(kind="once")
    assert "/once/" in _text(_read(rights_mail.compose_wish(wish, "ada@mail.example")))
    telling.wish(wish, words="Tell me once.", now=now)
    telling.tell(campaign=ask.campaign, by=alice, words="The court let them go.", now=now)
    told = Notice.objects.select_related("supporter__campaign__organisation", "telling").get(kind="told")
    mail = _read(rights_mail.compose_told(told, "ada@mail.example"))
    assert _text(mail).strip().startswith("The court let them go.")
    assert "/my/stop/" in mail["List-Unsubscribe"]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
