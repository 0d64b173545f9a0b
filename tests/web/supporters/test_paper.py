"""Printing and posting a letter, and sending it from one's own mail app: the pages."""

import re

import pytest

from letters import paper, press, privacy, told, writing
from letters.models import Delivery, Letter
from letters.self_reports import SelfReport
from targets.models import Target
from tests.letters import sheets
from tests.web.supporters.conftest import Dana, one_h1, page, values
from web import throttling
from web.supporters import own_mail

EMBASSIES = 1  # the ask that warns


def steps(address: str) -> tuple[str, str]:
    """Return the addresses of the letter's print page and of its own-mail page."""
    draft = address.partition("?")[0].rsplit("/", 2)[0]
    return f"{draft}/print/", f"{draft}/own-mail/"


def ids(html: str) -> list[str]:
    return re.findall(r'name="to" value="([^"]+)"', html)


def test_a_letter_is_printed_without_sending_it(dana: Dana) -> None:
    here, _mail = steps(dana.write())
    answer = dana.get(here)
    html = page(answer)
    assert one_h1(answer) == "Print, sign, post"
    assert "The address fits a window envelope." in html
    assert "Werner Faymann" in html
    assert "cheapest class" in html
    first, second = ids(html)[:2]
    given = {"to": [first, second], "address": "Oil Street 3\n04109 Leipzig", "envelope": "right"}
    got = dana.post(f"{here}letters.pdf", given)
    assert got["Content-Type"] == "application/pdf"
    assert got["Content-Disposition"] == 'attachment; filename="letters.pdf"'
    assert got["Cache-Control"] == "no-store"
    pages = sheets.read(got.content).pages
    assert len(pages) == 2
    assert "Oil Street 3" in pages[0].text
    assert [round(y) for _left, y, _right in pages[0].strokes] == [105, 210]
    assert Letter.objects.get().stage == "draft"
    assert "Oil Street" not in str(dana.content())


def test_a_plain_link_gives_the_pdf_of_those_it_names(dana: Dana) -> None:
    here, _mail = steps(dana.write())
    target = Target.objects.get(name="Werner Faymann")
    assert sheets.count(dana.get(f"{here}letters.pdf?to={target.public_id}").content) == 1
    assert "checked" in page(dana.get(f"{here}?to={target.public_id}"))


def test_the_language_switch_keeps_the_address_the_ticks_and_the_envelope_and_counts_nothing(dana: Dana) -> None:
    here, _mail = steps(dana.write())
    html = page(dana.get(here))
    button = re.search(r'<button form="printing" formaction="([^"]*)"[^>]* value="stay" lang="de"', html)
    assert button is not None
    assert button[1] == f"/de{here[3:]}"
    second = ids(html)[1]
    typed = {"to": second, "address": "Oil Street 3", "envelope": "number-10", "then": "stay"}
    answer = dana.post(button[1], typed)
    shown = page(answer)
    assert answer.status_code == 200
    assert '<html lang="de"' in shown
    assert values(answer)["address"] == "Oil Street 3"
    assert re.findall(r'name="to" value="([^"]+)" checked', shown) == [second]
    assert re.search(r'value="number-10" checked', shown)
    assert not dana.content().told


def test_nobody_ticked_and_too_long_an_address_are_said_with_what_was_typed(dana: Dana) -> None:
    here, _mail = steps(dana.write())
    answer = dana.post(f"{here}letters.pdf", {"address": "\n".join("abcdefg"), "envelope": "number-10"})
    html = page(answer)
    assert answer.status_code == 422
    assert "<title>Error: " in html
    assert html.count("Tick at least one letter to print.") == 2
    assert html.count("Keep at most 5.") == 2
    assert values(answer)["address"] == "a\nb\nc\nd\ne\nf\ng"
    assert re.search(r'value="number-10" checked', html)


def test_the_envelope_is_the_usual_one_of_the_senders_country(dana: Dana) -> None:
    here, _mail = steps(dana.write())
    assert re.search(r'value="left" checked', page(dana.get(here)))
    letter = dana.letter()
    content = writing.read(letter)
    letter.sealed = privacy.seal(
        letter.campaign, table="letter", row=bytes(letter.key), values={**content.values(), "country": "US"}
    )
    letter.save()
    assert re.search(r'value="number-10" checked', page(dana.get(here)))


