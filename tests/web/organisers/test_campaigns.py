"""Campaigns at the desk: making, changing, publishing, pausing, resuming, closing."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import AuditEntry, Role, User
from campaigns import publishing
from campaigns.models import Campaign
from letters.models import Delivery
from targets.models import Target
from tests import cast
from tests.web.organisers.letters import a_confirmed_letter, deliver
from web.organisers.launching import launch_words

BASE = "/organise/campaigns/"
PAGE = {
    "title": "Free Natalia Sokolova",
    "summary": "She advised strikers and is in prison for it. A letter shows that she is seen.",
    "question": "Why does this matter to you?",
    "why_letters_help": "Guests can ask what strikers cannot.",
    "background": "**Arrested** on 24 May.\r\n\r\nSentenced on 8 August.",
    "deadline": "16 December",
    "slug": "free-natalia",
}
PAGES = ("", "page/", "look/", "publish/", "delivery/", "delivery/rows/?word=waiting", "statistics/",
         "eu-leaders/edit/", "eu-leaders/wording/", "eu-leaders/wording/1/")  # fmt: skip
SignIn = Callable[[User], Client]


@pytest.fixture
def sign_in() -> SignIn:
    """Return a way to open a browser in which somebody is signed in."""

    def _sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return _sign_in


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_for_the_owner_and_is_absent_for_another_organisation(
    page: str, campaign: Campaign, as_alice: Client, charlie: User, sign_in: SignIn
) -> None:
    assert as_alice.get(f"{BASE}oil-workers/{page}").status_code == 200
    assert sign_in(charlie).get(f"{BASE}oil-workers/{page}").status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_every_page_asks_strangers_to_sign_in(page: str, campaign: Campaign, client: Client) -> None:
    answer = client.get(f"{BASE}oil-workers/{page}")
    assert answer.status_code == 302
    assert "/sign-in/" in answer["Location"]


def test_the_list_shows_the_organisation_s_campaigns_alone(
    campaign: Campaign, as_alice: Client, charlie: User, sign_in: SignIn
) -> None:
    assert b"Ask EU leaders to speak up" in as_alice.get(BASE).content
    theirs = sign_in(charlie).get(BASE).content.decode()
    assert "Ask EU leaders to speak up" not in theirs
    assert "No campaigns yet" in theirs


def test_a_campaign_is_made_as_a_draft_with_the_words_that_were_written(as_alice: Client) -> None:
    answer = as_alice.post(f"{BASE}new/", PAGE)
    assert answer.status_code == 302
    assert answer["Location"] == f"{BASE}free-natalia/"
    made = Campaign.objects.get(slug="free-natalia")
    assert made.stage == Campaign.Stage.DRAFT
    assert made.deadline == "16 December"
    text = publishing.page_text(made)
    assert text.title == PAGE["title"]
    assert text.background == "**Arrested** on 24 May.\n\nSentenced on 8 August."
    assert len(bytes(made.wrapped_key)) == 60


def test_a_refused_campaign_comes_back_with_every_word_and_names_the_fields(as_alice: Client) -> None:
    answer = as_alice.post(f"{BASE}new/", {**PAGE, "summary": "", "slug": "new"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "<title>Error: " in page
    assert "There is a problem" in page
    assert 'href="#summary"' in page
    assert 'href="#slug"' in page
    assert "Guests can ask what strikers cannot." in page
    assert not Campaign.objects.exists()


def test_a_deadline_that_is_too_long_is_refused_and_not_cut(as_alice: Client) -> None:
    answer = as_alice.post(f"{BASE}new/", {**PAGE, "deadline": "d" * 61})
    assert answer.status_code == 422
    assert "more than 60 characters" in answer.content.decode()
    assert not Campaign.objects.exists()


def test_the_summary_s_words_are_counted(campaign: Campaign, as_alice: Client) -> None:
    page = as_alice.get(f"{BASE}oil-workers/page/").content.decode()
    n = len(publishing.page_text(campaign).summary.split())
    assert f"It has {n} words now." in page


def test_an_editor_changes_the_page_and_an_analyst_cannot(
    campaign: Campaign, alice: User, bob: User, sign_in: SignIn
) -> None:
    analyst = cast.a_member(campaign.organisation, "Ann", Role.ANALYST)
    assert sign_in(analyst).post(f"{BASE}oil-workers/page/", PAGE).status_code == 403
    assert publishing.page_text(Campaign.objects.get()).title != PAGE["title"]
    assert sign_in(bob).post(f"{BASE}oil-workers/page/", PAGE).status_code == 302
    assert publishing.page_text(Campaign.objects.get()).title == PAGE["title"]


def test_whether_an_unclear_letter_waits_for_a_person_is_chosen_and_shown(campaign: Campaign, as_alice: Client) -> None:
    assert "wait for your decision" not in as_alice.get(f"{BASE}oil-workers/").content.decode()
    as_alice.post(f"{BASE}oil-workers/page/", {**PAGE, "never_twice": "yes"})
    assert Campaign.objects.get().never_twice
    assert AuditEntry.objects.latest("pk").details["never_twice"] is True
    assert "wait for your decision" in as_alice.get(f"{BASE}oil-workers/").content.decode()
    form = as_alice.get(f"{BASE}oil-workers/page/").content.decode()
    assert 'name="never_twice" value="yes" checked' in form
    as_alice.post(f"{BASE}oil-workers/page/", PAGE)
    assert not Campaign.objects.get().never_twice


@pytest.mark.parametrize("deed", ["pause", "resume", "close", "publish"])
def test_an_editor_does_not_decide_about_sending(deed: str, campaign: Campaign, bob: User, sign_in: SignIn) -> None:
    assert sign_in(bob).post(f"{BASE}oil-workers/{deed}/").status_code == 403
    campaign.refresh_from_db()
    assert (campaign.stage, campaign.paused_at) == (Campaign.Stage.OPEN, None)


def test_an_ask_is_added_with_its_talking_points_and_starters(campaign: Campaign, as_alice: Client) -> None:
    listed = cast.a_list(campaign.organisation, "Embassies")
    answer = as_alice.post(
        f"{BASE}oil-workers/new-letter/",
        {
            "target_list": listed.public_id, "title": "The embassies", "short": "They report home.", "warns": "yes",
            "talking_points": "1,400 were dismissed. | Company figures\r\nA fact | with a bar | Its source\r\n|\r\n",
            "starters": "I live in … and\r\n\r\nI work as a …",
        },
    )  # fmt: skip
    assert answer["Location"] == f"{BASE}oil-workers/the-embassies/wording/"
    ask = campaign.asks.get(slug="the-embassies")
    assert (ask.warns, ask.shows_town, ask.shows_email) == (True, False, False)
    text = ask.texts.get()
    assert text.talking_points == [
        {"text": "1,400 were dismissed.", "source": "Company figures"},
        {"text": "A fact | with a bar", "source": "Its source"},
    ]
    assert text.starters == ["I live in … and", "I work as a …"]


def test_a_letter_to_embassies_warns_and_hides_the_writer_unless_somebody_says_so_knowing_the_list(
    campaign: Campaign, as_alice: Client
) -> None:
    listed = cast.a_list(campaign.organisation, "Embassies in Europe", kind="embassies")
    address = f"{BASE}oil-workers/new-letter/"
    assert "starts with the warning, and with town and e-mail address hidden" in as_alice.get(address).content.decode()
    form = {"target_list": listed.public_id, "title": "The embassies"}
    unknowing = {**form, "shown_for": "", "shows_email": "yes", "shows_town": "yes", "warns": "no"}
    answer = as_alice.post(address, unknowing)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "“Embassies in Europe” is a list of embassies" in html
    assert f'name="shown_for" value="{listed.public_id}"' in html
    assert re.findall(r'name="(?:shows_town|shows_email)" value="yes" checked', html) == []
    assert re.findall(r'name="warns" value="([a-z]*)" checked', html) == [""]
    assert not campaign.asks.filter(target_list=listed).exists()
    assert as_alice.post(address, form).status_code == 302
    ask = campaign.asks.get(target_list=listed)
    assert (ask.is_dangerous, ask.shows_town, ask.shows_email) == (True, False, False)
    knowing = {**unknowing, "shown_for": listed.public_id}
    assert as_alice.post(f"{BASE}oil-workers/{ask.slug}/edit/", knowing).status_code == 302
    ask.refresh_from_db()
    assert (ask.is_dangerous, ask.shows_town, ask.shows_email) == (False, True, True)
    assert re.findall(r'name="warns" value="([a-z]*)" checked', as_alice.get(
        f"{BASE}oil-workers/{ask.slug}/edit/").content.decode()) == ["no"]  # fmt: skip


def test_a_letter_that_moves_to_embassies_is_looked_at_again(campaign: Campaign, as_alice: Client) -> None:
    ask = campaign.asks.get()
    assert ask.shows_email
    listed = cast.a_list(campaign.organisation, "Embassies", kind="embassies")
    moved = {"target_list": listed.public_id, "shown_for": ask.target_list.public_id, "title": "A letter", "warns": ""}
    address = f"{BASE}oil-workers/{ask.slug}/edit/"
    assert as_alice.post(address, {**moved, "shows_email": "yes"}).status_code == 422
    assert as_alice.post(address, moved).status_code == 302
    ask.refresh_from_db()
    assert (ask.target_list, ask.is_dangerous, ask.shows_email) == (listed, True, False)


def test_an_ask_cannot_use_another_organisation_s_list(campaign: Campaign, as_alice: Client, charlie: User) -> None:
    theirs = cast.a_list(cast.organisation_of(charlie), "Theirs")
    answer = as_alice.post(
        f"{BASE}oil-workers/new-letter/",
        {"target_list": theirs.public_id, "title": "Kept title", "starters": "Kept too"},
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Choose the list that receives this letter." in page
    assert "Kept title" in page
    assert "Kept too" in page
    assert campaign.asks.count() == 1


def test_the_checklist_names_what_stands_in_the_way_and_where_to_mend_it(alice: User, as_alice: Client) -> None:
    campaign = cast.a_draft_campaign(alice)
    campaign.asks.get().templates.all().delete()
    page = as_alice.get(f"{BASE}oil-workers/publish/").content.decode()
    assert "has no wording yet" in page
    assert f'href="{BASE}oil-workers/eu-leaders/wording/"' in page
    assert "Launch the campaign" not in page
    assert as_alice.post(f"{BASE}oil-workers/publish/").status_code == 422
    assert Campaign.objects.get().stage == Campaign.Stage.DRAFT


def test_a_campaign_without_obstacles_is_launched(alice: User, as_alice: Client) -> None:
    cast.a_draft_campaign(alice)
    assert b"Launch the campaign" in as_alice.get(f"{BASE}oil-workers/publish/").content
    assert as_alice.post(f"{BASE}oil-workers/publish/").status_code == 302
    assert Campaign.objects.get().stage == Campaign.Stage.OPEN


def test_launching_says_how_many_offices_or_that_nothing_leaves(campaign: Campaign, settings: Settings) -> None:
    settings.BUILT_IN_MAIL_SERVER = False
    assert launch_words(campaign) == "Launch: letters will be delivered to 3 real offices."
    settings.BUILT_IN_MAIL_SERVER = True
    assert "Nothing leaves it" in launch_words(campaign)


def test_pausing_and_resuming_say_who_will_be_sent_to(campaign: Campaign, as_alice: Client) -> None:
    a_confirmed_letter(cast.the_ask(campaign), number=1)
    deliver()
    a_confirmed_letter(cast.the_ask(campaign), number=2)
    assert as_alice.get(f"{BASE}oil-workers/pause/").status_code == 405
    as_alice.post(f"{BASE}oil-workers/pause/")
    campaign.refresh_from_db()
    assert campaign.paused_at is not None
    page = as_alice.get(f"{BASE}oil-workers/resume/").content.decode()
    assert "3 waiting will go out and 0 will be retried." in page
    assert "The 3 already accepted, returned, unclear or stopped will not be sent again." in page
    as_alice.post(f"{BASE}oil-workers/resume/")
    assert Campaign.objects.get().paused_at is None
    assert set(AuditEntry.objects.values_list("deed", flat=True)) >= {"paused", "resumed"}


def test_closing_needs_an_ending_and_a_second_yes(campaign: Campaign, as_alice: Client) -> None:
    close = f"{BASE}oil-workers/close/"
    unfinished = as_alice.post(close, {"ending": "", "words": "We thank you.", "waiting": "leave"})
    assert unfinished.status_code == 422
    assert "We thank you." in unfinished.content.decode()
    asked = as_alice.post(close, {"ending": "won", "words": "They are free.", "waiting": "leave"})
    assert asked.status_code == 200
    assert "Close it like this?" in asked.content.decode()
    campaign.refresh_from_db()
    assert campaign.is_open
    as_alice.post(close, {"ending": "won", "words": "They are free.", "waiting": "leave", "sure": "yes"})
    campaign.refresh_from_db()
    assert (campaign.stage, campaign.ending, campaign.ending_words) == ("closed", "won", "They are free.")


@pytest.mark.parametrize(("waiting", "state"), [("stop", "cancelled"), ("leave", "queued")])
def test_closing_stops_what_waits_only_if_told_to(
    waiting: str, state: str, campaign: Campaign, as_alice: Client
) -> None:
    a_confirmed_letter(cast.the_ask(campaign))
    as_alice.post(f"{BASE}oil-workers/close/", {"ending": "ended", "words": "", "waiting": waiting, "sure": "yes"})
    assert set(Delivery.objects.values_list("state", flat=True)) == {state}


def edited(campaign: Campaign, **changes: str) -> dict[str, str]:
    """Return what the form of the campaign's only letter sends, with changes."""
    ask = cast.the_ask(campaign)
    return {
        "target_list": ask.target_list.public_id, "title": publishing.title_of(ask), "mode": ask.mode,
        "suggested_targets": "3", "most_targets": "5", **changes,
    }  # fmt: skip


