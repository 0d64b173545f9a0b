"""Tell me once: how a campaign goes on that takes no letters, or cannot deliver them. An address is proved first."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from campaigns.models import Campaign
from letters import notices, supporters, telling
from targets.addresses import AddressRefused, parse_email
from web import errors, throttling
from web.supporters import consent_words, endings, envelope
from web.supporters.campaign import not_told
from web.supporters.finding import SeeOther, by_token, campaign_of, for_supporters


@for_supporters
@require_http_methods(["GET", "HEAD", "POST"])
def once(request: HttpRequest, *, lang: str, campaign: str) -> HttpResponse:
    """Take an address to which a mail then goes; the page is the same whoever it belongs to."""
    found = campaign_of(lang, campaign)
    page = _page_of(found, lang=lang, ask=request.POST.get("ask", ""))
    now = timezone.now()
    if request.method != "POST" or (found.is_open and not envelope.is_stuck(found, now=now)):
        return SeeOther(page)
    typed = request.POST.get("email", "")[:300]
    try:
        email = parse_email(typed)
    except AddressRefused as refused:
        wrong = {"email": refused.sentence}
        if found.is_open:
            return not_told(request, found, lang=lang, errors=wrong)
        return endings.closed(request, found, lang=lang, email=" ".join(typed.split()), errors=wrong)
    if wait := throttling.must_wait(request, deed="once", now=now):
        return errors.too_many(request, wait=wait)
    supporter = supporters.waiting_for_proof(found, email, language=lang)
    notices.ask_for_wish(supporter, language=lang, now=now)
    return SeeOther(f"{page}?asked=once#once")


@for_supporters
@by_token
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, *, lang: str, campaign: str, token: str) -> HttpResponse:
    """Show one button (mail scanners follow links); POST keeps the wish."""
    notice = notices.find_wish(token)
    if notice is None or notice.supporter.campaign.slug != campaign:
        raise Http404
    now = timezone.now()
    found = campaign_of(lang, campaign)
    if notice.used_at is None and (notices.has_run_out(notice, now=now) or not notice.supporter.sealed):
        return SeeOther(reverse("supporters:campaign", kwargs={"lang": lang, "campaign": campaign}))
    words = consent_words.once(found)
    if request.method == "POST":
        if notice.used_at is None:
            telling.wish(notice, words=words, now=now)
        return SeeOther(request.path)
    context = {"lang": lang, "campaign": found, "words": words, "is_kept": notice.used_at is not None}
    return render(request, "supporters/once.html", context)


def _page_of(campaign: Campaign, *, lang: str, ask: str) -> str:
    """Return the address of the page that the wish was typed on: a letter's, or that of the closed campaign."""
    where = {"lang": lang, "campaign": campaign.slug}
    if campaign.is_open and campaign.asks.filter(slug=ask).exists():
        return reverse("supporters:ask", kwargs={**where, "ask": ask})
    return reverse("supporters:campaign", kwargs=where)
