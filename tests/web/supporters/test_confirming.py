"""Proving the address by code or link."""

import re
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from campaigns.models import Campaign
from letters import forgetting, tokens, writing
from letters.models import Delivery, Letter, Notice, Supporter
from targets import suppressions
from tests.web.supporters.conftest import SENTENCE, Dana, one_h1, page
from web.supporters.webmail import webmail_of


def a_wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_the_page_names_the_address_and_the_subject_to_look_for(dana: Dana) -> None:
    answer = dana.get(dana.send())
    html = page(answer)
    assert "One tap is missing" in one_h1(answer)
    assert "dana@mail.example" in html
    assert "One tap left: your letter to Werner Faymann and 29 others" in html
    assert 'autocomplete="one-time-code"' in html
    assert 'inputmode="numeric"' in html
    assert 'href="/postbox/?to=dana%40mail.example"' in html
    assert "Thank" not in html


def test_the_code_confirms_and_leads_to_the_letter_on_its_way(dana: Dana) -> None:
    waiting = dana.send()
    code = dana.code()
    answer = dana.post(waiting, {"code": f" {code[:3]} {code[3:]} "})
    assert answer.status_code == 303
    assert answer["Location"] == f"{dana.home}draft/{tokens.make(tokens.PROVEN, bytes(dana.letter().key))}/sent/"
    assert dana.letter().stage == Letter.Stage.CONFIRMED
    assert Delivery.objects.count() == 30


def test_a_wrong_code_is_an_error_at_its_field_and_five_are_enough(dana: Dana) -> None:
    waiting = dana.send()
    for _try in range(5):
        answer = dana.post(waiting, {"code": a_wrong(dana.code())})
        assert answer.status_code == 422
        assert 'href="#code"' in page(answer)
        assert "After five tries only its link works" in page(answer)
    assert dana.post(waiting, {"code": dana.code()}).status_code == 422
    assert dana.letter().stage == Letter.Stage.AWAITING
    assert dana.press(dana.link()).status_code == 303
    assert dana.letter().stage == Letter.Stage.CONFIRMED


def test_the_same_page_for_an_address_that_gets_no_mail(dana: Dana) -> None:
    """A suppressed address, or one that wrote already, must not be told apart from a new one."""

    def neutral(answer_text: str) -> str:
        text = re.sub(r'nonce="[^"]*"|/draft/[^/]+/|[0-9]{2}:[0-9]{2} UTC', "", answer_text)
        return text.replace("eve@mail.example", "dana@mail.example").replace("eve%40", "dana%40")

    fresh = dana.send()
    pages = [neutral(page(dana.get(fresh)))]
    wrong = [neutral(page(dana.post(fresh, {"code": a_wrong(dana.code())})))]
    suppressions.add(suppressions.address_hash("eve@mail.example"), reason="not_me", source="test")
    silent = dana.send(email="eve@mail.example")
    assert Notice.objects.count() == 1
    dana.press(dana.link())
    written = dana.send()
    for waiting in (silent, written):
        pages.append(neutral(page(dana.get(waiting))))
        wrong.append(neutral(page(dana.post(waiting, {"code": "000000"}))))
    assert pages[0] == pages[1] == pages[2]
    assert wrong[0] == wrong[1] == wrong[2]


def test_the_mail_can_be_asked_for_again_once_a_day(dana: Dana) -> None:
    waiting = dana.send()
    assert "We can send it again from" in page(dana.get(waiting))
    assert dana.post(waiting, {"deed": "again"}).status_code == 303
    assert Notice.objects.count() == 1
    Notice.objects.update(created_at=timezone.now() - timedelta(hours=25))
    Letter.objects.update(
        expires_at=F("expires_at") - timedelta(hours=25), mail_asked_at=F("mail_asked_at") - timedelta(hours=25)
    )
    assert "Send the mail again" in page(dana.get(waiting))
    dana.post(waiting, {"deed": "again"})
    assert Notice.objects.count() == 2


