"""What supporters say came back for their letters: counted apart from the replies that we saw ourselves."""

from datetime import datetime

from django.db.models import Count

from campaigns.models import Campaign
from letters.feedback import ToldReply
from letters.models import Delivery, Letter

Kind = ToldReply.Kind
_MAY_BE_ANSWERED = (Delivery.State.SENT, Delivery.State.UNCERTAIN)


def tell(letter: Letter, *, target: str, kind: str, now: datetime) -> bool:
    """Keep what the supporter says of one target's answer, in place of what they said before.

    `target` is its public id. False where the letter has not reached it, or the kind is unknown.
    """
    rows = Delivery.objects.filter(letter=letter, target__public_id=target, state__in=_MAY_BE_ANSWERED)
    delivery = rows.first()
    if delivery is None or kind not in Kind.values:
        return False
    ToldReply.objects.update_or_create(
        delivery=delivery, defaults={"kind": kind, "told_at": now, "campaign_id": letter.campaign_id}
    )
    return True


def of_letter(letter: Letter) -> dict[int, ToldReply]:
    """Return what was told of a letter's deliveries, by delivery id."""
    return {told.delivery_id: told for told in ToldReply.objects.filter(delivery__letter=letter)}


def counts(campaign: Campaign) -> dict[str, int]:
    """Return how often each kind was told in a campaign, every kind included."""
    rows = ToldReply.objects.filter(campaign=campaign).values_list("kind").annotate(n=Count("pk"))
    return {**dict.fromkeys(Kind.values, 0), **dict(rows)}
