"""Writing and checking a letter."""

import gzip
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Organisation
from campaigns.models import Ask, Campaign
from letters import forgetting, tokens
from letters.models import Letter, Notice
from targets import lists, suppressions
from tests.web.supporters.conftest import DANA, SENTENCE, Dana, one_h1, page, values
from web.presentation import moment_words


def test_writing_leads_to_checking_and_shows_the_letter_to_each_target(dana: Dana) -> None:
    answer = dana.get(dana.write())
    html = page(answer)
    assert one_h1(answer) == "Is this your letter?"
    assert html.count("Dear ") >= 30
    assert SENTENCE in html
    assert "Dana Writer via" in html.replace("<bdi>", "").replace("</bdi>", "")
    assert "your name, your town and your e-mail address" in html
    assert "dana@mail.example" in html
    assert html.count('<button class="button" ') == 1


def test_embassies_learn_the_name_alone_and_the_writer_is_warned(dana: Dana) -> None:
    ask = dana.ask(1)
    ask.warns = None
    ask.save()
    before = page(dana.get(f"{dana.home}{ask.slug}/"))
    assert before.index("government that punishes critics") < before.index('name="sentence"')
    assert "punishes critics" not in page(dana.get(dana.home))
    write = dana.begin(1)
    html = page(dana.get(write))
    warned = html.index("government that punishes critics")
    assert warned < html.index("Your name always stands under the letter") < html.index("<textarea")
    assert 'name="town"' not in html
    check = page(dana.get(dana.post(write, DANA)["Location"]))
    assert "your name only" in check
    assert "your address stays hidden" in check
    assert "Leipzig" not in check


def test_an_unfinished_form_keeps_every_word_and_names_each_field(dana: Dana) -> None:
    write = dana.begin()
    posted = {"subject": "", "body": "Short.", "name": "", "email": "a@b@c", "town": "Leipzig", "sentence": SENTENCE}
    answer = dana.post(write, {**posted, "news": "yes"})
    html = page(answer)
    assert answer.status_code == 422
    assert "<title>Error: " in html
    for name in ("subject", "body", "name", "email"):
        assert f'href="#{name}"' in html
        assert f'id="{name}-error"' in html
        assert re.search(rf'id="{name}"[^>]*aria-describedby="[^"]*{name}-error[^>]*aria-invalid="true"', html)
    assert {name: values(answer)[name] for name in posted} == posted
    assert re.search(r'name="news"[^>]* checked', html)


@pytest.mark.parametrize("way", ["", "later"])
def test_a_new_sentence_comes_into_the_letter_although_something_else_was_wrong(dana: Dana, way: str) -> None:
    write = dana.begin()
    new = {**DANA, "sentence": "I keep bees, and I read about the strikers every morning.", "then": way}
    answer = dana.post(write, {**values(dana.get(write)), **new, "email": "nobody"})
    assert answer.status_code == 422
    shown = values(answer)
    assert shown["body"].startswith(f"{new['sentence']}\n\n")
    assert SENTENCE not in shown["body"]
    assert "/check/" in dana.post(write, {**shown, **DANA, "then": ""})["Location"]
    assert dana.content().body == shown["body"].strip()


def test_what_was_valid_is_kept_although_something_was_not(dana: Dana) -> None:
    write = dana.begin()
    dana.post(write, {**DANA, "email": "nonsense"})
    assert values(dana.get(write))["name"] == "Dana Writer"


@pytest.mark.parametrize("name", ["Eve\r\nBcc: x@y.example", "Eve\nBcc: x@y.example", "\u202eeve", " ", "x" * 101])
def test_a_name_that_cannot_stand_in_a_header_is_refused(dana: Dana, name: str) -> None:
    answer = dana.post(dana.begin(), {**DANA, "name": name})
    assert answer.status_code == 422
    assert 'href="#name"' in page(answer)


