"""Asks at the desk: which list a campaign writes to, what supporters read about it, who learns what."""

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts import access
from campaigns import publishing
from campaigns.models import Ask, Campaign
from campaigns.publishing import CampaignRefused
from targets import lists
from targets.models import TargetList
from web.organisers import posted
from web.organisers.campaign_frame import campaign_page, find, find_ask, note
from web.organisers.desk import Desk, for_members

MOST_LINES = 12
MOST_IN_A_LINE = 300
_CHOICES = ("shows_town", "shows_email", "warns")


@for_members(to_see=access.may_edit_campaigns)
def new_ask(request: HttpRequest, desk: Desk, slug: str) -> HttpResponse:
    """Add an ask to a campaign."""
    return _form(request, desk, find(desk, slug), None)


@for_members(to_change=access.may_edit_campaigns)
def edit_ask(request: HttpRequest, desk: Desk, slug: str, ask_slug: str) -> HttpResponse:
    """Change an ask."""
    campaign = find(desk, slug)
    ask = find_ask(campaign, ask_slug)
    if ask is None:
        raise Http404
    return _form(request, desk, campaign, ask)


def _form(request: HttpRequest, desk: Desk, campaign: Campaign, ask: Ask | None) -> HttpResponse:
    values: dict[str, Any] = _values(ask)
    errors: dict[str, str] = {}
    if request.method == "POST":
        values = _read(request.POST)
        try:
            saved = _save(desk, campaign, ask, values)
        except CampaignRefused as refused:
            errors = refused.errors
        else:
            if ask is None:
                note(request, _("The letter is added. Next: write its wording."))
                return redirect("organisers:wording", campaign.slug, saved.slug)
            note(request, _("The letter is saved."))
            return redirect("organisers:campaign", campaign.slug)
    return campaign_page(
        request,
        desk,
        campaign,
        "organisers/asks/form.html",
        tab="overview",
        status=422 if errors else 200,
        ask=ask,
        values=values,
        errors=errors,
        lists=list(lists.lists_with_counts(desk.organisation)),
        ask_title=publishing.title_of(ask) if ask else "",
    )


def _save(desk: Desk, campaign: Campaign, ask: Ask | None, values: dict[str, Any]) -> Ask:
    chosen = TargetList.objects.filter(
        organisation=desk.organisation, public_id=values["target_list"]
    ).first()
    errors: dict[str, str] = {}
    if chosen is None:
        errors["target_list"] = _("Choose the list that receives this letter.")
    points = _lines("talking_points", values, errors)
    starters = _lines("starters", values, errors)
    if errors or chosen is None:
        raise CampaignRefused(errors)
    return publishing.save_ask(
        campaign=campaign,
        by=desk.person,
        target_list=chosen,
        title=values["title"],
        short=values["short"],
        talking_points=[_point(line) for line in points if line.strip("| ")],
        starters=starters,
        ask=ask,
        **{name: values[name] for name in _CHOICES},
    )


def _read(form: QueryDict) -> dict[str, Any]:
    return {
        "target_list": posted.line(form, "target_list"),
        "title": posted.line(form, "title"),
        "short": posted.text(form, "short"),
        "talking_points": posted.text(form, "talking_points"),
        "starters": posted.text(form, "starters"),
        **{name: name in form for name in _CHOICES},
    }


def _values(ask: Ask | None) -> dict[str, Any]:
    """Return what the form starts with; a new ask lets its targets learn the least."""
    if ask is None:
        return {**_read(QueryDict())}
    text = publishing.text_of(ask)
    points: Sequence[dict[str, str]] = text.talking_points if text else []
    return {
        "target_list": ask.target_list.public_id,
        "title": text.title if text else "",
        "short": text.short if text else "",
        "talking_points": "\n".join(_point_line(point) for point in points),
        "starters": "\n".join(text.starters if text else []),
        **{name: getattr(ask, name) for name in _CHOICES},
    }


def _lines(name: str, values: dict[str, Any], errors: dict[str, str]) -> list[str]:
    lines = [" ".join(line.split()) for line in values[name].split("\n") if line.strip()]
    long = next((place for place, line in enumerate(lines, start=1) if len(line) > MOST_IN_A_LINE), None)
    if len(lines) > MOST_LINES:
        errors[name] = _("There are %(n)d lines. Nobody reads more than %(most)d: keep the best.") % {
            "n": len(lines),
            "most": MOST_LINES,
        }
    elif long is not None:
        errors[name] = _("Line %(line)d has more than %(most)d characters. Shorten it.") % {
            "line": long,
            "most": MOST_IN_A_LINE,
        }
    return lines


def _point(line: str) -> dict[str, str]:
    text, _bar, source = line.rpartition("|")
    return {"text": (text or source).strip(), "source": source.strip() if text else ""}


def _point_line(point: dict[str, str]) -> str:
    text, source = point.get("text", ""), point.get("source", "")
    return f"{text} | {source}" if source else text
