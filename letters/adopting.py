"""What a person decides about a database that came back from a backup or from elsewhere (letters.instance)."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, QuerySet

from accounts import audit
from campaigns.models import Campaign
from letters import clock, erasures, holding, instance, leaving, lifecycle, resting, standing, state_file
from letters.lifecycle import Change, Fact
from letters.models import Delivery, Instance
from letters.signals import something_waits
from letters.standing import Verdict
from letters.state_file import Memory
from targets.models import Address

State = Delivery.State
# A delivery may be taken three times at most (RELIABILITY §2); one of them by what the database has forgotten.
MOST_UNCLEAR = 2
SOME_DAY = datetime(9999, 1, 1, tzinfo=UTC)
IN_USE_FOR = timedelta(seconds=instance.ADVANCE_EVERY + 60)


class NotNow(Exception):
    """The decision does not fit how things stand; the sentence says what does."""

    code = "not_now"

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


@dataclass(frozen=True)
class Report:
    """How a database stands, as an operator reads it."""

    row: Instance
    verdict: Verdict
    held: Mapping[Campaign, int]  # set aside because they may have been sent already
    waiting: int  # the others that would leave

    @property
    def is_on_hold(self) -> bool:
        """Return whether nothing leaves, whichever host asks."""
        return self.row.on_hold_since is not None


@dataclass(frozen=True)
class Decided:
    """What a decision did: deliveries released or cancelled, and how many stay held."""

    moved: int
    kept: int
    identity: str


def report(*, now: datetime) -> Report:
    """Say how things stand. A restored backup is put on hold here too, where no worker has noticed it yet."""
    row, _, verdict = standing.inspect()
    if row.on_hold_since is None and verdict is not Verdict.OURS and not standing.may_be_taken(verdict):
        standing.put_on_hold(row, verdict, now=now)
        row = Instance.objects.get()
    if row.on_hold_since is not None and row.set_aside_at is None:
        holding.set_aside(now=now)
    counts = dict(holding.held().values_list("campaign").annotate(n=Count("pk")).order_by())
    campaigns = Campaign.objects.select_related("organisation").in_bulk(list(counts))
    return Report(
        row=Instance.objects.get(),
        verdict=verdict,
        held={campaigns[pk]: counts[pk] for pk in sorted(counts)},
        waiting=Delivery.objects.filter(state__in=[State.QUEUED, State.SENDING]).count(),
    )


def release(*, by: str, now: datetime) -> Decided:
    """Send what is held, and send from this database from now on. Raises NotNow.

    What was sent after the backup arrives once more. One that may have been taken three times stays held; one that
    nobody wants sent any more (withdrawn, suppressed, stopped) is cancelled. Time on hold does not count towards
    giving up.
    """
    row, memory = _prepare(now=now)
    doubtful = holding.held().filter(ambiguous__lte=MOST_UNCLEAR)
    # Those suppressed for a time only wait for its end, like all others.
    counts = _counts(leaving.wanted(doubtful, SOME_DAY))
    moved = 0
    for campaign in Campaign.objects.filter(pk__in=counts):
        while n := _let_go(leaving.wanted(doubtful.filter(campaign=campaign), SOME_DAY), campaign, by=by, now=now):
            moved += n
    _move(doubtful, State.CANCELLED, Change(fact=Fact("not_released", by=by)), now)
    _tell(counts, "released what a restored backup held", by)
    return _settle(row, memory, moved, now=now)


def cancel(*, by: str, now: datetime) -> Decided:
    """Stop what is held for good, and send from this database from now on. Raises NotNow."""
    row, memory = _prepare(now=now)
    counts = _counts(holding.held())
    moved = _move(holding.held(), State.CANCELLED, Change(fact=Fact("not_released", by=by)), now)
    _tell(counts, "cancelled what a restored backup held", by)
    return _settle(row, memory, moved, now=now)


def join(*, now: datetime) -> str:
    """Let this host send from a database that others rightly send from; return its id. Raises NotNow."""
    found = report(now=now)
    row = found.row
    if found.is_on_hold:
        raise NotNow("The database is on hold: decide with --release or --cancel what becomes of what is held.")
    if settings.INSTANCE_ID and row.identity != settings.INSTANCE_ID:
        raise NotNow(
            f"INSTANCE_ID says {settings.INSTANCE_ID}, the database is {row.identity}. "
            "Correct the setting, or DATABASE_URL."
        )
    if found.verdict is not Verdict.OURS:
        state_file.write(settings.DATA, row.identity, row.epoch)
    return row.identity


def _prepare(*, now: datetime) -> tuple[Instance, Memory | None]:
    """See to it that everything in doubt is held; return the row and what this host remembers. Raises NotNow."""
    erasures.replay(now=now)  # nothing leaves that somebody had erased after the backup was made
    found = report(now=now)
    row, memory, _ = standing.inspect()
    if found.is_on_hold:
        holding.set_aside_again(now=now)  # also what organisers let go meanwhile
    elif found.verdict is Verdict.OURS:
        if not found.held:
            raise NotNow("Nothing is on hold: this database is the one that this host sends from.")
    elif standing.may_be_taken(found.verdict):
        raise NotNow("Nothing waits in this database: a worker that starts on this host takes it as it is.")
    else:
        age = clock.database_now() - row.advanced_at if row.advanced_at else None
        if age is not None and age < IN_USE_FOR:
            raise NotNow(
                f"A worker used this database {max(int(age.total_seconds()), 0)} seconds ago. If others send from it "
                "and this host joins them, say --join. If it was restored or copied, stop all workers and try again in "
                f"{int((IN_USE_FOR - age).total_seconds()) // 60 + 1} minutes."
            )
        holding.begin(row, because=Instance.Because.COPIED, now=now)
        holding.set_aside(now=now)
        if not Instance.objects.filter(on_hold_since__isnull=False).exists():
            raise NotNow("A worker began to use this database a moment ago. Look again: manage.py adopt")
    return Instance.objects.get(), memory


def _settle(row: Instance, memory: Memory | None, moved: int, *, now: datetime) -> Decided:
    """Make the database this installation's own, with a memory of it on this host."""
    own = memory if memory is not None and not memory.is_copy else None
    if row.on_hold_since is not None:
        identity = own.identity if own else secrets.token_hex(16)
        if row.on_hold_because == Instance.Because.RESTORED:
            identity = row.identity
        # A worker that looked between the two would find a database that this host does not know, and hold it anew.
        with state_file.alone(settings.DATA, seconds=instance.PATIENCE_AT_START):
            row = instance.accept(identity=settings.INSTANCE_ID or identity, above=own.epoch if own else 0, now=now)
            state_file.write(settings.DATA, row.identity, row.epoch)
    something_waits.send_robust(sender=Instance)
    return Decided(moved, holding.held().count(), row.identity)


