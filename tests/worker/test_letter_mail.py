"""Mail about a letter that was confirmed: what it says, what it must not, and that it reaches its writer's mailbox."""

from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from campaigns.models import Ask
from config.env import MailServerAddress
from letters import incoming, tokens, writing
from letters.arrivals import What
from letters.incoming import Mail
from letters.models import Delivery, Letter, Notice
from tests import cast
from tests.letters import deeds
from tests.worker.faulty_server import FaultyServer
from worker import lines, supporter_mail

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]
DANA = cast.DANA["email"]


@pytest.fixture(autouse=True)
def supporters_server(server: FaultyServer) -> Iterator[None]:
    """Supporters are served by this server."""
    with override_settings(SUPPORTER_MAIL_SERVER=MailServerAddress("127.0.0.1", server.port, "plain")):
        yield


def _mailed(server: FaultyServer, to: str = DANA) -> list[EmailMessage]:
    """Send the mail to supporters that is due; return what reached an address meanwhile."""
    before = len(server.taken)
    line = lines.to_supporters()
    try:
        supporter_mail.send_due(line)
    finally:
        line.close()
    taken = [mail for mail in server.taken[before:] if mail.to == to]
    return [message_from_bytes(mail.data, policy=policy.default) for mail in taken]


def _status(letter: Letter, lang: str) -> str:
    return f"{settings.BASE_URL}/letter/{tokens.make(tokens.STATUS, bytes(letter.key))}/?lang={lang}"


def _confirmed(ask: Ask, server: FaultyServer, **more: str) -> Letter:
    """Return a confirmed letter whose confirmation has left."""
    letter = deeds.an_awaiting_letter(ask, now=timezone.now(), **more)
    _mailed(server)
    assert writing.confirm_by_link(deeds.the_notice(letter), chosen=None, now=timezone.now())
    letter.refresh_from_db()
    return letter


def test_somebody_who_wrote_already_is_told_when_and_where_their_letter_is(ask: Ask, server: FaultyServer) -> None:
    first = _confirmed(ask, server)
    second = deeds.an_awaiting_letter(ask, now=timezone.now(), subject="BUY AT evil.example", name="Buy Now")
    (mail,) = _mailed(server)
    text = str(mail.get_content())
    assert mail["Subject"] == "You already sent this letter"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert _status(first, "en") in text
    assert tokens.make(tokens.STATUS, bytes(second.key)) not in text
    assert tokens.make(tokens.DRAFT, bytes(second.key)) not in text
    assert "The new one was not sent" in text
    names = [str(row.version.values["name"]) for row in Delivery.objects.filter(letter=first).select_related("version")]
    assert f"{names[0]} and {len(names) - 1} others" in text
    assert first.confirmed_at is not None
    assert f"You confirmed it on {first.confirmed_at.day} " in text
    for typed in ("evil.example", "Buy Now", cast.DANA["name"], cast.DANA["sentence"], cast.DANA["town"]):
        assert typed not in mail.as_string(), "neither what is typed now nor what was typed then"


def test_it_is_told_although_another_letter_proved_the_address_meanwhile(ask: Ask, server: FaultyServer) -> None:
    _confirmed(ask, server)
    deeds.an_awaiting_letter(ask, now=timezone.now())
    Notice.objects.update(used_at=timezone.now())
    assert [mail["Subject"] for mail in _mailed(server)] == ["You already sent this letter"]


@pytest.mark.parametrize("how", ["taken back", "suppressed"])
def test_nothing_is_told_of_a_letter_taken_back_or_to_whoever_wants_no_mail(
    ask: Ask, server: FaultyServer, how: str
) -> None:
    first = _confirmed(ask, server)
    deeds.an_awaiting_letter(ask, now=timezone.now())
    if how == "taken back":
        writing.withdraw(first, now=timezone.now())
    else:
        deeds.suppress(DANA)
    assert _mailed(server) == []
    assert Notice.objects.get(kind="already").state == "failed"


def test_it_is_told_of_a_letter_whose_text_was_forgotten(ask: Ask, server: FaultyServer) -> None:
    first = _confirmed(ask, server)
    Letter.objects.filter(pk=first.pk).update(sealed=b"", confirmed_at=timezone.now() - timedelta(days=40))
    deeds.an_awaiting_letter(ask, now=timezone.now())
    assert [_status(first, "en") in str(mail.get_content()) for mail in _mailed(server)] == [True]


def test_such_mail_that_comes_back_is_known_and_dropped(ask: Ask, server: FaultyServer) -> None:
    _confirmed(ask, server)
    deeds.an_awaiting_letter(ask, now=timezone.now())
    (mail,) = _mailed(server)
    to = f"confirm@{settings.MAIL_DOMAIN}"
    assert incoming.take(Mail(to, "", bytes(mail)), now=timezone.now()) == What.LOOPED
