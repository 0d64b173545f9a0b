"""The supporter's side: begin, revise, send, confirm, take back."""

import hashlib
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from letters import (
    choosing,
    composing,
    drafts,
    fields,
    forgetting,
    languages,
    lifecycle,
    locks,
    notices,
    own_words,
    replies,
    supporters,
    tokens,
)
from letters.beginning import begin
from letters.composing import Content, FinishedLetter
from letters.drafts import read
from letters.models import Delivery, Letter, Notice, Supporter
from letters.refusals import AlreadyWritten, CampaignClosed, LetterRefused, NobodyReachable
from letters.signals import something_waits
from targets import suppressions
from targets.models import Target

# Deeds and what they raise are named together: `writing.submit`, `writing.LetterRefused`.
__all__ = ["AlreadyWritten", "CampaignClosed", "LetterRefused", "NobodyReachable", "begin", "read"]


@dataclass(frozen=True)
class Preview:
    """One target and the letter exactly as it will read it."""

    target: Target
    letter: FinishedLetter


def find(purposes: str | tuple[str, ...], token: str) -> tuple[Letter, str] | None:
    """Return the letter that a token names and the purpose that fitted, or None."""
    for purpose in (purposes,) if isinstance(purposes, str) else purposes:
        key = tokens.read(purpose, token)
        if key is not None:
            letter = (
                Letter.objects.select_related("campaign__organisation", "ask__target_list", "template", "supporter")
                .filter(key=key)
                .first()
            )
            return (letter, purpose) if letter else None
    return None


def revise(letter: Letter, *, posted: Mapping[str, str], now: datetime) -> Content:
    """Keep what the supporter wrote; raises LetterRefused with a sentence per field, the rest being kept all the same.

    `posted` may hold subject, body, sentence, name, email, town and copy_to_me; a missing one stays as it is.
    """
    before = read(letter)
    drafts.reopen(letter, now=now)
    errors: dict[str, str] = {}
    sentence = fields.text("sentence", posted.get("sentence", before.sentence), errors, most=fields.SENTENCE_LIMIT)
    body = fields.text("body", posted.get("body", before.body), errors, least=fields.BODY_LEAST, most=fields.BODY_MOST)
    if sentence != before.sentence and "sentence" in posted:
        body = drafts.with_sentence(body, old=before.sentence, new=sentence)
    fields.links(body, errors, most=letter.campaign.most_links)
    content = replace(
        before,
        sentence=sentence,
        body=body,
        subject=fields.subject(posted.get("subject", before.subject), errors),
        name=fields.name(posted.get("name", before.name), errors),
        email=fields.email(posted.get("email", before.email), errors, letter),
        town=fields.town(posted.get("town", before.town), errors),
        copy_to_me=fields.tick(posted.get("copy_to_me", before.copy_to_me)),
    )
    if content.email != before.email:
        letter.proven = False  # another address wants a proof of its own
    content = composing.pinned(content, letter.ask, letter.template.language)
    letter.own_words = own_words.count(content.body, languages.given(letter, content)[1])
    letter.expires_at = drafts.ends_at(letter, now=now)
    letter.passes_replies = replies.come_back(content, letter.ask)
    drafts.keep(letter, content)
    names = ("sealed", "own_words", "proven", "expires_at", "passes_replies")
    kept = {name: getattr(letter, name) for name in names}
    if not Letter.objects.filter(pk=letter.pk, stage=Letter.Stage.DRAFT).update(**kept):
        # Sent meanwhile from another page: what was promised to be sent is not changed any more.
        letter.refresh_from_db()
        raise LetterRefused({"letter": _("This letter was already sent or its time has run out.")})
    if errors:
        raise LetterRefused(errors)
    return content


def targets_of(letter: Letter, *, now: datetime) -> list[Target]:
    """Return the targets that this letter goes to, if it is confirmed now."""
    return choosing.targets_of(letter.ask, read(letter), now=now)


def previews(letter: Letter, *, now: datetime) -> list[Preview]:
    """Return the finished letter for each of its targets, exactly as it will leave."""
    finisher = composing.Finisher(letter.template, read(letter), draw=letter.draw)
    return [Preview(target, finisher.finish(target.values())) for target in targets_of(letter, now=now)]


def submit(letter: Letter, *, now: datetime, language: str = "") -> bool:
    """Send a letter: True where it is confirmed at once (address just proven), False where a mail must prove it.

    `language` is the page's, where it may have been switched since the letter began: mail to the supporter and the
    letter's status page will speak it. Doing it twice is harmless. Raises CampaignClosed, AlreadyWritten,
    NobodyReachable, LetterRefused (something is missing).
    """
    try:
        with transaction.atomic():
            # What is sent is what stands in the database, not what this page read a moment ago.
            letter.refresh_from_db(
                fields=["stage", "sealed", "proven", "supporter"], from_queryset=Letter.objects.select_for_update()
            )
            return _submit(letter, now=now, language=language or letter.language)
    except IntegrityError:  # another letter of this person for this ask was confirmed at the same moment
        letter.refresh_from_db()
        raise AlreadyWritten(
            Letter.objects.get(ask=letter.ask, supporter=letter.supporter, stage=Letter.Stage.CONFIRMED)
        ) from None


