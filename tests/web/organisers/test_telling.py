"""Telling once those who asked, and what supporters say came back."""

from django.test import Client
from django.utils import timezone

from accounts.models import User
from campaigns.models import Campaign
from letters import notices, supporters, telling, told_replies
from letters.models import Notice
from tests import cast
from tests.letters import deeds

TELL = "/organise/campaigns/oil-workers/tell/"


def _wishes(campaign: Campaign, *emails: str) -> None:
    for email in emails:
        asked = supporters.waiting_for_proof(campaign, email, language="en")
        notices.ask_for_wish(asked, language="en", now=timezone.now())
        telling.wish(Notice.objects.latest("pk"), words="Tell me once.", now=timezone.now())


def test_alice_sees_her_words_again_before_anybody_is_told_and_nobody_is_told_twice(
    campaign: Campaign, as_alice: Client
) -> None:
    _wishes(campaign, "ada@mail.example", "bell@mail.example")
    assert "Tell 2 people who asked" in as_alice.get("/organise/campaigns/oil-workers/").content.decode()
    asked = as_alice.post(TELL, {"words": "It goes on."})
    assert "Send it to 2 people" in asked.content.decode()
    assert not Notice.objects.filter(kind="told").exists()
    as_alice.post(TELL, {"words": "It goes on.", "sure": "yes"})
    assert Notice.objects.filter(kind="told").count() == 2
    again = as_alice.post(TELL, {"words": "It goes on.", "sure": "yes"})
    assert again.status_code == 422
    assert Notice.objects.filter(kind="told").count() == 2


def test_an_editor_tells_nobody(campaign: Campaign, bob: User, client: Client) -> None:
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(TELL, {"words": "It goes on.", "sure": "yes"}).status_code == 403


def test_a_campaign_that_moved_says_where_to(campaign: Campaign, as_alice: Client) -> None:
    close = "/organise/campaigns/oil-workers/close/"
    fields = {"ending": "moved", "words": "", "waiting": "leave", "sure": "yes"}
    for link in ("", "javascript:alert(1)", "next.example"):
        assert as_alice.post(close, {**fields, "link": link}).status_code == 422
    as_alice.post(close, {**fields, "link": "https://next.example/"})
    campaign.refresh_from_db()
    assert (campaign.ending, campaign.ending_link) == ("moved", "https://next.example/")


def test_replies_that_supporters_tell_of_are_counted_apart(campaign: Campaign, as_alice: Client) -> None:
    page = "/organise/campaigns/oil-workers/statistics/"
    assert "What supporters say came back" not in as_alice.get(page).content.decode()
    letter = deeds.a_confirmed_letter(cast.the_ask(campaign))
    delivery = deeds.put_into(deeds.deliveries(letter)[0], "sent")
    told_replies.tell(letter, target=delivery.target.public_id, kind="real", now=timezone.now())
    html = as_alice.get(page).content.decode()
    assert "What supporters say came back" in html
    assert '<th scope="row">A real answer</th><td class="number">1</td>' in html
