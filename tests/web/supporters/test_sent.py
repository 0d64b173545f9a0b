"""The letter on its way, and the next one."""

import re
from urllib.parse import quote

import pytest
from django.utils import timezone

from campaigns.models import Campaign
from letters import tokens
from letters.models import AttemptAt, Delivery, Letter, Notice
from targets.models import Address
from tests.web.supporters.conftest import SENTENCE, Dana, one_h1, page, values


def test_it_says_what_happens_next_and_where_to_look(dana: Dana) -> None:
    answer = dana.get(dana.confirm())
    html = page(answer)
    assert "on its way" in one_h1(answer)
    assert "Werner Faymann" in html
    assert "27 others" in html
    assert dana.status() in html
    assert not answer.cookies


def test_it_says_when_the_first_leaves_and_when_the_last(dana: Dana) -> None:
    sent = dana.confirm()
    assert "The first leaves any moment now." in page(dana.get(sent))
    Delivery.objects.update(due_at=None)
    slow = Delivery.objects.order_by("pk")[7].address
    Address.objects.filter(kind="email").update(cap_per_hour=60)
    Address.objects.filter(pk=slow.pk).update(cap_per_hour=None, cap_per_day=1)
    AttemptAt.objects.create(address=slow, at=timezone.now())
    assert re.search(r"The first leaves any moment now, the last (on|today) [^<]*at about", page(dana.get(sent)))
    Campaign.objects.update(paused_at=timezone.now())
    html = page(dana.get(sent))
    assert "Delivery rests at the moment; yours keeps its place." in html
    assert "leaves" not in html


def test_the_next_letter_keeps_the_details_and_needs_no_mail(dana: Dana) -> None:
    html = page(dana.get(dana.confirm()))
    assert "Next: <bdi>Kazakhstan's embassies</bdi>" in html
    assert "no second mail is needed" in html
    token = re.search(r'name="after" value="([^"]+)"', html)
    assert token is not None
    write = dana.post(f"{dana.home}embassies/", {"after": token[1], "sentence": SENTENCE})["Location"]
    fields = values(dana.get(write))
    assert (fields["name"], fields["email"]) == ("Dana Writer", "dana@mail.example")
    check = dana.post(write, {})["Location"]
    assert "needs no second mail" in page(dana.get(check))
    sent = dana.post(check)["Location"]
    assert sent.split("/")[-3] == tokens.make(tokens.PROVEN, bytes(dana.letter().key))
    assert Letter.objects.filter(stage="confirmed").count() == 2
    assert Notice.objects.count() == 1
    assert "Next: <bdi>Paul McCartney" in page(dana.get(sent))


def test_their_own_sentence_is_offered_again_and_never_pasted_silently(dana: Dana) -> None:
    html = page(dana.get(dana.confirm()))
    box = re.search(r'<input type="checkbox"[^>]*name="sentence"[^>]*>', html)
    assert box is not None
    assert "checked" not in box[0]
    assert SENTENCE in box[0]


def test_a_page_that_only_waited_has_no_proof(dana: Dana) -> None:
    waiting = dana.send()
    dana.press(dana.link())
    moved_on = dana.get(waiting)
    sent = moved_on["Location"]
    html = page(dana.get(sent))
    assert "no second mail is needed" not in html
    write = dana.post(f"{dana.home}embassies/", {"after": sent.split("/")[-3]})["Location"]
    check = dana.post(write, {})["Location"]
    assert dana.post(check)["Location"].endswith("/confirm/")
    assert Letter.objects.filter(stage="confirmed").count() == 1


def test_another_address_in_a_proven_draft_wants_a_proof_of_its_own(dana: Dana) -> None:
    token = dana.confirm().split("/")[-3]
    write = dana.post(f"{dana.home}embassies/", {"after": token})["Location"]
    check = dana.post(write, {"email": "victim@mail.example"})["Location"]
    waiting = dana.post(check)["Location"]
    assert waiting.endswith("/confirm/")
    dana.press(dana.link())
    sent = dana.get(waiting)["Location"]
    assert sent.split("/")[-3] == tokens.make(tokens.DRAFT, bytes(dana.letter().key))