@pytest.mark.parametrize("subject", ["One\r\nBcc: x@y.example", "One\nTwo", "  ", "x" * 201])
def test_a_subject_that_is_not_one_short_line_is_refused(dana: Dana, subject: str) -> None:
    answer = dana.post(dana.begin(), {**DANA, "subject": subject})
    assert answer.status_code == 422
    assert 'href="#subject"' in page(answer)


@pytest.mark.parametrize(
    "email", ["a@b.example\n", "a@localhost", "-f@b.example", "a%v@b.example", "a@b.example, c@d.example"]
)
def test_an_address_that_is_not_one_bare_address_is_refused(dana: Dana, email: str) -> None:
    answer = dana.post(dana.begin(), {**DANA, "email": email})
    if email.endswith("\n"):
        assert answer.status_code in {303, 422}
        assert "\n" not in dana.content().email
    else:
        assert answer.status_code == 422


def test_template_signs_and_markup_stay_text(dana: Dana) -> None:
    typed = "{{ 7*7 }} {% if x %} ${7*7} <script>alert(1)</script> <img src=https://evil.example/x>"
    check = dana.write(sentence=typed)
    raw = dana.get(check).content.decode()
    assert "{{ 7*7 }} {% if x %} ${7*7} &lt;script&gt;" in raw
    assert "<script>" not in raw
    assert "<img" not in raw


def test_nul_and_control_signs_make_an_error_not_a_crash(dana: Dana) -> None:
    answer = dana.post(dana.begin(), {**DANA, "body": "A sentence that is long enough.\x00\x08"})
    assert answer.status_code == 422
    assert "\x00" not in answer.content.decode()


def test_the_standard_letter_is_questioned_once_and_calmly(dana: Dana) -> None:
    write = dana.begin(sentence="")
    check = dana.post(write, DANA)["Location"]
    html = page(dana.get(check))
    assert "This is the standard letter." in html
    assert "Send as it is" in html
    assert "Send my letter" not in html
    back = re.search(r'href="([^"]*/write/\?[^"]*)#sentence"', html)
    assert back is not None
    again = dana.get(back[1])
    assert values(again)["asked"] == "yes"
    check = dana.post(write, {**DANA, "asked": "yes"})["Location"]
    assert "Send my letter" in page(dana.get(check))


@pytest.mark.parametrize("way", ["back", "to"])
def test_back_and_change_keep_what_is_typed_first(dana: Dana, way: str) -> None:
    write = dana.begin()
    answer = dana.post(write, {"body": "Half a let", "subject": "", "name": "Dana", "email": "", "then": way})
    leads = {"back": f"{dana.home}leaders/", "to": write.replace("/write/", "/to/")}
    assert (answer.status_code, answer["Location"]) == (303, leads[way])
    assert {name: values(dana.get(write))[name] for name in ("body", "name")} == {"body": "Half a let", "name": "Dana"}


def test_a_letter_without_a_name_cannot_be_checked_by_its_address(dana: Dana) -> None:
    write = dana.begin()
    answer = dana.get(write.replace("/write/", "/check/"))
    assert (answer.status_code, answer["Location"]) == (303, write)
    assert dana.post(write.replace("/write/", "/check/")).status_code == 422


def test_a_long_list_shows_three_letters_and_any_other_on_request(dana: Dana) -> None:
    ask = Ask.objects.get(slug="leaders")
    for n in range(700):
        lists.save_target(
            target_list=ask.target_list,
            values={"name": f"Member {n}", "salutation": f"Dear Member {n}", "email": f"m{n}@parliament.example"},
        )
    check = dana.write()
    answer = dana.get(check)
    html = answer.content.decode()
    assert len(gzip.compress(html.encode())) <= 30 * 1024
    assert html.count('name="letter"') == 3
    shown = re.search(r'href="([^"]*\?show=[^"]+)"><bdi>Member 699<', html)
    assert shown is not None
    one = page(dana.get(shown[1]))
    assert "Dear Member 699," in one
    assert one.count('name="letter"') == 1


