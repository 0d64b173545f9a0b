"""A partner's own consent line: shown in its frame alone, agreed to with the proof alone, in the words read."""

import re

import pytest
from django.utils import timezone

from campaigns.models import Partner
from letters import inquiries, tokens
from letters.models import Letter
from letters.rights import Consent
from tests.web.supporters.conftest import DANA, Dana, page, values

pytestmark = pytest.mark.django_db
LINE = "The Port Workers' Union may write to me about strikes (about one e-mail a month)."


@pytest.fixture
def ports(dana: Dana) -> Partner:
    """Return a partner with a line of its own."""
    return Partner.objects.create(
        campaign=dana.campaign, slug="ports", name="Port Workers", origins=["https://ports.example"],
        consent_line=LINE,
    )  # fmt: skip


def begin(dana: Dana, position: int = 0, *, lang: str = "en", partner: str = "ports") -> str:
    """Begin a letter in the partner's frame; return the address of the page to write it on."""
    address = f"/embed/{dana.campaign.slug}/{dana.ask(position).slug}/"
    return str(dana.post(address, {"partner": partner, "lang": lang})["Location"])


def boxes(html: str) -> list[tuple[str, bool]]:
    """Return the mark of each partner's box on a page, and whether it is ticked."""
    found = re.findall(r'<input type="checkbox" id="[^"]*" name="partner_mail" value="([^"]*)"( checked)?', html)
    return [(mark, bool(ticked)) for mark, ticked in found]


def tick(dana: Dana, write: str) -> str:
    """Return the mark that the box of a page sends."""
    ((mark, ticked),) = boxes(page(dana.get(write)))
    assert not ticked
    return mark


def wait(dana: Dana, position: int = 0) -> tuple[str, str]:
    """Write, tick and send; return the address that waits for the mail, and the mark."""
    write = begin(dana, position)
    mark = tick(dana, write)
    check = dana.post(write, {**DANA, "partner_mail": mark})["Location"]
    assert check.endswith(f"?partner_mail={mark}")
    carried = values(dana.get(check))["partner_mail"]
    return str(dana.post(check.partition("?")[0], {"partner_mail": carried})["Location"]), mark


def test_the_box_stands_in_the_partners_frame_unticked_and_nowhere_else(dana: Dana, ports: Partner) -> None:
    html = page(dana.get(begin(dana)))
    assert f">{LINE}</" in html
    assert [ticked for _, ticked in boxes(html)] == [False]
    assert "go to <bdi>Port Workers</bdi>. You can withdraw this at any time." in html
    assert 'name="news"' in html, "apart from the organisers' own"
    assert LINE not in page(dana.get(dana.begin()))
    ports.consent_line = ""
    ports.save()
    assert not boxes(page(dana.get(begin(dana))))


def test_the_line_says_its_language_on_a_page_in_another(dana: Dana, ports: Partner) -> None:
    assert f'<bdi lang="en" dir="ltr">{LINE}</bdi>' in page(dana.get(begin(dana, lang="ar")))
    assert f"<bdi>{LINE}</bdi>" in page(dana.get(begin(dana)))


def test_it_is_agreed_to_only_with_the_proof_by_the_code(dana: Dana, ports: Partner) -> None:
    waiting, mark = wait(dana)
    assert not Consent.objects.exists()
    assert boxes(page(dana.get(waiting))) == [(mark, True)]
    wrong = dana.post(waiting.partition("?")[0], {"code": "1", "partner_mail": mark})
    assert boxes(page(wrong)) == [(mark, True)], "a wrong code loses no tick"
    assert not Consent.objects.exists()
    dana.post(waiting.partition("?")[0], {"code": dana.code(), "partner_mail": mark})
    kept = Consent.objects.get()
    assert (kept.purpose, kept.words, kept.partner_name) == ("partner", LINE, "Port Workers")
    assert kept.supporter == dana.letter().supporter
    assert kept.supporter.wants_news_at is None


@pytest.mark.parametrize("sent", [{}, {"partner_mail": "yes"}, {"partner_mail": "0123456789ab"}, {"news": "yes"}])
def test_silence_and_what_no_page_showed_are_no_consent(dana: Dana, ports: Partner, sent: dict[str, str]) -> None:
    waiting, _ = wait(dana)
    dana.post(waiting.partition("?")[0], {"code": dana.code(), **sent})
    assert dana.letter().stage == Letter.Stage.CONFIRMED
    assert not Consent.objects.filter(purpose="partner").exists()


def test_the_links_page_shows_the_box_unticked_as_it_does_the_organisers(dana: Dana, ports: Partner) -> None:
    _, mark = wait(dana)
    assert boxes(page(dana.get(dana.link()))) == [(mark, False)]
    dana.press(dana.link(), {"partner_mail": mark})
    assert Consent.objects.get().partner == ports


