"""What providers and mailboxes tell us later of deliveries: deferred, delivered, bounced, complained.

Events come repeated, shuffled and late. A delivery's feedback becomes the maximum of what was told, a bounce and a
complaint leave one report each, and only a new report has consequences: so order and repetition do not matter.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q, QuerySet

from letters import aftermath, arrivals, lifecycle, locks, tallies, tokens
from letters.arrivals import What
from letters.feedback import Report
from letters.given import Statement
from letters.lifecycle import Change, Fact
from letters.models import Delivery, ProviderName

log = logging.getLogger(__name__)
State = Delivery.State
Feedback = Delivery.Feedback
MOST_AT_ONCE = 1000
PROVED = "reported"  # the reason in the history: a report proves that a copy was taken
_TRIES_AFTER = (0.05, 0.2, 0.6)  # seconds: others hold one of the rows


class Busy(Exception):
    """Somebody else holds the deliveries for longer than we wait; nothing was changed."""

    code = "busy"
    sentence = "These deliveries are in use at the moment. Tell us again."


@dataclass(frozen=True, slots=True)
class Event:
    """One thing told of one delivery, named by its reference or, where that is missing, by the provider's own name.

    `status` is an RFC 3463 code or "". `is_bad_address`: the mailbox does not exist. `is_unwanted`: the office asked
    the provider for no more letters. `kind` may be NONE, where only that was told.
    """

    kind: Feedback
    reference: str = ""
    provider_name: str = ""
    at: datetime | None = None  # where it was told
    status: str = ""
    words: str = ""
    is_bad_address: bool = False
    is_unwanted: bool = False


class Known(NamedTuple):
    """A delivery that something is told of, as it stands, its row locked."""

    pk: int
    state: str
    feedback: int
    attempts: int
    ambiguous: int
    dot_at: datetime | None
    reason: str
    campaign_id: int
    ask_id: int
    target_id: int
    address_id: int


def record(events: Sequence[Event], *, source: str, now: datetime) -> Counter[What]:
    """Write down what was told, at most 1,000 events; return how many told something new, and what the others were.

    A delivery that is queued or unclear, and of which a copy may have been taken, becomes sent where the event proves
    it: delivered, bounced, complained. Raises Busy where it must be told again, ValueError for too many events.
    """
    if len(events) > MOST_AT_ONCE:
        raise ValueError(f"At most {MOST_AT_ONCE} events at once.")
    ids = identify(events)
    told: dict[int, list[Event]] = defaultdict(list)
    for event, pk in zip(events, ids, strict=True):
        if pk is not None:
            told[pk].append(event)
    outcome, after = _patiently(told, source=source, now=now)
    outcome[What.UNKNOWN] += sum(pk is None for pk in ids)
    for what, n in outcome.items():
        arrivals.count(source, what, n)
    if outcome[What.NEVER_SENT]:
        log.error(
            "%s told of %d deliveries of which no copy can have left: nothing was changed. Is its key in other hands, "
            "or does another installation send from this database?", source, outcome[What.NEVER_SENT],
        )  # fmt: skip
    aftermath.weigh(after, now=now)
    return +outcome


def identify(events: Iterable[Event]) -> list[int | None]:
    """Return the delivery that each event names, None where it names none: by its reference, else the provider's name.

    A reference is believed for its MAC. Whether the delivery (still) exists is not asked here.
    """
    listed = list(events)
    ids = [tokens.read_reference(event.reference) if event.reference else None for event in listed]
    names = {event.provider_name for event, pk in zip(listed, ids, strict=True) if pk is None and event.provider_name}
    if not names:
        return ids
    owners: dict[str, set[int]] = defaultdict(set)
    for name, pk in ProviderName.objects.filter(name__in=names).values_list("name", "delivery"):
        owners[name].add(pk)
    found = {name: next(iter(owned)) for name, owned in owners.items() if len(owned) == 1}
    return [found.get(event.provider_name) if pk is None else pk for event, pk in zip(listed, ids, strict=True)]


def settle(*, now: datetime, limit: int = 1000) -> int:
    """Move what was reported while its attempt went on, and has ended unclear, to sent; return how many."""
    proved = Delivery.objects.filter(
        state__in=[State.QUEUED, State.UNCERTAIN, State.HELD], feedback__gte=Feedback.DELIVERED
    )
    return len(_prove(proved.order_by("pk")[:limit], {}, now=now, skip_locked=True))


def _patiently(
    told: Mapping[int, Sequence[Event]], *, source: str, now: datetime
) -> tuple[Counter[What], aftermath.News]:
    try:
        return locks.giving_way(lambda: _record(told, source=source, now=now), tries_after=_TRIES_AFTER)
    except locks.Taken as error:
        raise Busy(Busy.sentence) from error


@transaction.atomic
def _record(
    told: Mapping[int, Sequence[Event]], *, source: str, now: datetime
) -> tuple[Counter[What], aftermath.News]:
    rows = _locked(told)
    outcome: Counter[What] = Counter({What.UNKNOWN: sum(len(told[pk]) for pk in told.keys() - rows.keys())})
    heard: dict[int, Sequence[Event]] = {}
    for pk, row in rows.items():
        if _may_have_left(row):
            heard[pk] = told[pk]
        else:
            # The provider refused it to our face and says so once more.
            is_old_news = row.state == State.FAILED
            outcome[What.REPEATED if is_old_news else What.NEVER_SENT] += len(told[pk])
    raised = _raise({pk: max(event.kind for event in events) for pk, events in heard.items()}, rows)
    reports = _report(heard, source=source, now=now)
    _prove(
        Delivery.objects.filter(pk__in=[pk for pk, kind in raised.items() if kind >= Feedback.DELIVERED]).filter(_OPEN),
        {pk: _words_of(heard[pk]) for pk in raised}, now=now,
    )  # fmt: skip
    news = aftermath.News(
        delivered=frozenset(rows[pk].address_id for pk, kind in raised.items() if kind == Feedback.DELIVERED),
        bad=tuple(
            aftermath.Bad(rows[pk].address_id, rows[pk].campaign_id)
            for (pk, _), event in reports.items() if event.is_bad_address
        ),
        unwanted=tuple(_unwanted(rows, heard, reports)),
        campaigns=frozenset(rows[pk].campaign_id for pk, _ in reports),
    )
    aftermath.draw(news, source=source, now=now)
    new = raised.keys() | {pk for pk, _ in reports}
    outcome[What.TAKEN] += len(new)
    outcome[What.REPEATED] += sum(len(events) for events in heard.values()) - len(new)
    return outcome, news


def _locked(told: Mapping[int, Sequence[Event]]) -> dict[int, Known]:
    """Lock the deliveries, always in the order of their ids, so that two of us never wait for each other in a ring."""
    rows = Delivery.objects.filter(pk__in=list(told)).order_by("pk").select_for_update()
    return {row[0]: Known(*row) for row in rows.values_list(*Known._fields)}


def _may_have_left(row: Known) -> bool:
    """Return whether a copy may have been taken: an event about any other delivery cannot be true."""
    return (
        row.state == State.SENT
        or row.ambiguous > 0
        or row.feedback > Feedback.NONE
        or (row.state == State.SENDING and row.dot_at is not None)  # it may overtake what the server answers us
        or (row.state == State.HELD and row.reason == "restored")  # sent after the backup was made
    )


def _raise(kinds: Mapping[int, int], rows: Mapping[int, Known]) -> dict[int, int]:
    """Set feedback to the maximum of old and new, and the tallies with it; return what rose, and to what."""
    raised = {pk: int(kind) for pk, kind in kinds.items() if kind > rows[pk].feedback}
    if not raised:
        return {}
    _RAISE(sorted(raised.items()))
    cells: Counter[tallies.Cell] = Counter()
    for pk, kind in raised.items():
        row = rows[pk]
        place = (row.campaign_id, row.ask_id, row.target_id, row.state, row.attempts > 0)
        cells[*place, row.feedback] -= 1
        cells[*place, kind] += 1
    tallies.count(cells)
    return raised


def _report(
    heard: Mapping[int, Sequence[Event]], *, source: str, now: datetime
) -> dict[tuple[int, int], Event]:
    """Keep the first bounce and the first complaint of each delivery; return those that are new."""
    first: dict[tuple[int, int], Event] = {}
    for pk, events in heard.items():
        for event in events:
            if event.kind in Report.Kind.values:
                first.setdefault((pk, int(event.kind)), event)
    if not first:
        return {}
    known = set(Report.objects.filter(delivery__in={pk for pk, _ in first}).values_list("delivery", "kind"))
    new = {key: event for key, event in first.items() if key not in known}
    Report.objects.bulk_create(
        [
            Report(
                delivery_id=pk, kind=kind, at=min(event.at or now, now), status=event.status[:12],
                words=_one_line(event.words), source=source[:20],
            )
            for (pk, kind), event in sorted(new.items(), key=lambda item: item[0])
        ]
    )  # fmt: skip
    return new


def _unwanted(
    rows: Mapping[int, Known], heard: Mapping[int, Sequence[Event]], reports: Mapping[tuple[int, int], Event]
) -> Iterable[aftermath.Unwanted]:
    """Return the addresses that want no more letters, each once."""
    complained = {pk for pk, kind in reports if kind == Report.Kind.COMPLAINED}
    asked = {pk for pk, events in heard.items() if any(event.is_unwanted for event in events)}
    for pk in sorted(complained | asked):
        row = rows[pk]
        reason = "complained" if pk in complained else "unsubscribed"
        yield aftermath.Unwanted(row.address_id, row.campaign_id, row.target_id, pk, reason)


def _prove(
    rows: QuerySet[Delivery], words: Mapping[int, str], *, now: datetime, skip_locked: bool = False
) -> list[int]:
    """Move deliveries of which a copy was taken for certain to sent; return their ids."""
    if not words:
        change = Change(fact=Fact(reason=PROVED))
        return lifecycle.move_deliveries(rows, State.SENT, change, now=now, skip_locked=skip_locked)
    changes = {pk: Change(fact=Fact(reason=PROVED, words=said)) for pk, said in words.items()}
    return lifecycle.move_deliveries(rows, State.SENT, changes, now=now, skip_locked=skip_locked)


def _words_of(events: Sequence[Event]) -> str:
    return _one_line(max(events, key=lambda event: event.kind).words)


def _one_line(words: str) -> str:
    """Return words that a stranger chose as one line that any database takes."""
    return " ".join("".join(char if char.isprintable() else " " for char in words[:1000]).split())[:300]


_OPEN = Q(state__in=[State.QUEUED, State.UNCERTAIN, State.HELD])
_RAISE = Statement(
    """
    UPDATE letters_delivery SET feedback = g_feedback FROM {given}
    WHERE letters_delivery.id = g_id AND letters_delivery.feedback < g_feedback
    """,
    g_id="bigint", g_feedback="int",
)  # fmt: skip
