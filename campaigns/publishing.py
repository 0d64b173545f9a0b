"""A campaign's deeds: making one, its asks and wording, publishing, pausing, resuming, closing."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.text import slugify

from accounts import audit
from accounts.models import Organisation, User
from campaigns import wording
from campaigns.models import Ask, AskText, Campaign, CampaignText, LetterTemplate
from targets import lists, salutations
from targets.models import TargetList

RESERVED_SLUGS = {
    "new", "draft", "confirm", "once", "letter", "my", "organise", "api", "hooks", "embed", "static", "postbox",
}  # fmt: skip

LINK = re.compile(r"https?://[^\s\"<>]{1,290}")  # of what supporters can do when a campaign has ended


class CampaignRefused(ValueError):
    """Something about a campaign that cannot be done or kept: a sentence for each field."""

    code = "campaign_refused"

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        self.sentence = " ".join(self.errors.values())
        super().__init__(self.sentence)


@dataclass(frozen=True)
class Obstacle:
    """One thing that stands between a campaign and its publication, and where to mend it."""

    code: str
    sentence: str
    ask: Ask | None = None


@transaction.atomic
def create(
    *,
    organisation: Organisation,
    by: User | None,
    wrapped_key: bytes,
    slug: str,
    language: str,
    text: Mapping[str, str],
    deadline: str = "",
    never_twice: bool = False,
) -> Campaign:
    """Make a draft campaign with its page text; raises CampaignRefused. `text` has the fields of CampaignText."""
    errors = _text_errors(text)
    slug = slugify(slug or text.get("title", ""))[:60]
    if not slug or slug in RESERVED_SLUGS:
        errors["slug"] = "Give the page an address of letters, digits and hyphens, such as oil-workers."
    elif Campaign.objects.filter(slug=slug).exists():
        errors["slug"] = f"The address “{slug}” is taken. Choose another."
    if errors:
        raise CampaignRefused(errors)
    campaign = Campaign.objects.create(
        organisation=organisation, slug=slug, default_language=language, wrapped_key=wrapped_key,
        deadline=deadline[:60], never_twice=never_twice,
    )  # fmt: skip
    CampaignText.objects.create(campaign=campaign, language=language, **text)
    audit.record(organisation=organisation, by=by, deed="created campaign", subject=slug)
    return campaign


@transaction.atomic
def change(
    *, campaign: Campaign, by: User, language: str, text: Mapping[str, str], deadline: str, never_twice: bool = False
) -> None:
    """Change the page text of a campaign in one language, and what holds for all; raises CampaignRefused.

    `never_twice`: a letter of which nobody can know whether it arrived waits for a person, instead of being sent again.
    """
    save_campaign_text(campaign=campaign, language=language, text=text)
    told = {"never_twice": never_twice} if never_twice != campaign.never_twice else {}
    campaign.deadline, campaign.never_twice = deadline[:60], never_twice
    campaign.save(update_fields=["deadline", "never_twice"])
    audit.record(organisation=campaign.organisation, by=by, deed="changed campaign", subject=campaign.slug, **told)


@transaction.atomic
def save_ask(  # noqa: PLR0913  an ask has that many facts, all by name
    *,
    campaign: Campaign,
    by: User | None,
    target_list: TargetList,
    title: str,
    short: str = "",
    slug: str = "",
    mode: str = Ask.Mode.FIXED,
    most_targets: int = 5,
    suggested_targets: int = 3,
    shows_town: bool = False,
    shows_email: bool = False,
    warns: bool | None = None,
    talking_points: Sequence[Mapping[str, str]] = (),
    starters: Sequence[str] = (),
    ask: Ask | None = None,
) -> Ask:
    """Add an ask to a campaign or change one; raises CampaignRefused.

    The list of an ask that already has letters stays: their deliveries were made for it. The mode may change: it
    holds for letters that are not sent yet. `warns` None: supporters are warned where the list's kind says so.
    """
    errors = _choice_errors(mode, most=most_targets, suggested=suggested_targets)
    title = " ".join(title.split())
    if not title:
        errors["title"] = "Say to whom the letter goes, such as “A letter to the embassies”."
    elif len(title) > 120:
        errors["title"] = "The title has more than 120 characters. Shorten it."
    if len(short) > 300:
        errors["short"] = "This has more than 300 characters. Shorten it."
    if target_list.organisation_id != campaign.organisation_id:
        errors["target_list"] = "Choose one of your own lists."
    slug = slugify(slug or title)[:60]
    if ask is None and (not slug or slug in RESERVED_SLUGS or campaign.asks.filter(slug=slug).exists()):
        errors["title"] = "Another letter of this campaign has this title. Choose a different one."
    if ask is not None and ask.target_list_id != target_list.pk and _has_letters(ask):
        errors["target_list"] = "People have already written to this list. Add another letter for another list."
    if errors:
        raise CampaignRefused(errors)
    if ask is None:
        position = (campaign.asks.aggregate(last=Max("position"))["last"] or 0) + 1
        ask = Ask(campaign=campaign, slug=slug, position=position, default_language=campaign.default_language)
    ask.target_list = target_list
    ask.mode, ask.most_targets, ask.suggested_targets = mode, most_targets, suggested_targets
    ask.shows_town, ask.shows_email, ask.warns = shows_town, shows_email, warns
    ask.save()
    save_ask_text(
        ask=ask, language=ask.default_language, title=title, short=short, talking_points=talking_points,
        starters=starters,
    )  # fmt: skip
    audit.record(organisation=campaign.organisation, by=by, deed="saved ask", subject=f"{campaign.slug}/{ask.slug}")
    return ask


def save_campaign_text(*, campaign: Campaign, language: str, text: Mapping[str, str]) -> None:
    """Keep what the page of a campaign says in one language; raises CampaignRefused."""
    if errors := _text_errors(text):
        raise CampaignRefused(errors)
    CampaignText.objects.update_or_create(campaign=campaign, language=language, defaults=dict(text))


def save_ask_text(
    *,
    ask: Ask,
    language: str,
    title: str,
    short: str = "",
    talking_points: Sequence[Mapping[str, str]] = (),
    starters: Sequence[str] = (),
) -> None:
    """Keep what supporters read about an ask in one language."""
    AskText.objects.update_or_create(
        ask=ask,
        language=language,
        defaults={
            "title": title,
            "short": short.strip(),
            "talking_points": [dict(point) for point in talking_points],
            "starters": list(starters),
        },
    )


def current_template(ask: Ask, language: str = "") -> LetterTemplate | None:
    """Return the newest wording in this language, else in the ask's own, else none."""
    templates = ask.templates.order_by("-version")
    return (
        templates.filter(language=language).first() or templates.filter(language=ask.default_language).first()
        if language
        else templates.filter(language=ask.default_language).first()
    )