def _copy_box(html: str) -> str:
    found = re.search(r'<input[^>]*type="checkbox"[^>]*name="copy_to_me"[^>]*>', html)
    assert found is not None
    return found[0]


def test_the_copy_is_offered_ticked_but_where_a_letter_may_endanger_its_writer(dana: Dana) -> None:
    assert "checked" in _copy_box(page(dana.get(dana.begin())))
    Ask.objects.update(warns=True)
    assert "checked" not in _copy_box(page(dana.get(dana.begin())))


@pytest.mark.parametrize(("posted", "is_ticked"), [(["no", "yes"], True), (["no"], False)])
def test_the_copy_stays_as_it_was_chosen_on_every_step(dana: Dana, posted: list[str], is_ticked: bool) -> None:
    write = dana.begin()
    refused = dana.post(write, {**DANA, "name": "", "copy_to_me": posted})
    assert ("checked" in _copy_box(page(refused))) == is_ticked
    check = dana.post(write, {**DANA, "copy_to_me": posted})["Location"]
    dana.post(write, {**DANA, "letter_language": "de", "text": "keep", "copy_to_me": posted})
    assert ("checked" in _copy_box(page(dana.get(write)))) == is_ticked
    dana.post(check)
    dana.press(dana.link())
    assert Notice.objects.filter(kind="copy").count() == is_ticked


def test_going_on_later_needs_the_address_alone_and_says_until_when_the_draft_is_kept(dana: Dana) -> None:
    write = dana.begin()
    assert "We keep this draft until" in page(dana.get(write))
    answer = dana.post(write, {"body": "Half a let", "email": DANA["email"], "then": "later"})
    assert (answer.status_code, answer["Location"]) == (303, f"{write}?later=yes")
    html = page(dana.get(answer["Location"]))
    until = dana.letter().kept_until
    assert until is not None
    assert timedelta(days=6, hours=23) < until - timezone.now() <= timedelta(days=7)
    assert html.count(f"We keep this draft until {moment_words(until)}") == 2
    assert "Its link goes to <bdi>dana@mail.example</bdi>" in html
    assert "Half a let" in html
    assert [notice.kind for notice in Notice.objects.all()] == ["later"]
    assert "Its link goes to" not in page(dana.get(write))


@pytest.mark.parametrize("email", ["", "dana at mail.example"])
def test_without_an_address_nothing_is_mailed_and_nothing_typed_is_lost(dana: Dana, email: str) -> None:
    answer = dana.post(dana.begin(), {**DANA, "body": "Half a letter, typed.", "email": email, "then": "later"})
    assert answer.status_code == 422
    html = page(answer)
    assert 'href="#email"' in html
    assert html.count('class="field-error"') == 1
    assert "Half a letter, typed." in html
    assert not Notice.objects.exists()
    assert dana.letter().kept_until is None


def test_the_page_is_the_same_for_an_address_that_gets_no_link(dana: Dana) -> None:
    suppressions.add(suppressions.address_hash("eve@mail.example"), reason="not_me", source="test")
    pages = []
    for email in (DANA["email"], "eve@mail.example"):
        html = page(dana.get(dana.post(dana.begin(), {**DANA, "email": email, "then": "later"})["Location"]))
        said = re.findall(r'<div class="notice" role="status">.*?</div>|<p class="after">.*?</p>', html, re.DOTALL)
        assert len(said) == 3
        pages.append([re.sub(r"[0-9]{2}:[0-9]{2} UTC", "", part).replace("eve@mail", "dana@mail") for part in said])
    assert pages[0] == pages[1]
    assert Notice.objects.count() == 1


def test_sending_twice_makes_one_letter_and_one_mail(dana: Dana) -> None:
    check = dana.write()
    first, second = dana.post(check), dana.post(check)
    assert first["Location"] == second["Location"]
    assert dana.letter().stage == Letter.Stage.AWAITING
    assert dana.notice().supporter.notices.count() == 1


