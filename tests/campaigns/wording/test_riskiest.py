"""Which targets are shown first in the preview."""

from campaigns.wording import five_riskiest

PLAIN = {"name": "Al Ba", "given_name": "Al", "title": "Dr", "salutation": "Dear Dr Ba"}


def test_nobody_is_picked_from_nobody() -> None:
    assert five_riskiest([]) == []


def test_among_plain_targets_only_the_longest_name_is_picked() -> None:
    assert five_riskiest([PLAIN, {**PLAIN, "name": "Albertina Bartholomew"}, PLAIN]) == [1]


def test_one_of_each_kind_is_picked() -> None:
    targets = [
        PLAIN,
        {**PLAIN, "title": ""},
        {**PLAIN, "given_name": " "},
        {**PLAIN, "name": "Ян"},
        {**PLAIN, "salutation": ""},
        {**PLAIN, "name": "Maria Anna Josefa von und zu Beispiel"},
        PLAIN,
    ]
    assert five_riskiest(targets) == [5, 1, 2, 3, 4]


def test_of_one_kind_whoever_has_most_risks_is_picked_and_the_rest_follows() -> None:
    targets = [
        {**PLAIN, "name": "Long Enough Name"},
        {**PLAIN, "title": ""},
        {**PLAIN, "title": "", "salutation": ""},
    ]
    assert five_riskiest(targets) == [0, 2, 1]


def test_never_more_than_five_and_none_twice() -> None:
    picked = five_riskiest([{"name": f"名{number}"} for number in range(20)])
    assert len(picked) == len(set(picked)) == 5


def test_accents_and_apostrophes_are_latin() -> None:
    assert five_riskiest([{**PLAIN, "name": "A very long plain name"}, {**PLAIN, "name": "Łéʻo Ñúß’"}]) == [0]
