"""The delivery board: a ledger that adds up, what stands behind each number, and what a person may do."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import access
from campaigns import publishing
from campaigns.models import Campaign
from letters import statistics, steering
from letters.models import Letter
from letters.page_words import EXPLAINED, Word
from letters.statistics import Ledger
from targets.models import Target
from web.organisers import delivery_rows, delivery_tables, posted, troubles
from web.organisers.campaign_frame import (
    campaign_page,
    deliveries_in_words,
    find,
    find_ask,
    letters_in_words,
    note,
    number,
)
from web.organisers.charts import strip
from web.organisers.csv_answers import csv_answer
from web.organisers.desk import Desk, for_members
from web.organisers.launching import check


@for_members()
def board(request: HttpRequest, desk: Desk, slug: str) -> HttpResponse:
    """Show the ledger: the whole, by ask, by target."""
    campaign = find(desk, slug)
    view = delivery_tables.view_of(request.GET)
    lines = delivery_tables.by_target(campaign, view)
    shown, page, pages = delivery_tables.cut(lines, view.page)
    ledger = statistics.ledger(campaign)
    return campaign_page(
        request,
        desk,
        campaign,
        "organisers/delivery/board.html",
        tab="delivery",
        ledger=ledger,
        letters=_letters(campaign),
        by_ask=delivery_tables.by_ask(campaign),
        targets=shown,
        found=len(lines),
        view=view,
        page=page,
        pages=pages,
        segments=strip({word: ledger.counts[word] for word in Word}),
        awaiting=_awaiting_words(campaign),
        settled=_settled(ledger),
        paused=troubles.paused_by_itself(campaign),
        resting=troubles.resting_domains(campaign),
        held=troubles.held(campaign),
        **_words(),
    )


@for_members()
def ledger_csv(request: HttpRequest, desk: Desk, slug: str) -> HttpResponseBase:
    """Give the ledger by ask, or by target as filtered and sorted on the page, as CSV."""
    campaign = find(desk, slug)
    if request.GET.get("by") == "ask":
        return csv_answer(f"{slug}-by-letter", delivery_tables.table(delivery_tables.by_ask(campaign)))
    lines = delivery_tables.by_target(campaign, delivery_tables.view_of(request.GET))
    return csv_answer(f"{slug}-by-office", delivery_tables.table(lines))


@for_members()
def rows(request: HttpRequest, desk: Desk, slug: str) -> HttpResponse:
    """Show the deliveries behind one number of the ledger."""
    campaign = find(desk, slug)
    word = request.GET.get("word", "")
    if word not in Word.values:
        raise Http404
    ask = find_ask(campaign, request.GET.get("ask", ""))
    target = _target(desk, request.GET.get("target", ""))
    shown, following = delivery_rows.behind(
        campaign, word, ask=ask, target=target, before=posted.whole(request.GET, "before")
    )
    return campaign_page(
        request,
        desk,
        campaign,
        "organisers/delivery/rows.html",
        tab="delivery",
        word=Word(word),
        rows=shown,
        ask=ask,
        target=target,
        titles={each.pk: publishing.title_of(each) for each in campaign.asks.all()},
        following=following,
        before=posted.whole(request.GET, "before"),
        **_words(),
    )


@for_members(to_see=access.may_send)
def send_again(request: HttpRequest, desk: Desk, slug: str, reference: str) -> HttpResponse:
    """Ask whether one unclear delivery shall go again, once; by POST send it."""
    campaign = find(desk, slug)
    delivery = delivery_rows.find(campaign, reference)
    if delivery is None:
        raise Http404
    back = f"{reverse('organisers:delivery-rows', args=[campaign.slug])}?word={Word.UNCLEAR}"
    if request.method == "POST":
        again = steering.send_again(delivery=delivery, by=desk.person, now=timezone.now())
        said = _("It goes out again.") if again else _("It is not unclear any more, or was sent again already.")
        note(request, said, warn=not again)
        return redirect(back)
    return campaign_page(
        request,
        desk,
        campaign,
        "organisers/delivery/check.html",
        tab="delivery",
        **check(
            title=_("Send this letter to %(target)s again?") % {"target": delivery.target},
            sentences=[
                _("The line broke at the last moment. It probably arrived."),
                _("If you send it again, the office may get it twice. You can do this once."),
            ],
            button=_("Send it again"),
            back=back,
        ),
    )


@for_members(to_see=access.may_send)
def stop_target(request: HttpRequest, desk: Desk, slug: str, target_id: str) -> HttpResponse:
    """Ask whether what waits for one target shall be stopped; by POST stop it."""
    campaign = find(desk, slug)
    target = get_object_or_404(Target, organisation=desk.organisation, public_id=target_id)
    back = reverse("organisers:delivery", args=[campaign.slug])
    if request.method == "POST":
        stopped = steering.stop_target(campaign=campaign, target=target, by=desk.person, now=timezone.now())
        words = {"deliveries": deliveries_in_words(stopped), "target": target}
        note(request, _("Stopped for %(target)s: %(deliveries)s.") % words, warn=True)
        return redirect(back)
    counts = statistics.ledger_by_target(campaign).get(target.pk, Ledger()).counts
    waiting = sum(counts[word] for word in (Word.WAITING, Word.RETRYING, Word.UNCLEAR))
    return campaign_page(
        request,
        desk,
        campaign,
        "organisers/delivery/check.html",
        tab="delivery",
        **check(
            title=_("Stop letters to %(target)s?") % {"target": target},
            sentences=_stop_sentences(waiting),
            button=_("Stop these letters"),
            back=back,
            dangerous=True,
        ),
    )


def _stop_sentences(waiting: int) -> list[str]:
    return [
        ngettext(
            "%(n)s delivery that has not left is stopped for good.",
            "%(n)s deliveries that have not left are stopped for good.",
            waiting,
        )
        % {"n": number(waiting)},
        _("Letters confirmed later still go there. To end that, retire the target on its list."),
    ]


def _letters(campaign: Campaign) -> str:
    return letters_in_words(Letter.objects.filter(campaign=campaign, confirmed_at__isnull=False).count())


def _awaiting_words(campaign: Campaign) -> str:
    n = statistics.letters_by_stage(campaign)[Letter.Stage.AWAITING]
    return ngettext(
        "%(n)s letter awaits confirmation by its supporter. It is not counted above.",
        "%(n)s letters await confirmation by their supporters. They are not counted above.",
        n,
    ) % {"n": number(n)}


def _settled(ledger: Ledger) -> int:
    """Return the settled share in whole per cent; 100 only where nothing is left to do."""
    return ledger.settled * 100 // ledger.total if ledger.total else 0


def _target(desk: Desk, public_id: str) -> Target | None:
    return Target.objects.filter(organisation=desk.organisation, public_id=public_id).first() if public_id else None


def _words() -> dict[str, Any]:
    return {"words": list(Word), "explained": EXPLAINED}
