"""The supporter writes: begin and revise."""

from datetime import datetime, timedelta

import pytest

from accounts.models import User
from campaigns.models import Ask
from letters import composing, tokens, writing
from letters.models import Letter, Notice
from letters.writing import CampaignClosed, LetterRefused
from tests import cast
from tests.letters import deeds

pytestmark = pytest.mark.django_db
DANA = {"name": cast.DANA["name"], "email": cast.DANA["email"], "town": cast.DANA["town"]}


def _code(letter: Letter) -> str:
    return tokens.code(bytes(deeds.the_notice(letter).key))


def _fresh(letter: Letter) -> Letter:
    return Letter.objects.get(pk=letter.pk)


# ── begin and revise ─────────────────────────────────────────────────────────────────────────────────────


def test_a_letter_begins_with_the_wording_and_the_own_sentence(ask: Ask, now: datetime) -> None:
    letter = writing.begin(ask=ask, language="en", now=now, sentence="  I care.  ", source="x" * 50)
    content = writing.read(letter)
    given = composing.given(letter.template, content, draw=letter.draw)
    assert (content.subject, content.body) == (given[0], f"I care.\n\n{given[1]}")
    assert (content.subject, content.sentence) == (cast.WORDING["subject"], "I care.")
    assert (letter.stage, letter.expires_at, letter.source) == ("draft", now + timedelta(hours=24), "x" * 40)
    assert letter.template.ask_id == ask.pk
    assert _fresh(letter).template.used_at == now


def test_no_letter_begins_in_a_closed_campaign_or_without_wording(alice: User, ask: Ask, now: datetime) -> None:
    with pytest.raises(CampaignClosed):
        writing.begin(ask=cast.the_ask(cast.a_draft_campaign(alice, slug="unpublished")), language="en", now=now)
    ask.templates.all().delete()
    with pytest.raises(CampaignClosed):
        writing.begin(ask=ask, language="en", now=now)


def test_the_text_in_the_database_is_sealed(ask: Ask) -> None:
    letter = deeds.a_draft(ask)
    stored = bytes(_fresh(letter).sealed)
    assert b"Dana" not in stored
    assert b"oil workers" not in stored
    assert writing.read(_fresh(letter)).name == cast.DANA["name"]


def test_revising_keeps_what_is_not_posted(ask: Ask, now: datetime) -> None:
    letter = deeds.a_draft(ask)
    before = writing.read(letter)
    writing.revise(letter, posted={"town": "Dresden"}, now=now)
    after = writing.read(_fresh(letter))
    assert after.town == "Dresden"
    assert (after.subject, after.body, after.name, after.email) == (
        before.subject, before.body, before.name, before.email
    )  # fmt: skip


BAD_NAME = "Eve\r\nBcc: v@victim.example"
BAD = [
    ("subject", "One\nBcc: v@victim.example"), ("subject", "  "), ("subject", "x" * 201),
    ("body", ""), ("body", "too short"), ("body", "x" * 20_001), ("body", "a nul \x00 in a long enough text"),
    ("body", "http://a.example www.b.example https://c.example and so on"),
    ("sentence", "x" * 2001),
    ("name", ""), ("name", BAD_NAME), ("name", "x" * 101),
    ("name", "\u200b"), ("name", "a\u202eb"),
    ("email", ""), ("email", "nobody"), ("email", "a@b.c\n"),
    ("email", "a@b@c.example"), ("email", "noreply@b.example"),
    ("email", "-f@b.example"), ("email", "a!b@c.example"), ("email", "a%v@b.example"), ("email", "a@localhost"),
    ("email", "a@[127.0.0.1]"), ("email", "x" * 65 + "@b.example"), ("email", "MINISTER@foreign.example"),
    ("email", "jürgen@b.example"), ("town", "x" * 101), ("town", "a\nb"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "bad"), BAD)
def test_what_is_refused_is_named_kept_and_never_sent(ask: Ask, now: datetime, field: str, bad: str) -> None:
    letter = deeds.a_draft(ask)
    posted = {**DANA, "subject": "Kept subject", "body": "A text that was written with care and is kept.", field: bad}
    with pytest.raises(LetterRefused) as refused:
        writing.revise(letter, posted=posted, now=now)
    assert field in refused.value.errors
    kept = writing.read(_fresh(letter)).values()
    for name, value in posted.items():
        if name == field:
            first = [word for word in bad.replace("\x00", "").split()[:1] if word.isprintable()]
            assert all(word in kept[name] for word in first)
        elif (field, name) != ("sentence", "body"):
            assert kept[name] == value
    assert not any(end in kept[name] for end in "\r\n" for name in ("subject", "name", "email", "town"))
    mended = {"a nul \x00 in a long enough text", "One\nBcc: v@victim.example", "a@b.c\n", BAD_NAME, "a\nb"}
    if bad not in mended:
        with pytest.raises(LetterRefused):
            writing.submit(_fresh(letter), now=now)
        assert not Notice.objects.exists()


