"""Campaigns at the desk: the list, making one, its overview and its page."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import access
from campaigns import closing, publishing
from campaigns.models import Ask, Campaign, CampaignText
from campaigns.publishing import CampaignRefused
from letters import privacy, statistics, telling
from letters.models import Letter
from targets import lists, time_zones
from web.organisers import posted
from web.organisers.asks import shared_words
from web.organisers.campaign_frame import campaign_page, count_words, find, note, number, standing
from web.organisers.desk import Desk, for_members, page

LANGUAGE = "en"
SUMMARY_WORDS = 60
NO_END = closing.End()
_LINES = ("title", "question")
_TEXTS = ("summary", "why_letters_help", "background")
_END = ("closes_on", "closes_at", "time_zone")
_FIELDS = (*_LINES, *_TEXTS, *_END, "deadline", "slug", "never_twice")


@for_members()
def campaign_list(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show the organisation's campaigns with their state and numbers."""
    rows = desk.organisation.campaigns.prefetch_related("texts", "asks").order_by("-created_at")
    told = [_row(campaign) for campaign in rows]
    return page(
        request, desk, "organisers/campaigns/list.html", section="campaigns", rows=told, number=number
    )


@for_members(to_see=access.may_edit_campaigns)
def new_campaign(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Make a draft campaign."""
    values = dict.fromkeys(_FIELDS, "") | {"question": CampaignText._meta.get_field("question").default}  # noqa: SLF001
    values["time_zone"] = closing.usual_time_zone(desk.organisation)
    errors: dict[str, str] = {}
    if request.method == "POST":
        values = _read(request.POST)
        try:
            campaign = _saved(desk, values, lambda: _created(desk, values))
        except CampaignRefused as refused:
            errors = refused.errors
        else:
            note(request, _("The campaign is a draft. Next: say who receives its letters."))
            return redirect("organisers:campaign", campaign.slug)
    return page(
        request,
        desk,
        "organisers/campaigns/new.html",
        section="campaigns",
        status=422 if errors else 200,
        values=values,
        errors=errors,
        summary_said=_summary_said(values["summary"]),
        time_zones=time_zones.choices(),
    )


@for_members()
def overview(request: HttpRequest, desk: Desk, slug: str) -> HttpResponse:
    """Show the campaign's three parts – page, letters, publication – and how far each is."""
    campaign = find(desk, slug)
    text = publishing.page_text(campaign)
    return campaign_page(
        request,
        desk,
        campaign,
        "organisers/campaigns/overview.html",
        tab="overview",
        text=text,
        page_said=_page_said(text),
        asks=[_ask_row(ask) for ask in campaign.asks.all()],
        obstacles=publishing.obstacles(campaign, now=timezone.now()),
        by_stage=statistics.letters_by_stage(campaign),
        asked_once=telling.who_asked(campaign).count(),
    )


@for_members(to_change=access.may_edit_campaigns)
def edit_page(request: HttpRequest, desk: Desk, slug: str) -> HttpResponse:
    """Change what the campaign's page says."""
    campaign = find(desk, slug)
    text = publishing.page_text(campaign)
    values = {name: str(getattr(text, name)) for name in (*_LINES, *_TEXTS)}
    values |= {"deadline": campaign.deadline, "never_twice": "yes" if campaign.never_twice else ""}
    values |= _end_values(closing.of(campaign))
    errors: dict[str, str] = {}
    may_close = campaign.stage == Campaign.Stage.DRAFT or desk.may_send
    if request.method == "POST":
        values = _read(request.POST) | ({} if may_close else _end_values(closing.of(campaign)))
        answer = _save_page(request, desk, campaign, values, errors)
        if answer is not None:
            return answer
    return campaign_page(
        request,
        desk,
        campaign,
        "organisers/campaigns/page.html",
        tab="overview",
        may_close=may_close,
        status=422 if errors else 200,
        values=values,
        errors=errors,
        summary_said=_summary_said(values["summary"]),
        time_zones=time_zones.choices(),
    )


def _created(desk: Desk, values: dict[str, str]) -> Campaign:
    return publishing.create(
        organisation=desk.organisation,
        by=desk.person,
        wrapped_key=privacy.new_wrapped_key(),
        slug=values["slug"],
        language=LANGUAGE,
        text=_text(values),
        deadline=_deadline(values),
        never_twice=values["never_twice"] == "yes",
    )


def _save_page(
    request: HttpRequest, desk: Desk, campaign: Campaign, values: dict[str, str], errors: dict[str, str]
) -> HttpResponseRedirect | None:
    def changed() -> Campaign:
        publishing.change(
            campaign=campaign,
            by=desk.person,
            language=campaign.default_language,
            text=_text(values),
            deadline=_deadline(values),
            never_twice=values["never_twice"] == "yes",
        )
        return campaign

    try:
        _saved(desk, values, changed, before=closing.of(campaign))
    except CampaignRefused as refused:
        errors.update(refused.errors)
        return None
    note(request, _("The page is saved."))
    return redirect("organisers:campaign", campaign.slug)


def _saved(
    desk: Desk, values: dict[str, str], save: Callable[[], Campaign], *, before: closing.End = NO_END
) -> Campaign:
    """Keep a page and the end of its campaign, or neither; raises CampaignRefused naming what is wrong with both."""
    typed = {"day": values["closes_on"], "clock": values["closes_at"], "time_zone": values["time_zone"]}
    errors, campaign = dict[str, str](), None
    with transaction.atomic():
        try:
            campaign = save()
        except CampaignRefused as refused:
            errors |= refused.errors
        try:
            end = closing.read(**typed, before=before, now=timezone.now())
            if campaign is not None:
                closing.plan(campaign=campaign, by=desk.person, may_close=desk.may_send, end=end)
        except CampaignRefused as refused:
            errors |= refused.errors
        if errors or campaign is None:
            raise CampaignRefused(errors)
    return campaign


def _end_values(end: closing.End) -> dict[str, str]:
    """Return the end as the form's fields hold it."""
    day, clock = (f"{end.local:%Y-%m-%d}", f"{end.local:%H:%M}") if end.local else ("", "")
    return {"closes_on": day, "closes_at": clock, "time_zone": end.time_zone}


def _read(form: QueryDict) -> dict[str, str]:
    values = {name: posted.line(form, name) for name in (*_LINES, *_END, "deadline", "slug", "never_twice")}
    return values | {name: posted.text(form, name) for name in _TEXTS}


def _text(values: dict[str, str]) -> dict[str, str]:
    """Return the fields of CampaignText; a question left empty is the usual one."""
    text = {name: values[name] for name in (*_LINES, *_TEXTS)}
    if not text["question"]:
        del text["question"]
    return text


def _deadline(values: dict[str, str]) -> str:
    if len(values["deadline"]) > 60:
        raise CampaignRefused({"deadline": _("The deadline has more than 60 characters. Shorten it.")})
    return values["deadline"]


def _summary_said(summary: str) -> str:
    n = count_words(summary)
    if not n:
        return ""
    said = ngettext("It has %(n)d word now.", "It has %(n)d words now.", n) % {"n": n}
    if n <= SUMMARY_WORDS:
        return said
    return f"{said} {_('%(over)d more than most people read.') % {'over': n - SUMMARY_WORDS}}"


def _page_said(text: CampaignText) -> tuple[str, str]:
    """Return the state of the page's words: a stamp's tone and a sentence."""
    n = count_words(text.summary)
    if n > SUMMARY_WORDS:
        return "warning", _("The summary has %(n)d words. People read about 60: shorten it.") % {"n": n}
    if not text.background:
        return "warning", _("There is no background yet. Facts with sources make letters better.")
    return "success", _("The page is complete.")


def _ask_row(ask: Ask) -> dict[str, Any]:
    template = publishing.current_template(ask)
    if template is None:
        tone, said = "danger", _("No wording yet.")
    else:
        findings = publishing.lint(ask, template.passages())
        wrong = [finding for finding in findings if finding.severity == "error"]
        if wrong:
            tone, said = "danger", wrong[0].why
        elif findings:
            n = len(findings)
            tone = "warning"
            said = ngettext("Version %(v)d, %(n)d remark.", "Version %(v)d, %(n)d remarks.", n) % {
                "v": template.version,
                "n": n,
            }
        else:
            tone, said = "success", _("Version %(v)d, no remarks.") % {"v": template.version}
    return {
        "ask": ask,
        "title": publishing.title_of(ask),
        "size": lists.active_targets(ask.target_list).count(),
        "shared": shared_words(ask),
        "tone": tone,
        "said": said,
    }


def _row(campaign: Campaign) -> dict[str, Any]:
    ledger = statistics.ledger(campaign)
    return {
        "campaign": campaign,
        "title": publishing.page_text(campaign).title,
        "standing": standing(campaign),
        "asks": len(campaign.asks.all()),
        "letters": statistics.letters_by_stage(campaign)[Letter.Stage.CONFIRMED],
        "deliveries": ledger.total,
        "settled": round(100 * ledger.settled / ledger.total) if ledger.total else 0,
        "adds_up": ledger.adds_up,
    }
