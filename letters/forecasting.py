"""About when a letter leaves for the offices that have a pace: computed for its writer, promised to nobody."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Q, Sum
from django.db.models.functions import TruncHour

from letters import domains, mailboxes, pacing, releasing, standing
from letters.mailboxes import Place
from letters.models import AttemptAt, Delivery, DeliveryTally, Letter
from letters.pacing import DAY, HOUR
from targets.models import Address

State = Delivery.State


@dataclass(frozen=True)
class Forecast:
    """About when a delivery leaves; `or_later` where so many wait before it that nobody counts them all."""

    at: datetime
    or_later: bool = False


def rests(letter: Letter) -> bool:
    """Return whether nothing of this letter leaves for now: its campaign is paused, or all sending is stopped."""
    return letter.campaign.paused_at is not None or standing.lets_nothing_leave()


def of(deliveries: Collection[Delivery], *, now: datetime) -> dict[int, Forecast]:
    """Return about when each of a letter's deliveries leaves that waits for the pace of its mailbox.

    Four queries, however many there are; none where nothing waits so. The deliveries come with their addresses. Left
    out is what nobody can tell: retries, dead addresses, domains that rest, more than a year.
    """
    waiting = [each for each in deliveries if _waits_for_its_turn(each)]
    resting = domains.resting(now=now).probes if waiting else {}
    waiting = [each for each in waiting if each.address.domain not in resting]
    if not waiting:
        return {}
    addresses = {each.address_id: each.address for each in waiting}
    queued = _queued(addresses)
    given = _given(addresses.values(), now=now)
    places = mailboxes.places((each.pk, each.address_id, each.campaign_id) for each in waiting)
    found = {}
    for each in waiting:
        if each.campaign_id not in queued[each.address_id]:  # it is being stopped
            continue
        ahead, or_later = _ahead(places[each.pk], queued[each.address_id], own=each.campaign_id)
        pace = releasing.pace_of(each.address)
        at = pacing.leaves_at(pace, ahead=ahead, given=given.get(each.address_id, ()), now=now)
        if at is not None and not (or_later and at < now + DAY):
            found[each.pk] = Forecast(at, or_later)
    return found


def _waits_for_its_turn(delivery: Delivery) -> bool:
    waits = delivery.state == State.QUEUED and delivery.due_at is None and not delivery.attempts
    return waits and delivery.address.status != Address.Status.DEAD and not releasing.pace_of(delivery.address).is_shut


def _ahead(place: Place, queued: Mapping[int, "_Queued"], *, own: int) -> tuple[int, bool]:
    """Return how many letters leave a mailbox's queue before this one, and whether there are more than were counted.

    Campaigns take turns (`pacing.shared`): of each other one as many go before it as of its own, and one more.
    """
    mine = queued[own]
    before = mine.tried + (max(mine.untried - 1 - place.behind, 0) if place.ahead is None else place.ahead)
    others = sum(min(queue.untried + queue.tried, before + 1) for campaign, queue in queued.items() if campaign != own)
    return before + others, place.ahead == mailboxes.MOST_AHEAD


@dataclass
class _Queued:
    """How many deliveries of one campaign are queued for a mailbox: first tries, and tried before."""

    untried: int = 0
    tried: int = 0


def _queued(addresses: Collection[int]) -> dict[int, dict[int, _Queued]]:
    """Return what is queued for these mailboxes, by address and campaign: of campaigns that run, from the tallies."""
    tallies = DeliveryTally.objects.filter(
        state=State.QUEUED, target__email__in=addresses, campaign__paused_at=None, campaign__is_stopping=False
    )
    rows = tallies.values_list("target__email", "campaign", "tried").annotate(n=Sum("count"))
    found: dict[int, dict[int, _Queued]] = {address: {} for address in addresses}
    for address, campaign, is_tried, n in rows:
        queue = found[address or 0].setdefault(campaign, _Queued())
        if is_tried:
            queue.tried += n
        else:
            queue.untried += n
    return found


def _given(addresses: Collection[Address], *, now: datetime) -> dict[int, list[tuple[datetime, int]]]:
    """Return what these mailboxes were given within their caps' hour and day, by the hour."""
    by_day = [address.pk for address in addresses if address.cap_per_day is not None]
    within = Q(at__gt=now - HOUR, address__in=[address.pk for address in addresses])
    if by_day:
        within |= Q(at__gt=now - DAY, address__in=by_day)
    found: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
    rows = AttemptAt.objects.filter(within).values_list("address", TruncHour("at"))
    for address, _hour, last, n in rows.annotate(last=Max("at"), n=Count("pk")).order_by():
        found[address].append((last, n))
    return found
