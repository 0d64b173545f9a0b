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
_CHOICES = ("shows_town", "shows_email")
_WARNS = {"": None, "yes": True, "no": False}
_NUMBERS = ("most_targets", "suggested_targets")


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


def shared_words(ask: Ask) -> str:
    """Return to how many of the list one letter goes; "" where to all of it."""
    limit = _("one letter goes to %(most)d at most") % {"most": ask.most_targets}
    if ask.mode == Ask.Mode.FIXED:
        return ""
    if ask.mode == Ask.Mode.UP_TO:
        return _("%(limit)s, whom its writer chooses") % {"limit": limit}
    if ask.mode == Ask.Mode.BY_COUNTRY:
        return _("%(limit)s, from its writer’s country") % {"limit": limit}
    return _("%(limit)s, whom we suggest") % {"limit": limit}


def _form(request: HttpRequest, desk: Desk, campaign: Campaign, ask: Ask | None) -> HttpResponse:
    values: dict[str, Any] = _values(ask)
    errors: dict[str, str] = {}
    if request.method == "POST":
        values = _read(request.POST, ask or Ask())
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
        modes=_modes(),
        warnings=_warnings(),
        ask_title=publishing.title_of(ask) if ask else "",
    )


def _save(desk: Desk, campaign: Campaign, ask: Ask | None, values: dict[str, Any]) -> Ask:
    chosen = TargetList.objects.filter(
        organisation=desk.organisation, public_id=values["target_list"]
    ).first()
    errors: dict[str, str] = {}
    if chosen is None:
        errors["target_list"] = _("Choose the list that receives this letter.")
    elif chosen.may_endanger and _was_set_for_others(values):
        values |= {**dict.fromkeys(_CHOICES, False), "warns": ""}
        errors["warns"] = _(
            "“%(list)s” is a list of embassies: writing to them can endanger people. So supporters are warned now, and "
            "town and e-mail address are hidden. Set it otherwise only if you know that it is safe."
        ) % {"list": chosen.name}
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
        mode=values["mode"],
        most_targets=_number(values["most_targets"]),
        suggested_targets=_number(values["suggested_targets"]),
        ask=ask,
        warns=_WARNS[values["warns"]],
        **{name: values[name] for name in _CHOICES},
    )


def _was_set_for_others(values: dict[str, Any]) -> bool:
    """Return whether targets were to learn more than the least, or nobody was to be warned, for another list."""
    is_least = not values["shows_town"] and not values["shows_email"] and values["warns"] != "no"
    return not is_least and values["shown_for"] != values["target_list"]


def _warnings() -> list[tuple[str, str]]:
    """Return whether supporters are warned: as the list's kind says, or as somebody decided."""
    return [
        ("", _("As usual for the list: for embassies yes, for others no")),
        ("yes", _("Yes, warn them")),
        ("no", _("No, I know that it is safe")),
    ]


def _modes() -> list[tuple[str, str, str]]:
    """Return the ways to share a list out, and what each means for a supporter."""
    return [
        (
            str(Ask.Mode.FIXED), _("Everybody on the list"),
            _("One letter goes to all of them. Right for short lists; a long one reads the same letter many times."),
        ),
        (
            str(Ask.Mode.SUGGESTED), _("A few, whom we suggest"),
            _("Those with few letters so far and room in their mailbox. Supporters may choose others."),
        ),
        (
            str(Ask.Mode.BY_COUNTRY), _("Those of the supporter’s country"),
            _("Supporters say where they live. Where nobody on the list is from there, we suggest others."),
        ),
        (
            str(Ask.Mode.UP_TO), _("Those whom supporters choose"),
            _("They choose by themselves before they write: one page more."),
        ),
    ]  # fmt: skip


def _read(form: QueryDict, ask: Ask) -> dict[str, Any]:
    """Return what the form sent; how the list is shared out stays as it is where a form does not say."""
    return {
        "target_list": posted.line(form, "target_list"),
        "shown_for": posted.line(form, "shown_for"),
        "warns": warns if (warns := posted.line(form, "warns")) in _WARNS else "",
        **{
            name: posted.line(form, name) if name in form else str(getattr(ask, name)) for name in ("mode", *_NUMBERS)
        },
        "title": posted.line(form, "title"),
        "short": posted.text(form, "short"),
        "talking_points": posted.text(form, "talking_points"),
        "starters": posted.text(form, "starters"),
        **{name: name in form for name in _CHOICES},
    }


def _values(ask: Ask | None) -> dict[str, Any]:
    """Return what the form starts with; a new ask lets its targets learn the least."""
    if ask is None:
        return _read(QueryDict(), Ask())
    text = publishing.text_of(ask)
    points: Sequence[dict[str, str]] = text.talking_points if text else []
    return {
        "target_list": ask.target_list.public_id,
        "warns": next(word for word, warns in _WARNS.items() if warns == ask.warns),
        **{name: str(getattr(ask, name)) for name in ("mode", *_NUMBERS)},
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


def _number(typed: str) -> int:
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 6 else 0


def _point(line: str) -> dict[str, str]:
    text, _bar, source = line.rpartition("|")
    return {"text": (text or source).strip(), "source": source.strip() if text else ""}


def _point_line(point: dict[str, str]) -> str:
    text, source = point.get("text", ""), point.get("source", "")
    return f"{text} | {source}" if source else text
