"""A campaign's life: made, hindered, published, paused, resumed, closed, and its wordings locked once used."""

from datetime import datetime

import pytest

from accounts.models import AuditEntry, User
from campaigns import publishing
from campaigns.models import Ask, Campaign, CampaignText, LetterTemplate
from campaigns.publishing import CampaignRefused
from letters import privacy, writing
from targets import lists
from targets.models import Address, TargetList
from tests import cast

pytestmark = pytest.mark.django_db
TEXT = {"title": "Ask them", "summary": "They can help."}


def _make(by: User, **more: object) -> Campaign:
    values: dict[str, object] = {"slug": "new-one-more", "language": "en", "text": TEXT, **more}
    return publishing.create(
        organisation=cast.organisation_of(by), by=by, wrapped_key=privacy.new_wrapped_key(), **values  # type: ignore[arg-type]
    )


def test_a_campaign_begins_as_a_draft_with_its_page(alice: User) -> None:
    campaign = _make(alice, slug="Öl & Streik!", deadline="soon")
    assert (campaign.slug, campaign.stage, campaign.is_open, campaign.deadline) == ("ol-streik", "draft", False, "soon")
    assert publishing.page_text(campaign).title == "Ask them"
    assert AuditEntry.objects.filter(deed="created campaign", subject="ol-streik", by=alice).exists()


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("slug", {"slug": "new"}), ("slug", {"slug": "Organise"}), ("slug", {"slug": "!!!"}),
        ("slug", {"slug": "oil-workers"}),
        ("title", {"text": {**TEXT, "title": " "}}), ("summary", {"text": {"title": "x"}}),
        ("title", {"text": {**TEXT, "title": "x" * 141}}), ("summary", {"text": {**TEXT, "summary": "x" * 601}}),
        ("background", {"text": {**TEXT, "background": "x" * 20_001}}),
    ],
)  # fmt: skip
def test_a_campaign_that_cannot_be_made_says_why(
    alice: User, campaign: Campaign, field: str, more: dict[str, object]
) -> None:
    with pytest.raises(CampaignRefused) as refused:
        _make(alice, **more)
    assert set(refused.value.errors) == {field}
    assert Campaign.objects.count() == 1


def test_changing_a_page_keeps_the_other_languages(alice: User, campaign: Campaign) -> None:
    publishing.change(campaign=campaign, by=alice, language="de", text={**TEXT, "title": "Bittet sie"}, deadline="bald")
    assert publishing.page_text(campaign, "de").title == "Bittet sie"
    assert publishing.page_text(campaign, "fr").title == publishing.page_text(campaign, "en").title != "Bittet sie"
    with pytest.raises(CampaignRefused):
        publishing.change(campaign=campaign, by=alice, language="de", text={"title": ""}, deadline="")
    assert CampaignText.objects.count() == 2


def test_a_draft_is_hindered_until_it_has_all_it_needs(alice: User, now: datetime) -> None:
    campaign = _make(alice)

    def hindered_by() -> list[str]:
        return [obstacle.code for obstacle in publishing.obstacles(campaign, now=now)]

    assert hindered_by() == ["no_ask"]
    empty = lists.create_list(organisation=campaign.organisation, name="Nobody yet", kind="other")
    ask = publishing.save_ask(campaign=campaign, by=alice, target_list=empty, title="A letter")
    assert hindered_by() == ["no_wording", "no_targets"]
    publishing.save_template(ask=ask, by=alice, language="en", passages=cast.WORDING)
    assert hindered_by() == ["no_targets"]
    with pytest.raises(CampaignRefused) as refused:
        publishing.publish(campaign=campaign, by=alice, now=now)
    assert set(refused.value.errors) == {"no_targets"}
    lists.save_target(target_list=empty, values=cast.TARGETS[0])
    assert hindered_by() == []
    Address.objects.update(status="dead")
    assert hindered_by() == ["no_targets"]
    Address.objects.update(status="unknown")
    LetterTemplate.objects.update(body="{{ nobody }}")
    assert hindered_by() == ["wording"]
    LetterTemplate.objects.update(body=cast.WORDING["body"])
    assert publishing.publish(campaign=campaign, by=alice, now=now)


def test_publishing_closing_and_opening_again(alice: User, now: datetime) -> None:
    campaign = cast.a_draft_campaign(alice)
    assert publishing.publish(campaign=campaign, by=alice, now=now)
    assert not publishing.publish(campaign=campaign, by=alice, now=now)
    assert (campaign.is_open, campaign.opened_at) == (True, now)
    with pytest.raises(CampaignRefused):
        publishing.close(campaign=campaign, by=alice, ending="", words="", now=now)
    assert publishing.close(campaign=campaign, by=alice, ending="won", words="Freed!", now=now)
    assert not publishing.close(campaign=campaign, by=alice, ending="won", words="", now=now)
    fresh = Campaign.objects.get()
    assert (fresh.stage, fresh.ending, fresh.ending_words, fresh.closed_at) == ("closed", "won", "Freed!", now)
    assert publishing.publish(campaign=fresh, by=alice, now=now)
    assert (fresh.stage, fresh.closed_at, fresh.ending, fresh.opened_at) == ("open", None, "", now)
    deeds = AuditEntry.objects.filter(deed__in=["published", "closed"]).order_by("pk").values_list("deed", flat=True)
    assert list(deeds) == ["published", "closed", "published"]


