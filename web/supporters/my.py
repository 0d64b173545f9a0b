"""My data: what is held about an address, for whoever proves that it is theirs; to see, take along, change, delete."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from campaigns import publishing
from letters import agreed, consents, erasures, holdings, inquiries, notices, supporters, tokens, writing
from letters.models import Notice, Supporter
from targets.addresses import AddressRefused, parse_email
from web import errors, languages, throttling
from web.same_origin import same_origin_only
from web.supporters import consent_words
from web.supporters.finding import SeeOther, by_token, status_url

MOST_ASKED = 20  # by one network in ten minutes


@same_origin_only
@by_token
@require_http_methods(["GET", "HEAD", "POST"])
def my(request: HttpRequest) -> HttpResponse:
    """Ask for an address. The answer is the same, byte for byte, whatever is held about it: nothing is looked up."""
    lang = languages.of_request(request)
    with override(lang):
        context: dict[str, Any] = {"lang": lang, "asked": request.GET.get("asked") == "yes", "email": "", "errors": {}}
        if request.method != "POST":
            return render(request, "supporters/my.html", context)
        typed = request.POST.get("email", "")[:300]
        try:
            email = parse_email(typed)
        except AddressRefused as refused:
            context |= {"email": " ".join(typed.split()), "errors": {"email": refused.sentence}}
            return render(request, "supporters/my.html", context, status=422)
        now = timezone.now()
        if wait := throttling.must_wait(request, deed="my", now=now, most=MOST_ASKED):
            return errors.too_many(request, wait=wait)
        inquiries.ask(email, language=lang, now=now)
        return SeeOther(f"{reverse('supporters:my')}?{urlencode({'asked': 'yes', 'lang': lang})}")


@same_origin_only
@by_token
@require_http_methods(["GET", "HEAD", "POST"])
def open_link(request: HttpRequest, *, token: str) -> HttpResponse:
    """Show one button (mail scanners follow links); pressed once, it opens the page for an hour."""
    notice = notices.find_link(token)
    if notice is None:
        raise Http404
    now = timezone.now()
    lang = _lang(request, notice)
    with override(lang):
        if inquiries.has_run_out(notice, now=now):
            return _run_out(request, notice)
        if request.method != "POST":
            return render(request, "supporters/my_open.html", {"lang": lang})
        if not notices.open_link(notice, now=now):
            return _run_out(request, notice)
        return SeeOther(_address(request, notice))


def for_owners(view: Callable[[HttpRequest, Notice], HttpResponse]) -> Callable[..., HttpResponseBase]:
    """Open a page to whoever pressed the button behind a mail's link, for an hour, in their or a chosen language."""

    @same_origin_only
    @by_token
    @wraps(view)
    def opened(request: HttpRequest, *, token: str) -> HttpResponse:
        notice = notices.find_opened(token)
        if notice is None:
            raise Http404
        with override(_lang(request, notice)):
            if not inquiries.is_open(notice, now=timezone.now()):
                return _run_out(request, notice)
            return view(request, notice)

    return opened


@for_owners
@require_http_methods(["GET", "HEAD", "POST"])
def see(request: HttpRequest, notice: Notice) -> HttpResponse:
    """Show everything; POST stops what waits of one letter, or changes what an organisation may send."""
    hashed, lang = bytes(notice.supporter.address_hash), _lang(request, notice)
    if request.method == "POST":
        return _change(request, notice, hashed)
    held = holdings.of(hashed) if notice.supporter.erased_at is None else holdings.Holdings()
    context = {
        "lang": lang,
        "holdings": held,
        "links": {
            one.letter.pk: languages.keep(request, status_url(one.letter)) for each in held.held for one in each.letters
        },
        "titles": {
            each.supporter.pk: publishing.page_text(each.supporter.campaign, lang).title for each in held.held
        },
        "standings": [
            (standing, consent_words.news(standing.campaign)) for standing in consents.by_organisation(_mine(notice))
        ],
        "partners": list(agreed.in_force(_mine(notice))),
        "addresses": {name: _address(request, notice, name) for name in ("see", "download", "delete")},
        "done": request.GET.get("done", ""),
        "until": (notice.used_at or timezone.now()) + inquiries.OPEN_FOR,
    }
    return render(request, "supporters/my_data.html", context)