def test_i_posted_it_counts_once_and_apart(dana: Dana) -> None:
    here, _mail = steps(dana.write())
    first, second = ids(page(dana.get(here)))[:2]
    answer = dana.post(here, {"to": [first, second]})
    assert answer["Location"] == f"{here}?posted=yes"
    dana.post(here, {"to": [first]})
    html = page(dana.get(answer["Location"]))
    assert "We count it as posted by you" in html
    assert html.count(">Posted<") == 2
    assert told.counts(dana.campaign) == {"posted": 2, "own_mail": 0}
    assert "Tick the letters that you posted." in page(dana.post(here))
    assert not Delivery.objects.exists()


def test_looking_changes_nothing(dana: Dana) -> None:
    here, mail = steps(dana.write())
    before = bytes(Letter.objects.get().sealed)
    for address in (here, f"{here}?posted=yes", f"{here}letters.pdf", mail, f"{mail}?page=2"):
        assert dana.get(address).status_code == 200
    assert bytes(Letter.objects.get().sealed) == before
    assert not SelfReport.objects.exists()


def test_a_foreign_site_cannot_report_for_somebody(dana: Dana) -> None:
    here, mail = steps(dana.write())
    first = ids(page(dana.get(here)))[0]
    for address in (here, mail):
        assert dana.post(address, {"to": first, "target": first}, **{"sec-fetch-site": "cross-site"}).status_code == 403
    assert not SelfReport.objects.exists()


def test_what_cannot_be_printed_now_is_said_and_nothing_is_lost(dana: Dana, monkeypatch: pytest.MonkeyPatch) -> None:
    here, _mail = steps(dana.write())
    first = ids(page(dana.get(here)))[0]

    def jam(*_args: object, **_kwargs: object) -> bytes:
        raise press.NotPrinted

    monkeypatch.setattr(paper, "supporters_set", jam)
    answer = dana.post(f"{here}letters.pdf", {"to": first, "address": "Oil Street 3"})
    assert answer.status_code == 503
    assert "could not be put on paper just now" in page(answer)
    assert values(answer)["address"] == "Oil Street 3"


def test_one_network_cannot_print_without_end(dana: Dana, monkeypatch: pytest.MonkeyPatch) -> None:
    here, _mail = steps(dana.write())
    monkeypatch.setattr(throttling, "must_wait", lambda *_args, **_kwargs: 90)
    answer = dana.get(f"{here}letters.pdf")
    assert answer.status_code == 429
    assert answer["Retry-After"] == "90"
    assert "Please try again at" in page(answer)


def test_a_script_without_a_typeface_is_said_before_printing(dana: Dana, monkeypatch: pytest.MonkeyPatch) -> None:
    here, _mail = steps(dana.write(body="نرجو أن ترفعوا صوتكم من أجلهم قبل 16 ديسمبر."))
    assert "no typeface" not in page(dana.get(here))
    monkeypatch.setattr(press, "typefaces", lambda: ("Libertinus Serif",))
    assert "This service has no typeface for the script of your letter (Arabic)." in page(dana.get(here))


def test_people_without_a_postal_address_are_explained(dana: Dana) -> None:
    Target.objects.exclude(name="Werner Faymann").update(post=None)
    here, _mail = steps(dana.write())
    html = page(dana.get(here))
    assert len(ids(html)) == 1
    assert "29 people by e-mail only" in html
    Target.objects.update(post=None)
    html = page(dana.get(here))
    assert "We know no postal address of anybody this letter is for." in html
    assert "Get the letters as a PDF" not in html


def test_where_writing_is_dangerous_both_ways_stand_first_and_need_no_address(dana: Dana) -> None:
    write = dana.begin(EMBASSIES)
    html = page(dana.get(write))
    assert html.index('value="own-mail"') < html.index('value="print"') < html.rindex("Check my letter")
    answer = dana.post(write, {"name": "Dana Writer", "email": "", "then": "print"})
    here, mail = steps(write)
    assert answer["Location"] == here
    assert dana.post(write, {"name": "Dana Writer", "then": "own-mail"})["Location"] == mail
    assert "Leave it out if you would rather not say where you live." in page(dana.get(here))
    assert dana.content().email == ""
    unfinished = dana.post(write, {"name": "", "then": "print"})
    assert unfinished.status_code == 422
    assert dana.get(here)["Location"] == write
    check = page(dana.get(dana.post(write, {"name": "Dana Writer", "email": "dana@mail.example"})["Location"]))
    assert check.index("Use my own mail app") < check.index("Print it and post it") < check.index("Send my letter")


