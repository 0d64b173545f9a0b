"""Who of its ask's list a letter goes to: everybody, or those its writer chose, starting from a fair suggestion.

The choice is kept with the letter's text, sealed like it: who somebody thought of writing to is nobody else's business,
is forgotten with the text, and cannot be changed behind a page that showed it (`writing.digest`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns import languages as campaign_languages
from campaigns.models import Ask
from letters import drafts, languages, pacing, sharing
from letters.composing import Content
from letters.models import Delivery, DeliveryTally, Letter
from letters.refusals import LetterRefused
from letters.sharing import Load
from targets import exclusions, lists
from targets.models import ListEntry, Target

_FEW, _CLEARLY_FEWER = 10, 0.8
_places = sharing.places()


class Reason(StrEnum):
    """Why somebody is suggested: one that is true of them."""

    COUNTRY = "country"  # they are from the supporter's country
    FEW = "few"  # they have few letters, or clearly fewer than is usual
    SHARED = "shared"  # letters are shared out over the whole list


@dataclass(frozen=True)
class Candidate:
    """Somebody whom we may suggest: where they are from, and how many letters they have had and can read."""

    target: int
    country: str
    load: Load


def chosen(content: Content) -> set[int]:
    """Return the ids of the targets that a letter's writer chose; none means all of the list."""
    return {int(number) for number in content.targets.split()}


def kept(targets: Iterable[int]) -> str:
    """Return ids as a letter's content keeps them."""
    return " ".join(str(number) for number in targets)


def targets_of(ask: Ask, content: Content, *, now: datetime) -> list[Target]:
    """Return the targets that a letter with this content is delivered to, if it is confirmed now."""
    return lists.deliverable_targets(ask.target_list, now=now, only=chosen(content) or None)


def letter_language(ask: Ask, content: Content, *, now: datetime) -> str:
    """Return the language of a letter that is begun with this content."""
    readers = lists.deliverable(ask.target_list, now=now, only=chosen(content) or None)
    return campaign_languages.letter_language(ask, readers.order_by().values_list("language", flat=True).distinct())


def reaches_somebody(ask: Ask, content: Content, *, now: datetime) -> bool:
    """Return whether such a letter would be delivered to anybody."""
    return lists.deliverable(ask.target_list, now=now, only=chosen(content) or None).exists()


def by_post_alone(ask: Ask, content: Content, *, now: datetime) -> list[Target]:
    """Return those that such a letter is for, and that no e-mail reaches: it can be posted to them."""
    people = lists.reachable_targets(ask.target_list, now=now, only=chosen(content) or None)
    return [each.target for each in people if not each.by_email]


def fits(ask: Ask, content: Content) -> bool:
    """Return whether a letter's choice is one that its ask lets be sent: the organisers may have changed its mode."""
    return not ask.offers_choice or 1 <= len(chosen(content)) <= ask.most_targets


def is_elsewhere(ask: Ask, content: Content) -> bool:
    """Return whether letters go by country, and nobody on the list is from the supporter's."""
    if ask.mode != Ask.Mode.BY_COUNTRY or not content.country:
        return False
    return not lists.active_targets(ask.target_list).filter(country=content.country).exists()


def is_home_left_out(ask: Ask, country: str, *, now: datetime) -> bool:
    """Return whether letters go by country, and those on the list who are from this one are all left out for now."""
    if ask.mode != Ask.Mode.BY_COUNTRY or not country:
        return False
    home = exclusions.in_force(ask.target_list, now=now).filter(target__country=country)
    return home.exists() and not lists.offered_targets(ask.target_list, now=now).filter(country=country).exists()


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
    known = list(ask.target_list.targets.filter(public_id__in=wanted).values_list("pk", flat=True))
    people = lists.reachable_targets(ask.target_list, now=now, only=known)
    if left_out := exclusions.in_force(ask.target_list, now=now, only=known):
        names = ", ".join(entry.target.name for entry in left_out)
        errors["to"] = _("No letters go to %(names)s at the moment. Look who gets yours now.") % {"names": names}
    elif len(people) < len(ticked):
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
    known = candidates(ask, now=now)
    if ask.mode == Ask.Mode.BY_COUNTRY and known and not country:
        errors["country"] = _("Choose your country: it decides who gets your letter.")
        return ""
    return kept(suggest(ask, known, country=country))