def _submit(letter: Letter, *, now: datetime, language: str) -> bool:
    if letter.stage in {Letter.Stage.AWAITING, Letter.Stage.CONFIRMED}:
        return letter.stage == Letter.Stage.CONFIRMED
    if letter.stage != Letter.Stage.DRAFT:
        raise LetterRefused({"letter": _("This letter was taken back or its time has run out.")})
    if not letter.campaign.is_open_at(now):
        raise CampaignClosed
    content = revise_check(letter)
    if not choosing.reaches_somebody(letter.ask, content, now=now):
        raise NobodyReachable
    if language != letter.language:
        letter.language = language
        letter.save(update_fields=["language"])
    supporter = supporters.of(letter, content)
    if supporters.has_just_proved(letter, supporter, now=now):
        earlier = supporter.letters.filter(ask=letter.ask, stage=Letter.Stage.CONFIRMED).first()
        if earlier is not None:
            raise AlreadyWritten(earlier)
        _confirm(letter, supporter, now=now, from_=(Letter.Stage.DRAFT,))
        return True
    lives = timedelta(hours=letter.campaign.confirm_within_hours)
    if lifecycle.move_letter(letter, Letter.Stage.AWAITING, now=now, supporter=supporter, expires_at=now + lives):
        notices.ask_for_confirmation(letter, now=now)  # which tells the address alone what it wrote already
    return False


def revise_check(letter: Letter) -> Content:
    """Return the content of a letter that is complete; raises LetterRefused naming what is missing."""
    content = read(letter)
    errors: dict[str, str] = {}
    fields.subject(content.subject, errors)
    fields.text("sentence", content.sentence, errors, most=fields.SENTENCE_LIMIT)
    body = fields.text("body", content.body, errors, least=fields.BODY_LEAST, most=fields.BODY_MOST)
    fields.links(body, errors, most=letter.campaign.most_links)
    fields.name(content.name, errors)
    fields.email(content.email, errors, letter)
    fields.town(content.town, errors)
    if not choosing.fits(letter.ask, content):
        errors["to"] = _("Choose again to whom this letter goes: the organisers have changed that.")
    if errors:
        raise LetterRefused(errors)
    return content


def awaiting(notice: Notice, *, now: datetime) -> list[Letter]:
    """Return the letters of one address that a confirmation mail covers: all that wait in its campaign.

    One for an ask that this address has written for waits in vain, and is not among them. A mail that was used covers
    no letter begun after that, and an old one none at all: links are left lying about.
    """
    if notices.has_run_out(notice, now=now):
        return []
    written = Letter.objects.filter(
        ask=OuterRef("ask"), supporter=OuterRef("supporter"), stage=Letter.Stage.CONFIRMED
    )
    letters = notice.supporter.letters.filter(~Exists(written), stage=Letter.Stage.AWAITING)
    if notice.used_at is not None:
        letters = letters.filter(created_at__lte=notice.used_at)
    return list(
        letters.select_related("ask", "template", "campaign__organisation", "supporter").order_by("created_at")
    )


def digest(letter: Letter) -> str:
    """Return what stands for a letter's text as it is now: a page shows a letter together with this."""
    return hashlib.sha256(bytes(letter.sealed)).hexdigest()[:32]


def confirm_by_link(notice: Notice, *, chosen: Mapping[int, str] | None, now: datetime) -> list[Letter]:
    """Confirm waiting letters that a mail's link lists. Raises CampaignClosed, NobodyReachable (for none of them).

    `chosen` is letter id → `digest` as the page showed it: one that was changed since is not confirmed. None means
    all that wait, as they are. Returns those confirmed now; an empty list where nothing of that waits any more.
    """
    letters = [letter for letter in awaiting(notice, now=now) if chosen is None or letter.pk in chosen]
    return _confirm_all(notice, letters, shown=chosen, now=now)


def confirm_by_code(letter: Letter, *, code: str, now: datetime) -> bool:
    """Confirm one letter by the six digits of its mail; False where they do not fit.

    Raises CampaignClosed, NobodyReachable, and AlreadyWritten where they fit and another letter of this person was
    first. Five tries for one mail: after that only its link confirms.
    """
    digits = "".join(str(unicodedata.decimal(char)) for char in code if char.isdecimal())  # of any script
    notice = notices.open_confirmation(letter)
    if letter.stage != Letter.Stage.AWAITING or notice is None or notices.has_run_out(notice, now=now):
        return False
    if not notices.may_try_code(notice) or not secrets.compare_digest(digits, tokens.code(bytes(notice.key))):
        return False
    if _confirm_all(notice, [letter], shown=None, now=now):
        return True
    first = notice.supporter.letters.filter(ask=letter.ask, stage=Letter.Stage.CONFIRMED).first()
    if first is not None and first != letter:
        raise AlreadyWritten(first)
    return first is not None  # this very letter: the button was pressed twice


