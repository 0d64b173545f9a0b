"""What supporters tell us they did without us."""

from datetime import timedelta

import pytest
from django.db import connection

from campaigns.models import Campaign
from letters import told, without_us, writing
from letters.models import Letter
from letters.self_reports import SelfReport
from targets.models import Target
from tests import cast
from tests.letters import deeds


@pytest.fixture
def letter(campaign: Campaign) -> Letter:
    return deeds.a_draft(cast.the_ask(campaign))


def targets(letter: Letter) -> list[Target]:
    return without_us.targets_of(letter, now=cast.NOW)


def test_each_letter_to_each_target_counts_once(campaign: Campaign, letter: Letter) -> None:
    first, second, _third = targets(letter)
    assert told.take_down(letter, kind=told.Kind.POSTED, targets=[first], now=cast.NOW) == 1
    assert told.take_down(letter, kind=told.Kind.POSTED, targets=[first, second], now=cast.NOW) == 1
    assert told.take_down(letter, kind=told.Kind.POSTED, targets=[first, second], now=cast.NOW) == 0
    assert told.counts(campaign) == {"posted": 2, "own_mail": 0}
    assert told.already(letter, told.Kind.POSTED) == {first.public_id, second.public_id}


def test_the_ways_and_the_days_are_counted_apart(campaign: Campaign, letter: Letter) -> None:
    first, second, _third = targets(letter)
    told.take_down(letter, kind=told.Kind.OWN_MAIL, targets=[first], now=cast.NOW)
    told.take_down(letter, kind=told.Kind.POSTED, targets=[first], now=cast.NOW)
    told.take_down(letter, kind=told.Kind.POSTED, targets=[second], now=cast.NOW + timedelta(days=1))
    assert told.counts(campaign) == {"posted": 2, "own_mail": 1}
    assert SelfReport.objects.count() == 3


def test_an_object_that_is_old_counts_nothing_twice(campaign: Campaign, letter: Letter) -> None:
    stale = Letter.objects.get(pk=letter.pk)
    told.take_down(letter, kind=told.Kind.POSTED, targets=targets(letter), now=cast.NOW)
    assert told.take_down(stale, kind=told.Kind.POSTED, targets=targets(stale), now=cast.NOW) == 0


def test_changing_the_letter_forgets_nothing_and_changes_nothing_else(letter: Letter) -> None:
    before = writing.read(letter)
    told.take_down(letter, kind=told.Kind.POSTED, targets=targets(letter)[:1], now=cast.NOW)
    after = writing.read(letter)
    assert {**after.values(), "told": ""} == before.values()
    writing.revise(letter, posted={"subject": "Another subject"}, now=cast.NOW)
    assert len(told.already(letter, told.Kind.POSTED)) == 1


def test_the_database_says_neither_who_nor_to_whom(letter: Letter) -> None:
    target = targets(letter)[0]
    told.take_down(letter, kind=told.Kind.POSTED, targets=[target], now=cast.NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM letters_selfreport")
        columns = {column[0] for column in cursor.description}
        (row,) = cursor.fetchall()
    assert columns == {"id", "campaign_id", "ask_id", "kind", "day", "count"}
    assert target.public_id not in str(row)
    assert target.public_id.encode() not in bytes(Letter.objects.get().sealed)


def test_a_letter_that_is_forgotten_tells_nothing(campaign: Campaign, letter: Letter) -> None:
    people = targets(letter)
    Letter.objects.update(sealed=b"")
    assert told.take_down(letter, kind=told.Kind.POSTED, targets=people, now=cast.NOW) == 0
    assert told.counts(campaign) == {"posted": 0, "own_mail": 0}
    assert told.already(letter, told.Kind.POSTED) == set()


def test_letters_that_were_told_of_are_no_letters_sent(campaign: Campaign) -> None:
    letter = deeds.a_confirmed_letter(cast.the_ask(campaign))
    told.take_down(letter, kind=told.Kind.POSTED, targets=targets(letter), now=cast.NOW)
    deeds.send_all()
    letter.refresh_from_db()
    assert deeds.states(letter) == ["sent"] * 3  # and the bytes are what was promised
    assert told.counts(campaign)["posted"] == 3