def choose(letter: Letter, *, targets: Sequence[str], now: datetime) -> None:
    """Keep to whom a letter goes: the public ids that were ticked. Raises LetterRefused; then the choice stays.

    A text that nobody has changed yet follows in the language that all of them read.
    """
    errors: dict[str, str] = {}
    ticked = checked(letter.ask, targets, errors, now=now)
    if errors:
        raise LetterRefused(errors)
    with transaction.atomic():
        # Read again under a lock: the text may have been changed in another window meanwhile.
        letter.refresh_from_db(fields=["stage", "sealed"], from_queryset=Letter.objects.select_for_update())
        drafts.reopen(letter, now=now)
        letter.expires_at = drafts.ends_at(letter, now=now)
        content = replace(drafts.read(letter), targets=kept(ticked))
        drafts.keep(letter, content)
        letter.save(update_fields=["sealed", "expires_at"])
        language = letter_language(letter.ask, content, now=now)
        if language != letter.template.language and not languages.is_edited(letter, content):
            languages.change(letter, language=language, keeps_text=False, now=now)


def candidates(ask: Ask, *, now: datetime) -> list[Candidate]:
    """Return whom we may suggest, in the list's order: at most three queries, however long the list."""
    if ask.mode == Ask.Mode.UP_TO:
        return []
    rows = list(
        lists.deliverable(ask.target_list, now=now).values_list(
            "pk", "country", "email", "email__cap_per_hour", "email__cap_per_day", "email__opens_at", "email__closes_at"
        )
    )
    tallies = DeliveryTally.objects.filter(campaign=ask.campaign_id, ask=ask).exclude(state=Delivery.State.CANCELLED)
    letters = dict(tallies.values_list("target").annotate(n=Sum("count")))
    is_paced = settings.PACED and any(cap is not None for row in rows for cap in row[3:])
    waiting = _waiting(ask) if is_paced else {}
    found = []
    for target, country, address, per_hour, per_day, opens_at, closes_at in rows:
        pace = pacing.Pace(per_hour, per_day, opens_at, closes_at) if is_paced else pacing.Pace()
        load = Load(letters.get(target, 0), waiting.get(address or 0, 0), pacing.in_a_day(pace))
        found.append(Candidate(target, country, load))
    return found


def suggest(
    ask: Ask, candidates: Sequence[Candidate], *, country: str = "", place: float | None = None
) -> list[int]:
    """Return the ids of those whom we suggest to the next supporter: few letters and room in their pace first.

    Those of the supporter's country come before others; by country, others are suggested only where there are none.
    Nobody is suggested where supporters are to choose by themselves. `place` decides, else each call has its own.
    """
    if ask.mode == Ask.Mode.UP_TO:
        return []
    place = next(_places) if place is None else place
    at_home = {each.target: each.load for each in candidates if country and each.country == country}
    found = sharing.share(sharing.weights(at_home), most=ask.suggested_targets, place=place)
    if found and ask.mode == Ask.Mode.BY_COUNTRY:
        return found
    others = {each.target: each.load for each in candidates if each.target not in at_home}
    return found + sharing.share(sharing.weights(others), most=ask.suggested_targets - len(found), place=place)


def reasons(candidates: Sequence[Candidate], targets: Iterable[int], *, country: str = "") -> dict[int, Reason]:
    """Return why each of these is a good choice for a supporter from this country; none for who is no candidate."""
    usual = sharing.usual_letters(each.load for each in candidates)
    known = {each.target: each for each in candidates}
    return {target: _reason(known[target], usual, country) for target in targets if target in known}


def _reason(candidate: Candidate, usual: float, country: str) -> Reason:
    if country and candidate.country == country:
        return Reason.COUNTRY
    letters = candidate.load.letters
    return Reason.FEW if letters < _FEW or letters < _CLEARLY_FEWER * usual else Reason.SHARED


def _waiting(ask: Ask) -> dict[int, int]:
    """Return how many deliveries wait at the list's mailboxes, whoever else writes to them, by address id."""
    listed = ListEntry.objects.filter(target_list=ask.target_list_id, retired_at=None)
    rows = DeliveryTally.objects.filter(
        state=Delivery.State.QUEUED, target__email__in=listed.exclude(target__email=None).values("target__email")
    )
    return dict(rows.values_list("target__email").annotate(n=Sum("count")))
