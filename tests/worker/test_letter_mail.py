"""Mail about somebody's letter, in their mailbox: what it says, and what it must not."""

from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.test import override_settings
from django.utils import timezone

from accounts.models import User
from campaigns import publishing
from campaigns.models import Ask
from config.env import MailServerAddress
from letters import continuing, erasures, incoming, notices, tokens, writing
from letters.arrivals import What
from letters.incoming import Mail
from letters.models import Delivery, Letter, Notice
from targets import suppressions
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


def _second_ask(alice: User, ask: Ask) -> Ask:
    other = publishing.save_ask(campaign=ask.campaign, by=alice, target_list=ask.target_list, title="Another letter")
    publishing.save_template(ask=other, by=alice, language="en", passages=cast.WORDING)
    return other


def test_a_copy_comes_once_the_letter_is_confirmed_as_its_first_target_reads_it(
    ask: Ask, server: FaultyServer
) -> None:
    letter = deeds.an_awaiting_letter(ask, now=timezone.now(), copy_to_me="yes")
    (confirmation,) = _mailed(server)
    assert cast.DANA["sentence"] not in confirmation.as_string(), "nothing that was typed before the proof"
    assert writing.confirm_by_link(deeds.the_notice(letter), chosen=None, now=timezone.now())
    preview = writing.previews(letter, now=timezone.now())[0]
    (mail,) = _mailed(server)
    text = str(mail.get_content()).replace("\r\n", "\n")
    assert mail["Subject"] == f"Your copy: {preview.letter.subject}"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert f"{preview.letter.subject}\n\n{preview.letter.text}" in text
    assert cast.DANA["sentence"] in text
    assert f"It goes to {preview.target.name} and 2 others." in text
    assert "Each of the 3 people gets a salutation of their own" in text
    assert _status(letter, "en") in text
    assert _mailed(server) == [], "one for each letter"


def test_each_letter_of_an_address_that_is_proved_has_a_copy_of_its_own(
    alice: User, ask: Ask, server: FaultyServer
) -> None:
    first = _confirmed(ask, server, copy_to_me="yes")
    second = writing.begin(
        ask=_second_ask(alice, ask), language="en", now=timezone.now(), after=first, proven=True
    )
    assert writing.read(second).copy_to_me == "yes", "what was ticked is kept for the next letter"
    assert writing.submit(second, now=timezone.now())
    assert [str(mail["Subject"]).partition(":")[0] for mail in _mailed(server)] == ["Your copy", "Your copy"]


def test_a_letter_that_may_endanger_its_writer_has_no_copy_because_the_one_before_had(
    alice: User, ask: Ask, server: FaultyServer
) -> None:
    first, dangerous = _confirmed(ask, server, copy_to_me="yes"), _second_ask(alice, ask)
    dangerous.warns = True
    second = writing.begin(ask=dangerous, language="en", now=timezone.now(), after=first, proven=True)
    assert writing.read(second).copy_to_me == ""


@pytest.mark.parametrize("copy", ["no", "", "perhaps"])
def test_nobody_gets_a_copy_who_did_not_ask_for_one(ask: Ask, server: FaultyServer, copy: str) -> None:
    _confirmed(ask, server, copy_to_me=copy)
    assert _mailed(server) == []


@pytest.mark.parametrize("how", ["taken back", "suppressed", "erased", "forgotten"])
def test_no_copy_leaves_of_a_letter_that_is_not_to_be_read_any_more(
    ask: Ask, server: FaultyServer, how: str
) -> None:
    letter, now = _confirmed(ask, server, copy_to_me="yes"), timezone.now()
    if how == "taken back":
        writing.withdraw(letter, now=now)
    elif how == "suppressed":
        deeds.suppress(DANA)
    elif how == "erased":
        erasures.erase(suppressions.address_hash(DANA), now=now)
    else:
        Letter.objects.filter(pk=letter.pk).update(sealed=b"")
    assert _mailed(server) == []
    assert not Notice.objects.filter(kind="copy", state__in=["queued", "sent"]).exists()


def test_who_is_suppressed_already_has_no_copy_waiting(ask: Ask, server: FaultyServer) -> None:
    letter = deeds.an_awaiting_letter(ask, now=timezone.now(), copy_to_me="yes")
    deeds.suppress(DANA)
    assert writing.confirm_by_link(deeds.the_notice(letter), chosen=None, now=timezone.now())
    assert not Notice.objects.filter(kind="copy").exists()


def test_a_copy_is_sent_once_though_its_worker_died(ask: Ask, server: FaultyServer) -> None:
    _confirmed(ask, server, copy_to_me="yes")
    (claimed,) = notices.claim(limit=5, now=timezone.now())
    assert _mailed(server) == [], "another holds it"
    notices.give_back([claimed], now=timezone.now())
    assert len(_mailed(server)) == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        notices.send_copy(Letter.objects.get(), now=timezone.now())


def test_the_link_to_a_draft_reaches_whoever_asked_for_it(ask: Ask, server: FaultyServer) -> None:
    letter = deeds.a_draft(ask, now=timezone.now())
    continuing.keep_for_later(letter, language="en", now=timezone.now())
    (mail,) = _mailed(server)
    assert f"/draft/{tokens.make(tokens.DRAFT, bytes(letter.key))}/write/" in str(mail.get_content())
