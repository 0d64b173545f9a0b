"""Loading the built-in demonstration: Kazakhstan, November 2011."""

import csv
import tomllib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from accounts.models import Organisation, User
from campaigns import publishing
from campaigns.models import Campaign
from targets import lists
from targets.models import TargetList

HERE = Path(__file__).resolve().parent
PAGE = ("title", "summary", "question", "why_letters_help", "background", "share_text")
ASK = ("title", "short", "talking_points", "starters")
PASSAGES = ("subject", "salutation", "body", "closing")


@transaction.atomic
def load(
    *,
    organisation: Organisation,
    by: User | None,
    wrapped_key: bytes,
    now: datetime,
    progress: Callable[[str], None] = lambda _line: None,
) -> Campaign:
    """Make the demonstration campaign with its three lists and asks, and publish it; return it as it is if there.

    Its addresses are all on reserved `.example` domains, which nobody reads: they have no pace.
    """
    told = tomllib.loads((HERE / "campaign.toml").read_text(encoding="utf-8"))
    known = Campaign.objects.filter(slug=told["slug"]).first()
    if known is not None:
        return known
    said = {language: said_in(language) for language in told["languages"]}
    language = told["languages"][0]
    campaign = publishing.create(
        organisation=organisation,
        by=by,
        wrapped_key=wrapped_key,
        slug=told["slug"],
        language=language,
        deadline=told["deadline_text"],
        text=_page(said[language]),
    )
    for other in told["languages"][1:]:
        publishing.save_campaign_text(campaign=campaign, language=other, text=_page(said[other]))
    for ask in told["asks"]:
        progress(f"list “{ask['list_name']}”")
        target_list = _load_list(organisation, ask)
        words = {language: one["asks"][ask["slug"]] for language, one in said.items()}
        _load_ask(campaign, ask, target_list, words, by)
    publishing.publish(campaign=campaign, by=by, now=now)
    return campaign


def said_in(language: str) -> dict[str, Any]:
    """Return what the campaign says in one language."""
    return tomllib.loads((HERE / f"{language}.toml").read_text(encoding="utf-8"))


def _page(said: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(said[name]).strip() for name in PAGE}


def _load_list(organisation: Organisation, ask: dict[str, Any]) -> TargetList:
    target_list = lists.create_list(
        organisation=organisation, name=ask["list_name"], kind=ask["kind"], source="demonstration, November 2011"
    )
    with (HERE / ask["data_file"]).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            lists.save_target(target_list=target_list, values=row, uncapped=True)
    return target_list


def _load_ask(
    campaign: Campaign,
    told: Mapping[str, Any],
    target_list: TargetList,
    words: Mapping[str, Mapping[str, Any]],
    by: User | None,
) -> None:
    """Make an ask with its words in each language; the campaign's own comes first."""
    own, *others = ({name: said[name] for name in ASK} for said in words.values())
    ask = publishing.save_ask(
        campaign=campaign,
        by=by,
        target_list=target_list,
        slug=told["slug"],
        shows_town=told["shows_town"],
        shows_email=told["shows_email"],
        warns=told["warns"],
        **own,
    )
    for language, other in zip(list(words)[1:], others, strict=True):
        publishing.save_ask_text(ask=ask, language=language, **other)
    for language, said in words.items():
        passages = {name: str(said[name]).strip() for name in PASSAGES}
        template, findings = publishing.save_template(ask=ask, by=by, language=language, passages=passages)
        if template is None:
            raise ValueError("; ".join(f"{language}, {f.passage}, line {f.line}: {f.why}" for f in findings))
