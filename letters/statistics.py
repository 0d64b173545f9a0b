"""Counts for organisers, read from the tallies that `lifecycle` keeps: as cheap at ten million as at ten."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, IntegerField, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Sign

from campaigns.models import Campaign
from letters import tallies
from letters.models import Delivery, DeliveryTally, HourTally, Letter
from letters.page_words import Word, word_of

OWN_WORDS = (
    (HourTally.Measure.OWN_0, "none"),
    (HourTally.Measure.OWN_1, "1 to 9"),
    (HourTally.Measure.OWN_10, "10 to 29"),
    (HourTally.Measure.OWN_30, "30 or more"),
)


@dataclass
class Ledger:
    """All deliveries of something, by page word. `counts` has every word, also those with nought."""

    counts: dict[Word, int] = field(default_factory=lambda: dict.fromkeys(Word, 0))
    created: int = 0  # counted from the rows' side: one per delivery ever made

    @property
    def total(self) -> int:
        """Return the sum over the words."""
        return sum(self.counts.values())

    @property
    def adds_up(self) -> bool:
        """Return whether every delivery has a word, and no word a delivery that does not exist."""
        return self.total == self.created and min(self.counts.values()) >= 0

    @property
    def settled(self) -> int:
        """Return how many need nothing more from us."""
        return sum(self.counts[word] for word in (Word.ACCEPTED, Word.RETURNED, Word.UNCLEAR, Word.STOPPED))


@dataclass(frozen=True)
class Hour:
    """One hour of a campaign: letters by own words, deliveries by outcome."""

    at: datetime
    letters: int
    with_own_words: int
    accepted: int
    returned: int
    unclear: int
    own_words: Mapping[str, int]


def ledger(campaign: Campaign) -> Ledger:
    """Return the campaign's ledger, checked against the number of deliveries that its letters created."""
    return _one(DeliveryTally.objects.filter(campaign=campaign), Delivery.objects.filter(letter__campaign=campaign))


def ledger_by_ask(campaign: Campaign) -> dict[int, Ledger]:
    """Return a ledger per ask id."""
    return _many(DeliveryTally.objects.filter(campaign=campaign), "ask_id")


def ledger_by_target(campaign: Campaign) -> dict[int, Ledger]:
    """Return a ledger per target id."""
    return _many(DeliveryTally.objects.filter(campaign=campaign), "target_id")


def letters_sent(campaign: Campaign) -> int:
    """Return how many deliveries stand at Accepted, without those that came back later: the number everybody sees."""
    rows = DeliveryTally.objects.filter(campaign=campaign, state=Delivery.State.SENT)
    rows = rows.exclude(feedback=Delivery.Feedback.BOUNCED)
    return rows.aggregate(n=Sum("count"))["n"] or 0


def not_left(campaign: Campaign) -> int:
    """Return how many confirmed deliveries have not left, and still may."""
    counts = [ledger.counts for ledger in ledger_by_ask(campaign).values()]
    return sum(each[word] for each in counts for word in (Word.WAITING, Word.RETRYING, Word.HANDING_OVER))


def people_who_wrote(campaign: Campaign) -> int:
    """Return how many supporters have a confirmed letter."""
    rows = Letter.objects.filter(campaign=campaign, confirmed_at__isnull=False)
    return rows.values("supporter").distinct().count()


def letters_by_stage(campaign: Campaign) -> dict[str, int]:
    """Return how many letters stand at each stage."""
    rows = Letter.objects.filter(campaign=campaign).values_list("stage").annotate(n=Count("pk"))
    return {**dict.fromkeys(Letter.Stage.values, 0), **dict(rows)}


def hours(campaign: Campaign) -> list[Hour]:
    """Return every hour in which something happened, oldest first."""
    cells: dict[datetime, Counter[str]] = {}
    rows = HourTally.objects.filter(campaign=campaign).values_list("hour", "measure").annotate(n=Sum("count"))
    for hour, measure, n in rows:
        cells.setdefault(hour, Counter())[measure] += n
    return [_hour(at, cells[at]) for at in sorted(cells)]


def days(campaign: Campaign) -> list[Hour]:
    """Return every day from the first to the last with something in it, empty days included."""
    by_day: dict[datetime, Counter[str]] = {}
    rows = HourTally.objects.filter(campaign=campaign).values_list("hour", "measure").annotate(n=Sum("count"))
    for hour, measure, n in rows:
        by_day.setdefault(hour.replace(hour=0), Counter())[measure] += n
    if not by_day:
        return []
    first, last = min(by_day), max(by_day)
    span = (last - first).days + 1
    return [_hour(day, by_day.get(day, Counter())) for day in (first + timedelta(days=n) for n in range(span))]


def recount(campaign: Campaign, *, repair: bool = False) -> int:
    """Compare the tallies with the rows and return how many cells differ; with `repair` write them anew."""
    with transaction.atomic():
        rows = (
            Delivery.objects.filter(campaign=campaign)
            .values_list("campaign_id", "ask_id", "target_id", "state", _TRIED, "feedback")
            .annotate(n=Count("pk"))
        )
        real = Counter({(c, a, t, s, bool(tried), f): n for c, a, t, s, tried, f, n in rows})
        kept: Counter[tuple[int, int, int, str, bool, int]] = Counter()
        cells = ("campaign_id", "ask_id", "target_id", "state", "tried", "feedback")
        for *cell, n in (
            DeliveryTally.objects.filter(campaign=campaign).values_list(*cells).annotate(n=Sum("count"))
        ):
            kept[tuple(cell)] += n
        differing = {cell: real[cell] - kept[cell] for cell in real.keys() | kept.keys() if real[cell] != kept[cell]}
        if repair and differing:
            tallies.count(differing)
    return len(differing)


_TRIED = Sign(F("attempts"), output_field=IntegerField())


def _one(tallies: QuerySet[DeliveryTally], rows: QuerySet[Delivery]) -> Ledger:
    """Sum tallies and count rows in one statement: both sides are seen at the same moment, however busy it is."""
    counted = Subquery(rows.order_by().annotate(all=Value(1)).values("all").annotate(n=Count("pk")).values("n"))
    result = Ledger()
    cells = tallies.annotate(created=counted).values_list("state", "tried", "feedback", "created")
    for state, tried, feedback, created, n in cells.annotate(n=Sum("count")):
        result.counts[word_of(state, tried=tried, feedback=feedback)] += n
        result.created = created or 0
    if not result.total:  # without a tally there was no row to carry the other count
        result.created = rows.count()
    return result


def _many(tallies: QuerySet[DeliveryTally], by: str) -> dict[int, Ledger]:
    result: dict[int, Ledger] = {}
    cells = tallies.values_list(by, "state", "tried", "feedback").annotate(n=Sum("count"))
    for key, state, tried, feedback, n in cells:
        found = result.setdefault(key, Ledger())
        found.counts[word_of(state, tried=tried, feedback=feedback)] += n
    for found in result.values():
        found.created = found.total
    return result


def _hour(at: datetime, cells: Mapping[str, int]) -> Hour:
    own = {str(measure): cells.get(measure, 0) for measure, _ in OWN_WORDS}
    letters = sum(own.values())
    return Hour(
        at=at,
        letters=letters,
        with_own_words=letters - own[HourTally.Measure.OWN_0],
        accepted=cells.get(HourTally.Measure.SENT, 0),
        returned=cells.get(HourTally.Measure.FAILED, 0),
        unclear=cells.get(HourTally.Measure.UNCERTAIN, 0),
        own_words=own,
    )