def test_a_wrong_address_can_be_changed_and_the_letter_is_kept(dana: Dana) -> None:
    waiting = dana.send()
    write = re.search(r'href="([^"]*/write/)#email"', page(dana.get(waiting)))
    assert write is not None
    check = dana.post(write[1], {"email": "dana.writer@mail.example"})["Location"]
    assert SENTENCE in page(dana.get(check))
    dana.post(check)
    assert dana.content().email == "dana.writer@mail.example"
    assert dana.letter().stage == Letter.Stage.AWAITING


def test_opening_the_link_any_number_of_times_confirms_nothing(dana: Dana) -> None:
    dana.send()
    for _scan in range(20):
        answer = dana.get(dana.link())
        assert dana.browser.head(dana.link()).status_code == 200
    assert dana.letter().stage == Letter.Stage.AWAITING
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex"
    assert "Werner Faymann" in page(answer)


def test_the_links_button_confirms_once_and_then_shows_where_the_letter_is(dana: Dana) -> None:
    dana.send()
    first = dana.press(dana.link())
    assert "/sent/" in first["Location"]
    again = dana.press(dana.link())
    assert again.status_code == 200
    for answer in (again, dana.get(dana.link())):
        assert "already sent this letter" in one_h1(answer)
        assert dana.status() in page(answer)
    assert Delivery.objects.count() == 30


@pytest.mark.parametrize("mangle", [lambda t: f"3D{t}", lambda t: f"{t}.", lambda t: f"{t}>"])
def test_what_mail_programs_add_to_a_link_is_forgiven(dana: Dana, mangle: object) -> None:
    dana.send()
    token = dana.link().split("/")[-2]
    assert dana.get(dana.link().replace(token, mangle(token))).status_code == 200  # type: ignore[operator]


def test_a_link_that_is_cut_or_changed_is_not_found(dana: Dana) -> None:
    dana.send()
    token = dana.link().split("/")[-2]
    for wrong in (token[:-2], token[:-1] + ("A" if token[-1] != "A" else "Q") + "A", "x" * 43, "%00"):
        assert dana.get(dana.link().replace(token, wrong)).status_code == 404


def test_two_waiting_letters_share_one_page_and_each_can_be_left_out(dana: Dana) -> None:
    dana.send(0)
    dana.send(1)
    assert Notice.objects.count() == 1
    html = page(dana.get(dana.link()))
    keys = re.findall(r'name="letter" value="(\d+)"', html)
    assert len(keys) == 2
    none = dana.press(dana.link())
    assert none.status_code == 422
    assert "Tick the letters that you wrote" in page(none)
    dana.press(dana.link(), {"letter": keys[1]})
    stages = dict(Letter.objects.values_list("ask__slug", "stage"))
    assert stages == {"leaders": Letter.Stage.AWAITING, "embassies": Letter.Stage.CONFIRMED}


def test_somebody_who_did_not_write_it_stops_it_for_good(dana: Dana) -> None:
    dana.send()
    link = dana.link()
    answer = dana.post(link, {"deed": "disown"})
    assert (answer.status_code, answer["Location"]) == (303, link)
    gone = dana.get(link)
    assert gone.status_code == 410
    assert "taken back" in one_h1(gone)
    assert dana.post(link).status_code == 410
    assert dana.letter().stage == Letter.Stage.WITHDRAWN
    assert suppressions.covers(suppressions.address_hash("dana@mail.example"), now=timezone.now())


def test_an_expired_link_says_that_the_letter_was_deleted(dana: Dana) -> None:
    dana.send()
    forgetting.expire(now=timezone.now() + timedelta(days=8))
    answer = dana.get(dana.link())
    assert answer.status_code == 410
    assert "expired" in one_h1(answer)


@pytest.mark.parametrize("days", [1, 8, 400])
def test_a_used_link_shows_where_its_letter_is_however_old_it_is(dana: Dana, days: int) -> None:
    dana.confirm()
    Notice.objects.update(created_at=timezone.now() - timedelta(days=days))
    for answer in (dana.get(dana.link()), dana.post(dana.link())):
        assert answer.status_code == 200
        assert "already sent this letter" in one_h1(answer)
        assert dana.status() in page(answer)


