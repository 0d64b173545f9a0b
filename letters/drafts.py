"""A letter while it is written: what it holds, sealed at rest, and whether it may still be changed."""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from letters import lifecycle, privacy
from letters.composing import Content
from letters.models import Letter
from letters.refusals import LetterRefused

LIVE_FOR = timedelta(hours=24)  # after the last change
KEPT_FOR = timedelta(days=7)  # after its writer asked for a link to it


def read(letter: Letter) -> Content:
    """Return what a letter holds; empty once it is forgotten."""
    if not letter.sealed:
        return Content()
    values = privacy.unseal(letter.campaign, table="letter", row=bytes(letter.key), sealed=bytes(letter.sealed))
    return Content(**values)


def ends_at(letter: Letter, *, now: datetime) -> datetime:
    """Return when the time of a draft that is changed now runs out."""
    return max(now + LIVE_FOR, letter.kept_until or now)


def reopen(letter: Letter, *, now: datetime) -> None:
    """Let a letter be changed, also one that waits for its confirmation; raises LetterRefused where it was sent."""
    if letter.stage == Letter.Stage.AWAITING:
        # It is nobody's again until it is sent: what one address was asked to confirm must not become another text.
        lifecycle.move_letter(letter, Letter.Stage.DRAFT, now=now, supporter=None, proven=False)
    if letter.stage != Letter.Stage.DRAFT:
        raise LetterRefused({"letter": _("This letter was already sent or its time has run out.")})


def with_sentence(body: str, *, old: str, new: str) -> str:
    """Return a text whose first paragraph is its writer's own sentence, in place of the one that stood there."""
    if old and body.startswith(old):
        body = body[len(old) :].lstrip("\n")
    if not new or new in body:
        return body
    return f"{new}\n\n{body}" if body else new


def keep(letter: Letter, content: Content) -> None:
    """Seal what a letter holds; it is saved by the caller."""
    letter.sealed = privacy.seal(
        letter.campaign, table="letter", row=bytes(letter.key), values=content.values()
    )
