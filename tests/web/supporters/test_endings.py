"""The four endings of a campaign, and being told once."""

from typing import Any

import pytest
from django.utils import timezone

from campaigns.models import Campaign
from letters import telling, tokens, writing
from letters.models import Letter, Notice, Supporter
from letters.rights import Consent
from tests.web.supporters.conftest import SENTENCE, Dana, one_h1, page

ENDINGS = {
    "won": "has reached its goal",
    "ended": "This campaign ended on",
    "paused": "rests at the moment",
    "moved": "goes on elsewhere",
}


def _close(ending: str, link: str = "") -> None:
    Campaign.objects.update(
        stage=Campaign.Stage.CLOSED, ending=ending, closed_at=timezone.now(), ending_link=link,
        ending_words="The court let them go.",
    )  # fmt: skip


def _wish(dana: Dana) -> str:
    dana.post(f"{dana.home}once/", {"email": "ada@mail.example"})
    notice = Notice.objects.get(kind="once")
    return f"{dana.home}once/{tokens.make(tokens.ONCE, bytes(notice.key))}/"


@pytest.mark.parametrize(("ending", "said"), ENDINGS.items())
def test_each_ending_has_its_page_with_what_happened_and_a_next_step(dana: Dana, ending: str, said: str) -> None:
    dana.confirm()
    _close(ending, "https://next.example/step")
    answer = dana.get(dana.home)
    html = page(answer)
    assert answer.status_code == 200
    assert said in one_h1(answer)
    assert "The court let them go." in html
    assert 'href="https://next.example/step"' in html
    assert "30 letters that were confirmed before have not left yet" in html
    assert "Tell me once" in html


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_post_to_a_closed_campaign_gives_the_text_back(dana: Dana, ending: str) -> None:
    write = dana.begin()
    _close(ending)
    for address in (write, f"{dana.home}{dana.ask().slug}/"):
        answer = dana.post(address, {"sentence": SENTENCE, "body": f"{SENTENCE} And more."})
        assert answer.status_code == 200
        assert f"{SENTENCE} And more." in page(answer)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_sentence_typed_anew_is_given_back_beside_the_letter(dana: Dana, ending: str) -> None:
    write = dana.begin()
    _close(ending)
    answer = dana.post(write, {"sentence": "My aunt lives there.", "subject": "A new subject", "body": "Dear all."})
    html = page(answer)
    for words in ("My aunt lives there.", "A new subject", "Dear all."):
        assert words in html
    html = page(dana.post(write, {"sentence": SENTENCE, "body": f"{SENTENCE}\r\n\r\nAnd more."}))
    assert html.count(SENTENCE) == 1, "which is in the letter already"
    html = page(dana.post(write, {"sentence": "My aunt lives there."}))
    assert "My aunt lives there." in html
    assert SENTENCE in html, "the letter as it was kept"


def test_a_campaign_that_closes_at_the_very_moment_gives_the_letter_back(
    dana: Dana, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, code, confirm = dana.send(), dana.code(), writing.confirm_by_code

    def late(letter: Letter, **given: Any) -> bool:
        _close("ended")
        return confirm(letter, **given)

    monkeypatch.setattr(writing, "confirm_by_code", late)
    answer = dana.post(waiting, {"code": code})
    assert "This campaign ended on" in one_h1(answer)
    assert SENTENCE in page(answer)


def test_being_told_once_needs_the_proof_of_the_address(dana: Dana) -> None:
    _close("ended")
    link = _wish(dana)
    assert telling.who_asked(dana.campaign).count() == 0
    for _ in range(20):
        assert "Yes, tell me once" in page(dana.get(link))
    assert telling.who_asked(dana.campaign).count() == 0
    assert dana.post(link).status_code == 303
    assert "Noted" in one_h1(dana.get(link))
    assert telling.who_asked(dana.campaign).count() == 1
    kept = Consent.objects.get()
    assert kept.words == "Tell me once how this goes on (Oil Workers' Aid, one e-mail, then you forget my address)."
    dana.post(link)
    assert Consent.objects.count() == 1


def test_the_page_says_the_same_to_every_address_and_no_mail_goes_beyond_the_caps(dana: Dana) -> None:
    dana.confirm()
    _close("ended")
    for email in ("dana@mail.example", "ada@mail.example", "ada@mail.example"):
        answer = dana.post(f"{dana.home}once/", {"email": email})
        assert (answer.status_code, answer["Location"]) == (303, f"{dana.home}?asked=once#once")
    assert Notice.objects.filter(kind="once").count() == 2
    assert "A mail is on its way" in page(dana.get(f"{dana.home}?asked=once"))


def test_a_wrong_address_is_named_and_kept(dana: Dana) -> None:
    _close("ended")
    answer = dana.post(f"{dana.home}once/", {"email": "ada@"})
    assert answer.status_code == 422
    assert 'value="ada@"' in page(answer)
    assert not Supporter.objects.exists()


def test_an_open_campaign_takes_no_such_wish(dana: Dana) -> None:
    assert dana.post(f"{dana.home}once/", {"email": "ada@mail.example"})["Location"] == dana.home
    assert not Notice.objects.exists()
