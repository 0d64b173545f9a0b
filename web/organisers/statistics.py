"""Statistics of a campaign: whether letters are personal and what became of them, over time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Campaign
from letters import statistics, told, told_replies
from letters.models import HourTally, Letter
from letters.statistics import Hour
from web.organisers.campaign_frame import campaign_page, find, number
from web.organisers.charts import LEAST_COLUMNS, Chart, interval, merged, stacked
from web.organisers.csv_answers import csv_answer
from web.organisers.desk import Desk, for_members
from web.organisers.likeness import sorted_together

BY_HOUR_FOR = timedelta(days=2)
Columns = list[tuple[str, dict[str, int]]]


@dataclass(frozen=True)
class Answer:
    """One chart: its answer as title, what that rests on, and the table of its numbers (heading first)."""

    which: str
    title: str
    basis: str
    chart: Chart
    table: list[list[str]]


@for_members()
def statistics_page(request: HttpRequest, desk: Desk, slug: str) -> HttpResponse:
    """Show the numbers that matter and two charts, each with its table."""
    campaign = find(desk, slug)
    return campaign_page(
        request,
        desk,
        campaign,
        "organisers/statistics/page.html",
        tab="statistics",
        answers=[_letters(campaign), _deliveries(campaign)],
        alike=sorted_together(campaign),
        people=statistics.people_who_wrote(campaign),
        accepted=statistics.letters_sent(campaign),
        stages=_stages(campaign),
        told=told.counts(campaign),
        replies_told=_told(campaign),
        by_hour=_is_young(campaign),
    )


@for_members()
def statistics_csv(_request: HttpRequest, desk: Desk, slug: str, which: str) -> HttpResponseBase:
    """Give the table of one chart as CSV, exactly as the page shows it."""
    campaign = find(desk, slug)
    if which == "likeness":
        return csv_answer(f"{slug}-{which}", sorted_together(campaign).table)
    answers = {"letters": _letters, "deliveries": _deliveries}
    if which not in answers:
        raise Http404
    return csv_answer(f"{slug}-{which}", answers[which](campaign).table)


def _letters(campaign: Campaign) -> Answer:
    names = {
        str(HourTally.Measure.OWN_0): _("No own words"),
        str(HourTally.Measure.OWN_1): _("1 to 9 own words"),
        str(HourTally.Measure.OWN_10): _("10 to 29 own words"),
        str(HourTally.Measure.OWN_30): _("30 or more own words"),
    }
    columns = _columns(campaign, lambda hour: dict(hour.own_words))
    written = sum(sum(counts.values()) for _label, counts in columns)
    own = written - sum(counts.get(HourTally.Measure.OWN_0, 0) for _label, counts in columns)
    return Answer(
        "letters",
        own_words_title(own, written),
        _basis(own, written),
        stacked(columns, names),
        _table(columns, names),
    )


def _deliveries(campaign: Campaign) -> Answer:
    names = {"accepted": _("Accepted"), "returned": _("Returned"), "unclear": _("Unclear")}
    columns = _columns(
        campaign, lambda hour: {"accepted": hour.accepted, "returned": hour.returned, "unclear": hour.unclear}
    )
    ended = sum(sum(counts.values()) for _label, counts in columns)
    accepted = sum(counts["accepted"] for _label, counts in columns if counts)
    return Answer(
        "deliveries",
        accepted_title(accepted, ended),
        _basis_of_deliveries(accepted, ended),
        stacked(columns, names),
        _table(columns, names),
    )


def own_words_title(own: int, written: int) -> str:
    """Say the answer to "are letters personal?" in one sentence."""
    if not written:
        return _("No letters yet")
    if own in {0, written}:
        return _("Every letter carries own words") if own else _("No letter carries own words yet")
    if written < 10:
        return ngettext(
            "%(n)d of %(all)d letters carries own words", "%(n)d of %(all)d letters carry own words", own
        ) % {"n": own, "all": written}
    share = 100 * own / written
    if abs(share - 50) < 3:
        return _("Half of the letters carry own words")
    return _("%(share)d %% of the letters carry own words") % {"share": _per_cent(own, written)}


def accepted_title(accepted: int, ended: int) -> str:
    """Say the answer to "do letters arrive?" in one sentence."""
    if not ended:
        return _("Nothing has been handed over yet")
    if accepted == ended:
        return _("Everything handed over was accepted")
    if not accepted:
        return _("Nothing was accepted yet")
    return _("%(share)d %% of what was handed over was accepted") % {"share": _per_cent(accepted, ended)}


def _per_cent(part: int, whole: int) -> int:
    """Return whole per cent, never 0 or 100 where some are and some are not."""
    return min(max(round(100 * part / whole), 1), 99)


def _basis(own: int, written: int) -> str:
    if not written:
        return _("The chart begins with the first confirmed letter.")
    low, high = interval(own, written)
    return _("%(own)s of %(all)s letters; 95 %% interval %(low)d to %(high)d %%.") % {
        "own": number(own),
        "all": number(written),
        "low": low,
        "high": high,
    }


def _basis_of_deliveries(accepted: int, ended: int) -> str:
    if not ended:
        return _("The chart begins with the first delivery.")
    return _(
        "%(accepted)s of %(all)s deliveries. Accepted means by their mail server, at that time: what came back later "
        "is still among them, and nobody sees what is read."
    ) % {
        "accepted": number(accepted),
        "all": number(ended),
    }


def _is_young(campaign: Campaign) -> bool:
    return campaign.opened_at is not None and timezone.now() - campaign.opened_at < BY_HOUR_FOR


def _columns(campaign: Campaign, counted: Callable[[Hour], dict[str, int]]) -> Columns:
    if _is_young(campaign):
        step, found = timedelta(hours=1), statistics.hours(campaign)
    else:
        step, found = timedelta(days=1), statistics.days(campaign)
    by_time = {hour.at: counted(hour) for hour in found}
    return merged(_filled(by_time, step)) if by_time else []


def _filled(by_time: Mapping[datetime, dict[str, int]], step: timedelta) -> Columns:
    """Return a column for every step from first to last; at least a dozen, the earliest being empty."""
    last = max(by_time)
    first = min(*by_time, last - (LEAST_COLUMNS - 1) * step)
    empty = dict.fromkeys(next(iter(by_time.values())), 0)
    steps = int((last - first) / step) + 1
    times = [first + n * step for n in range(steps)]
    return [(_when(at, step), by_time.get(at, empty)) for at in times]


def _when(at: datetime, step: timedelta) -> str:
    return f"{at.day} {at:%b %H:%M}" if step < timedelta(days=1) else f"{at.day} {at:%b %Y}"


def _table(columns: Sequence[tuple[str, Mapping[str, int]]], names: Mapping[str, str]) -> list[list[str]]:
    head = [_("From"), *names.values(), _("Together")]
    lines = [
        [label, *(str(counts.get(kind, 0)) for kind in names), str(sum(counts.values()))]
        for label, counts in columns
    ]
    sums = [sum(counts.get(kind, 0) for _label, counts in columns) for kind in names]
    return [head, *lines, [_("All"), *(str(n) for n in sums), str(sum(sums))]] if lines else [head]


def _told(campaign: Campaign) -> list[tuple[str, int]]:
    """Return what supporters say came back, and how often; empty where nobody said anything."""
    counts = told_replies.counts(campaign)
    words = {
        told_replies.Kind.REAL: _("A real answer"),
        told_replies.Kind.STANDARD: _("A standard text"),
        told_replies.Kind.ACKNOWLEDGEMENT: _("Only a note that it arrived"),
        told_replies.Kind.NONE: _("No answer"),
        told_replies.Kind.UNEXPECTED: _("None is expected"),
    }
    return [(said, counts[kind]) for kind, said in words.items()] if any(counts.values()) else []


def _stages(campaign: Campaign) -> list[tuple[str, int]]:
    counts = statistics.letters_by_stage(campaign)
    return [
        (_("Being written"), counts[Letter.Stage.DRAFT]),
        (_("Awaiting confirmation"), counts[Letter.Stage.AWAITING]),
        (_("Confirmed"), counts[Letter.Stage.CONFIRMED]),
        (_("Deleted, not sent"), counts[Letter.Stage.EXPIRED]),
        (_("Taken back"), counts[Letter.Stage.WITHDRAWN]),
    ]