def test_elsewhere_they_are_offered_after_sending(dana: Dana) -> None:
    assert "value=\"own-mail\"" not in page(dana.get(dana.begin()))
    check = page(dana.get(dana.write()))
    assert check.index("Send my letter") < check.index("Use my own mail app") < check.index("Print it and post it")
    assert "By post or your own mail app" in page(dana.get(dana.home))


def test_there_is_a_card_and_a_mail_for_each(dana: Dana) -> None:
    _here, mail = steps(dana.write(body="Please speak up for the oil workers & their families."))
    answer = dana.get(mail)
    html = page(answer)
    assert one_h1(answer) == "Send it from your own mail app"
    links = re.findall(r'href="(mailto:[^"]+)"', html)
    assert len(links) == own_mail.CARDS
    assert all(link.count("@") == 1 and "cc=" not in link for link in links)  # none sees the others
    assert "oil%20workers%20%26%20their%20families" in links[0]
    assert "too long for some mail apps" not in html
    assert "<textarea" in html
    assert "readonly" in html
    second = page(dana.get(f"{mail}?page=2"))
    assert not set(links) & set(re.findall(r'href="(mailto:[^"]+)"', second))


def test_a_long_letter_is_to_be_pasted(dana: Dana) -> None:
    _here, mail = steps(dana.write(body="Please speak up for them before 16 December. " * 40))
    html = page(dana.get(mail))
    assert html.count("Copy it first, then paste it into the mail.") == own_mail.CARDS
    assert "body=%28paste%20your%20letter%20here%29" in html
    assert all(len(link) <= 1800 for link in re.findall(r'href="((?:mailto:|https:)[^"]+)"', html))


def test_i_sent_it_is_taken_down_for_that_one_card(dana: Dana) -> None:
    _here, mail = steps(dana.write())
    target = Target.objects.get(name="Werner Faymann")
    answer = dana.post(mail, {"target": target.public_id, "page": "1"})
    assert answer["Location"] == f"{mail}?page=1"
    html = page(dana.get(answer["Location"]))
    assert html.count("You sent it") == 1
    assert html.count(">I sent it<") == own_mail.CARDS - 1
    dana.post(mail, {"target": target.public_id})
    dana.post(mail, {"target": "nobody", "page": "x"})
    assert told.counts(dana.campaign) == {"posted": 0, "own_mail": 1}


def test_somebody_by_post_only_has_no_card(dana: Dana) -> None:
    Target.objects.filter(name="Werner Faymann").update(email=None)
    _here, mail = steps(dana.write())
    html = page(dana.get(mail))
    assert "1 person by post only" in html
    assert "faymann" not in "".join(re.findall(r'href="(mailto:[^"]+)"', html))


def test_what_came_back_can_be_printed_from_the_status(dana: Dana) -> None:
    sent = dana.confirm()
    assert "Print it and post it as well" in page(dana.get(sent))
    target = Target.objects.get(name="Werner Faymann")
    Delivery.objects.filter(target=target).update(state="failed", ended_at=dana.letter().confirmed_at)
    html = page(dana.get(dana.status()))
    here = f"{dana.status()}print/"
    assert html.count("Print it instead?") == 1
    assert f"{here}?to={target.public_id}" in html
    shown = page(dana.get(f"{here}?to={target.public_id}"))
    assert shown.count(" checked") == 2  # this one, and an envelope
    got = dana.post(f"{here}letters.pdf", {"to": target.public_id})
    assert "Werner Faymann" in sheets.read(got.content).pages[0].text
    assert dana.post(here, {"to": target.public_id})["Location"] == f"{here}?posted=yes"
    Target.objects.filter(pk=target.pk).update(post=None)
    assert "Print it instead?" not in page(dana.get(dana.status()))


def test_a_letter_that_is_forgotten_cannot_be_printed_any_more(dana: Dana) -> None:
    dana.confirm()
    Letter.objects.update(sealed=b"")
    here = f"{dana.status()}print/"
    assert dana.get(here)["Location"] == dana.status()
    assert dana.get(f"{here}letters.pdf")["Location"] == dana.status()
    assert "print/" not in page(dana.get(dana.status()))
    assert dana.get("/letter/nonsense/print/").status_code == 404
