"""The campaign page and the beginning of a letter."""

import gzip

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.models import AskText, Campaign, CampaignText
from letters import writing
from letters.models import Delivery, DeliveryTally, Letter
from tests.web.supporters.conftest import SENTENCE, Dana, one_h1, page, values
from web import presentation


def test_the_front_door_leads_to_the_only_open_campaign(dana: Dana) -> None:
    answer = dana.get("/")
    assert (answer.status_code, answer["Location"]) == (302, dana.home)


def test_without_an_open_campaign_the_front_door_says_so(db: None, client: Client) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert "No campaign is open" in page(answer)


def test_the_page_says_what_is_asked_of_whom_and_by_whom(dana: Dana) -> None:
    answer = dana.get(dana.home)
    html = page(answer)
    assert one_h1(answer) == "Ask Europe's leaders to speak up for Kazakhstan's oil workers"
    for words in ("Oil Workers' Aid", "Werner Faymann", "and 27 others", "Why does this matter to you?", "start here"):
        assert words in html
    assert '<html lang="en" dir="ltr">' in html
    assert "TEST" in html


def test_each_ask_has_its_own_address_with_its_own_people(dana: Dana) -> None:
    html = page(dana.get(f"{dana.home}performers/"))
    assert "Paul McCartney" in html
    assert "Werner Faymann" not in html


def test_the_first_view_fits_into_its_budget(dana: Dana) -> None:
    html = dana.get(dana.home).content.decode()
    css = str(presentation.styles())
    assert css in html
    assert len(gzip.compress(css.encode())) <= 6 * 1024
    assert len(gzip.compress(html.replace(css, "").encode())) <= 8 * 1024


def test_a_letter_begins_with_the_sentence_as_its_first_paragraph(dana: Dana) -> None:
    answer = dana.get(dana.begin())
    fields = values(answer)
    assert fields["sentence"] == SENTENCE
    assert fields["body"].startswith(f"{SENTENCE}\n\n")
    assert fields["subject"]
    assert "words of your own" in page(answer)


def test_where_the_supporter_came_from_goes_along(dana: Dana) -> None:
    assert values(dana.get(f"{dana.home}?via=Face<b>book"))["via"] == "facebbook"
    dana.begin(via="facebook")
    assert dana.letter().source == "facebook"


def test_a_sentence_that_is_too_long_comes_back_with_its_error(dana: Dana) -> None:
    long = "word " * 500
    answer = dana.post(f"{dana.home}leaders/", {"sentence": long, "via": "friend"})
    html = page(answer)
    assert answer.status_code == 422
    assert "<title>Error: " in html
    assert 'href="#sentence"' in html
    assert values(answer)["sentence"].strip() == long.strip()
    assert values(answer)["via"] == "friend"
    assert not Letter.objects.exists()


@pytest.mark.parametrize(
    "address", ["/xx/kazakhstan-2011/", "/en/nobody/", "/en/kazakhstan-2011/nobody/", "/EN'/kazakhstan-2011/"]
)
def test_an_unknown_language_campaign_or_ask_is_not_there(dana: Dana, address: str) -> None:
    assert dana.get(address).status_code == 404


def test_a_draft_campaign_is_not_there_for_the_public(dana: Dana) -> None:
    Campaign.objects.update(stage=Campaign.Stage.DRAFT)
    assert dana.get(dana.home).status_code == 404


def test_the_number_of_letters_is_shown_from_a_hundred_on(dana: Dana) -> None:
    ask = dana.ask()
    target = ask.target_list.targets.all()[0]
    tally = DeliveryTally.objects.create(
        campaign=dana.campaign, ask=ask, target=target, state="sent", tried=True, feedback=0, shard=0, count=99
    )
    assert "letters sent" not in page(dana.get(dana.home))
    tally.count = 12_408
    tally.save()
    assert "12,408 <span>letters sent" in page(dana.get(dana.home))
    tally.feedback = Delivery.Feedback.BOUNCED
    tally.save()
    assert "letters sent" not in page(dana.get(dana.home)), "what came back was not sent"


def test_somebody_elses_campaign_token_keeps_no_details(dana: Dana) -> None:
    dana.begin(after="A" * 43)
    assert writing.read(dana.letter()).email == ""


def test_a_closed_campaign_tells_how_it_ended(dana: Dana) -> None:
    Campaign.objects.update(
        stage=Campaign.Stage.CLOSED, ending="won", ending_words="They are free.", closed_at=timezone.now()
    )
    answer = dana.get(dana.home)
    assert answer.status_code == 200
    assert "reached its goal" in one_h1(answer)
    assert "They are free." in page(answer)
    assert "letters sent" not in page(answer)


@pytest.mark.parametrize(
    ("ending", "words"), [("ended", "ended on"), ("moved", "goes on elsewhere"), ("", "has ended")]
)
def test_each_ending_has_its_words(dana: Dana, ending: str, words: str) -> None:
    Campaign.objects.update(
        stage=Campaign.Stage.CLOSED, ending=ending, closed_at=timezone.now() if ending == "ended" else None
    )
    assert words in one_h1(dana.get(f"{dana.home}leaders/"))


def test_words_that_are_in_another_language_than_the_page_are_marked_and_said(dana: Dana) -> None:
    html = page(dana.get(f"/kk/{dana.campaign.slug}/"))  # nobody has written it in Kazakh
    assert "ағылшын тілі" in html
    assert '<div lang="en" dir="ltr">\n<h1>Ask' in html
    assert "<div>\n<h1>Ask" in page(dana.get(dana.home))


def test_a_page_is_never_half_in_one_language_and_half_in_another(dana: Dana) -> None:
    CampaignText.objects.create(campaign=dana.campaign, language="kk", title="Сұраңыз", summary="Қысқа.")
    html = page(dana.get(f"/kk/{dana.campaign.slug}/"))
    assert "Сұраңыз" not in html  # its asks are not written in Kazakh
    for ask in dana.campaign.asks.all():
        AskText.objects.create(ask=ask, language="kk", title=f"Хат {ask.slug}")
    html = page(dana.get(f"/kk/{dana.campaign.slug}/"))
    assert "<div>\n<h1>Сұраңыз</h1>" in html
    assert "ағылшын тілі" not in html
