"""What every page may call: dates, times, numbers and lists in words, the stamps, the styles."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import nh3
from babel import Locale
from babel.dates import format_date, format_time, get_timezone_gmt, get_timezone_name
from babel.lists import format_list
from babel.numbers import format_decimal
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt
from rcssmin import cssmin

from campaigns import dressing, looks, partners
from campaigns.looks import CampaignLook, Look, Voice
from campaigns.models import Campaign, Partner
from letters import page_words
from web import languages

STYLESHEETS = ("tokens.css", "supporters.css")
_LOCALES = {"en": "en_GB"}  # British English, as everywhere in the product
_TAGS = {"p", "strong", "em", "a", "ul", "ol", "li", "blockquote", "h3", "h4", "h5", "h6", "br", "hr"}


def test_mode() -> bool:
    """Return whether mail goes to the built-in mail server and to nobody else."""
    return bool(settings.BUILT_IN_MAIL_SERVER)


def language() -> str:
    """Return the code of the page's language, for `lang`."""
    return get_language() or settings.LANGUAGE_CODE


def direction() -> str:
    """Return "ltr" or "rtl", for `dir`."""
    return "rtl" if get_language_bidi() else "ltr"


def marks(code: str) -> SafeString:
    """Return the attributes of a block in this language; none where the page speaks it."""
    if code == language():
        return SafeString("")
    return format_html(' lang="{}" dir="{}"', code, languages.direction_of(code))


def language_name(code: str) -> str:
    """Return the name of a language in the language of the page: "German"."""
    return str(_locale().languages.get(code, code))


@lru_cache(maxsize=1)
def styles() -> SafeString:
    """Return the supporter pages' whole style sheet, minified: it stands in the page, so that one request is enough."""
    folder = Path(settings.STATICFILES_DIRS[0]) / "css"
    sheets = [(folder / name).read_text(encoding="utf-8") for name in STYLESHEETS]
    return mark_safe(str(cssmin("".join(sheets))))  # noqa: S308  our own files


def look(partner: Partner | None, campaign: Campaign | None) -> SafeString:
    """Return the style rules of a campaign's look and, in a partner's frame, of that partner's, which wins.

    Colours and numbers, nothing else; our own where nobody wished for others.
    """
    dressed = _campaign_look(dressing.look_of(campaign)) if campaign is not None else ""
    framed = _partner_look(partners.look_of(partner)) if partner is not None else ""
    return mark_safe(dressed + framed)  # noqa: S308  checked by campaigns.looks


def _campaign_look(found: CampaignLook) -> str:
    if found.is_usual:
        return ""
    colours = {"action": found.accent, "action-hover": found.accent, "edge-1": found.edge_1, "edge-2": found.edge_2}
    light = ";".join(f"--{name}:{colour.light}" for name, colour in colours.items())
    dark = ";".join(f"--{name}:{colour.dark}" for name, colour in colours.items())
    sans = ".letter,.sheet textarea,textarea[readonly],.starters{font-family:var(--sans)}"
    return _coloured(light, dark) + (sans if found.voice == Voice.SANS else "")


def _partner_look(found: Look) -> str:
    if found.is_usual:
        return ""
    light = f"--paper:{found.paper};--action:{found.accent};--action-hover:{found.accent}"
    dark = f"--paper:{looks.DARK_PAPER};--action:{found.dark_accent};--action-hover:{found.dark_accent}"
    return (
        f"{_coloured(light, dark)}html{{font-size:{1.125 * found.scale}%}}"
        f".button,input,textarea,.envelope{{border-radius:{found.corner}px}}"
    )


def _coloured(light: str, dark: str) -> str:
    """Return the rules for these tokens. They give way to ours for whoever asks for more contrast, or other colours."""
    root = ":root:not(.light)"  # as strong as in tokens.css
    rules = f"{root}{{{light}}}@media (prefers-color-scheme:dark){{{root}{{{dark}}}}}"
    return f"@media not all and (prefers-contrast:more){{@media not all and (forced-colors:active){{{rules}}}}}"


def logo(campaign: Campaign) -> SafeString:
    """Return a campaign's logo, read as its organisation's name; that name itself where it has none."""
    name = campaign.organisation.name
    found = dressing.logo_of(campaign)
    if found is None:
        return isolated(name)
    address = reverse("supporters:logo", kwargs={"campaign": campaign.slug, "digest": found.digest})
    return format_html('<img src="{}" alt="{}" width="{}" height="{}">', address, name, found.width, found.height)


def nonce(request: HttpRequest) -> str:
    """Return the nonce of this answer's style block; empty where an early refusal has none."""
    return str(getattr(request, "csp_nonce", ""))


