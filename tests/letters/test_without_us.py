"""Whom a letter can be posted or mailed to without us."""

import pytest

from campaigns.models import Campaign
from letters import without_us, writing
from targets import lists
from targets.models import Address, Target
from tests import cast
from tests.letters import deeds

POST_ALONE = {"name": "Old Palace", "country": "DE", "postal_address": "Palace Street 2\n10115 Berlin"}


def names(targets: list[Target]) -> list[str]:
    return [target.name for target in targets]


def test_it_is_for_all_whom_mail_or_post_reaches(campaign: Campaign) -> None:
    ask = cast.the_ask(campaign)
    lists.save_target(target_list=ask.target_list, values=POST_ALONE)
    letter = deeds.a_draft(ask)
    Address.objects.filter(value="office@northland.example").update(status="dead")  # Anna Lund has a postal address
    Address.objects.filter(value="minister@foreign.example").update(status="dead")  # Bruno Keller has none
    found = without_us.targets_of(letter, now=cast.NOW)
    assert sorted(names(found)) == ["Anna Lund", "Office of the President", "Old Palace"]
    assert [target.name for target in found if without_us.has_email(target)] == ["Office of the President"]


def test_a_confirmed_letter_is_for_those_it_was_delivered_to(campaign: Campaign) -> None:
    ask = cast.the_ask(campaign)
    letter = deeds.a_confirmed_letter(ask)
    lists.save_target(target_list=ask.target_list, values={"name": "Somebody New", "email": "new@south.example"})
    anna = Target.objects.get(name="Anna Lund")
    lists.retire(target_list=ask.target_list, target=anna, now=cast.NOW)
    found = names(without_us.targets_of(letter, now=cast.NOW))
    assert "Somebody New" not in found
    assert "Anna Lund" in found


def test_it_needs_a_name_and_a_text_and_no_address(campaign: Campaign) -> None:
    letter = writing.begin(ask=cast.the_ask(campaign), language="en", now=cast.NOW)
    assert not without_us.is_whole(letter)
    with pytest.raises(writing.LetterRefused) as refused:
        writing.revise(letter, posted={"name": "Dana Writer", "email": "", "town": ""}, now=cast.NOW)
    assert set(refused.value.errors) == {"email"}
    assert without_us.is_whole(letter)