def test_a_link_that_has_run_out_says_nothing_untrue_of_a_letter_that_still_waits(dana: Dana) -> None:
    dana.send()
    Notice.objects.update(created_at=timezone.now() - timedelta(days=8))
    answer = dana.get(dana.link())
    assert answer.status_code == 410
    assert "has been used or has run out" in one_h1(answer)
    assert "deleted" not in page(answer)
    assert "Nobody" not in page(answer)


def test_a_link_to_an_address_that_was_changed_tells_nothing_of_the_letter(dana: Dana) -> None:
    waiting = dana.send(email="typo@mail.example")
    wrong = dana.link()
    dana.post(waiting.replace("/confirm/", "/write/"), {"email": "dana@mail.example"})
    dana.post(waiting.replace("/confirm/", "/check/"))
    dana.press(dana.link())
    assert dana.letter().stage == Letter.Stage.CONFIRMED
    answer = dana.get(wrong)
    assert answer.status_code == 410
    assert "has been used or has run out" in one_h1(answer)
    assert "deleted" not in page(answer)
    assert dana.status() not in page(answer)


def test_a_letter_taken_back_to_be_changed_is_not_confirmed_by_its_old_link(dana: Dana) -> None:
    waiting = dana.send()
    dana.post(waiting.replace("/confirm/", "/write/"), {"subject": "Another subject"})
    answer = dana.press(dana.link())
    assert "is being changed" in one_h1(answer)
    assert dana.letter().stage == Letter.Stage.DRAFT


def test_a_campaign_closed_meanwhile_gives_the_text_back_at_code_and_link(dana: Dana) -> None:
    waiting = dana.send()
    Campaign.objects.update(stage=Campaign.Stage.CLOSED, ending="ended", closed_at=timezone.now())
    for answer in (dana.post(waiting, {"code": dana.code()}), dana.press(dana.link())):
        assert answer.status_code == 200
        assert SENTENCE in page(answer)
    assert dana.letter().stage == Letter.Stage.AWAITING


def test_news_is_consented_to_only_with_the_proof(dana: Dana) -> None:
    check = dana.post(dana.begin(), {"name": "Dana", "email": "dana@mail.example", "news": "yes"})["Location"]
    assert check.endswith("?news=yes")
    waiting = dana.post(check.partition("?")[0], {"news": "yes"})["Location"]
    assert Supporter.objects.get().wants_news_at is None
    assert re.search(r'name="news"[^>]* checked', page(dana.get(waiting)))
    dana.post(waiting.partition("?")[0], {"news": "yes", "code": dana.code()})
    assert Supporter.objects.get().wants_news_at is not None


def test_silence_is_no_consent(dana: Dana) -> None:
    dana.confirm()
    assert Supporter.objects.get().wants_news_at is None


def test_the_news_box_of_the_links_page_is_not_ticked(dana: Dana) -> None:
    dana.send()
    box = re.search(r'<input[^>]*name="news"[^>]*>', page(dana.get(dana.link())))
    assert box is not None
    assert "checked" not in box[0]
    dana.press(dana.link(), {"news": "yes"})
    assert Supporter.objects.get().wants_news_at is not None


def test_an_address_that_already_wrote_learns_nothing_before_the_proof(dana: Dana) -> None:
    dana.confirm()
    waiting = dana.send()
    assert "already" not in page(dana.get(waiting)).lower().replace("opened the link already", "")
    assert [notice.kind for notice in Notice.objects.order_by("pk")] == ["confirmation", "already"]
    Notice.objects.update(created_at=timezone.now() - timedelta(hours=25))
    Letter.objects.update(mail_asked_at=timezone.now() - timedelta(hours=25))
    dana.post(waiting, {"deed": "again"})
    assert dana.notice().kind == "already", "nor when the mail is asked for again"


