"""The campaign's next letter, offered to somebody who has just written one: what they typed goes along."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from campaigns import publishing
from letters import supporters, tokens, unwritten, writing
from letters.models import Letter
from web.presentation import quoted


@dataclass(frozen=True)
class NextAsk:
    """The next letter: where it begins, and what of the one before goes along."""

    address: str  # where its form is sent to
    title: SafeString
    short: str
    language: str  # of `short`
    after: str  # the token of the earlier letter, from which name, e-mail, town and country are kept
    via: str
    sentence: str
    has_proof: bool  # the token says that the address was proved, a short while ago: no second mail


def after(letter: Letter, *, token: str, lang: str, first: Letter | None = None) -> NextAsk | None:
    """Return the next letter for whoever holds this token of an earlier one; None where none is left.

    The token is one that opens the letter's draft, or was proved: only its holder may see what was typed. `first` is
    the one that this person had sent before, where that is why this one was not.
    """
    ask = unwritten.next_ask(first or letter)
    if ask is None:
        return None
    text = publishing.text_of(ask, lang)
    is_proof = tokens.read(tokens.PROVEN, token) is not None
    return NextAsk(
        address=_address(letter, ask.slug, lang),
        title=quoted(text.title, text.language) if text else quoted(ask.slug, lang),
        short=text.short if text else "",
        language=text.language if text else lang,
        after=token,
        via=letter.source,
        sentence=writing.read(letter).sentence,
        has_proof=is_proof and letter.supporter is not None
        and supporters.was_just_proved(letter.supporter, now=timezone.now()),
    )


def page_of(letter: Letter, *, lang: str) -> str:
    """Return the page of the next letter for somebody whose token says nothing of who wrote this one; "" for none."""
    ask = unwritten.next_ask(letter)
    return f"{_address(letter, ask.slug, lang)}#write" if ask else ""


def _address(letter: Letter, ask: str, lang: str) -> str:
    return reverse("supporters:ask", kwargs={"lang": lang, "campaign": letter.campaign.slug, "ask": ask})
