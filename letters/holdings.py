"""Everything that is held about one address: every campaign, letter and consent, to be seen and taken along."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from campaigns import publishing
from letters import replies, supporters, writing
from letters.composing import Content
from letters.feedback import Reply
from letters.models import Delivery, Letter, Supporter
from letters.page_words import STILL_WAITS, word_of
from letters.rights import Consent


@dataclass(frozen=True)
class HeldLetter:
    """A letter, what it says (empty once erased), and its deliveries."""

    letter: Letter
    content: Content
    deliveries: list[Delivery]

    @property
    def key(self) -> str:
        """Return the letter's own key in hex, for the form that stops it."""
        return bytes(self.letter.key).hex()

    @property
    def waiting(self) -> int:
        """Return how many deliveries still wait, and can be stopped."""
        return sum(delivery.state in STILL_WAITS for delivery in self.deliveries)


@dataclass(frozen=True)
class Held:
    """What is held about an address in one campaign."""

    supporter: Supporter
    letters: list[HeldLetter]
    consents: list[Consent]


@dataclass(frozen=True)
class Holdings:
    """What is held about an address, campaign by campaign."""

    held: list[Held] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        """Return how many deliveries still wait, and can be stopped."""
        return sum(letter.waiting for held in self.held for letter in held.letters)


def of(hashed: bytes) -> Holdings:
    """Return what is held about an address; empty where it is unknown or was erased."""
    rows = supporters.by_hash(hashed).select_related("campaign__organisation").order_by("-pk")
    return Holdings([_held(supporter) for supporter in rows])


def find_letter(hashed: bytes, key: str) -> Letter | None:
    """Return one of an address's letters by its key in hex; None for anybody else's."""
    try:
        wanted = bytes.fromhex(key)
    except ValueError:
        return None
    rows = Letter.objects.filter(supporter__in=supporters.by_hash(hashed), key=wanted)
    return rows.select_related("campaign").first()


def export(holdings: Holdings, *, now: datetime) -> dict[str, Any]:
    """Return all of it as plain values for JSON; times in ISO 8601."""
    return {
        "as_of": now.isoformat(),
        "about": "Everything Postbag holds about your e-mail address.",
        "campaigns": [_exported(held) for held in holdings.held],
    }


def _held(supporter: Supporter) -> Held:
    letters = supporter.letters.select_related("campaign", "ask", "template").order_by("-created_at")
    deliveries: dict[int, list[Delivery]] = {}
    for delivery in Delivery.objects.filter(letter__supporter=supporter).select_related("version").order_by("pk"):
        deliveries.setdefault(delivery.letter_id, []).append(delivery)
    return Held(
        supporter=supporter,
        letters=[HeldLetter(letter, writing.read(letter), deliveries.get(letter.pk, [])) for letter in letters],
        consents=list(supporter.consents.order_by("given_at")),
    )


def _exported(held: Held) -> dict[str, Any]:
    campaign = held.supporter.campaign
    return {
        "campaign": publishing.page_text(campaign, held.supporter.language).title,
        "organisation": campaign.organisation.name,
        "known_since": held.supporter.created_at.isoformat(),
        "address_last_confirmed_at": _iso(held.supporter.proven_at),
        "you": supporters.person(held.supporter),
        "consents": [
            {
                "purpose": consent.purpose, "partner": consent.partner_name or None, "words": consent.words,
                "language": consent.language,
                "given_at": _iso(consent.given_at), "withdrawn_at": _iso(consent.withdrawn_at),
            }
            for consent in held.consents
        ],
        "letters": [_exported_letter(letter) for letter in held.letters],
    }  # fmt: skip


def _exported_letter(held: HeldLetter) -> dict[str, Any]:
    letter = held.letter
    answers = Reply.objects.filter(delivery__letter=letter, is_automatic=False).select_related("campaign")
    return {
        "ask": publishing.title_of(letter.ask, letter.language),
        "stage": letter.stage,
        "language": letter.template.language,
        "came_by": letter.source,
        "own_words": letter.own_words,
        "written_at": _iso(letter.created_at),
        "confirmed_at": _iso(letter.confirmed_at),
        "ended_at": _iso(letter.ended_at),
        "text": held.content.values() if letter.sealed else None,
        "deliveries": [
            {
                "to": str(delivery.version.values.get("name", "")),
                "state": word_of(delivery.state, tried=delivery.attempts > 0, feedback=delivery.feedback).value,
                "accepted_at": _iso(delivery.sent_at),
                "ended_at": _iso(delivery.ended_at),
            }
            for delivery in held.deliveries
        ],
        "answers": [
            {"received_at": _iso(reply.received_at), "text": said.text if (said := replies.read(reply)) else None}
            for reply in answers
        ],
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