def test_a_mail_that_came_back_is_said_whatever_it_told(dana: Dana) -> None:
    dana.confirm()
    waiting = dana.send()
    assert "came back" not in page(dana.get(waiting))
    Notice.objects.filter(kind="already").update(came_back_at=timezone.now(), state="failed")
    assert "Our mail to this address came back." in page(dana.get(waiting))


def test_the_link_of_a_mail_shows_the_letter_that_was_sent_not_the_same_one_again(dana: Dana) -> None:
    dana.send()
    dana.send()
    dana.press(dana.link(), {"letter": str(Letter.objects.earliest("id").pk)})
    first = Letter.objects.earliest("id")
    answer = dana.get(dana.link())
    assert "already sent this letter" in one_h1(answer)
    assert f"/letter/{tokens.make(tokens.STATUS, bytes(first.key))}/" in page(answer)


def test_the_same_letter_written_twice_is_sent_once_and_says_so(dana: Dana) -> None:
    dana.send()
    second = dana.send()
    dana.press(dana.link(), {"letter": str(Letter.objects.earliest("id").pk)})
    Notice.objects.update(used_at=None)
    answer = dana.post(second, {"code": dana.code()})
    assert answer.status_code == 200
    assert "already sent this letter" in one_h1(answer)
    assert sorted(Letter.objects.values_list("stage", flat=True)) == ["awaiting_confirmation", "confirmed"]
    assert writing.read(dana.letter()).body.startswith(SENTENCE), "what was written is kept until it expires"


def test_the_page_says_when_the_next_mail_and_the_reminder_come(dana: Dana) -> None:
    html = page(dana.get(dana.send()))
    assert "We can send it again from" in html
    assert "we remind you on" in html
    assert "I have confirmed: show my letter" in html


def test_asking_again_too_early_changes_nothing(dana: Dana) -> None:
    waiting = dana.send()
    before = dana.letter().mail_asked_at
    dana.post(waiting, {"deed": "again"})
    assert dana.letter().mail_asked_at == before
    assert Notice.objects.count() == 1


def test_a_mail_that_came_back_is_said_with_the_way_to_another_address(dana: Dana) -> None:
    waiting = dana.send()
    Notice.objects.update(came_back_at=timezone.now(), state="failed")
    html = page(dana.get(waiting))
    assert "Our mail to this address came back." in html
    write = waiting.replace("/confirm/", "/write/")
    assert f'href="{write}#email"' in html
    dana.post(write, {"email": "dana.right@mail.example"})
    again = dana.post(waiting.replace("/confirm/", "/check/"))["Location"]
    assert "came back" not in page(dana.get(again))
    assert SENTENCE in dana.content().body
    assert Notice.objects.count() == 2


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("GMAIL.com", "https://mail.google.com/"),
        ("gmx.de", "https://www.gmx.net/"),
        ("mail.example", None),
        ("gmail.com.example", None),
    ],
)
def test_the_webmail_of_an_address_is_a_plain_link(host: str, place: str | None) -> None:
    found = webmail_of(f"gmx.de@{host}")
    assert (found[1] if found else None) == place


def test_letters_confirmed_together_are_all_named_where_the_way_leads(dana: Dana) -> None:
    dana.send()
    dana.send(1)
    link = dana.link()
    ticked = [str(pk) for pk in Letter.objects.values_list("pk", flat=True)]
    sent = dana.press(link, {"letter": ticked})["Location"]
    assert set(Letter.objects.values_list("stage", flat=True)) == {"confirmed"}
    html = page(dana.get(sent))
    assert "Your other letters of this campaign:" in html
    second = Letter.objects.latest("id")
    assert f"/letter/{tokens.make(tokens.STATUS, bytes(second.key))}/" in html


def test_a_script_learns_by_head_alone_that_the_letter_is_confirmed(dana: Dana) -> None:
    waiting = dana.send()
    assert f'data-wait="{waiting}"' in page(dana.get(waiting))
    before = dana.browser.head(waiting)
    assert (before.status_code, before.content) == (200, b"")
    dana.press(dana.link())
    after = dana.browser.head(waiting)
    assert after.status_code == 303
    assert 'id="done" tabindex="-1"' in page(dana.get(after["Location"]))
