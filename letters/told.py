"""Taking down what supporters tell us they posted or sent themselves: each letter to each target once."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import F, Sum

from campaigns.models import Campaign
from letters import privacy, writing
from letters.models import Letter
from letters.self_reports import SelfReport
from targets.models import Target

Kind = SelfReport.Kind


def already(letter: Letter, kind: str) -> set[str]:
    """Return the public ids of the targets whose letter the writer told us of; forgotten with its text."""
    marks = (mark.partition(":") for mark in writing.read(letter).told.split())
    return {target for each, _colon, target in marks if each == kind}


@transaction.atomic
def take_down(letter: Letter, *, kind: Kind, targets: Iterable[Target], now: datetime) -> int:
    """Count the letters to these targets as posted, or as sent from a mail app; return how many were news to us.

    Whose they are is not kept apart from the letter itself; a letter that is forgotten tells nothing any more.
    """
    letter.refresh_from_db(fields=["sealed"], from_queryset=Letter.objects.select_for_update())
    content = writing.read(letter)
    known = content.told.split()
    fresh = [mark for target in targets if (mark := f"{kind}:{target.public_id}") not in known]
    if not fresh or not letter.sealed:
        return 0
    content = replace(content, told=" ".join([*known, *fresh]))
    letter.sealed = privacy.seal(letter.campaign, table="letter", row=bytes(letter.key), values=content.values())
    Letter.objects.filter(pk=letter.pk).update(sealed=letter.sealed)
    cell = {"campaign": letter.campaign, "ask": letter.ask, "kind": kind, "day": now.astimezone(UTC).date()}
    SelfReport.objects.bulk_create([SelfReport(**cell)], ignore_conflicts=True)
    SelfReport.objects.filter(**cell).update(count=F("count") + len(fresh))
    return len(fresh)


def counts(campaign: Campaign) -> dict[str, int]:
    """Return how many letters of a campaign were told of, by kind: never added to those that we sent."""
    rows = SelfReport.objects.filter(campaign=campaign).values_list("kind").annotate(n=Sum("count"))
    return {**dict.fromkeys(Kind.values, 0), **dict(rows)}
