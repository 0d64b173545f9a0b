"""Whom the supporters of a list are not offered for now, and why: a place on one list, not an address, is left out."""

import unicodedata
from collections.abc import Collection, Mapping
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import audit
from accounts.models import User
from targets.models import ListEntry, TargetList

WORDS_LIMIT = 120
Exclusion = ListEntry.Exclusion


class ExclusionRefused(ValueError):
    """An exclusion that cannot be kept: a sentence for each field."""

    code = "exclusion_refused"

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        self.sentence = " ".join(self.errors.values())
        super().__init__(self.sentence)


def is_offered(now: datetime, *, of: str = "") -> Q:
    """Return the condition on entries that supporters are offered; `of` is the way to them, such as "entries__".

    The statement that creates deliveries (letters.lifecycle) asks the same.
    """
    return Q(**{f"{of}exclusion": ""}) | Q(**{f"{of}excluded_until__lt": timezone.localdate(now)})


def in_force(
    target_list: TargetList, *, now: datetime, only: Collection[int] | None = None
) -> QuerySet[ListEntry]:
    """Return the entries that are left out at this time, in the list's order. `only`: of these target ids."""
    entries = target_list.entries.filter(retired_at=None).exclude(is_offered(now)).select_related("target")
    return entries if only is None else entries.filter(target__in=only)


def is_in_force(entry: ListEntry, *, now: datetime) -> bool:
    """Return whether this entry is left out at this time."""
    is_over = entry.excluded_until is not None and entry.excluded_until < timezone.localdate(now)
    return bool(entry.exclusion) and not is_over


@transaction.atomic
def exclude(*, entry: ListEntry, exclusion: str, words: str, until: str, by: User, now: datetime) -> None:
    """Leave a target out of what supporters of the list are offered; raises ExclusionRefused.

    `words` are what they read where the reason is Exclusion.OWN, `until` (year-month-day) is the last day where it is
    Exclusion.AWAY: from the next day on the target is offered again.
    """
    errors: dict[str, str] = {}
    entry.exclusion, entry.exclusion_words, entry.excluded_until = exclusion, "", None
    if exclusion not in Exclusion.values:
        errors["exclusion"] = "Choose what supporters read."
    elif exclusion == Exclusion.OWN:
        entry.exclusion_words = _checked_words(words, errors)
    elif exclusion == Exclusion.AWAY:
        entry.excluded_until = _checked_day(until, errors, today=timezone.localdate(now))
    if errors:
        entry.refresh_from_db()
        raise ExclusionRefused(errors)
    entry.save(update_fields=["exclusion", "exclusion_words", "excluded_until"])
    last_day = entry.excluded_until.isoformat() if entry.excluded_until else ""
    _record(entry, "left a target out", by, exclusion=exclusion, words=entry.exclusion_words, until=last_day)


@transaction.atomic
def offer_again(*, entry: ListEntry, by: User) -> bool:
    """Offer a target to the list's supporters again; False where it was offered."""
    left_out = ListEntry.objects.filter(pk=entry.pk).exclude(exclusion="")
    if not left_out.update(exclusion="", exclusion_words="", excluded_until=None):
        return False
    _record(entry, "offered a target again", by)
    return True


def _checked_words(words: str, errors: dict[str, str]) -> str:
    kept = " ".join(unicodedata.normalize("NFC", words).split())
    if not any(unicodedata.category(sign)[0] in "LN" for sign in kept):
        errors["words"] = "Write what supporters read, such as “has met the families already”."
    elif len(kept) > WORDS_LIMIT:
        errors["words"] = f"This is {len(kept)} characters long. Shorten it to {WORDS_LIMIT}."
    return kept


def _checked_day(until: str, errors: dict[str, str], *, today: date) -> date | None:
    try:
        day = date.fromisoformat(until.strip())
    except ValueError:
        errors["until"] = f"Give the last day as year-month-day, such as {today.year + 1}-01-31."
        return None
    if day < today:
        errors["until"] = "This day has passed. Give the last day that they are away."
    return day


def _record(entry: ListEntry, deed: str, by: User, **details: str) -> None:
    subject = f"{entry.target_list}: {entry.target}"
    audit.record(organisation=entry.target_list.organisation, by=by, deed=deed, subject=subject, **details)
