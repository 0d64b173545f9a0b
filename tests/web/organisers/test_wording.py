"""The wording bench: trying, refusing, saving, and the versions that letters keep."""

from dataclasses import replace
from html import unescape

import pytest
from django.test import Client

from accounts.models import Role, User
from campaigns import publishing
from campaigns.models import Campaign, LetterTemplate
from letters import composing, writing
from tests import cast
from tests.web.organisers.letters import a_confirmed_letter
from web.organisers.letter_preview import SAMPLE

PAGE = "/organise/campaigns/oil-workers/eu-leaders/wording/"
GOOD = {
    "subject": "{% variant %}The strikers{% or %}Before you congratulate{% endvariant %}",
    "salutation": "{{ target.salutation|default('Dear Sir or Madam') }},",
    "body": "Oil workers have been on strike since May.\r\n\r\n"
    "{% variant %}Please speak up for them.{% or %}We ask you to speak.{% endvariant %}",
    "closing": "Yours sincerely,\r\n{{ supporter.name }}{% if supporter.town %}, {{ supporter.town }}{% endif %}",
}


def _sent(values: dict[str, str]) -> dict[str, str]:
    return {name: text.replace("\r\n", "\n") for name, text in values.items()}


@pytest.mark.parametrize("draw", [1, 2, 7])
def test_the_preview_is_what_composing_gives(draw: int, campaign: Campaign, as_alice: Client) -> None:
    ask = cast.the_ask(campaign)
    for target in ask.target_list.targets.all():
        tried = as_alice.post(PAGE, {**GOOD, "target": target.public_id, "draw": draw, "preview": "yes"})
        page = unescape(tried.content.decode())
        template = LetterTemplate(ask=ask, language="en", **_sent(GOOD))
        sample = composing.pinned(SAMPLE, ask, "en")
        subject, body = composing.given(template, sample, draw=draw)
        content = replace(sample, subject=subject, body=body)
        letter = composing.Finisher(template, content, draw=draw).finish(target.values())
        assert letter.text in page
        assert f'dir="auto">{subject}</dd>' in page
        assert letter.text.startswith(target.salutation or "Dear Sir or Madam")


def test_trying_a_wording_saves_nothing_and_keeps_what_was_typed(campaign: Campaign, as_alice: Client) -> None:
    answer = as_alice.post(PAGE, {**GOOD, "draw": "3", "another": "1"})
    page = unescape(answer.content.decode())
    assert answer.status_code == 200
    assert GOOD["subject"] in page
    assert 'id="draw" value="4"' in page
    kept = publishing.current_template(cast.the_ask(campaign))
    assert kept is not None
    assert kept.passages()["body"] == cast.WORDING["body"]


def test_the_script_gets_the_preview_alone(campaign: Campaign, as_alice: Client) -> None:
    page = as_alice.post(PAGE, {**GOOD, "fragment": "yes"}).content.decode()
    assert "letter-text" in page
    assert "<html" not in page
    assert "<textarea" not in page


@pytest.mark.parametrize(
    ("passage", "text", "line", "why", "cure"),
    [
        ("body", "One.\nTwo.\n{{ ''.__class__ }}", 3, "not in the letter language", "{{"),
        ("closing", "{{ config }}", 1, "`config` does not exist", "Offered are"),
        ("body", "One.\n{% for x in y %}{% endfor %}", 2, "`for` is not in the letter language", "{% if %}"),
        ("salutation", "{{ target.salutaton }},", 1, "does not exist", "Did you mean `target.salutation`?"),
        ("closing", "Bye\n{{ supporter.email }}", 2, "is not offered", "No wording passes on"),
        ("closing", "{{ supporter.name|safe }}", 1, "The filter `safe` is not in the letter language", "Use one of"),
        ("body", "Dear {{ target.name }}", 1, "is edited once for all targets", "Put it into the salutation"),
        ("salutation", "{{ target.title }},", 1, "is empty for 2 of 3 targets", "default('…')"),
        ("body", "(" * 20 + "{{ name", 1, "", ""),
    ],
)
def test_a_wording_with_an_error_is_refused_with_line_and_cure_and_nothing_is_saved(
    passage: str, text: str, line: int, why: str, cure: str, campaign: Campaign, as_alice: Client
) -> None:
    answer = as_alice.post(PAGE, {**GOOD, passage: text, "save": "yes"})
    page = unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "<title>Error: " in page
    assert f'href="#{passage}" data-line="{line}"' in page
    assert why in page
    assert cure in page
    assert text in page
    template = cast.the_ask(campaign).templates.get()
    assert template.passages() == {name: text.strip() for name, text in cast.WORDING.items()}


def test_a_good_wording_is_saved_with_unix_lines(campaign: Campaign, as_alice: Client) -> None:
    assert as_alice.post(PAGE, {**GOOD, "save": "yes"}).status_code == 302
    assert cast.the_ask(campaign).templates.get().passages() == _sent(GOOD)


def test_letters_keep_the_version_they_began_with(campaign: Campaign, as_alice: Client) -> None:
    letter = a_confirmed_letter(cast.the_ask(campaign))
    assert "used by 1 letter: saving makes a new version" in as_alice.get(PAGE).content.decode()
    as_alice.post(PAGE, {**GOOD, "save": "yes"})
    versions = {each.version: each for each in cast.the_ask(campaign).templates.all()}
    assert set(versions) == {1, 2}
    letter.refresh_from_db()
    assert letter.template_id == versions[1].pk
    assert writing.begin(ask=cast.the_ask(campaign), language="en", now=cast.NOW).template_id == versions[2].pk
    older = unescape(as_alice.get(f"{PAGE}1/").content.decode())
    assert cast.WORDING["body"] in older
    assert "<textarea" not in older
    assert as_alice.get(f"{PAGE}3/").status_code == 404


def test_a_translator_writes_wording_and_an_analyst_only_reads_it(campaign: Campaign, client: Client) -> None:
    def sign_in(user: User) -> None:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    sign_in(cast.a_member(campaign.organisation, "Ann", Role.ANALYST))
    page = client.get(f"{PAGE}?draw=5").content.decode()
    assert "letter-text" in page
    assert "Save the wording" not in page
    assert client.post(PAGE, {**GOOD, "save": "yes"}).status_code == 403
    sign_in(cast.a_member(campaign.organisation, "Tom", Role.TRANSLATOR))
    assert client.post(PAGE, {**GOOD, "save": "yes"}).status_code == 302


def test_the_riskiest_targets_come_first(campaign: Campaign, as_alice: Client) -> None:
    page = unescape(as_alice.get(PAGE).content.decode())
    chips = page.split('aria-labelledby="risky-title"')[1].split("</ul>")[0]
    assert "Office of the President" in chips
    assert "no salutation" in chips


def test_a_typed_tag_cannot_break_out_of_the_page(campaign: Campaign, as_alice: Client) -> None:
    hostile = "</textarea><script>alert(1)</script> speak up for them"
    page = as_alice.post(PAGE, {**GOOD, "body": hostile, "preview": "yes"}).content.decode()
    assert "<script>alert" not in page
    assert "&lt;/textarea&gt;&lt;script&gt;" in page
