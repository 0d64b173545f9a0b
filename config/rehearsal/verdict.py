"""Whether a rehearsal came out right: the ledger against the rows, and every letter at the receiving side."""

import hashlib
import quopri
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import policy
from email.parser import BytesHeaderParser
from typing import Any

from django.db.models import Sum

from campaigns.models import Campaign
from config.rehearsal.supporters import Written
from letters import likeness, statistics, tokens
from letters.likeness import Likeness
from letters.models import Delivery, DeliveryEvent
from letters.page_words import EXPLAINED, Word
from postbox.store import Store

_CHUNK = 500


@dataclass
class Verdict:
    """What a rehearsal found. `problems` are sentences; none means that it came out right."""

    letters: int = 0
    deliveries: int = 0
    states: dict[str, int] = field(default_factory=dict)
    words: dict[Word, int] = field(default_factory=dict)
    received: int = 0
    distinct_message_ids: int = 0
    extra_copies: int = 0
    ambiguous: int = 0
    adds_up: bool = False
    alike: Likeness = field(default_factory=Likeness)
    checked_at_receiver: bool = True
    problems: list[str] = field(default_factory=list)

    def as_json(self, seconds: float) -> dict[str, Any]:
        """Return the closing line's object."""
        return {
            "letters": self.letters,
            "deliveries": self.deliveries,
            "states": self.states,
            "received": self.received,
            "distinct_message_ids": self.distinct_message_ids,
            "adds_up": self.adds_up,
            "alike_share": round(self.alike.share, 4),
            "extra_copies": self.extra_copies,
            "ambiguous": self.ambiguous,
            "checked_at_receiver": self.checked_at_receiver,
            "seconds": round(seconds, 1),
        }


def judge(campaign: Campaign, written: Mapping[int, Written], store: Store, *, elsewhere: bool) -> Verdict:
    """Compare what was written, what the ledger says and what arrived.

    With `elsewhere` the letters went to a mail server that cannot be looked into: `received` then counts the
    acceptances in the history, and only the ledger is judged.
    """
    verdict = Verdict(checked_at_receiver=not elsewhere)
    deliveries = Delivery.objects.filter(letter__campaign=campaign)
    verdict.letters = len(written)
    verdict.deliveries = deliveries.count()
    verdict.states = dict(Counter(deliveries.values_list("state", flat=True)))
    verdict.ambiguous = deliveries.aggregate(n=Sum("ambiguous"))["n"] or 0
    ledger = statistics.ledger(campaign)
    verdict.words = ledger.counts
    verdict.alike = likeness.together(
        one for ask in campaign.asks.all() for one in likeness.per_target(ask, most=None).values()
    )
    differing = statistics.recount(campaign)
    verdict.adds_up = ledger.adds_up and not differing
    if not ledger.adds_up:
        verdict.problems.append(f"the ledger says {ledger.total} deliveries, there are {ledger.created}")
    if differing:
        verdict.problems.append(f"{differing} tallies differ from the deliveries")
    unsent = verdict.deliveries - verdict.states.get(Delivery.State.SENT, 0)
    if unsent:
        verdict.problems.append(f"{unsent} deliveries were not accepted")
    if elsewhere:
        accepted = DeliveryEvent.objects.filter(
            delivery__letter__campaign=campaign, to_state=Delivery.State.SENT, code__gte=200, code__lt=300
        )
        verdict.received = accepted.count()
        verdict.distinct_message_ids = accepted.values("delivery").distinct().count()
    else:
        _look_into(store, written, verdict)
    return verdict


def _look_into(store: Store, written: Mapping[int, Written], verdict: Verdict) -> None:
    """Read every letter that arrived and compare it with what was written and to whom it was to go."""
    copies: Counter[int] = Counter()
    message_ids: set[str] = set()
    batch: list[Any] = []
    for entry in store.iter_letters():
        if not entry.delivery:
            continue
        verdict.received += 1
        message_ids.add(entry.message_id)
        batch.append(entry)
        if len(batch) >= _CHUNK:
            _compare(batch, written, copies, verdict)
            batch = []
    _compare(batch, written, copies, verdict)
    verdict.distinct_message_ids = len(message_ids)
    verdict.extra_copies = sum(copies.values()) - len(copies)
    missing = verdict.deliveries - len(copies)
    if missing:
        verdict.problems.append(f"{missing} deliveries never arrived")
    if len(message_ids) != len(copies):
        verdict.problems.append(f"{len(copies)} deliveries have {len(message_ids)} Message-IDs")
    if verdict.extra_copies > verdict.ambiguous:
        verdict.problems.append(
            f"{verdict.extra_copies} extra copies arrived, and only {verdict.ambiguous} endings were unclear"
        )


def _compare(batch: list[Any], written: Mapping[int, Written], copies: Counter[int], verdict: Verdict) -> None:
    named = {tokens.read_reference(entry.delivery) or 0: entry for entry in batch}
    rows = Delivery.objects.filter(pk__in=named).select_related("address", "version").in_bulk()
    for entry in batch:
        pk = tokens.read_reference(entry.delivery)
        row = rows.get(pk or 0)
        if pk is None or row is None:
            verdict.problems.append(f"a letter arrived that nobody sent: {entry.delivery}")
            continue
        copies[pk] += 1
        if problem := _difference(entry, row, written.get(row.letter_id)):
            verdict.problems.append(f"delivery {pk}: {problem}")


def _difference(entry: Any, row: Delivery, wrote: Written | None) -> str:
    if hashlib.sha256(entry.raw).hexdigest() != row.digest:
        return "the bytes are not those that were fenced"
    if entry.envelope_to.casefold() != row.address.value.casefold():
        return "it went to another address"
    if wrote is None:
        return "nobody is known to have written it"
    headers = BytesHeaderParser(policy=policy.default).parsebytes(entry.raw)
    if wrote.name not in str(headers["From"].addresses[0].display_name):
        return "it does not carry the writer's name"
    text = quopri.decodestring(entry.raw.partition(b"\r\n\r\n")[2]).decode().replace("\r\n", "\n")
    if not text.rstrip().endswith(wrote.name) and f"\n{wrote.name}\n" not in text:
        return "it is not signed by the writer"
    if not all(passage in text for passage in wrote.own):
        return "something that the writer put in is missing"
    greeted = {value for name, value in row.version.values.items() if name.partition(":")[0] == "salutation"}
    if not text.startswith(tuple(greeted)):
        return "the salutation is another's"
    return ""


def ledger_lines(verdict: Verdict) -> list[str]:
    """Return the ledger as people read it."""
    total = sum(verdict.words.values())
    parts = " + ".join(f"{word.label} {verdict.words[word]:,}" for word in Word if verdict.words.get(word))
    lines = [f"{verdict.letters:,} letters: {verdict.deliveries:,} deliveries = {parts or 'none'}"]
    lines.append("✓ adds up" if verdict.adds_up and total == verdict.deliveries else "✗ does not add up")
    lines.append(
        f"{verdict.alike.alike:,} of {verdict.alike.letters:,} letters read like an earlier one to the same office."
    )
    lines += [
        f"  {word.label}: {EXPLAINED[word]}" for word in Word if verdict.words.get(word) and word != Word.ACCEPTED
    ]
    return lines