def _let_go(rows: "QuerySet[Delivery]", campaign: Campaign, *, by: str, now: datetime) -> int:
    """Let a portion of a campaign's held deliveries go; return how many. A mailbox's pace gives them their time."""
    paced = Address.objects.exclude(leaving.UNPACED) if settings.PACED else Address.objects.none()
    moved = 0
    with transaction.atomic():
        ids = list(rows.order_by("pk").values_list("pk", flat=True)[: holding.CHUNK])
        resting.add_hold(ids, campaign=campaign, now=now)
        mine = holding.held().filter(pk__in=ids)
        for some, due_at in (
            (mine.filter(address__in=paced.values("pk")), None),
            (mine.exclude(address__in=paced.values("pk")), now),
        ):
            change = Change(fact=Fact("let_go", by=by), columns={"due_at": due_at, "released_for": 0})
            moved += len(lifecycle.move_deliveries(some, State.QUEUED, change, now=now))
    return moved


def _move(rows: "QuerySet[Delivery]", to: State, change: Change, now: datetime) -> int:
    moved = 0
    while ids := lifecycle.move_deliveries(rows.order_by("pk")[: holding.CHUNK], to, change, now=now):
        moved += len(ids)
    return moved


def _counts(rows: "QuerySet[Delivery]") -> dict[int, int]:
    return dict(rows.values_list("campaign").annotate(n=Count("pk")).order_by())


def _tell(counts: Mapping[int, int], deed: str, by: str) -> None:
    for campaign in Campaign.objects.select_related("organisation").filter(pk__in=counts):
        audit.record(
            organisation=campaign.organisation, by=None, deed=deed, subject=campaign.slug,
            deliveries=counts[campaign.pk], operator=by,
        )  # fmt: skip
