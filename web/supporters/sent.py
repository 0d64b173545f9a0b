"""The letter is on its way: what happens next, the next ask, and passing it on."""

from urllib.parse import quote, urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from campaigns import publishing
from campaigns.models import Campaign
from letters import tokens, writing
from letters.models import Letter
from web.supporters import fates
from web.supporters.finding import Draft, SeeOther, for_writers, status_url

_SHARED_BY = (
    ("whatsapp", "WhatsApp", "https://wa.me/?text={both}"),
    ("telegram", "Telegram", "https://t.me/share/url?url={link}&text={text}"),
    ("email", "E-mail", "mailto:?subject={title}&body={both}"),
    ("mastodon", "Mastodon", "https://mastodonshare.com/?text={both}"),
    ("bluesky", "Bluesky", "https://bsky.app/intent/compose?text={both}"),
    ("facebook", "Facebook", "https://www.facebook.com/sharer/sharer.php?u={link}"),
)


@for_writers
@require_safe
def sent(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Show the letter on its way; a letter that is not confirmed yet goes back to its own step."""
    letter = draft.letter
    if letter.stage != Letter.Stage.CONFIRMED:
        return SeeOther(draft.url("confirm" if letter.stage == Letter.Stage.AWAITING else "check"))
    now = timezone.now()
    ask = writing.next_ask(letter)
    content = writing.read(letter)
    context = {
        "lang": draft.lang,
        "draft": draft,
        "letter": letter,
        "text": publishing.page_text(letter.campaign, draft.lang),
        "content": content,
        "now": now,
        "overview": fates.overview(letter, now=now),
        "status_url": status_url(letter),
        "next_ask": ask,
        "next_text": publishing.text_of(ask, draft.lang) if ask else None,
        "has_proof": draft.purpose == tokens.PROVEN,
        "shares": shares(letter.campaign, lang=draft.lang),
        "campaign_url": _campaign_url(letter.campaign, lang=draft.lang),
    }
    return render(request, "supporters/sent.html", context)


def shares(campaign: Campaign, *, lang: str) -> list[tuple[str, str]]:
    """Return (name, address) of links that pass the campaign on; they name the medium, never a person."""
    text = publishing.page_text(campaign, lang)
    words = text.share_text or text.title
    found = []
    for medium, name, pattern in _SHARED_BY:
        link = f"{_campaign_url(campaign, lang=lang)}?{urlencode({'via': medium})}"
        parts = {"link": link, "text": words, "both": f"{words} {link}", "title": text.title}
        filled = pattern.format(**{key: quote(value, safe="") for key, value in parts.items()})
        found.append((_("E-mail") if medium == "email" else name, filled))
    return found


def _campaign_url(campaign: Campaign, *, lang: str) -> str:
    path = reverse("supporters:campaign", kwargs={"lang": lang, "campaign": campaign.slug})
    return f"{settings.BASE_URL}{path}"