def lock(template: LetterTemplate, *, now: datetime) -> None:
    """Note that a letter uses a wording: it is not changed any more."""
    if template.used_at is None:
        LetterTemplate.objects.filter(pk=template.pk, used_at=None).update(used_at=now)


def examples(ask: Ask, language: str = "") -> list[Mapping[str, str]]:
    """Return the values of the ask's targets as a letter in a language says them, for lint and preview."""
    language = language or ask.default_language
    targets = lists.active_targets(ask.target_list)
    return [salutations.in_language(target.values(), language) for target in targets]


def lint(ask: Ask, passages: Mapping[str, str], language: str = "") -> list[wording.Finding]:
    """Check a wording against the letter language and the ask's own targets."""
    return wording.lint(passages, targets=examples(ask, language))


@transaction.atomic
def save_template(
    *, ask: Ask, by: User | None, language: str, passages: Mapping[str, str]
) -> tuple[LetterTemplate | None, list[wording.Finding]]:
    """Save a wording and return it with its findings; where one is an error nothing is saved and None returned.

    A version that letters use is locked: saving makes the next one, and those letters keep theirs.
    """
    passages = {name: _lines(passages.get(name, "")) for name in ("subject", "salutation", "body", "closing")}
    findings = lint(ask, passages, language)
    if any(finding.severity == "error" for finding in findings):
        return None, findings
    latest = LetterTemplate.objects.select_for_update().filter(ask=ask, language=language).first()
    if latest is not None and latest.passages() == passages:
        return latest, findings
    if latest is not None and latest.used_at is None:
        for name, text in passages.items():
            setattr(latest, name, text)
        latest.save()
        template = latest
    else:
        version = latest.version + 1 if latest else 1
        template = LetterTemplate.objects.create(
            ask=ask, language=language, version=version, created_by=by, **passages
        )
    subject = f"{ask.campaign.slug}/{ask.slug} ({language}, version {template.version})"
    audit.record(organisation=ask.campaign.organisation, by=by, deed="saved wording", subject=subject)
    return template, findings