def disown(notice: Notice, *, now: datetime) -> int:
    """ "This is not me": take back what waits and write to this address no more. Return how many letters."""
    with transaction.atomic():
        taken = [
            letter for letter in notice.supporter.letters.filter(stage=Letter.Stage.AWAITING)
            if lifecycle.move_letter(
                letter, Letter.Stage.WITHDRAWN, now=now, sealed=b"", from_=(Letter.Stage.AWAITING,))
        ]  # fmt: skip
        notices.mark_used(notice, now=now)
        forgetting.supporters_without_letters(now=now, campaign=notice.supporter.campaign)
        suppressions.add(bytes(notice.supporter.address_hash), reason="not_me", source="confirmation mail")
    return len(taken)


def withdraw(letter: Letter, *, now: datetime, reason: str = "withdrawn") -> tuple[int, int]:
    """Take back what has not left; return (stopped, perhaps handed over or being so).

    The letter itself is withdrawn only where nothing can have left: an unclear copy is not sent again, and counts in
    both, for it probably arrived. What a worker holds at this moment gets no fence any more, and ends as cancelled
    unless its fence was already given and the server takes it.
    """
    return locks.giving_way(lambda: _take_back(letter, now=now, reason=reason))


def _take_back(letter: Letter, *, now: datetime, reason: str) -> tuple[int, int]:
    rows = Delivery.objects.filter(letter=letter)
    list(rows.select_for_update().order_by("pk").values_list("pk"))  # nothing moves between the two statements
    waiting = rows.filter(
        state__in=[Delivery.State.QUEUED, Delivery.State.HELD, Delivery.State.UNCERTAIN]
    )
    change = lifecycle.Change(fact=lifecycle.Fact(reason=reason, by="supporter"))
    stopped = lifecycle.move_deliveries(waiting, Delivery.State.CANCELLED, change, now=now)
    lifecycle.ask_to_stop(rows, reason=reason)
    rest = rows.exclude(state=Delivery.State.CANCELLED, ambiguous=0).count()
    if letter.stage == Letter.Stage.AWAITING:
        lifecycle.move_letter(
            letter, Letter.Stage.WITHDRAWN, now=now, sealed=b"", from_=(Letter.Stage.AWAITING,)
        )
    elif not rest and letter.stage == Letter.Stage.CONFIRMED:
        lifecycle.move_letter(letter, Letter.Stage.WITHDRAWN, now=now, from_=(Letter.Stage.CONFIRMED,))
    return len(stopped), rest


def _confirm_all(
    notice: Notice, letters: list[Letter], *, shown: Mapping[int, str] | None, now: datetime
) -> list[Letter]:
    if not notice.supporter.campaign.is_open_at(now):
        raise CampaignClosed
    confirmed: list[Letter] = []
    nobody: NobodyReachable | None = None
    for letter in letters:
        try:
            with transaction.atomic():
                # Read again under a lock: it may have been changed since the page or the mail showed it.
                letter.refresh_from_db(
                    fields=["stage", "sealed", "supporter"], from_queryset=Letter.objects.select_for_update()
                )
                if letter.supporter_id != notice.supporter_id:
                    continue
                if shown is not None and not secrets.compare_digest(shown[letter.pk].encode(), digest(letter).encode()):
                    continue
                if _confirm(letter, notice.supporter, now=now, from_=(Letter.Stage.AWAITING,)):
                    notices.mark_used(notice, now=now)
                    confirmed.append(letter)
        except IntegrityError:  # one letter per ask and person: another was first; this one keeps its text for now
            letter.refresh_from_db()
        except NobodyReachable as error:
            nobody = error
            letter.refresh_from_db()
    if nobody is not None and not confirmed:
        raise nobody
    return confirmed


def _confirm(letter: Letter, supporter: Supporter, *, now: datetime, from_: tuple[str, ...]) -> bool:
    if not lifecycle.move_letter(
        letter, Letter.Stage.CONFIRMED, now=now, from_=from_, supporter=supporter, expires_at=None
    ):
        return False
    content = read(letter)
    if not lifecycle.create_deliveries(
        letter, now=now, paced=settings.PACED, targets=choosing.chosen(content)
    ):
        raise NobodyReachable
    supporters.keep(supporter, content)
    supporter.proven_at = now
    supporter.save(update_fields=["sealed", "proven_at"])
    if content.copy_to_me == "yes":
        notices.send_copy(letter, now=now)
    transaction.on_commit(lambda: something_waits.send_robust(sender=Letter), robust=True)
    return True
