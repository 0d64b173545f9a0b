"""What an organiser may say of an office's pace, and what is kept of it."""

from datetime import time

import pytest

from targets import lists, paces
from targets.models import Address, TargetList

NOTHING = dict.fromkeys(paces.FIELDS, "")


def refused(**values: str) -> dict[str, str]:
    """Return the sentences about a pace that is given like this."""
    errors: dict[str, str] = {}
    paces.checked({**NOTHING, **values}, errors)
    return errors


def test_a_whole_pace_is_kept_as_it_was_typed() -> None:
    given = dict(zip(paces.FIELDS, ("12", "60", "09:00", "17:30", "Europe/Berlin"), strict=True))
    errors: dict[str, str] = {}
    kept = paces.checked(given, errors)
    assert [kept[name] for name in paces.FIELDS] == [12, 60, time(9), time(17, 30), "Europe/Berlin"]
    assert errors == {}


def test_nothing_given_leaves_the_hour_and_ends_the_rest() -> None:
    assert paces.checked(NOTHING, {}) == {"cap_per_day": None, "opens_at": None, "closes_at": None, "time_zone": "UTC"}
    assert paces.checked({}, {}) == {}, "an import says nothing of it"


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"cap_per_hour": "0"}, "cap_per_hour", "from 1 to 60"),
        ({"cap_per_hour": "61"}, "cap_per_hour", "from 1 to 60"),
        ({"cap_per_hour": "²"}, "cap_per_hour", "from 1 to 60"),
        ({"cap_per_day": "-3"}, "cap_per_day", "from 1 to 1440"),
        ({"cap_per_day": "9" * 400}, "cap_per_day", "from 1 to 1440"),
        ({"opens_at": "09:00"}, "closes_at", "Give both times"),
        ({"closes_at": "17:00", "time_zone": "UTC"}, "opens_at", "Give both times"),
        ({"opens_at": "nine", "closes_at": "17:00", "time_zone": "UTC"}, "opens_at", "hours and minutes"),
        ({"opens_at": "25:00", "closes_at": "26:00", "time_zone": "UTC"}, "closes_at", "hours and minutes"),
        ({"opens_at": "17:00", "closes_at": "09:00", "time_zone": "UTC"}, "closes_at", "an hour after it opens"),
        ({"opens_at": "09:00", "closes_at": "09:30", "time_zone": "UTC"}, "closes_at", "an hour after it opens"),
        ({"opens_at": "09:00", "closes_at": "17:00"}, "time_zone", "Choose the time zone"),
        ({"opens_at": "09:00", "closes_at": "17:00", "time_zone": "Berlin"}, "time_zone", "Choose the time zone"),
        ({"opens_at": "09:00", "closes_at": "17:00", "time_zone": "../../etc"}, "time_zone", "Choose the time zone"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_field(values: dict[str, str], field: str, sentence: str) -> None:
    assert sentence in refused(**values)[field]


@pytest.mark.django_db
def test_a_pace_is_saved_with_its_target_and_shown_again(target_list: TargetList) -> None:
    target = lists.active_targets(target_list)[0]
    given = dict(zip(paces.FIELDS, ("5", "20", "08:00", "16:00", "Asia/Almaty"), strict=True))
    values = {"name": target.name, "email": "office@northland.example", "role": target.role}
    for what in ("changed", "unchanged"):
        assert lists.save_target(target_list=target_list, target=target, values={**values, **given})[1] == what
        values = {name: str(getattr(target, name)) for name in lists.FIELDS} | {"email": "office@northland.example"}
    address = Address.objects.get(value="office@northland.example")
    assert paces.typed(address) == given
    assert paces.typed(None) == NOTHING