@pytest.mark.parametrize("email", ["a@bü.example", "o'neil+x@b.example", "Dana.W@MAIL.example"])
def test_unusual_addresses_of_people_are_taken(ask: Ask, now: datetime, email: str) -> None:
    letter = deeds.an_awaiting_letter(ask, email=email)
    address = writing.read(letter).email
    assert address.isascii()
    assert address.endswith(address.rpartition("@")[2].lower())


def test_text_is_kept_in_one_spelling_with_plain_line_ends(ask: Ask, now: datetime) -> None:
    letter = deeds.a_draft(ask, body="e\u0301tude \r\nand\ra\u2028lot\u0085more  \n\nto say", sentence="")
    assert writing.read(letter).body == "étude\nand\na\nlot\nmore\n\nto say"


def test_own_words_are_counted_against_the_wording_given(ask: Ask, now: datetime) -> None:
    letter = deeds.a_draft(ask, sentence="")
    assert _fresh(letter).own_words == 0
    writing.revise(letter, posted={"body": writing.read(letter).body + " Five words of my own"}, now=now)
    assert _fresh(letter).own_words == 5


def test_a_new_own_sentence_takes_the_place_of_the_old(ask: Ask, now: datetime) -> None:
    letter = deeds.a_draft(ask, sentence="Old sentence.")
    given = writing.read(letter).body.removeprefix("Old sentence.\n\n")
    writing.revise(letter, posted={"sentence": "New sentence."}, now=now)
    body = writing.read(letter).body
    assert body.startswith("New sentence.\n\n")
    assert "Old" not in body
    writing.revise(letter, posted={"sentence": ""}, now=now)
    assert writing.read(letter).body == given


def test_a_waiting_letter_can_be_changed_and_waits_anew(ask: Ask, now: datetime) -> None:
    letter = deeds.an_awaiting_letter(ask)
    old = deeds.the_notice(letter)
    writing.revise(letter, posted={"email": "other@mail.example"}, now=now)
    assert (_fresh(letter).stage, _fresh(letter).supporter) == ("draft", None)
    assert not writing.submit(letter, now=now)
    assert writing.confirm_by_link(old, chosen=None, now=now) == []  # the first mailbox confirms nothing any more
    assert writing.confirm_by_link(deeds.the_notice(letter), chosen=None, now=now) == [letter]


@pytest.mark.parametrize("stage", ["confirmed", "expired", "withdrawn"])
def test_a_letter_that_is_done_is_not_changed(letter: Letter, now: datetime, stage: str) -> None:
    Letter.objects.filter(pk=letter.pk).update(stage=stage)
    before = Letter.objects.filter(pk=letter.pk).values().get()
    with pytest.raises(LetterRefused):
        writing.revise(_fresh(letter), posted={"body": "Another text that is long enough."}, now=now)
    assert Letter.objects.filter(pk=letter.pk).values().get() == before


def test_a_page_that_was_opened_before_cannot_change_what_was_sent_meanwhile(ask: Ask, now: datetime) -> None:
    letter = deeds.a_draft(ask)
    stale = _fresh(letter)
    writing.submit(letter, now=now)
    writing.confirm_by_link(deeds.the_notice(letter), chosen=None, now=now)
    before = bytes(_fresh(letter).sealed)
    with pytest.raises(LetterRefused):
        writing.revise(stale, posted={"body": "Another text that is long enough."}, now=now)
    assert bytes(_fresh(letter).sealed) == before


def test_what_is_sent_is_what_was_kept_last(ask: Ask, now: datetime) -> None:
    first = deeds.a_confirmed_letter(ask)
    other = cast.the_ask(first.campaign)
    letter = writing.begin(ask=other, language="en", now=now, after=first, proven=True)
    stale = _fresh(letter)
    writing.revise(letter, posted={"email": "victim@mail.example"}, now=now)
    assert not writing.submit(stale, now=now)  # the proof was of another address
    assert _fresh(letter).stage == "awaiting_confirmation"
