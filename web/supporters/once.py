"""Tell me once: how a campaign goes on that takes no letters now. Nobody is told who has not proved the address."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from letters import notices, supporters, telling
from targets.addresses import AddressRefused, parse_email
from web import errors, throttling
from web.supporters import consent_words, endings
from web.supporters.finding import SeeOther, by_token, campaign_of, for_supporters


@for_supporters
@require_http_methods(["GET", "HEAD", "POST"])
def once(request: HttpRequest, *, lang: str, campaign: str) -> HttpResponse:
    """Take an address to which a mail then goes; the page is the same whoever it belongs to."""
    found = campaign_of(lang, campaign)
    page = reverse("supporters:campaign", kwargs={"lang": lang, "campaign": campaign})
    if request.method != "POST" or found.is_open:
        return SeeOther(page)
    typed = request.POST.get("email", "")[:300]
    try:
        email = parse_email(typed)
    except AddressRefused as refused:
        wrong = {"email": refused.sentence}
        return endings.closed(request, found, lang=lang, email=" ".join(typed.split()), errors=wrong)
    now = timezone.now()
    if wait := throttling.must_wait(request, deed="once", now=now):
        return errors.too_many(request, wait=wait)
    supporter = supporters.waiting_for_proof(found, email, language=lang)
    notices.ask_for_wish(supporter, language=lang, now=now)
    return SeeOther(f"{page}?asked=once")


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