def test_a_draft_cannot_be_closed(alice: User, now: datetime) -> None:
    assert not publishing.close(campaign=cast.a_draft_campaign(alice), by=alice, ending="won", words="", now=now)


def test_pausing_and_resuming_happen_once(campaign: Campaign, alice: User, now: datetime) -> None:
    stale = Campaign.objects.get()
    assert publishing.pause(campaign=campaign, by=alice, now=now, because="x" * 400)
    assert (campaign.paused_at, len(campaign.paused_because), campaign.is_open) == (now, 300, True)
    assert not publishing.pause(campaign=stale, by=alice, now=now)
    assert stale.paused_at is None
    assert publishing.resume(campaign=campaign, by=alice)
    assert not publishing.resume(campaign=campaign, by=alice)
    assert Campaign.objects.get().paused_at is None


def test_an_unused_wording_is_changed_in_place_and_a_used_one_is_kept(
    campaign: Campaign, alice: User, now: datetime
) -> None:
    ask = cast.the_ask(campaign)
    first = ask.templates.get()
    other = {**cast.WORDING, "closing": "Kind regards"}
    changed, _ = publishing.save_template(ask=ask, by=alice, language="en", passages=other)
    assert changed == first
    letter = writing.begin(ask=ask, language="en", now=now)
    same, _ = publishing.save_template(ask=ask, by=alice, language="en", passages=other)
    assert same == first
    second, _ = publishing.save_template(ask=ask, by=alice, language="en", passages=cast.WORDING)
    assert second is not None
    assert (second.version, second.pk != first.pk, ask.templates.count()) == (2, True, 2)
    letter.template.refresh_from_db()
    assert (letter.template.pk, letter.template.closing) == (first.pk, "Kind regards")
    assert publishing.current_template(ask) == second


def test_a_wording_with_an_error_is_not_saved(campaign: Campaign, alice: User) -> None:
    ask = cast.the_ask(campaign)
    before = list(LetterTemplate.objects.values())
    template, findings = publishing.save_template(
        ask=ask, by=alice, language="en", passages={**cast.WORDING, "body": "{{ target.salutaton }}"}
    )
    assert template is None
    assert [f.severity for f in findings if f.severity == "error"]
    assert list(LetterTemplate.objects.values()) == before


def test_a_wording_is_found_in_the_language_asked_for_else_in_the_asks_own(campaign: Campaign, alice: User) -> None:
    ask = cast.the_ask(campaign)
    german, _ = publishing.save_template(ask=ask, by=alice, language="de", passages=cast.WORDING)
    english = ask.templates.get(language="en")
    assert publishing.current_template(ask, "de") == german
    assert publishing.current_template(ask, "fr") == publishing.current_template(ask) == english


def test_an_ask_keeps_its_list_once_letters_use_it(campaign: Campaign, alice: User, now: datetime) -> None:
    ask = cast.the_ask(campaign)
    other = cast.a_list(campaign.organisation, "Others", targets=1)

    def move(to: TargetList) -> Ask:
        return publishing.save_ask(campaign=campaign, by=alice, target_list=to, title="New title", ask=ask)

    home = ask.target_list
    assert move(other).target_list == other
    move(home)
    writing.begin(ask=ask, language="en", now=now)
    with pytest.raises(CampaignRefused) as refused:
        move(other)
    assert set(refused.value.errors) == {"target_list"}
    assert Ask.objects.get(pk=ask.pk).target_list == home
    assert publishing.title_of(move(home)) == "New title"


@pytest.mark.parametrize(
    ("field", "more"),
    [("title", {"title": " "}), ("title", {"title": "x" * 121}), ("title", {"slug": "confirm", "title": "x"}),
     ("title", {"slug": "eu-leaders", "title": "x"}), ("short", {"title": "x", "short": "x" * 301})],
)  # fmt: skip
def test_an_ask_that_cannot_be_kept_says_why(
    campaign: Campaign, alice: User, target_list: TargetList, field: str, more: dict[str, str]
) -> None:
    with pytest.raises(CampaignRefused) as refused:
        publishing.save_ask(campaign=campaign, by=alice, target_list=target_list, **more)  # type: ignore[arg-type]
    assert set(refused.value.errors) == {field}


@pytest.mark.parametrize(
    ("kind", "warns", "is_dangerous"),
    [
        ("embassies", None, True), ("embassies", False, False), ("embassies", True, True),
        ("leaders", None, False), ("leaders", True, True), ("other", None, False),
    ],
)  # fmt: skip
def test_letters_to_embassies_are_dangerous_unless_somebody_decides_otherwise(
    campaign: Campaign, alice: User, kind: str, warns: bool | None, is_dangerous: bool
) -> None:
    listed = cast.a_list(campaign.organisation, "Theirs", kind=kind)
    saved = publishing.save_ask(campaign=campaign, by=alice, target_list=listed, title="To them", warns=warns)
    ask = Ask.objects.get(pk=saved.pk)
    assert (ask.is_dangerous, ask.shows_town, ask.shows_email) == (is_dangerous, False, False)


def test_nobody_writes_to_another_organisations_list(campaign: Campaign, alice: User, charlie: User) -> None:
    theirs = cast.a_list(cast.organisation_of(charlie))
    with pytest.raises(CampaignRefused) as refused:
        publishing.save_ask(campaign=campaign, by=alice, target_list=theirs, title="A second letter")
    assert set(refused.value.errors) == {"target_list"}
