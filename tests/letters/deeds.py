"""What the people of the cast do, in one line each: write, confirm, and let a worker try."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import F

from campaigns.models import Ask
from letters import composing, outbox, releasing, tallies, writing
from letters.endings import Accepted, Ambiguous, Deferred, Ending, NotSent, Refused
from letters.models import Delivery, Letter, Notice
from letters.typesetting import Typesetter
from targets import suppressions
from targets.models import Address
from tests import cast

TAKEN = Accepted(250, "2.0.0 taken")
BROKEN = Ambiguous("the line broke after the dot")
LATER = Deferred(451, "4.7.1 later")
NO = Refused(550, "5.7.1 no")
UNSENT = NotSent("no connection")
ENDINGS = [TAKEN, BROKEN, LATER, NO, UNSENT]


class Clock:
    """The database's clock, set by hand."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self, **_: bool) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> datetime:
        """Let time pass; return the new present."""
        self.now += timedelta(**time)
        return self.now


def a_draft(ask: Ask, *, now: datetime = cast.NOW, email: str = cast.DANA["email"], **more: str) -> Letter:
    """Return a complete draft that Dana, or whoever has this address, wrote."""
    letter = writing.begin(ask=ask, language="en", now=now, sentence=more.pop("sentence", cast.DANA["sentence"]))
    writing.revise(
        letter, posted={"name": cast.DANA["name"], "town": cast.DANA["town"], "email": email, **more}, now=now
    )
    return letter


def an_awaiting_letter(ask: Ask, *, now: datetime = cast.NOW, email: str = cast.DANA["email"], **more: str) -> Letter:
    """Return a letter that waits for proof of its address."""
    letter = a_draft(ask, now=now, email=email, **more)
    assert not writing.submit(letter, now=now)
    return letter


def the_notice(letter: Letter) -> Notice:
    """Return the newest confirmation mail of a letter's supporter."""
    return Notice.objects.filter(supporter=letter.supporter).order_by("-pk")[0]


def a_confirmed_letter(ask: Ask, *, now: datetime = cast.NOW, email: str = cast.DANA["email"], **more: str) -> Letter:
    """Return a confirmed letter; its deliveries wait."""
    letter = an_awaiting_letter(ask, now=now, email=email, **more)
    assert writing.confirm_by_link(the_notice(letter), chosen=None, now=now)
    letter.refresh_from_db()
    return letter


def deliveries(letter: Letter) -> list[Delivery]:
    """Return a letter's deliveries as they stand in the database."""
    return list(Delivery.objects.filter(letter=letter).order_by("pk"))


def delivery_to(letter: Letter, name: str) -> Delivery:
    """Return a letter's delivery to the target of this name."""
    return Delivery.objects.get(letter=letter, target__name=name)


def states(letter: Letter) -> list[str]:
    """Return the states of a letter's deliveries, sorted."""
    return sorted(delivery.state for delivery in deliveries(letter))


def digests(claim: outbox.Claim) -> dict[int, str]:
    """Return the digest of each delivery of a claim."""
    return {pk: message.digest for pk, message in composed(claim).items()}


def composed(claim: outbox.Claim) -> dict[int, composing.Message]:
    """Return the messages of a claim, all of which can be composed."""
    messages = messages_of(claim)
    assert None not in messages.values()
    return {pk: message for pk, message in messages.items() if message is not None}


def messages_of(claim: outbox.Claim) -> dict[int, composing.Message | None]:
    """Return the message of each delivery of a claim; None where it cannot be composed."""
    typeset = Typesetter().set(claim)
    return {pk: typeset.message(pk) for pk in claim.ids}


def attempt(ending: Ending, *, fenced: bool = True, limit: int = outbox.MOST_PER_CLAIM) -> outbox.Claim:
    """Let a worker claim, fence and record the same ending for all that is due."""
    claim = outbox.claim(limit=limit)
    if fenced:
        assert outbox.fence(claim.token, digests(claim)) == set(claim.ids)
    assert outbox.record(claim, dict.fromkeys(claim.ids, ending)) == set(claim.ids)
    return claim


def release(clock: Clock) -> int:
    """Let go what the mailboxes' pace allows, and wait until it is due; return how many."""
    given = releasing.release(now=clock.now)
    clock.pass_by(minutes=1)
    return given


def with_a_pace(**pace: int) -> None:
    """Give every mailbox a pace under which all that waits has been let go."""
    Address.objects.filter(kind="email").update(**pace)
    Delivery.objects.update(released_for=F("attempts") + 1)


def suppress(email: str) -> None:
    """Let the one with this address ask for no more letters."""
    suppressions.add(suppressions.address_hash(email), reason="asked")


def send_all() -> outbox.Claim:
    """Let a worker send all that is due to a server that takes everything."""
    return attempt(TAKEN)


_BY_STATE: Mapping[str, Mapping[str, object]] = {
    "held": {},
    "queued": {"due_at": cast.NOW},
    "sending": {"token": "t" * 32, "lease_until": cast.NOW + timedelta(minutes=2), "attempts": 1},
    "sent": {"sent_at": cast.NOW, "ended_at": cast.NOW, "attempts": 1},
    "failed": {"ended_at": cast.NOW, "attempts": 1},
    "uncertain": {"ambiguous": 2, "attempts": 2},
    "cancelled": {"ended_at": cast.NOW},
}


def put_into(delivery: Delivery, state: str) -> Delivery:
    """Put a delivery into a state by force, with what the constraints ask for, and its tally with it."""
    before = (delivery.state, delivery.attempts > 0)
    Delivery.objects.filter(pk=delivery.pk).update(state=state, **_BY_STATE[state])
    delivery.refresh_from_db()
    cell = (delivery.campaign_id, delivery.ask_id, delivery.target_id)
    tallies.count({(*cell, *before, 0): -1})
    tallies.count({(*cell, state, delivery.attempts > 0, 0): 1})
    return delivery
