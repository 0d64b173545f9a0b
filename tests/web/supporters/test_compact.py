"""A compact campaign: the letter stands on the campaign's page, and is what that page showed."""

import re
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.utils import timezone

from accounts.models import User
from campaigns import publishing
from campaigns.models import Ask, Campaign, Partner
from letters import choosing, tokens, writing
from letters.models import Letter
from targets.models import Target
from tests import parliament
from tests.web.supporters.conftest import DANA, SENTENCE, Dana, one_h1, page, values
from web import throttling

NEWER = "The oil workers are in court now.\n\nPlease send somebody who watches the trial, and say what they saw."


@pytest.fixture
def compact(dana: Dana) -> Dana:
    """Return Dana at the demonstration campaign, which is compact."""
    Campaign.objects.update(is_compact=True)
    return dana


@pytest.fixture
def parliamentary(alice: User) -> Dana:
    """Return Dana at a compact campaign with an ask in each mode."""
    found = parliament.a_parliament_campaign(alice, seats={"DE": 6, "FR": 6})
    Campaign.objects.update(is_compact=True)
    return Dana(found)


def at(dana: Dana, slug: str = "leaders") -> str:
    """Return the address of one ask's page."""
    return f"{dana.home}{slug}/"


def shown(dana: Dana, slug: str = "leaders") -> dict[str, str]:
    """Look at an ask's page; return what its form sends if nothing is changed."""
    return unticked(values(dana.get(at(dana, slug))))


def unticked(fields: dict[str, str]) -> dict[str, str]:
    """Return a form's fields without the box that is not ticked."""
    return {name: text for name, text in fields.items() if name != "news"}


def typed(fields: dict[str, str]) -> dict[str, str]:
    """Return a form filled in by Dana."""
    return {**fields, **DANA, "sentence": SENTENCE, "subject": "Before you celebrate"}


def is_guided(answer: HttpResponse) -> bool:
    """Return whether a page has no letter on it."""
    return not {"drawn", "body", "name"} & values(answer).keys()


def test_the_page_shows_the_case_the_question_and_the_letter_in_one_form(compact: Dana) -> None:
    answer = compact.get(compact.home)
    html, fields = page(answer), values(answer)
    assert one_h1(answer) == "Ask Europe's leaders to speak up for Kazakhstan's oil workers"
    for words in ("Werner Faymann", "and 27 others", "Why does this matter to you?", "Stuck? Begin like this:",
                  "Who is writing?", "What helps", "Facts to use", "About 3 minutes."):  # fmt: skip
        assert words in html
    assert {"sentence", "subject", "body", "name", "email", "copy_to_me", "news"} <= fields.keys()
    assert (fields["sentence"], fields["name"], fields["email"]) == ("", "", "")
    assert "Kazakhstan" in fields["body"]
    assert "Write my letter" not in html
    assert set(re.findall(r'<button class="button"[^>]*>([^<]+)', html)) == {"Check my letter"}


def test_looking_keeps_nothing_and_everybody_is_shown_variants_of_their_own(compact: Dana) -> None:
    for _ in range(2):
        answer = compact.get(compact.home)
        assert answer["Cache-Control"] == "private"
        assert not answer.cookies
    assert len({shown(compact)["body"] for _ in range(20)}) > 1
    assert not Letter.objects.exists()


def test_what_was_shown_is_what_is_checked_sent_and_counted_from(compact: Dana) -> None:
    fields = shown(compact)
    answer = compact.post(at(compact), typed(fields))
    assert answer.status_code == 303
    assert answer["Location"].endswith("/check/")
    assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("no-store", "no-referrer")
    letter, content = compact.letter(), compact.content()
    drawn = tokens.read_drawn(fields["drawn"])
    assert drawn is not None
    assert (letter.template_id, letter.draw) == (drawn.template_id, drawn.draw)
    assert content.body == f"{SENTENCE}\n\n{fields['body'].strip()}"
    assert (content.subject, content.name, content.email) == ("Before you celebrate", DANA["name"], DANA["email"])
    assert 5 < letter.own_words <= len(SENTENCE.split())
    assert Letter.objects.count() == 1
    html = page(compact.get(answer["Location"]))
    assert content.body in html
    confirm = compact.post(answer["Location"])["Location"]
    compact.post(confirm, {"code": compact.code()})
    assert compact.letter().stage == Letter.Stage.CONFIRMED


@pytest.mark.parametrize("scripts", [True, False])
def test_a_letter_that_nobody_changed_has_no_words_of_its_own(compact: Dana, *, scripts: bool) -> None:
    for _ in range(5):
        fields = {**shown(compact), **DANA}
        if not scripts:  # browsers end lines as HTML says
            fields["body"] = fields["body"].replace("\n", "\r\n")
        check = compact.post(at(compact), fields)["Location"]
        assert compact.letter().own_words == 0
        assert "This is the standard letter." in page(compact.get(check))