def test_a_proven_address_that_already_wrote_is_told_when(dana: Dana) -> None:
    sent = dana.confirm()
    token = sent.split("/")[-3]
    answer = dana.post(f"{dana.home}leaders/", {"sentence": "Once more, and with feeling.", "after": token})
    check = dana.post(answer["Location"], {})["Location"]
    told = dana.post(check)
    assert told.status_code == 200
    assert "already sent this letter" in one_h1(told)
    assert "/letter/" in page(told)


def test_the_pages_of_a_token_are_private_and_carry_no_cookie(dana: Dana) -> None:
    write = dana.begin()
    for answer in (dana.get(write), dana.get(dana.home), dana.post(write, DANA)):
        assert not answer.cookies
        assert "Set-Cookie" not in answer.headers
    answer = dana.get(write)
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex"
    assert answer["Cache-Control"] == "no-store"
    assert "csrf" not in page(answer).lower()


def test_a_forged_token_is_a_404_with_the_same_bytes(dana: Dana) -> None:
    write = dana.begin()
    token = write.split("/")[-3]
    key = bytes(dana.letter().key)
    wrong = [
        token[:-1], "A" * 43, "x", token.swapcase(), tokens.make(tokens.STATUS, key), tokens.make(tokens.CONFIRM, key),
        tokens.make(tokens.DRAFT, b"0" * 16),
    ]  # fmt: skip
    pages = set()
    for each in wrong:
        answer = dana.get(write.replace(token, each))
        assert answer.status_code == 404
        pages.add(re.sub(rb'nonce="[^"]*"', b"", answer.content))
    assert len(pages) == 1


def test_a_draft_of_another_campaign_is_not_found_under_this_one(dana: Dana, campaign: Campaign) -> None:
    write = dana.begin()
    other = Campaign.objects.create(
        organisation=Organisation.objects.get(), slug="other", stage="open", wrapped_key=campaign.wrapped_key
    )
    assert dana.get(write.replace(dana.home, f"/en/{other.slug}/")).status_code == 404


def test_a_letter_whose_time_ran_out_says_so_and_offers_a_new_one(dana: Dana) -> None:
    write = dana.begin()
    forgetting.expire(now=timezone.now() + timedelta(days=2))
    for answer in (dana.get(write), dana.post(write, {**DANA, "body": "What I typed meanwhile, all of it."})):
        assert answer.status_code == 410
        assert "expired" in one_h1(answer)
        assert f"{dana.home}leaders/" in page(answer)
    assert "What I typed meanwhile, all of it." in page(answer)


@pytest.mark.parametrize("step", ["write", "check"])
def test_a_campaign_that_closes_meanwhile_gives_the_text_back(dana: Dana, step: str) -> None:
    check = dana.write()
    Campaign.objects.update(stage=Campaign.Stage.CLOSED, ending="ended", closed_at=timezone.now())
    address = check.replace("/check/", f"/{step}/")
    answer = dana.post(address, {**DANA, "body": "My last version."} if step == "write" else {})
    assert answer.status_code == 200
    assert "ended on" in one_h1(answer)
    assert ("My last version." if step == "write" else SENTENCE) in page(answer)
    assert dana.letter().stage == Letter.Stage.DRAFT


def test_a_beginning_in_a_closed_campaign_gives_the_sentence_back(dana: Dana) -> None:
    Campaign.objects.update(stage=Campaign.Stage.CLOSED, ending="ended", closed_at=timezone.now())
    answer = dana.post(f"{dana.home}leaders/", {"sentence": SENTENCE})
    assert answer.status_code == 200
    assert SENTENCE in page(answer)


def test_writing_fits_into_its_budget(dana: Dana) -> None:
    assert len(gzip.compress(dana.get(dana.begin()).content)) <= 14 * 1024
    assert len(gzip.compress(dana.get(dana.write()).content)) <= 14 * 1024