def stamp_class(word: str) -> str:
    """Return the classes of the stamp that shows a page word."""
    return f"stamp stamp-{word.replace('_', '-')}"


def word_label(word: str) -> str:
    """Return a page word as it is read: "Being handed over"."""
    return str(page_words.Word(word).label)


def word_explained(word: str) -> str:
    """Return the sentence that explains a page word."""
    return str(page_words.EXPLAINED[word])


def date_words(moment: datetime | date, zone: str = "") -> str:
    """Return "23 November 2011", in the language of the page and the time zone given, else the installation's."""
    day = _local(moment, zone).date() if isinstance(moment, datetime) else moment
    return format_date(day, format="long", locale=_locale())


def time_words(moment: datetime, zone: str = "") -> str:
    """Return "16:03 UTC" or "17:03 CET": the zone is always said, as the page's language calls it."""
    local = _local(moment, zone)
    clock = format_time(local.time(), format="short", locale=_locale())
    return f"{clock} {_zone_words(local)}"


def moment_words(moment: datetime, zone: str = "") -> str:
    """Return "23 November 2011 at 16:03 UTC"."""
    return _("%(date)s at %(time)s") % {"date": date_words(moment, zone), "time": time_words(moment, zone)}


def _local(moment: datetime, zone: str) -> datetime:
    return timezone.localtime(moment, ZoneInfo(zone) if zone else None)


def _zone_words(local: datetime) -> str:
    """Return "CET", or "GMT+05:00" where the language has no name that its readers would know."""
    if local.tzname() == "UTC":
        return "UTC"
    short = get_timezone_name(local, width="short", locale=_locale())
    return get_timezone_gmt(local, locale=_locale()) if any(map(str.isdecimal, short)) else short


def listed(names: Iterable[str]) -> str:
    """Return "A, B and C"."""
    return format_list([str(name) for name in names], style="standard", locale=_locale())


def isolated(name: object) -> SafeString:
    """Return a name or address that keeps its own direction, whichever way the sentence around it runs."""
    return format_html("<bdi>{}</bdi>", name)


def help_link(help_at: str) -> SafeString:
    """Return a link to an e-mail address or a web page that organisers named (accounts.organisations checked it)."""
    if not help_at.startswith(("https://", "http://")):
        return format_html('<a href="mailto:{}"><bdi dir="ltr">{}</bdi></a>', quote(help_at, safe="@"), help_at)
    words = help_at.partition("://")[2].rstrip("/")
    return format_html(
        '<a href="{}" target="_blank" rel="noopener noreferrer"><bdi dir="ltr">{}</bdi></a>', help_at, words
    )


def quoted(text: str, code: str) -> SafeString:
    """Return words of a campaign within a sentence of ours, marked where they are in another language."""
    return format_html("<bdi{}>{}</bdi>", marks(code), text)


def names(found: Iterable[str]) -> SafeString:
    """Return "A, B and C", each name isolated from the direction of the sentence."""
    return mark_safe(listed(isolated(name) for name in found))  # noqa: S308  each is escaped, and CLDR has no markup


def number(value: int) -> str:
    """Return "12,408"."""
    return format_decimal(value, locale=_locale())


@lru_cache(maxsize=64)
def markdown(text: str) -> SafeString:
    """Return Markdown as HTML: no raw HTML, no pictures, headings below the page's own."""
    parser = MarkdownIt("commonmark", {"html": False}).disable("image")
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
    html = parser.renderer.render(tokens, parser.options, {})
    clean = nh3.clean(html, tags=_TAGS, attributes={"a": {"href"}}, url_schemes={"https", "http", "mailto"})
    return mark_safe(clean)  # noqa: S308  cleaned in the line above


def _locale() -> Locale:
    code = language()
    return Locale.parse(_LOCALES.get(code, code.replace("-", "_")))


GLOBALS: dict[str, Callable[..., Any]] = {
    "test_mode": test_mode,
    "language": language,
    "direction": direction,
    "languages": languages.links,
    "language_name": language_name,
    "marks": marks,
    "styles": styles,
    "nonce": nonce,
    "look": look,
    "logo": logo,
    "stamp_class": stamp_class,
    "word_label": word_label,
    "word_explained": word_explained,
}
FILTERS: dict[str, Callable[..., Any]] = {
    "date_words": date_words,
    "time_words": time_words,
    "moment_words": moment_words,
    "help_link": help_link,
    "isolated": isolated,
    "listed": listed,
    "language_name": language_name,
    "direction_of": languages.direction_of,
    "names": names,
    "number": number,
    "quoted": quoted,
    "markdown": markdown,
}
