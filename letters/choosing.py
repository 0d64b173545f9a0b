"""Who of its ask's list a letter goes to: everybody, or those its writer chose, starting from a fair suggestion.

The choice is kept with the letter's text, sealed like it: who somebody thought of writing to is nobody else's business,
is forgotten with the text, and cannot be changed behind a page that showed it (`writing.digest`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Ask
from letters import drafts, pacing, releasing, sharing
from letters.composing import Content
from letters.models import Delivery, DeliveryTally, Letter
from letters.refusals import LetterRefused
from letters.sharing import Load
from targets import lists
from targets.models import Target

_places = sharing.places()


class Reason(StrEnum):
    """Why somebody is suggested: one that is true of them."""

    COUNTRY = "country"  # they are from the supporter's country
    FEW = "few"  # they have no more letters than is usual
    SHARED = "shared"  # letters are shared out over the whole list


def chosen(content: Content) -> set[int]:
    """Return the ids of the targets that a letter's writer chose; none means all of the list."""
    return {int(number) for number in content.targets.split()}


def kept(targets: Iterable[int]) -> str:
    """Return ids as a letter's content keeps them."""
    return " ".join(str(number) for number in targets)


def targets_of(ask: Ask, content: Content, *, now: datetime) -> list[Target]:
    """Return the targets that a letter with this content is delivered to, if it is confirmed now."""
    return lists.deliverable_targets(ask.target_list, now=now, only=chosen(content) or None)


def reaches_somebody(ask: Ask, content: Content, *, now: datetime) -> bool:
    """Return whether such a letter would be delivered to anybody."""
    return lists.reaches_somebody(ask.target_list, now=now, only=chosen(content) or None)


def by_post_alone(ask: Ask, content: Content, *, now: datetime) -> list[Target]:
    """Return those that such a letter is for, and that no e-mail reaches: it can be posted to them."""
    people = lists.reachable_targets(ask.target_list, now=now, only=chosen(content) or None)
    return [each.target for each in people if not each.by_email]


def fits(ask: Ask, content: Content) -> bool:
    """Return whether a letter's choice is one that its ask lets be sent: the organisers may have changed its mode."""
    return not ask.offers_choice or 1 <= len(chosen(content)) <= ask.most_targets


def is_elsewhere(ask: Ask, content: Content) -> bool:
    """Return whether the supporter is from a country that nobody is from to whom its people are to write."""
    return ask.mode == Ask.Mode.BY_COUNTRY and bool(content.country) and not (
        lists.active_targets(ask.target_list).filter(country=content.country).exists()
    )  # fmt: skip


def checked(ask: Ask, public_ids: Sequence[str], errors: dict[str, str], *, now: datetime) -> list[int]:
    """Return the ids of the targets that were ticked; what is wrong with them goes into `errors` under "to"."""
    ticked = list(dict.fromkeys(public_ids))
    if not ticked:
        errors["to"] = _("Nobody is ticked. Choose at least one name.")
        return []
    over = len(ticked) - ask.most_targets
    if over > 0:
        errors["to"] = ngettext(
            "A letter may go to %(most)s at most. Take %(num)s name off.",
            "A letter may go to %(most)s at most. Take %(num)s names off.", over,
        ) % {"most": ask.most_targets, "num": over}  # fmt: skip
        return []
    wanted = [public_id for public_id in ticked if public_id.isascii() and public_id.isprintable()]
    known = dict(ask.target_list.targets.filter(public_id__in=wanted).values_list("pk", "public_id"))
    people = lists.reachable_targets(ask.target_list, now=now, only=known)
    if len(people) < len(ticked):
        errors["to"] = _("Somebody who was ticked cannot be written to any more. Look who is ticked now.")
    return [each.target.pk for each in people]