def test_the_link_without_a_tick_agrees_to_nothing(dana: Dana, ports: Partner) -> None:
    wait(dana)
    dana.press(dana.link())
    assert dana.letter().stage == Letter.Stage.CONFIRMED
    assert not Consent.objects.exists()


def test_letters_of_two_partners_confirmed_together_show_both_lines_and_keep_each_for_itself(
    dana: Dana, ports: Partner
) -> None:
    mines = Partner.objects.create(campaign=dana.campaign, slug="mines", name="Miners", consent_line="Miners may.")
    for position, partner in enumerate(("ports", "mines")):
        check = dana.post(begin(dana, position, partner=partner), DANA)["Location"]
        dana.post(check)
    html = page(dana.get(dana.link()))
    marks = [mark for mark, _ in boxes(html)]
    assert len(set(marks)) == 2
    assert html.count('id="partner_mail"') == html.count('id="partner_mail-2"') == 1
    second = Letter.objects.latest("id")
    dana.press(dana.link(), {"letter": str(second.pk), "partner_mail": marks})
    assert [one.partner for one in Consent.objects.all()] == [mines], "of the letter that was confirmed alone"


def test_a_proven_browsers_next_letter_needs_no_mail_for_it(dana: Dana, ports: Partner) -> None:
    waiting, _ = wait(dana)
    sent = dana.post(waiting.partition("?")[0], {"code": dana.code()})["Location"]
    after = values(dana.get(sent))["after"]
    write = dana.post(f"{dana.home}{dana.ask(1).slug}/", {"after": after})["Location"]
    mark = tick(dana, write)
    check = dana.post(write, {"partner_mail": mark})["Location"]
    assert not Consent.objects.exists()
    dana.post(check.partition("?")[0], {"partner_mail": mark})
    assert dana.letter().stage == Letter.Stage.CONFIRMED
    assert Consent.objects.get().partner == ports


def test_a_tick_outlives_errors_steps_back_and_the_offer_to_add_a_sentence(dana: Dana, ports: Partner) -> None:
    write = begin(dana)
    mark = tick(dana, write)
    assert boxes(page(dana.post(write, {**DANA, "name": "", "partner_mail": mark}))) == [(mark, True)]
    check = dana.post(write, {**DANA, "news": "yes", "partner_mail": mark})["Location"]
    back = re.findall(r'href="([^"#]*/write/[^"#]*)#sentence"', page(dana.get(check)))
    html = page(dana.get(back[0]))
    assert boxes(html) == [(mark, True)]
    assert re.search(r'name="news"[^>]* checked', html)


def test_a_changed_line_is_agreed_to_by_those_alone_who_saw_it(dana: Dana, ports: Partner) -> None:
    waiting, mark = wait(dana)
    Partner.objects.update(consent_line="The union may write to me about everything.")
    ((fresh, ticked),) = boxes(page(dana.get(waiting)))
    assert (fresh != mark, ticked) == (True, False), "new words are never ticked for anybody"
    dana.post(waiting.partition("?")[0], {"code": dana.code(), "partner_mail": mark})
    assert dana.letter().stage == Letter.Stage.CONFIRMED
    assert not Consent.objects.exists()


def test_a_removed_partners_line_is_shown_nowhere_and_agreed_to_by_nobody(dana: Dana, ports: Partner) -> None:
    write = begin(dana)
    waiting, mark = wait(dana)
    link = dana.link()
    ports.delete()
    Partner.objects.create(campaign=dana.campaign, slug="ports", name="Others", consent_line=LINE)
    assert mark not in page(dana.get(write)), "another partner of the same address is another"
    Partner.objects.all().delete()
    for address in (write, waiting, link):
        assert LINE not in page(dana.get(address))
    dana.press(link, {"partner_mail": mark})
    assert not Consent.objects.exists()


def test_what_was_agreed_to_is_listed_by_the_partners_name_and_withdrawn(dana: Dana, ports: Partner) -> None:
    waiting, mark = wait(dana)
    dana.post(waiting.partition("?")[0], {"code": dana.code(), "partner_mail": mark})
    dana.post("/my/", {"email": "dana@mail.example"})
    assert inquiries.answer(now=timezone.now()) == 1
    address = dana.post(f"/my/open/{tokens.make(tokens.MY_DATA, bytes(dana.notice().key))}/")["Location"]
    html = page(dana.get(address))
    assert "<h3><bdi>Port Workers</bdi></h3>" in html
    assert html.count(LINE) == 2, "with its button, and in the list of all that was agreed to"
    consent = values(dana.get(address))["consent"]
    done = dana.post(address, {"deed": "no-partner", "consent": consent})["Location"]
    html = page(dana.get(done))
    assert "Withdrawn. No list that they get from now on has your address." in html
    assert html.count(LINE) == 1
    assert "Ended on" in html
    assert Consent.objects.get().withdrawn_at is not None