def test_a_wording_changed_meanwhile_does_not_change_the_letter_that_was_shown(compact: Dana) -> None:
    fields, ask = shown(compact), compact.ask()
    before = ask.templates.get(language="en")
    saved, findings = publishing.save_template(
        ask=ask, by=None, language="en", passages={**before.passages(), "body": NEWER, "closing": "With respect"}
    )
    assert saved is not None, findings
    assert shown(compact)["body"].strip() == NEWER
    compact.post(at(compact), {**fields, **DANA})
    assert compact.letter().template == before
    assert compact.letter().own_words == 0
    assert compact.content().body == fields["body"].strip()


@pytest.mark.parametrize("drawn", ["", "x" * 38, "old"])
def test_a_forged_or_old_sign_loses_nothing_and_nothing_is_said_of_it(compact: Dana, drawn: str) -> None:
    fields = typed(shown(compact))
    known = tokens.read_drawn(fields["drawn"])
    assert known is not None
    if drawn == "old":
        drawn = tokens.drawn(known.template_id, known.draw, now=timezone.now() - timedelta(days=3))
    answer = compact.post(at(compact), {**fields, "drawn": drawn})
    assert (answer.status_code, Letter.objects.count()) == (303, 1)
    assert compact.content().body == f"{SENTENCE}\n\n{fields['body'].strip()}"
    check = compact.get(answer["Location"])
    assert one_h1(check) == "Is this your letter?"
    assert "There is a problem" not in page(check)


