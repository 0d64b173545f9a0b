"""The first page after signing in."""

from django.test import Client
from django.utils import timezone

from accounts.models import User
from campaigns import publishing
from campaigns.models import Campaign
from letters.endings import Refused
from targets.models import TargetList
from tests import cast
from tests.web.organisers.letters import a_confirmed_letter, an_unclear_delivery, deliver

SIGNED_IN = "django.contrib.auth.backends.ModelBackend"


def dashboard(client: Client) -> str:
    return client.get("/organise/").content.decode()


def test_a_new_organisation_reads_its_five_steps_with_the_first_one_as_the_button(as_alice: Client) -> None:
    page = dashboard(as_alice)
    assert "Five steps to your first letters" in page
    assert page.count("button-primary") == 1
    assert 'href="/organise/targets/new/">Make a list of the people who decide</a>' in page


def test_steps_that_are_done_say_so_and_the_next_one_is_the_button(as_alice: Client, target_list: TargetList) -> None:
    page = dashboard(as_alice)
    assert page.count(">Done<") == 2
    assert ">Make a campaign and say what you ask for</a>" in page


def test_a_draft_needs_somebody_and_leads_to_its_page(as_alice: Client, alice: User) -> None:
    cast.a_draft_campaign(alice, slug="not-yet")
    page = dashboard(as_alice)
    assert "It is a draft" in page
    assert 'href="/organise/campaigns/not-yet/"' in page


def test_a_running_campaign_shows_letters_deliveries_and_own_words(as_alice: Client, campaign: Campaign) -> None:
    ask = cast.the_ask(campaign)
    a_confirmed_letter(ask, number=1)
    a_confirmed_letter(ask, number=2, sentence=cast.DANA["sentence"])
    deliver()
    page = dashboard(as_alice)
    assert "Running" in page
    assert "<dt>Letters confirmed</dt><dd>2</dd>" in page
    assert "<dt>Deliveries accepted</dt><dd>6</dd>" in page
    assert "<dt>With own words</dt><dd>50 %</dd>" in page
    assert "Nothing. Everything that can go its way does." in page
    assert "Five steps" not in page


def test_what_came_back_or_ended_unclear_needs_somebody(as_alice: Client, campaign: Campaign) -> None:
    an_unclear_delivery(cast.the_ask(campaign))
    page = dashboard(as_alice)
    assert "1 delivery ended unclear" in page
    assert "1 delivery came back." in page
    assert page.count('class="button button-primary"') == 1


def test_several_returns_are_counted_together(as_alice: Client, campaign: Campaign) -> None:
    a_confirmed_letter(cast.the_ask(campaign))
    deliver(Refused(550, "5.1.1 unknown"), Refused(550, "5.1.1 unknown"))
    assert "2 deliveries came back." in dashboard(as_alice)


def test_a_paused_campaign_says_why_nothing_leaves(as_alice: Client, campaign: Campaign) -> None:
    publishing.pause(campaign=campaign, by=None, now=timezone.now(), because="An office refused 38 letters.")
    page = dashboard(as_alice)
    assert "It is paused: nothing leaves. An office refused 38 letters." in page


def test_charlie_sees_nothing_of_it(client: Client, charlie: User, campaign: Campaign) -> None:
    client.force_login(charlie, backend=SIGNED_IN)
    assert campaign.slug not in dashboard(client)