def test_sending_a_proven_letter_twice_makes_one(dana: Dana) -> None:
    token = dana.confirm().split("/")[-3]
    write = dana.post(f"{dana.home}embassies/", {"after": token})["Location"]
    check = dana.post(write, {})["Location"]
    dana.post(check)
    before = Delivery.objects.count()
    assert "/sent/" in dana.post(check)["Location"]
    assert Delivery.objects.count() == before


def test_a_letter_that_is_not_confirmed_goes_back_to_its_step(dana: Dana) -> None:
    waiting = dana.send()
    assert dana.get(waiting.replace("/confirm/", "/sent/"))["Location"] == f"{waiting}?early=yes"
    assert "has not reached us yet" in page(dana.get(f"{waiting}?early=yes"))


def test_sharing_names_the_medium_and_no_person(dana: Dana) -> None:
    sent = dana.confirm()
    html = page(dana.get(sent))
    links = re.findall(r'href="((?:https|mailto):[^"]+)"', html)
    assert len(links) == 6
    for medium in ("whatsapp", "telegram", "email", "mastodon", "bluesky", "facebook"):
        assert any(f"via%3D{medium}" in link for link in links)
    token = sent.split("/")[-3]
    assert not any(token in link or "Dana" in link or "dana" in link for link in links)


def test_a_closed_campaign_offers_no_next_letter(dana: Dana) -> None:
    sent = dana.confirm()
    Campaign.objects.update(stage=Campaign.Stage.CLOSED, ending="ended", closed_at=timezone.now())
    answer = dana.get(sent)
    assert "on its way" in one_h1(answer)
    assert "Write the next letter" not in page(answer)


def _to_the_last(dana: Dana) -> str:
    """Write a letter for every ask; return the address of the last one's page."""
    sent = dana.confirm()
    for ask in ("embassies", "performers"):
        write = dana.post(f"{dana.home}{ask}/", {"after": sent.split("/")[-3]})["Location"]
        sent = dana.post(dana.post(write, {})["Location"])["Location"]
    return sent


def test_after_the_last_ask_sharing_is_what_the_page_is_for(dana: Dana) -> None:
    sent = _to_the_last(dana)
    html = page(dana.get(sent))
    assert "Write the next letter" not in html
    assert "would write one too" in html
    assert re.findall(r'class="button"[^>]*>([^<]+)<', html) == ["Share with one person"], "its one primary button"
    ways = re.search(r'(?s)<details class="ways"><summary class="button"[^>]*>.*?</summary>(.*?)</details>', html)
    assert ways is not None, "which opens the ways to share without a script"
    assert ways[1].count("<li>") == 7
    assert 'id="share-text"' in ways[1]
    assert '<details class="ways" open>' in page(dana.get(f"{sent}?share=changed")), "for who changes the text in it"


@pytest.mark.parametrize("is_last", [False, True])
def test_enough_for_today_leads_to_the_campaign(dana: Dana, is_last: bool) -> None:
    html = page(dana.get(_to_the_last(dana) if is_last else dana.confirm()))
    assert re.findall(r'<a class="line" href="([^"]+)">That is enough for today</a>', html) == [dana.home]


def test_their_own_sentence_is_passed_on_only_if_ticked(dana: Dana) -> None:
    sent = dana.confirm()
    plain = page(dana.get(sent))
    shared = r'(?s)<textarea id="share-text".*?</textarea>'
    text = re.search(shared, plain)
    assert text is not None
    assert SENTENCE not in text[0].partition(">")[2]
    assert not any(quote(SENTENCE) in link for link in re.findall(r'href="([^"]+)"', plain))
    ticked = page(dana.get(f"{sent}?quote=yes"))
    text = re.search(shared, ticked)
    assert text is not None
    assert f"“{SENTENCE}”" in text[0].partition(">")[2]
    assert sum(quote(SENTENCE) in link for link in re.findall(r'href="([^"]+)"', ticked)) == 6
    assert "via%3Dwhatsapp" in ticked


def test_the_source_is_kept_from_the_link_to_the_next_letter(dana: Dana) -> None:
    assert 'name="via" value="bluesky"' in page(dana.get(f"{dana.home}?via=bluesky"))
    write = dana.begin(via="bluesky")
    dana.post(dana.post(write, {"name": "Dana", "email": "dana@mail.example"})["Location"])
    sent = dana.press(dana.link())["Location"]
    assert dana.letter().source == "bluesky"
    assert 'name="via" value="bluesky"' in page(dana.get(sent))
