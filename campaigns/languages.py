"""In which language something is written: an ask's wordings, a letter, a campaign's page."""

from collections.abc import Iterable

from campaigns.models import Ask, Campaign


def languages_of(ask: Ask) -> list[str]:
    """Return the languages in which the ask has a wording, its own first."""
    found = set(ask.templates.order_by().values_list("language", flat=True).distinct())
    return sorted(found, key=lambda language: (language != ask.default_language, language))


def letter_language(ask: Ask, spoken: Iterable[str]) -> str:
    """Return the language of a letter to targets with these: the one that all of them read, else the ask's (UX R1)."""
    read = {language.partition("-")[0] for language in spoken}
    common = read.pop() if len(read) == 1 else ""
    return common if common in languages_of(ask) else ask.default_language


def language_of_page(campaign: Campaign, asks: Iterable[Ask], language: str) -> str:
    """Return this language where a campaign's page and all its asks are written in it, else the campaign's own.

    Half a page in one language and half in another helps nobody.
    """
    written = [{text.language for text in campaign.texts.all()}]
    written += [{text.language for text in ask.texts.all()} for ask in asks]
    return language if all(language in each for each in written) else campaign.default_language
