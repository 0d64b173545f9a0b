"""A week and more of three campaigns that write to the same offices, with all that goes wrong: no cap is ever exceeded.

Time is set, not slept. Two processes release; claims are lost, lines break, campaigns pause, an operator stops all
sending, caps change, letters come in. Every attempt is written down as the offices see it, and judged at the end.
"""

import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from accounts.models import User
from campaigns import publishing
from campaigns.models import Ask
from letters import breaker, lifecycle, outbox, releasing, statistics, steering, stops
from letters.endings import Accepted, Ambiguous, Deferred, Ending, NotSent
from letters.models import Delivery, Letter, Supporter
from targets.models import Address
from tests import cast
from tests.letters.deeds import Clock

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
BERLIN = ZoneInfo("Europe/Berlin")
BEGIN = datetime(2011, 10, 26, 6, 0, tzinfo=UTC)  # a Wednesday; summer time ends on Sunday
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
LEADER, MINISTER, PRESIDENT = "office@northland.example", "minister@foreign.example", "president@southland.example"
LETTERS, LETTERS_LATER = (110, 90, 70), 12  # of each campaign
STATE = Delivery.State


class Seen(NamedTuple):
    """An attempt as an office sees it."""

    at: datetime
    campaign: int


@dataclass
class World:
    """The offices, what they saw, and chance."""

    clock: Clock
    chance: random.Random
    seen: dict[str, list[Seen]] = field(default_factory=lambda: {LEADER: [], MINISTER: [], PRESIDENT: []})
    lost: int = 0
    refused_at_fence: int = 0
    interrupted_at: datetime = BEGIN
    meanwhile: Callable[[], object] | None = None  # what happens between the next claim and its fence

    def step(self, minutes: float) -> None:
        """Let time pass and two processes work: release, claim, send, record."""
        self.clock.pass_by(minutes=minutes)
        releasing.release()
        self.clock.pass_by(seconds=self.chance.uniform(0, 12))
        if self.chance.random() < 0.3:
            releasing.release()  # the other process
            outbox.reap()
            self.clock.pass_by(seconds=self.chance.uniform(0, 12))
        self.work()

    def run(self, until: datetime, *, steps: Sequence[int] = (2, 5, 10, 15, 25)) -> None:
        """Step until a time has come."""
        while self.clock.now < until:
            self.step(self.chance.choice(steps))

    def interrupt(self, deed: Callable[[], object]) -> datetime:
        """Let something happen between a claim and its fence, as soon as there is one; return when."""
        self.meanwhile = deed
        before = self.interrupted_at
        while self.interrupted_at == before:
            self.step(self.chance.choice([2, 5]))
        return self.interrupted_at

    def work(self) -> None:
        """Claim what is due and try it, some time later; lose a claim now and then."""
        claim = outbox.claim(limit=self.chance.choice([1, 5, 600]))
        if not claim.ids:
            return
        self.clock.pass_by(seconds=self.chance.uniform(0, 40))
        given_back = [pk for pk in claim.ids if self.chance.random() < 0.05]
        outbox.give_back(claim, given_back)
        if self.meanwhile is not None:
            self.interrupted_at = self.clock.now
            self.meanwhile()
            self.meanwhile = None
        tried = [pk for pk in claim.ids if pk not in given_back]
        fenced = outbox.fence(claim.token, dict.fromkeys(tried, "0" * 64))
        self.refused_at_fence += outbox.hold(claim, set(tried) - fenced, reason="stopped")
        endings = {pk: self.ending() for pk in tried if pk in fenced}
        for pk, ending in endings.items():
            if not isinstance(ending, NotSent):
                one = claim.taken[pk]
                self.seen[claim.mailboxes[one.address_id].value].append(Seen(self.clock.now, one.campaign_id))
        self.clock.pass_by(seconds=self.chance.uniform(0, 30))
        if self.chance.random() < 0.02:  # the worker dies with what it knows
            self.lost += len(endings)
        else:
            outbox.record(claim, endings)

    def ending(self) -> Ending:
        """Return how an attempt ends: mostly well."""
        broken: list[Ending] = [
            Deferred(451, "4.2.2 later"), Deferred(450, "4.2.0 grey", at_recipient=True),
            Ambiguous("the line broke after the dot"), NotSent("no line"),
        ]  # fmt: skip
        return Accepted(250, "2.0.0 ok") if self.chance.random() < 0.75 else self.chance.choice(broken)


def _write(ask: Ask, n: int, *, now: datetime) -> None:
    """Let so many supporters confirm a letter; what they wrote plays no part here."""
    people = Supporter.objects.bulk_create(
        [Supporter(campaign=ask.campaign, address_hash=random.randbytes(32), sealed=b"", language="en")  # noqa: S311
         for _ in range(n)]
    )  # fmt: skip
    template = publishing.current_template(ask)
    assert template is not None
    for person in people:
        letter = Letter.objects.create(
            campaign=ask.campaign, ask=ask, template=template, supporter=person, language="en", draw=0, sealed=b"",
        )  # fmt: skip
        assert lifecycle.move_letter(letter, Letter.Stage.CONFIRMED, now=now)
        assert lifecycle.create_deliveries(letter, now=now, paced=True) == 3


def _pace(email: str, **columns: object) -> None:
    Address.objects.filter(value=email).update(**columns)


