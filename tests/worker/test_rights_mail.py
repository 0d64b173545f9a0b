"""Mail that people ask for themselves, and reminders: what is in it, and what must not be."""

from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from campaigns.models import Ask
from letters import continuing, forgetting, inquiries, notices, reminders, supporters, telling, tokens, writing
from letters.models import Letter, Notice
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


def _draft_mail(ask: Ask, *, language: str = "en") -> tuple[Letter, Notice]:
    letter = deeds.a_draft(ask, now=timezone.now())
    continuing.keep_for_later(letter, language=language, now=timezone.now())
    return letter, Notice.objects.select_related("supporter__campaign__organisation", "letter__ask").get(kind="later")


def test_the_link_to_a_draft_quotes_nothing_and_says_until_when_it_works(ask: Ask) -> None:
    letter, notice = _draft_mail(ask, language="fr")
    mail = _read(rights_mail.compose_draft(notice, notices.address_of(notice)))
    assert mail["To"] == cast.DANA["email"]
    assert mail["Auto-Submitted"] == "auto-generated"
    token = tokens.make(tokens.DRAFT, bytes(letter.key))
    assert f"{settings.BASE_URL}/fr/{ask.campaign.slug}/draft/{token}/write/\n" in _text(mail).replace("\r\n", "\n")
    assert letter.expires_at is not None
    assert str(letter.expires_at.year) in _text(mail)
    for typed_by_somebody in (cast.DANA["name"], cast.DANA["sentence"], cast.DANA["town"]):
        assert typed_by_somebody not in mail.as_string()


@pytest.mark.parametrize("how", ["another address", "sent", "run out"])
def test_no_link_leaves_to_what_is_no_draft_of_this_address_any_more(ask: Ask, how: str) -> None:
    letter, _notice = _draft_mail(ask)
    if how == "another address":
        writing.revise(letter, posted={"email": "erik@mail.example"}, now=timezone.now())
    elif how == "sent":
        writing.submit(letter, now=timezone.now())
    else:
        forgetting.expire(now=timezone.now() + timedelta(days=8))
    notice = Notice.objects.select_related("supporter__campaign__organisation", "letter__ask").get(kind="later")
    assert rights_mail.compose_draft(notice, cast.DANA["email"]) is None