def obstacles(campaign: Campaign, *, now: datetime) -> list[Obstacle]:
    """Return what keeps a campaign from being published; empty when it may be."""
    found: list[Obstacle] = []
    asks = list(campaign.asks.select_related("target_list"))
    if not asks:
        found.append(Obstacle("no_ask", "Add a letter: say who is written to and what they are asked."))
    for ask in asks:
        title = title_of(ask)
        template = current_template(ask)
        if template is None:
            found.append(Obstacle("no_wording", f"“{title}” has no wording yet. Write it.", ask))
        elif errors := [f for f in lint(ask, template.passages()) if f.severity == "error"]:
            found.append(Obstacle("wording", f"The wording of “{title}” has an error: {errors[0].why}", ask))
        if not lists.deliverable_targets(ask.target_list, now=now):
            found.append(
                Obstacle("no_targets", f"Nobody offered on “{ask.target_list.name}” has a working e-mail address.", ask)
            )
    if campaign.closes_at is not None and campaign.closes_at <= now:
        found.append(Obstacle("end_has_passed", "The moment has passed at which it closes. Set another, or none."))
    return found


def publish(*, campaign: Campaign, by: User | None, now: datetime) -> bool:
    """Open a campaign for letters; False where it is not a draft or closed; raises CampaignRefused if obstructed."""
    if found := obstacles(campaign, now=now):
        raise CampaignRefused({obstacle.code: obstacle.sentence for obstacle in found})
    return _move(
        campaign, by, "published", from_=(Campaign.Stage.DRAFT, Campaign.Stage.CLOSED),
        stage=Campaign.Stage.OPEN, opened_at=campaign.opened_at or now, closed_at=None, ending=Campaign.Ending.NONE,
        ending_link="",
    )  # fmt: skip


def close(*, campaign: Campaign, by: User | None, ending: str, words: str, now: datetime, link: str = "") -> bool:
    """End a campaign, or let it rest: nobody writes any more. What waits still leaves unless it is stopped separately.

    `link` is what supporters can do next, or where it goes on. By itself (`by` None: campaigns.closing) it closes only
    while `now` is the end it was given.
    """
    if ending not in {Campaign.Ending.WON, Campaign.Ending.ENDED, Campaign.Ending.PAUSED, Campaign.Ending.MOVED}:
        raise CampaignRefused({"ending": "Choose how the campaign ended."})
    if link and not LINK.fullmatch(link):
        raise CampaignRefused({"link": "Write the whole address, such as https://campaign.example."})
    return _move(
        campaign, by, "closed" if by else "closed at its end", from_=(Campaign.Stage.OPEN,),
        where={} if by else {"closes_at": now},
        stage=Campaign.Stage.CLOSED, closed_at=now, ending=ending, ending_words=words[:2000],
        ending_link=link,
    )  # fmt: skip


def pause(
    *,
    campaign: Campaign,
    by: User | None,
    now: datetime,
    because: str = "",
    cause: str = "",
    evidence: Mapping[str, Any] | None = None,
) -> bool:
    """Stop deliveries from leaving; letters keep being confirmed and wait. False where it was paused already.

    The system (`by` None) says its cause, a code, and the evidence: plain figures and words, without personal data.
    """
    evidence = dict(evidence or {})
    return _move(
        campaign, by, "paused", where={"paused_at": None}, audited={"cause": cause, **evidence} if cause else {},
        paused_at=now, paused_because=because[:300], paused_cause=cause[:20], paused_evidence=evidence,
    )  # fmt: skip


