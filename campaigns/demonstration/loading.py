"""Loading the built-in demonstration: Kazakhstan, November 2011."""

import csv
import tomllib
from collections.abc import Callable
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
    language = told["languages"][0]
    campaign = publishing.create(
        organisation=organisation,
        by=by,
        wrapped_key=wrapped_key,
        slug=told["slug"],
        language=language,
        deadline=told["deadline_text"],
        text={
            "title": told["title"],
            "summary": told["summary"].strip(),
            "question": told["question"],
            "why_letters_help": told["story"]["why_letters_help"].strip(),
            "background": told["background"].strip(),
            "share_text": told["share_text"].strip(),
        },
    )
    for ask in told["asks"]:
        progress(f"list “{ask['list_name']}”")
        target_list = _load_list(organisation, ask)
        _load_ask(campaign, ask, target_list, language, by)
    publishing.publish(campaign=campaign, by=by, now=now)
    return campaign


def _load_list(organisation: Organisation, ask: dict[str, Any]) -> TargetList:
    target_list = lists.create_list(
        organisation=organisation, name=ask["list_name"], kind=ask["kind"], source="demonstration, November 2011"
    )
    with (HERE / ask["data_file"]).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            lists.save_target(target_list=target_list, values=row, uncapped=True)
    return target_list


def _load_ask(
    campaign: Campaign, told: dict[str, Any], target_list: TargetList, language: str, by: User | None
) -> None:
    ask = publishing.save_ask(
        campaign=campaign,
        by=by,
        target_list=target_list,
        slug=told["slug"],
        title=told["title"],
        short=told["short"].strip(),
        shows_town=told["shows_town"],
        shows_email=told["shows_email"],
        warns=told["warns"],
        talking_points=told["talking_points"],
        starters=told["starters"],
    )
    passages = {name: str(text).strip() for name, text in told["templates"][language].items()}
    template, findings = publishing.save_template(ask=ask, by=by, language=language, passages=passages)
    if template is None:
        raise ValueError("; ".join(f"{f.passage}, line {f.line}: {f.why}" for f in findings))
