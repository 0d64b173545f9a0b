"""Piles of paper: all letters of an ask to one target as a PDF, for organisers to hand over in person."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from accounts import audit
from accounts.models import User
from campaigns.models import Ask
from letters import choosing, drafts, paper
from letters.envelopes import Layout
from letters.models import Delivery, Letter
from targets.models import Target

State = Delivery.State
_CAME_BACK = Q(state=State.FAILED) | Q(state=State.SENT, feedback=Delivery.Feedback.BOUNCED)


@dataclass(frozen=True)
class Pile:
    """The letters of one ask to one target whose text is still kept."""

    ask: Ask
    letters: int
    came_back: int  # of these

    @property
    def parts(self) -> int:
        """Return into how many PDFs they go."""
        return -(-self.letters // paper.MOST_SHEETS)


def piles(target: Target) -> list[Pile]:
    """Return the piles that can be printed for a target, by ask; asks without letters are left out."""
    counted = _deliveries(target).values("ask").annotate(n=Count("pk"), back=Count("pk", filter=_CAME_BACK))
    found = {row["ask"]: (row["n"], row["back"]) for row in counted}
    found |= {row["ask"]: (row["n"], 0) for row in _by_post_alone(target).values("ask").annotate(n=Count("pk"))}
    asks = Ask.objects.filter(pk__in=found).select_related("campaign").prefetch_related("texts", "campaign__texts")
    return [Pile(ask, *found[ask.pk]) for ask in asks.order_by("campaign", "position", "id")]


def print_pile(
    *, target: Target, ask: Ask, by: User, layout: Layout, only_returned: bool = False, part: int = 1
) -> bytes | None:
    """Return a pile as a PDF of at most a thousand letters, the oldest in part 1; None where there are none.

    Who printed how many letters to whom is written down before anybody has them. Raises press.NotPrinted.
    """
    letters = _letters(target, ask, only_returned=only_returned, part=part)
    if not letters:
        return None
    made = paper.bundle(target, letters, layout=layout)
    audit.record(
        organisation=target.organisation, by=by, deed="printed letters", letters=len(letters), part=part,
        subject=f"{ask.campaign.slug}/{ask.slug} to {target.name}", only_returned=only_returned,
    )  # fmt: skip
    return made


def _letters(
    target: Target, ask: Ask, *, only_returned: bool, part: int
) -> list[tuple[Letter, Mapping[str, str]]]:
    cut = slice((part - 1) * paper.MOST_SHEETS, part * paper.MOST_SHEETS)
    rows = _deliveries(target).filter(ask=ask).select_related("letter__template", "letter__campaign", "version")
    if only_returned:
        rows = rows.filter(_CAME_BACK)
    mailed = [(delivery.letter, delivery.version.values) for delivery in rows.order_by("letter")[cut]]
    if mailed or only_returned or target.version is None:
        return mailed
    posted = _by_post_alone(target).filter(ask=ask).select_related("template", "campaign")
    return [(letter, target.version.values) for letter in posted.order_by("pk")[cut]]


def _deliveries(target: Target) -> QuerySet[Delivery]:
    rows = Delivery.objects.filter(target=target, letter__stage=Letter.Stage.CONFIRMED)
    return rows.exclude(state=State.CANCELLED).exclude(letter__sealed=b"")


def _by_post_alone(target: Target) -> QuerySet[Letter]:
    """Return the confirmed letters for a target that no e-mail address is known of: they have no delivery to it.

    Where writers choose, only their sealed letter knows whom they chose.
    """
    if target.email_id is not None:
        return Letter.objects.none()
    listed = target.entries.filter(retired_at=None).values("target_list")
    letters = Letter.objects.filter(stage=Letter.Stage.CONFIRMED, ask__target_list__in=listed).exclude(sealed=b"")
    for_others = [
        letter.pk
        for letter in letters.exclude(ask__mode=Ask.Mode.FIXED).select_related("campaign")
        if target.pk not in (choosing.chosen(drafts.read(letter)) or {target.pk})
    ]
    return letters.exclude(pk__in=for_others)