def resume(*, campaign: Campaign, by: User, seen: Mapping[str, Any] | None = None) -> bool:
    """Let deliveries leave again. False where it was not paused.

    `seen` are the figures that the person knew; the system does not pause it for the same ones again.
    """
    return _move(
        campaign, by, "resumed", where={"paused_at__isnull": False}, paused_at=None, paused_because="", paused_cause="",
        paused_evidence={}, seen=campaign.seen if seen is None else dict(seen),
    )  # fmt: skip


def stop(*, campaign: Campaign, now: datetime) -> None:
    """Send nothing any more of the letters confirmed up to now; their deliveries are cancelled one after the other."""
    Campaign.objects.filter(pk=campaign.pk).update(stopped_at=now, is_stopping=True)
    campaign.stopped_at, campaign.is_stopping = now, True


def finish_stop(*, campaign: Campaign) -> bool:
    """Note that nothing of the stopped letters waits any more; False where it was stopped again meanwhile."""
    rows = Campaign.objects.filter(pk=campaign.pk, stopped_at=campaign.stopped_at)
    return bool(rows.update(is_stopping=False))


def title_of(ask: Ask, language: str = "") -> str:
    """Return the ask's title in a language, else in its own."""
    text = text_of(ask, language)
    return text.title if text else ask.slug


def text_of(ask: Ask, language: str = "") -> AskText | None:
    """Return what supporters read about an ask, in this language or else the ask's own."""
    texts = {text.language: text for text in ask.texts.all()}
    return texts.get(language) or texts.get(ask.default_language) or next(iter(texts.values()), None)


def page_text(campaign: Campaign, language: str = "") -> CampaignText:
    """Return the campaign's page in this language, else in its default."""
    texts = {text.language: text for text in campaign.texts.all()}
    return texts.get(language) or texts.get(campaign.default_language) or next(iter(texts.values()))


def _move(
    campaign: Campaign,
    by: User | None,
    deed: str,
    *,
    from_: tuple[str, ...] = (),
    where: Mapping[str, Any] | None = None,
    audited: Mapping[str, Any] | None = None,
    **columns: Any,
) -> bool:
    rows = Campaign.objects.filter(pk=campaign.pk, **(where or {}))
    if from_:
        rows = rows.filter(stage__in=from_)
    if not rows.update(**columns):
        return False
    for name, value in columns.items():
        setattr(campaign, name, value)
    audit.record(organisation=campaign.organisation, by=by, deed=deed, subject=campaign.slug, **(audited or {}))
    return True


def _choice_errors(mode: str, *, most: int, suggested: int) -> dict[str, str]:
    errors: dict[str, str] = {}
    if mode not in Ask.Mode.values:
        errors["mode"] = "Choose who of the list gets a letter."
    if not 1 <= most <= Ask.MOST_TARGETS:
        errors["most_targets"] = f"Give how many people one letter may go to, as a number from 1 to {Ask.MOST_TARGETS}."
    if not 1 <= suggested <= Ask.MOST_SUGGESTED:
        errors["suggested_targets"] = f"Give how many we suggest, as a number from 1 to {Ask.MOST_SUGGESTED}."
    elif "most_targets" not in errors and suggested > most:
        errors["suggested_targets"] = "Suggest no more people than one letter may go to."
    return errors


def _has_letters(ask: Ask) -> bool:
    return bool(ask.templates.filter(used_at__isnull=False).exists())


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _text_errors(text: Mapping[str, str]) -> dict[str, str]:
    errors: dict[str, str] = {}
    if not text.get("title", "").strip():
        errors["title"] = "Say in one sentence what you ask for."
    if not text.get("summary", "").strip():
        errors["summary"] = "Say in up to 60 words who is affected and why a letter helps."
    for name, value in text.items():
        limit = getattr(CampaignText._meta.get_field(name), "max_length", None) or 0  # noqa: SLF001  documented
        if limit and len(value) > limit:
            errors[name] = f"This has {len(value) - limit} characters too many (at most {limit})."
    return errors