def test_an_organiser_decides_who_of_the_list_gets_a_letter(campaign: Campaign, as_alice: Client) -> None:
    form = f"{BASE}oil-workers/eu-leaders/edit/"
    page = as_alice.get(form).content.decode()
    assert re.search(r'name="mode" value="fixed" checked', page)
    answer = as_alice.post(form, edited(campaign, mode="by_country", suggested_targets="2", most_targets="4"))
    assert answer.status_code == 302
    ask = cast.the_ask(campaign)
    assert (ask.mode, ask.suggested_targets, ask.most_targets) == ("by_country", 2, 4)
    overview = as_alice.get(f"{BASE}oil-workers/").content.decode()
    assert "one letter goes to 4 at most, from its writer’s country" in overview
    page = as_alice.get(form).content.decode()
    assert re.search(r'name="mode" value="by_country" checked', page)
    assert re.search(r'name="most_targets"[^>]* value="4"', page)


@pytest.mark.parametrize(
    ("field", "value"),
    [("most_targets", "41"), ("most_targets", "many"), ("suggested_targets", "0"), ("suggested_targets", "4"),
     ("most_targets", "٣"), ("mode", "everybody")],
)  # fmt: skip
def test_what_cannot_be_shared_out_is_refused_and_shown_as_typed(
    campaign: Campaign, as_alice: Client, field: str, value: str
) -> None:
    changes = {"mode": "suggested", field: value}
    answer = as_alice.post(f"{BASE}oil-workers/eu-leaders/edit/", edited(campaign, **changes))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'href="#{field}"' in page
    assert field == "mode" or f'value="{value}"' in page
    assert cast.the_ask(campaign).mode == "fixed"


def test_a_form_that_does_not_say_leaves_it_as_it_is(campaign: Campaign, as_alice: Client) -> None:
    form = f"{BASE}oil-workers/eu-leaders/edit/"
    as_alice.post(form, edited(campaign, mode="up_to", most_targets="7"))
    sent = {name: value for name, value in edited(campaign).items() if name in {"target_list", "title"}}
    assert as_alice.post(form, sent).status_code == 302
    assert (cast.the_ask(campaign).mode, cast.the_ask(campaign).most_targets) == ("up_to", 7)


def test_the_checklist_names_people_whom_no_country_leads_to(campaign: Campaign, as_alice: Client) -> None:
    Target.objects.filter(name="Bruno Keller").update(country="")
    as_alice.post(f"{BASE}oil-workers/eu-leaders/edit/", edited(campaign, mode="by_country"))
    assert "1 person on its list has none" in as_alice.get(f"{BASE}oil-workers/publish/").content.decode()
