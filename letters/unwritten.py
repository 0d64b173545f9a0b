"""What is left to write: the asks of a campaign for which somebody has not written yet."""

from django.db.models import Exists, OuterRef, Q

from campaigns.models import Ask
from letters.models import Letter


def next_ask(letter: Letter) -> Ask | None:
    """Return the next ask for which the writer of this letter has not written, in the organisers' order.

    Where nobody has proved yet whose letter it is, those before it count as written: what an address wrote is told to
    its owner alone.
    """
    if not letter.campaign.is_open:
        return None
    if letter.supporter_id and (letter.confirmed_at is not None or letter.proven):
        stages = [Letter.Stage.CONFIRMED, Letter.Stage.AWAITING]
        left = ~Q(Exists(Letter.objects.filter(ask=OuterRef("pk"), supporter=letter.supporter, stage__in=stages)))
    else:
        left = Q(position__gt=letter.ask.position) | Q(position=letter.ask.position, id__gt=letter.ask_id)
    asks = letter.campaign.asks.exclude(pk=letter.ask_id).filter(left, templates__isnull=False)
    return asks.distinct().order_by("position", "id").first()
