"""The ways on which a letter does not pass through us: whom it can be posted or mailed to, and whether it is whole."""

from datetime import datetime

from letters import choosing, fields, writing
from letters.models import Letter
from targets.models import Address, Target


def targets_of(letter: Letter, *, now: datetime) -> list[Target]:
    """Return whom a letter is for, also those whom no e-mail reaches; once confirmed, those it was delivered to."""
    if letter.confirmed_at is not None:
        rows = letter.deliveries.select_related("target__email", "target__post").order_by("pk")
        mailed = [delivery.target for delivery in rows]
    else:
        mailed = writing.targets_of(letter, now=now)
    known = {target.pk for target in mailed}
    by_post = choosing.by_post_alone(letter.ask, writing.read(letter), now=now)
    return [*mailed, *(target for target in by_post if target.pk not in known)]


def has_email(target: Target) -> bool:
    """Return whether a target has an e-mail address that is not known to be dead."""
    return target.email is not None and target.email.status != Address.Status.DEAD


def is_whole(letter: Letter) -> bool:
    """Return whether a letter can be printed or mailed by its writer: it needs no e-mail address for that."""
    content = writing.read(letter)
    errors: dict[str, str] = {}
    fields.subject(content.subject, errors)
    fields.text("body", content.body, errors, least=fields.BODY_LEAST, most=fields.BODY_MOST)
    fields.name(content.name, errors)
    return not errors