@for_owners
@require_http_methods(["GET", "HEAD", "POST"])
def download(request: HttpRequest, notice: Notice) -> HttpResponse:
    """Say what the file will hold; POST gives it, as JSON."""
    if request.method != "POST":
        return _check(request, notice, "my_download")
    now = timezone.now()
    held = holdings.export(holdings.of(bytes(notice.supporter.address_hash)), now=now)
    answer = HttpResponse(json.dumps(held, ensure_ascii=False, indent=2), content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="postbag-my-data-{now:%Y-%m-%d}.json"'
    return answer


@for_owners
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, notice: Notice) -> HttpResponse:
    """Say what deleting does and what it cannot; POST does it."""
    if request.method != "POST":
        return _check(request, notice, "my_delete")
    if notice.supporter.erased_at is None:
        erasures.erase(bytes(notice.supporter.address_hash), now=timezone.now())
    return SeeOther(_address(request, notice, done="deleted"))


@csrf_exempt
@by_token
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, *, token: str) -> HttpResponse:
    """Stop mail about a campaign: GET shows a button, POST does it, also a mail program's (RFC 8058), from anywhere."""
    key = tokens.read(tokens.STOP, token)
    found = Supporter.objects.filter(key=key).select_related("campaign__organisation") if key is not None else None
    supporter = found.first() if found is not None else None
    if supporter is None:
        raise Http404
    lang = languages.chosen(request) or supporter.language or languages.of_request(request)
    if request.method == "POST":
        consents.stop_mail(supporter, now=timezone.now())
    with override(lang):
        context = {
            "lang": lang,
            "campaign": supporter.campaign,
            "done": not consents.are_in_force(supporter),  # so that it stays done in another language
            "partners": agreed.in_force(Supporter.objects.filter(pk=supporter.pk)),
        }
        return render(request, "supporters/my_stop.html", context)


def _change(request: HttpRequest, notice: Notice, hashed: bytes) -> HttpResponse:
    now, deed = timezone.now(), request.POST.get("deed", "")
    if deed == "stop":
        letter = holdings.find_letter(hashed, request.POST.get("letter", "")[:64])
        if letter is None:
            raise Http404
        writing.withdraw(letter, now=now)
    elif deed == "no-partner":
        agreed.withdraw(_mine(notice), request.POST.get("consent", "")[:18], now=now)
    elif deed in {"news", "no-news"}:
        rows = _mine(notice).filter(campaign__organisation__public_id=request.POST.get("organisation", "")[:64])
        supporter = rows.exclude(sealed=b"").select_related("campaign__organisation").order_by("-pk").first()
        if deed == "no-news":
            consents.withdraw(rows, consents.Purpose.NEWS, now=now)
        elif supporter is not None:
            words = consent_words.news(supporter.campaign)
            consents.give(supporter, consents.Purpose.NEWS, words=words, language=_lang(request, notice), now=now)
    else:
        raise Http404
    return SeeOther(_address(request, notice, done=deed))


def _mine(notice: Notice) -> "QuerySet[Supporter]":
    return supporters.by_hash(bytes(notice.supporter.address_hash))


def _check(request: HttpRequest, notice: Notice, page: str) -> HttpResponse:
    held = holdings.of(bytes(notice.supporter.address_hash))
    back, here = _address(request, notice), languages.keep(request, request.path)
    context = {"lang": _lang(request, notice), "holdings": held, "back": back, "address": here}
    return render(request, f"supporters/{page}.html", context)


def _run_out(request: HttpRequest, notice: Notice) -> HttpResponse:
    return render(request, "supporters/my_gone.html", {"lang": _lang(request, notice)}, status=410)


def _address(request: HttpRequest, notice: Notice, name: str = "see", **query: str) -> str:
    address = reverse(f"supporters:my-{name}", kwargs={"token": tokens.make(tokens.MY_OWN, bytes(notice.key))})
    return languages.keep(request, address, **query)


def _lang(request: HttpRequest, notice: Notice) -> str:
    return languages.chosen(request) or notice.language