def _most(seen: Sequence[Seen], span: timedelta, *, since: datetime | None = None) -> int:
    """Return the most attempts in any sliding span that begins at or after `since`."""
    times = sorted(one.at for one in seen if since is None or one.at >= since)
    return max((place + 1 - bisect_right(times, at - span) for place, at in enumerate(times)), default=0)


def _is_open(at: datetime) -> bool:
    local = at.astimezone(BERLIN)
    return local.weekday() < 5 and time(9) <= local.time() < time(17)


@pytest.fixture
def asks(alice: User) -> list[Ask]:
    """Return the asks of three campaigns whose lists hold the same three offices."""
    return [cast.the_ask(cast.an_open_campaign(alice, slug=slug)) for slug in ("large", "middling", "small")]


class Turns(NamedTuple):
    """When something changed in the course of the days."""

    capped_at: datetime  # the president's office
    lowered_at: datetime  # the leader's cap, to 2 …
    raised_at: datetime  # … and to 9
    silent_from: datetime
    silent_until: datetime


def _live(world: World, asks: Sequence[Ask], alice: User) -> Turns:
    """Let everything happen until nothing waits any more."""
    clock = world.clock
    large, middling, small = (ask.campaign for ask in asks)
    _pace(LEADER, cap_per_hour=4)
    _pace(MINISTER, cap_per_hour=12, cap_per_day=60, opens_at=time(9), closes_at=time(17), time_zone="Europe/Berlin")
    for ask, n in zip(asks, LETTERS, strict=True):
        _write(ask, n, now=clock.now)
    world.step(1)  # the president's office has no cap yet, and is sent some
    capped_at = clock.now
    _pace(PRESIDENT, cap_per_hour=10, cap_per_day=50)

    world.run(BEGIN + DAY)
    world.interrupt(lambda: publishing.pause(campaign=large, by=alice, now=clock.now))
    world.run(BEGIN + DAY + 5 * HOUR)
    assert steering.resume(campaign=large, by=alice, now=clock.now)
    world.run(BEGIN + 2 * DAY)
    _pace(LEADER, cap_per_hour=2)
    lowered_at = clock.now
    silent_from = world.interrupt(lambda: stops.hold_all(by="operator", now=clock.now))
    world.run(silent_from + 4 * HOUR)
    assert stops.let_all_go(by="operator", now=clock.now)
    silent_until = clock.now
    for ask in asks:
        _write(ask, LETTERS_LATER, now=clock.now)
    world.run(BEGIN + 3 * DAY)
    _pace(LEADER, cap_per_hour=9)
    raised_at = clock.now
    world.run(BEGIN + 4 * DAY)
    for campaign in (small, middling):
        world.interrupt(partial(publishing.pause, campaign=campaign, by=alice, now=clock.now))
    world.run(clock.now + 2 * HOUR)
    assert all(steering.resume(campaign=campaign, by=alice, now=clock.now) for campaign in (small, middling))
    world.run(BEGIN + WEEK)
    while Delivery.objects.filter(state__in=[STATE.QUEUED, STATE.SENDING, STATE.HELD]).exists():
        assert clock.now < BEGIN + 4 * WEEK, "something never leaves"
        world.run(clock.now + 12 * HOUR, steps=[30, 45, 60])
        outbox.reap()
    return Turns(capped_at, lowered_at, raised_at, silent_from, silent_until)


def test_no_cap_is_exceeded_in_any_sliding_hour_or_day(asks: list[Ask], alice: User, clock: Clock) -> None:
    clock.now = BEGIN
    breaker.forget()
    world = World(clock, random.Random(1))  # noqa: S311  chance that can be repeated
    turns = _live(world, asks, alice)

    leader, minister, president = (world.seen[email] for email in (LEADER, MINISTER, PRESIDENT))
    assert _most([one for one in leader if one.at < turns.lowered_at], HOUR) == 4  # kept, and used
    assert _most([one for one in leader if one.at < turns.raised_at], HOUR, since=turns.lowered_at) == 2
    assert _most(leader, HOUR, since=turns.raised_at) == 9
    assert _most(leader, HOUR) <= 9
    assert _most(minister, HOUR) == 12
    assert _most(minister, DAY) == 60
    assert _most(president, HOUR, since=turns.capped_at) == 10
    assert _most(president, DAY, since=turns.capped_at) == 50
    assert [one.at for one in minister if not _is_open(one.at)] == []
    everything = [one for seen in world.seen.values() for one in seen]
    assert [one for one in everything if turns.silent_from < one.at < turns.silent_until] == []
    assert min(world.lost, world.refused_at_fence) > 0  # both happened

    shares = Counter(one.campaign for one in leader if one.at < BEGIN + DAY)
    assert len(shares) == 3
    assert max(shares.values()) <= 0.45 * sum(shares.values()), shares
    assert min(shares.values()) >= 0.22 * sum(shares.values()), shares
    states = Counter(Delivery.objects.values_list("state", flat=True))
    assert set(states) <= {STATE.SENT, STATE.UNCERTAIN}
    assert sum(states.values()) == 3 * (sum(LETTERS) + 3 * LETTERS_LATER)
    assert all(statistics.recount(ask.campaign) == 0 for ask in asks)