def begun(
    ask: Ask, errors: dict[str, str], *, country: str, shown: Sequence[str] | None, now: datetime
) -> str:
    """Return whom a letter begins with, as it keeps them; what is missing goes into `errors`.

    `shown` are the public ids on the page where it began; None where that showed nobody: then we suggest.
    """
    if shown is not None:
        return kept(checked(ask, shown, errors, now=now))
    if ask.mode == Ask.Mode.BY_COUNTRY and not country:
        errors["country"] = _("Choose your country: it decides who gets your letter.")
    targets = lists.deliverable_targets(ask.target_list, now=now)
    return kept(target.pk for target in suggest(ask, targets, loads(ask, targets), country=country))


def choose(letter: Letter, *, targets: Sequence[str], now: datetime) -> None:
    """Keep to whom a letter goes: the public ids that were ticked. Raises LetterRefused; then the choice stays."""
    errors: dict[str, str] = {}
    ticked = checked(letter.ask, targets, errors, now=now)
    if errors:
        raise LetterRefused(errors)
    with transaction.atomic():
        # Read again under a lock: the text may have been changed in another window meanwhile.
        letter.refresh_from_db(fields=["stage", "sealed"], from_queryset=Letter.objects.select_for_update())
        drafts.reopen(letter, now=now)
        letter.expires_at = now + drafts.LIVE_FOR
        drafts.keep(letter, replace(drafts.read(letter), targets=kept(ticked)))
        letter.save(update_fields=["sealed", "expires_at"])


def suggest(
    ask: Ask, targets: Sequence[Target], loads: Mapping[int, Load], *, country: str = "", place: float | None = None
) -> list[Target]:
    """Return whom of `targets` we suggest to the next supporter: few letters and room in their pace first.

    Those of the supporter's country come before others; by country, others are suggested only where there are none.
    Nobody is suggested where supporters are to choose by themselves. `place` decides, else each call has its own.
    """
    if ask.mode == Ask.Mode.UP_TO:
        return []
    place = next(_places) if place is None else place
    at_home = [target for target in targets if country and target.country == country]
    found = _shared(at_home, loads, most=ask.suggested_targets, place=place)
    if found and ask.mode == Ask.Mode.BY_COUNTRY:
        return found
    others = [target for target in targets if not country or target.country != country]
    return found + _shared(others, loads, most=ask.suggested_targets - len(found), place=place)


def reason(target: Target, loads: Mapping[int, Load], *, country: str = "") -> Reason:
    """Return why this target is a good choice for a supporter from this country."""
    if country and target.country == country:
        return Reason.COUNTRY
    if target.pk in loads and loads[target.pk].letters <= sharing.usual_letters(loads):
        return Reason.FEW
    return Reason.SHARED


def loads(ask: Ask, targets: Sequence[Target]) -> dict[int, Load]:
    """Return what each of these targets has had for this ask, and what waits at its mailbox: two queries at most."""
    rows = DeliveryTally.objects.filter(campaign=ask.campaign_id, ask=ask).exclude(state=Delivery.State.CANCELLED)
    letters = dict(rows.values_list("target").annotate(n=Sum("count")))
    per_day = {target.pk: _per_day(target) for target in targets}
    waiting = _waiting([target for target in targets if per_day[target.pk] is not None])
    return {
        target.pk: Load(letters.get(target.pk, 0), waiting.get(target.email_id or 0, 0), per_day[target.pk])
        for target in targets
    }


def _shared(targets: Sequence[Target], loads: Mapping[int, Load], *, most: int, place: float) -> list[Target]:
    wanted = sharing.weights({target.pk: loads.get(target.pk, Load()) for target in targets})
    hit = set(sharing.share(wanted, most=most, place=place))
    return [target for target in targets if target.pk in hit]


def _per_day(target: Target) -> float | None:
    return pacing.in_a_day(releasing.pace_of(target.email)) if target.email is not None else None


def _waiting(targets: Sequence[Target]) -> dict[int, int]:
    """Return how many deliveries wait at these targets' mailboxes, whoever else writes to them, by address id."""
    if not targets:
        return {}
    rows = DeliveryTally.objects.filter(
        state=Delivery.State.QUEUED, target__email__in=[target.email_id for target in targets]
    )
    return dict(rows.values_list("target__email").annotate(n=Sum("count")))