@pytest.mark.parametrize(
    ("field", "bad"),
    [("name", ""), ("email", "nobody"), ("subject", ""), ("body", "short"), ("sentence", "word " * 500),
     ("body", "https://a.example https://b.example https://c.example and some more words")],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field_and_all_that_was_typed_is_kept(
    compact: Dana, field: str, bad: str
) -> None:
    posted = {**typed(shown(compact)), field: bad, "news": "yes"}
    answer = compact.post(at(compact), posted)
    html, fields = page(answer), values(answer)
    assert answer.status_code == 422
    assert "<title>Error: Write" in html
    assert f'href="#{field}"' in html
    assert f'aria-describedby="{field}-error' in html
    for name in ("subject", "name", "email", "town", "sentence"):
        assert fields[name].strip() == posted[name].strip(), name
    assert fields["body"].strip() == f"{posted['sentence'].strip()}\n\n{posted['body'].strip()}"
    assert re.search(r'name="news" value="yes" checked', html)
    assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("no-store", "no-referrer")
    form = re.search(r'<form method="post" action="([^"]+)" id="writing"', html)
    assert form is not None
    check = compact.post(form[1], typed(unticked(fields)) | {"body": NEWER})
    assert check.status_code == 303
    assert Letter.objects.count() == 1
    assert compact.letter().own_words > 0


def test_signs_that_no_letter_carries_are_told_and_taken_out(compact: Dana) -> None:
    fields = typed(shown(compact))
    answer = compact.post(at(compact), {**fields, "body": f"{NEWER}\x00"})
    assert answer.status_code == 422
    assert values(answer)["body"].strip() == f"{SENTENCE}\n\n{NEWER}"
    answer = compact.post(at(compact), {**fields, "body": f"{NEWER}\x00", "then": "stay"})
    assert answer.status_code == 200
    assert values(answer)["body"].strip() == NEWER


def test_pressed_twice_it_is_two_drafts_of_which_one_can_be_sent(compact: Dana) -> None:
    fields = typed(shown(compact))
    first, second = (compact.post(at(compact), fields)["Location"] for _ in range(2))
    assert first != second
    one, other = Letter.objects.all()
    assert writing.read(one) == writing.read(other)
    for check in (first, second):
        confirm = compact.post(check)["Location"]
        compact.post(confirm, {"code": compact.code()})
    assert Letter.objects.filter(stage=Letter.Stage.CONFIRMED).count() == 1


def test_a_form_from_elsewhere_is_given_back_whole_and_goes_on_by_a_button_of_ours(compact: Dana) -> None:
    fields = typed(shown(compact))
    answer = compact.post(at(compact), fields, **{"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert not Letter.objects.exists()
    again = values(answer)
    for name in ("sentence", "subject", "body", "name", "email"):
        assert f'name="{name}"' in page(answer)
        assert again[name].strip() == fields[name].strip(), name
    assert 'type="hidden" name="drawn"' in page(answer), "nothing that somebody has to look at"
    assert compact.post(at(compact), again)["Location"].endswith("/check/")
    known = tokens.read_drawn(fields["drawn"])
    assert known is not None
    assert compact.letter().draw == known.draw


def test_past_the_limit_of_drafts_the_letter_is_given_back(compact: Dana, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "MOST_BEGUN", 0)
    fields = typed(shown(compact))
    answer = compact.post(at(compact), fields)
    assert answer.status_code == 429
    for name in ("sentence", "body", "drawn"):
        assert values(answer)[name].strip() == fields[name].strip()
    assert not Letter.objects.exists()


def test_in_another_language_the_page_shows_the_same_letter_as_typed(compact: Dana) -> None:
    fields = typed(shown(compact)) | {"body": NEWER, "copy_to_me": "no", "then": "stay"}
    answer = compact.post(f"/fr/{compact.campaign.slug}/leaders/", fields)
    again = values(answer)
    assert answer.status_code == 200
    for name in ("sentence", "subject", "body", "name", "email"):
        assert again[name].strip() == fields[name].strip(), name
    one, other = tokens.read_drawn(fields["drawn"]), tokens.read_drawn(again["drawn"])
    assert one is not None
    assert other is not None
    assert (one.template_id, one.draw) == (other.template_id, other.draw)
    assert not re.search(r'name="copy_to_me" value="yes" checked', page(answer))
    assert "Vérifier ma lettre" in page(answer)
    assert not Letter.objects.exists()


def test_the_letters_language_changes_on_the_page_to_write_on_with_all_that_was_typed(compact: Dana) -> None:
    answer = compact.post(at(compact), {**shown(compact), "name": "Dana Writer", "letter_language": "de"})
    assert answer["Location"].endswith("/write/")
    fields = values(compact.get(answer["Location"]))
    assert compact.letter().template.language == "de"
    assert "Kasachstan" in fields["body"]
    assert fields["name"] == "Dana Writer"
    asked = compact.post(at(compact), {**shown(compact), "body": NEWER, "letter_language": "de"})
    assert "Keep your text?" in one_h1(compact.get(asked["Location"]))


def test_enter_in_a_field_checks_the_letter(compact: Dana) -> None:
    first = re.search(r"<button[^>]*>", page(compact.get(compact.home)))
    assert first is not None
    assert 'form="write"' in first[0]
    assert "name=" not in first[0]


def test_those_whom_the_page_suggests_get_the_letter_and_change_keeps_what_was_typed(parliamentary: Dana) -> None:
    answer = parliamentary.get(at(parliamentary, "suggested"))
    named = re.findall(r'<input type="hidden" name="to" value="([^"]+)"', page(answer))
    assert len(named) == 3
    fields = {**typed(unticked(values(answer))), "to": named, "body": NEWER}
    assert "Each of the 3 people" in page(answer)
    assert parliamentary.post(at(parliamentary, "suggested"), fields)["Location"].endswith("/check/")
    chosen = choosing.chosen(parliamentary.content())
    assert {target.public_id for target in Target.objects.filter(pk__in=chosen)} == set(named)
    answer = parliamentary.post(at(parliamentary, "suggested"), {**fields, "then": "to"})
    assert answer["Location"].endswith("/to/")
    assert NEWER in parliamentary.content().body
    assert choosing.chosen(parliamentary.content()) == chosen


def test_where_somebody_named_cannot_be_written_to_any_more_others_are_named_and_the_letter_stays(
    parliamentary: Dana,
) -> None:
    answer = parliamentary.get(at(parliamentary, "suggested"))
    named = re.findall(r'<input type="hidden" name="to" value="([^"]+)"', page(answer))
    fields = typed(unticked(values(answer))) | {"body": NEWER}
    Target.objects.filter(public_id=named[0]).update(email=None, post=None)
    answer = parliamentary.post(at(parliamentary, "suggested"), {**fields, "to": named})
    again = values(answer)
    assert answer.status_code == 422
    assert "<title>Error: " in page(answer)
    assert 'id="to" tabindex="-1"' in page(answer)
    assert "Somebody who was ticked cannot be written to any more." in page(answer)
    for name in ("sentence", "subject", "body", "name", "email"):
        assert again[name].strip() == fields[name].strip(), name
    others = re.findall(r'<input type="hidden" name="to" value="([^"]+)"', page(answer))
    assert named[0] not in others
    assert parliamentary.post(at(parliamentary, "suggested"), {**unticked(again), "to": others}).status_code == 303
    assert Letter.objects.count() == 1


def test_where_somebody_has_to_choose_first_the_letter_has_a_page_of_its_own(parliamentary: Dana) -> None:
    assert not is_guided(parliamentary.get(at(parliamentary, "fixed")))
    for slug in ("up-to", "by-country", "by-country/?country=DE"):
        assert is_guided(parliamentary.get(f"{parliamentary.home}{slug}")), slug
    answer = parliamentary.post(at(parliamentary, "by-country"), {"sentence": SENTENCE, "country": "DE"})
    assert answer["Location"].endswith("/write/")


def test_where_a_warning_comes_first_the_letter_has_a_page_of_its_own(compact: Dana) -> None:
    assert is_guided(compact.get(at(compact, "embassies")))
    assert compact.begin(1).endswith("/write/")


def test_on_a_partners_page_the_letter_has_a_page_of_its_own(compact: Dana) -> None:
    Partner.objects.create(campaign=compact.campaign, slug="ports", name="Ports", origins=["https://ports.example"])
    framed = compact.get(f"/embed/{compact.campaign.slug}/?partner=ports")
    assert "Write my letter" in page(framed)
    assert is_guided(framed)


def test_where_nobody_can_be_written_to_and_where_it_is_over_there_is_no_letter(compact: Dana) -> None:
    Campaign.objects.update(paused_at=timezone.now())
    assert not is_guided(compact.get(compact.home)), "letters are taken, and wait"
    Campaign.objects.update(paused_at=None)
    for ending in ("paused", "ended", "won", "moved"):
        Campaign.objects.update(stage=Campaign.Stage.CLOSED, ending=ending)
        assert is_guided(compact.get(compact.home)), ending
    Campaign.objects.update(stage=Campaign.Stage.OPEN, ending="")
    Target.objects.update(email=None)
    assert is_guided(compact.get(compact.home))


def test_a_campaign_that_is_not_compact_stays_as_it_was(dana: Dana) -> None:
    answer = dana.get(dana.home)
    assert is_guided(answer)
    assert "Cache-Control" not in answer
    assert dana.ask().templates.get(language="en").used_at is None


def test_a_letter_that_was_shown_goes_on_also_where_the_box_was_unticked_meanwhile(compact: Dana) -> None:
    fields = typed(shown(compact))
    Campaign.objects.update(is_compact=False)
    assert compact.post(at(compact), fields)["Location"].endswith("/check/")


def test_a_warning_that_came_meanwhile_is_read_before_the_letter_is_checked(compact: Dana) -> None:
    fields = typed(shown(compact))
    Ask.objects.update(warns=True)
    answer = compact.post(at(compact), fields)
    assert answer["Location"].endswith("/write/")
    written = compact.get(answer["Location"])
    assert "This letter goes to a government that punishes critics." in page(written)
    assert values(written)["body"] == f"{SENTENCE}\n\n{fields['body'].strip()}"
    assert values(written)["name"] == DANA["name"]


@pytest.mark.parametrize("mode", ["up_to", "by_country"])
def test_a_choice_that_came_meanwhile_is_asked_for_and_the_letter_is_not_lost(
    parliamentary: Dana, mode: str
) -> None:
    fields = typed(shown(parliamentary, "fixed")) | {"body": NEWER}
    Ask.objects.update(mode=mode)
    answer = parliamentary.post(at(parliamentary, "fixed"), fields)
    if mode == "up_to":
        check = parliamentary.get(answer["Location"])
        assert check["Location"].endswith("/to/?back=check")
        assert NEWER in parliamentary.content().body
    else:
        assert answer.status_code == 422
        assert "Choose your country: it decides who gets your letter." in page(answer)
        assert NEWER in page(answer)
        assert not Letter.objects.exists()


def test_a_campaign_that_closed_meanwhile_gives_the_letter_back(compact: Dana) -> None:
    fields = typed(shown(compact)) | {"body": NEWER}
    Campaign.objects.update(stage=Campaign.Stage.CLOSED, ending="won")
    html = page(compact.post(at(compact), fields))
    assert "Your letter was not sent. Here it is, to copy." in html
    for words in (NEWER, SENTENCE, "Before you celebrate"):
        assert words in html


def test_the_next_letter_is_offered_and_begins_as_before(compact: Dana) -> None:
    check = compact.post(at(compact), typed(shown(compact)))["Location"]
    sent = compact.post(compact.post(check)["Location"], {"code": compact.code()})["Location"]
    token = re.search(r'name="after" value="([^"]+)"', page(compact.get(sent)))
    assert token is not None
    write = compact.post(at(compact, "performers"), {"after": token[1], "sentence": SENTENCE})["Location"]
    assert write.endswith("/write/")
    fields = values(compact.get(write))
    assert (fields["name"], fields["email"]) == (DANA["name"], DANA["email"])
    assert fields["body"].startswith(f"{SENTENCE}\n\n")
    assert compact.letter().proven
