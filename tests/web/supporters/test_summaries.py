"""Each line of an error summary leads to something on its page."""

import re
from datetime import datetime
from typing import Any

import pytest

from accounts.models import User
from letters import choosing, drafts
from letters.models import Letter
from targets.models import Address
from tests import parliament
from tests.web.supporters.conftest import DANA, Dana, page
from web import throttling


def leads(answer: Any) -> list[str]:
    """Return where the summary's lines lead; fail where one leads nowhere."""
    html = page(answer)
    summary = re.search(r'<div class="error-summary".*?</div>', html, re.DOTALL)
    assert summary is not None
    found = re.findall('href="#([^"]+)"', summary[0])
    assert found
    for each in found:
        assert f' id="{each}"' in html, f"#{each} is not on the page"
    return found


@pytest.fixture
def _busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody send right now."""
    monkeypatch.setattr(throttling.must_wait, "__kwdefaults__", {"most": 0})


@pytest.mark.usefixtures("_busy")
def test_a_standard_letter_that_has_to_wait_leads_to_its_button(dana: Dana) -> None:
    write = dana.begin(sentence="")
    check = dana.post(write, DANA)["Location"]
    answer = dana.post(check)
    assert answer.status_code == 429
    assert leads(answer) == ["send"]
    assert "Send as it is" in page(answer)


@pytest.mark.usefixtures("_busy")
def test_a_letter_that_has_to_wait_and_that_nobody_can_get_leads_to_whom_it_is_for(dana: Dana) -> None:
    check = dana.write()
    Address.objects.update(status=Address.Status.DEAD)
    assert leads(dana.post(check)) == ["to"]


def test_a_letter_sent_meanwhile_from_another_page_leads_to_its_text(
    dana: Dana, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = dana.begin()

    def sent_meanwhile(letter: Letter, content: Any) -> None:
        keep(letter, content)
        Letter.objects.update(stage=Letter.Stage.AWAITING)

    keep = drafts.keep
    monkeypatch.setattr(drafts, "keep", sent_meanwhile)
    answer = dana.post(write, DANA)
    assert answer.status_code == 422
    assert leads(answer) == ["body"]


def test_a_town_that_this_letter_does_not_ask_for_leads_to_who_is_writing(dana: Dana) -> None:
    answer = dana.post(dana.begin(1), {**DANA, "town": "a\nb"})
    assert answer.status_code == 422
    assert leads(answer) == ["name"]


def test_a_choice_that_was_changed_meanwhile_leads_to_it(
    alice: User, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    dana = Dana(parliament.a_parliament_campaign(alice, seats={"DE": 3}))
    write = dana.post(f"{dana.home}suggested/", {})["Location"]
    check = dana.post(write, {**DANA, "body": "A whole sentence of mine."})
    assert check.status_code == 303, page(check)
    seen = iter([True])
    monkeypatch.setattr(choosing, "fits", lambda *_args: next(seen, False))  # changed between two looks
    answer = dana.post(check["Location"])
    assert answer.status_code == 422
    assert leads(answer) == ["to"]


def test_where_there_is_nobody_to_choose_the_summary_leads_to_the_button(alice: User) -> None:
    dana = Dana(parliament.a_parliament_campaign(alice, seats={"DE": 3}))
    to = dana.post(f"{dana.home}suggested/", {"then": "to"})["Location"]
    Address.objects.update(status=Address.Status.DEAD)
    assert leads(dana.post(to, {})) == ["take"]


def test_a_sentence_that_is_too_long_leads_somewhere_also_where_nobody_can_get_a_letter(dana: Dana) -> None:
    posted = {"sentence": "word " * 500}
    assert leads(dana.post(f"{dana.home}leaders/", posted)) == ["sentence"]
    Address.objects.update(status=Address.Status.DEAD)
    assert leads(dana.post(f"{dana.home}leaders/", posted)) == ["write"]
