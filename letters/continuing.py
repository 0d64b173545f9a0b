"""Going on with a draft later: a week's time, and a mail with its link."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from letters import drafts, fields, lifecycle, notices, supporters
from letters.models import Letter, Notice, Supporter
from letters.refusals import LetterRefused
from targets import suppressions


def keep_for_later(letter: Letter, *, language: str, now: datetime) -> None:
    """Keep a draft for a week from now and queue the mail with its link to the address that it names.

    A cap or a suppression may forbid the mail; the draft is kept all the same, so that nobody learns of either. Raises
    LetterRefused where the address cannot be written to, or the letter is no draft any more.
    """
    content = drafts.read(letter)
    errors: dict[str, str] = {}
    fields.email(content.email, errors, letter)
    if errors:
        raise LetterRefused(errors)
    until = now + drafts.KEPT_FOR
    with transaction.atomic():
        mine = Letter.objects.filter(pk=letter.pk, stage=Letter.Stage.DRAFT)
        if not mine.update(kept_until=until, expires_at=until):
            raise LetterRefused({"letter": _("This letter was already sent or its time has run out.")})
        letter.kept_until = letter.expires_at = until
        owner = supporters.waiting_for_proof(letter.campaign, content.email, language=language)
        notices.send_draft(letter, owner, language=language, now=now)


def may_be_opened_by(draft: Letter, owner: Supporter) -> bool:
    """Return whether a letter is still a draft that names the address of the one whom its link was mailed to."""
    if draft.stage != Letter.Stage.DRAFT:
        return False
    return suppressions.address_hash(drafts.read(draft).email) == bytes(owner.address_hash)


def forget(owner: Supporter, *, now: datetime) -> int:
    """Delete the text of drafts whose links somebody was mailed, and that still name them; return how many."""
    mailed = Notice.objects.filter(supporter=owner, kind=Notice.Kind.LATER).values("letter")
    found = Letter.objects.select_related("campaign").filter(pk__in=mailed, stage=Letter.Stage.DRAFT)
    theirs = [draft for draft in found if may_be_opened_by(draft, owner)]
    return sum(lifecycle.move_letter(draft, Letter.Stage.EXPIRED, now=now, sealed=b"") for draft in theirs)
