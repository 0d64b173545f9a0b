"""The demonstration loads whole, once, and every letter of it can be written."""

from datetime import datetime

import pytest
from django.conf import settings

from accounts.models import User
from campaigns import languages, publishing, wording
from campaigns.demonstration import loading
from campaigns.models import Ask, Campaign
from letters import composing, privacy, writing
from targets import lists
from targets.models import Address, Target, TargetList
from tests import cast

pytestmark = pytest.mark.django_db
LANGUAGES = {"en", "de", "es", "fr", "ru"}


def _load(by: User, now: datetime) -> Campaign:
    return loading.load(
        organisation=cast.organisation_of(by), by=by, wrapped_key=privacy.new_wrapped_key(), now=now
    )


def test_three_asks_to_sixty_five_targets_are_open(alice: User, now: datetime) -> None:
    campaign = _load(alice, now)
    assert campaign.is_open
    sizes = [len(lists.deliverable_targets(ask.target_list, now=now)) for ask in campaign.asks.all()]
    assert sizes == [30, 30, 5]
    assert [ask.target_list.kind for ask in campaign.asks.all()] == ["leaders", "embassies", "performers"]
    assert publishing.obstacles(campaign, now=now) == []


def test_nobody_real_is_written_to(alice: User, now: datetime) -> None:
    _load(alice, now)
    mail = Address.objects.filter(kind="email")
    assert mail.count() == 65
    assert [a.value for a in mail if not a.value.endswith(".example")] == []
    assert not [a for a in mail if a.is_capped]
    embassies = TargetList.objects.get(kind="embassies")
    assert all(target.post for target in lists.active_targets(embassies))


def test_its_wordings_have_no_finding_in_any_language(alice: User, now: datetime) -> None:
    for ask in _load(alice, now).asks.all():
        assert languages.languages_of(ask) == ["en", *sorted(LANGUAGES - {"en"})]
        for template in ask.templates.all():
            assert publishing.lint(ask, template.passages(), template.language) == []


def test_its_pages_and_asks_are_told_in_every_language(alice: User, now: datetime) -> None:
    campaign = _load(alice, now)
    assert {text.language for text in campaign.texts.all()} == LANGUAGES
    for ask in campaign.asks.all():
        texts = {text.language: text for text in ask.texts.all()}
        assert set(texts) == LANGUAGES
        assert len({(len(text.talking_points), len(text.starters)) for text in texts.values()}) == 1


def test_a_letter_says_the_same_in_every_language(alice: User, now: datetime) -> None:
    for ask in _load(alice, now).asks.all():
        for passage in ("subject", "salutation", "body", "closing"):
            variants = {
                template.language: wording.parse(template.passages()[passage], passage=passage).variants()
                for template in ask.templates.all()
            }
            assert len(set(map(tuple, variants.values()))) == 1, (ask.slug, passage, variants)


def test_everybody_is_greeted_in_every_language(alice: User, now: datetime) -> None:
    for target in Target.objects.filter(organisation=_load(alice, now).organisation):
        assert set(target.salutations) == LANGUAGES - {"en"}
        assert len({target.salutation, *target.salutations.values()}) == 5


def test_some_letters_are_suggested_in_their_readers_language(alice: User, now: datetime) -> None:
    leaders, embassies, _ = _load(alice, now).asks.all()
    by_country = {target.country: [target.language] for target in lists.active_targets(leaders.target_list)}
    assert [languages.letter_language(leaders, by_country[code]) for code in ("AT", "FR", "ES", "DK")] == [
        "de", "fr", "es", "en"
    ]  # fmt: skip
    assert languages.letter_language(leaders, by_country["AT"] + by_country["FR"]) == "en"
    moscow = embassies.target_list.targets.get(country="RU")
    assert languages.letter_language(embassies, [moscow.language]) == "ru"


def test_every_targets_letter_can_be_read_and_sent(alice: User, now: datetime) -> None:
    seen = 0
    for ask in _load(alice, now).asks.all():
        letter = writing.begin(ask=ask, language="en", now=now, sentence="I was there once.")
        writing.revise(letter, posted={"name": "Dana", "email": "dana@mail.example", "town": "Leipzig"}, now=now)
        for preview in writing.previews(letter, now=now):
            seen += 1
            text = preview.letter.text
            assert "{{" not in text
            assert "{%" not in text
            assert "None" not in text
            assert text.startswith(text.strip()[:1])
            assert "I was there once." in text
            assert len(text) > 300
            assert preview.target.email is not None
            mail = composing.message(
                delivery_id=seen, letter=preview.letter, to_name=preview.target.name,
                to_address=preview.target.email.value, date=now,
            )  # fmt: skip
            assert settings.MAIL_DOMAIN.encode() in mail.data
    assert seen == 65


def test_loading_twice_changes_nothing(alice: User, now: datetime) -> None:
    first = _load(alice, now)
    counts = (Campaign.objects.count(), Ask.objects.count(), Target.objects.count(), TargetList.objects.count())
    assert _load(alice, now) == first
    assert counts == (
        Campaign.objects.count(), Ask.objects.count(), Target.objects.count(), TargetList.objects.count()
    )  # fmt: skip
