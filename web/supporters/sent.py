"""The letter is on its way: what happens next, the next ask, and passing it on."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_safe

from campaigns import publishing
from campaigns.models import Campaign
from letters import tokens, writing
from letters.models import Letter
from web.supporters import fates, next_ask
from web.supporters.finding import Draft, SeeOther, carried, for_writers, status_url


@dataclass(frozen=True)
class Share:
    """One way to pass the campaign on: which part of its address the words fill, and the link that it carries."""

    name: str
    address: str
    follows: str
    link: str


_SHARED_BY = (
    ("whatsapp", "WhatsApp", "https://wa.me/?text={both}"),
    ("telegram", "Telegram", "https://t.me/share/url?url={link}&text={text}"),
    ("sms", gettext_noop("Text message"), "sms:?body={both}"),
    ("email", gettext_noop("E-mail"), "mailto:?subject={title}&body={both}"),
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
        early = {"early": "yes"} if letter.stage == Letter.Stage.AWAITING else {}
        return SeeOther(draft.url("confirm" if early else "check", **carried(request), **early))
    now = timezone.now()
    content = writing.read(letter)
    quoted = content.sentence if request.GET.get("quote") == "yes" else ""
    context = {
        "lang": draft.lang,
        "draft": draft,
        "letter": letter,
        "text": publishing.page_text(letter.campaign, draft.lang),
        "content": content,
        "now": now,
        "overview": fates.overview(letter, now=now),
        "status_url": status_url(letter),
        "next": next_ask.after(letter, token=draft.token, lang=draft.lang),
        "others": _others(letter, lang=draft.lang) if draft.purpose == tokens.PROVEN else [],
        "quoted": quoted,
        "is_changed": "share" in request.GET,
        "quote": _quote(content.sentence),
        "share_words": share_words(letter.campaign, lang=draft.lang, quoted=quoted),
        "share_link": _link(letter.campaign, "copy", lang=draft.lang),
        "shares": shares(letter.campaign, lang=draft.lang, quoted=quoted),
        "address": request.path,
    }
    return render(request, "supporters/sent.html", context)


def share_words(campaign: Campaign, *, lang: str, quoted: str = "") -> str:
    """Return what is passed on: the campaign's words, after the supporter's own sentence where they ticked it."""
    text = publishing.page_text(campaign, lang)
    return f"{_quote(quoted)}{text.share_text or text.title}"


def _quote(sentence: str) -> str:
    return f"{_('“%(sentence)s”') % {'sentence': sentence}} " if sentence else ""


def shares(campaign: Campaign, *, lang: str, quoted: str = "") -> list[Share]:
    """Return the links that pass the campaign on; they name the medium, never a person."""
    title = publishing.page_text(campaign, lang).title
    words = share_words(campaign, lang=lang, quoted=quoted)
    found = []
    for medium, name, pattern in _SHARED_BY:
        link = _link(campaign, medium, lang=lang)
        parts = {"link": link, "text": words, "both": f"{words} {link}", "title": title}
        filled = pattern.format(**{key: quote(value, safe="") for key, value in parts.items()})
        # Where the words stand in the address, for the script that follows what is typed.
        follows = "both" if "{both}" in pattern else "text" if "{text}" in pattern else ""
        found.append(Share(_(name), filled, follows, link))
    return found


def _others(letter: Letter, *, lang: str) -> list[tuple[str, str]]:
    """Return the same person's other letters of the campaign, with where they can be followed."""
    rows = Letter.objects.filter(supporter=letter.supporter, stage=Letter.Stage.CONFIRMED).exclude(pk=letter.pk)
    found = rows.select_related("ask").order_by("confirmed_at", "pk")
    return [(publishing.title_of(other.ask, lang), status_url(other)) for other in found]


def _link(campaign: Campaign, medium: str, *, lang: str) -> str:
    path = reverse("supporters:campaign", kwargs={"lang": lang, "campaign": campaign.slug})
    return f"{settings.BASE_URL}{path}?{urlencode({'via': medium})}"
