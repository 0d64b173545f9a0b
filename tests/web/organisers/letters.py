"""Letters for the tests of the desk: written, sent and confirmed as supporters do, delivered as workers do."""

from datetime import datetime

from django.utils import timezone

from campaigns.models import Ask
from letters import notices, outbox, writing
from letters.endings import Accepted, Ambiguous, Ending, Refused
from letters.models import Delivery, Letter
from tests.cast import DANA
from tests.letters import deeds


def a_letter(ask: Ask, *, number: int = 1, sentence: str = "", now: datetime | None = None) -> Letter:
    """Return a letter that awaits its confirmation, of a supporter of its own for each number."""
    at = now or timezone.now()
    letter = writing.begin(ask=ask, language="en", now=at, sentence=sentence)
    posted = {"name": DANA["name"], "email": f"dana{number}@mail.example", "town": DANA["town"]}
    writing.revise(letter, posted=posted, now=at)
    writing.submit(letter, now=at)
    return letter


def a_confirmed_letter(ask: Ask, *, number: int = 1, sentence: str = "", now: datetime | None = None) -> Letter:
    """Return a confirmed letter; its deliveries wait."""
    letter = a_letter(ask, number=number, sentence=sentence, now=now)
    notice = notices.open_confirmation(letter)
    assert notice is not None
    [confirmed] = writing.confirm_by_link(notice, chosen=None, now=now or timezone.now())
    return confirmed


def deliver(*endings: Ending) -> list[Delivery]:
    """Try what is due, once each, with these endings in the order of the deliveries; the rest is accepted."""
    claim = outbox.claim()
    outbox.fence(claim.token, deeds.digests(claim))
    ids = sorted(claim.ids)
    told = [*endings, *[Accepted(250, "ok")] * (len(ids) - len(endings))]
    outbox.record(claim, dict(zip(ids, told, strict=True)))
    return list(Delivery.objects.filter(pk__in=ids).order_by("pk"))


def an_unclear_delivery(ask: Ask) -> Delivery:
    """Return a delivery whose line broke after the final dot, in a campaign that never tries such ones again."""
    ask.campaign.never_twice = True
    ask.campaign.save(update_fields=["never_twice"])
    a_confirmed_letter(ask)
    return deliver(Ambiguous("the line broke"), Refused(550, "5.7.1 no"))[0]
