"""Lists of targets: what is kept, what is refused, and who would receive a letter now."""

from datetime import datetime, timedelta

import pytest

from accounts.models import User
from targets import imports, lists, paces, suppressions
from targets.lists import TargetRefused
from targets.models import Address, ListEntry, Target, TargetList, TargetVersion
from tests import cast

pytestmark = pytest.mark.django_db
ANNA = cast.TARGETS[0]


def test_a_list_has_a_name_of_its_own(alice: User, charlie: User) -> None:
    organisation = cast.organisation_of(alice)
    made = lists.create_list(organisation=organisation, name="  EU   leaders ", kind="leaders")
    assert made.name == "EU leaders"
    for name, kind, field in (
        ("eu LEADERS", "leaders", "name"), (" ", "other", "name"), ("x" * 121, "other", "name"),
        ("y", "friends", "kind"),
    ):  # fmt: skip
        with pytest.raises(TargetRefused) as refused:
            lists.create_list(organisation=organisation, name=name, kind=kind)
        assert set(refused.value.errors) == {field}
    lists.create_list(organisation=cast.organisation_of(charlie), name="EU leaders", kind="leaders")


def test_a_target_is_added_then_unchanged_then_changed(target_list: TargetList) -> None:
    target = Target.objects.get(name=ANNA["name"])
    assert lists.save_target(target_list=target_list, target=target, values=ANNA) == (target, "unchanged")
    versions = TargetVersion.objects.count()
    chancellor = {**ANNA, "role": "Chancellor"}
    assert lists.save_target(target_list=target_list, target=target, values=chancellor)[1] == "changed"
    target.refresh_from_db()
    assert target.version is not None
    assert target.version.values["role"] == "Chancellor"
    assert TargetVersion.objects.count() == versions + 1
    assert TargetVersion.objects.filter(values__role="Prime Minister").exists()  # what earlier letters say
    moved = {**chancellor, "email": "other@northland.example"}
    assert lists.save_target(target_list=target_list, target=target, values=moved)[1] == "changed"
    assert TargetVersion.objects.count() == versions + 1


BAD = [
    ("name", {"name": " "}), ("name", {"name": "a\nBcc: x@y.example"}), ("name", {"name": "x" * 101}),
    ("name", {"name": "a\u202eb"}), ("role", {"role": "x" * 201}), ("salutation", {"salutation": "Dear\r\nSir"}),
    ("country", {"country": "DEU"}), ("country", {"country": "D1"}),
    ("email", {"email": "nobody"}), ("email", {"email": "noreply@x.example"}), ("email", {"email": "jürgen@x.example"}),
    ("email", {"email": "", "postal_address": ""}), ("postal_address", {"postal_address": "x" * 501}),
    ("cap_per_hour", {"cap_per_hour": "0"}), ("cap_per_hour", {"cap_per_hour": "61"}),
    ("cap_per_hour", {"cap_per_hour": "a"}),
]  # fmt: skip


@pytest.mark.parametrize(("field", "change"), BAD)
def test_what_is_wrong_with_a_target_is_named(target_list: TargetList, field: str, change: dict[str, str]) -> None:
    values = {**ANNA, "given_name": "", "family_name": "", **change}
    with pytest.raises(TargetRefused) as refused:
        lists.save_target(target_list=target_list, values=values)
    assert set(refused.value.errors) == {field}
    assert Target.objects.count() == 3


def test_values_are_kept_clean() -> None:
    clean = lists.checked(
        {"given_name": " Anna ", "family_name": "Lund", "country": "de", "language": "DE-at",
         "salutation": "Dear Ms Lund,", "email": " Office@NORTHLAND.example ",
         "postal_address": " Castle  Square 1 \r\n\r\n 10115 Berlin "}, {},
    )  # fmt: skip
    assert clean["name"] == "Anna Lund"
    assert (clean["country"], clean["language"], clean["salutation"]) == ("DE", "de-at", "Dear Ms Lund")
    assert (clean["email"], clean["postal_address"]) == ("Office@northland.example", "Castle Square 1\n10115 Berlin")


def test_a_mailbox_has_the_usual_pace_unless_the_list_names_less(target_list: TargetList) -> None:
    def cap(**more: str) -> int | None:
        values = {"name": "Somebody", "email": "usual@office.example", **more}
        target, _ = lists.save_target(target_list=target_list, values=values)
        assert target.email is not None
        return Address.objects.get(pk=target.email.pk).cap_per_hour

    assert cap() == paces.USUAL_PER_HOUR == 60
    assert cap(email="slow@office.example", cap_per_hour="5") == 5
    assert cap(email="slow@office.example") == 5  # known once to the whole installation
    assert set(Address.objects.filter(value__endswith="land.example").values_list("cap_per_hour", flat=True)) == {None}


def test_one_mailbox_is_one_address_on_all_lists(alice: User, charlie: User) -> None:
    for user in (alice, charlie):
        cast.a_list(cast.organisation_of(user))
    assert Address.objects.filter(kind="email").count() == 3
    assert Target.objects.count() == 6


def test_who_would_receive_a_letter_now(target_list: TargetList, now: datetime) -> None:
    def names() -> list[str]:
        return [target.name for target in lists.deliverable_targets(target_list, now=now)]

    anna, bruno, office = (values["name"] for values in cast.TARGETS)
    assert names() == [anna, bruno, office]
    lists.save_target(target_list=target_list, values={"name": "On paper", "postal_address": "Street 1"})
    assert names() == [anna, bruno, office]
    suppressions.add(suppressions.address_hash("Office@northland.example"), reason="asked")
    suppressions.add(
        suppressions.address_hash("president@southland.example"), reason="asked", until=now - timedelta(seconds=1)
    )
    assert names() == [bruno, office]
    Address.objects.filter(value="president@southland.example").update(status="dead")
    assert names() == [bruno]
    target = Target.objects.get(name=bruno)
    lists.retire(target_list=target_list, target=target, now=now)
    assert names() == []
    lists.restore(target_list=target_list, target=target)
    assert names() == [bruno]


def test_a_retired_target_stays_for_the_history(target_list: TargetList, now: datetime) -> None:
    target = Target.objects.get(name=ANNA["name"])
    lists.retire(target_list=target_list, target=target, now=now)
    lists.retire(target_list=target_list, target=target, now=now + timedelta(days=1))
    assert ListEntry.objects.get(target=target).retired_at == now
    assert target not in lists.active_targets(target_list)
    (counted,) = lists.lists_with_counts(target_list.organisation)
    sizes = (counted.size, counted.with_email, counted.with_post)  # type: ignore[attr-defined]
    assert sizes == (2, 2, 0)


def test_targets_keep_the_order_in_which_they_were_added(target_list: TargetList) -> None:
    for n in range(3):
        lists.save_target(target_list=target_list, values={"name": f"N{n}", "email": f"n{n}@office.example"})
    assert [t.name for t in lists.active_targets(target_list)][3:] == ["N0", "N1", "N2"]
    assert list(target_list.entries.values_list("position", flat=True)) == [1, 2, 3, 4, 5, 6]


def test_whom_a_letter_reaches_and_how(target_list: TargetList, now: datetime) -> None:
    def reached() -> list[tuple[str, bool]]:
        found = lists.reachable_targets(target_list, now=now)
        return [(each.target.name, each.by_email) for each in found]

    anna, bruno, office = (target["name"] for target in cast.TARGETS)
    lists.save_target(target_list=target_list, values={"name": "Paper", "postal_address": "1 Square\n1000 Town"})
    assert reached() == [(anna, True), (bruno, True), (office, True), ("Paper", False)]
    Address.objects.filter(value__in=["office@northland.example", "minister@foreign.example"]).update(status="dead")
    assert reached() == [(anna, False), (office, True), ("Paper", False)]  # Bruno has no postal address
    suppressions.add(suppressions.address_hash("office@northland.example"), reason="asked")
    assert reached() == [(office, True), ("Paper", False)]
    paper = Target.objects.get(name="Paper")
    assert [each.target for each in lists.reachable_targets(target_list, now=now, only=[paper.pk])] == [paper]


def test_the_case_of_a_mailbox_makes_no_second_one(target_list: TargetList) -> None:
    first, _ = lists.save_target(target_list=target_list, values={"name": "One", "email": "Office@house.example"})
    row = imports.Row(2, {"name": "One", "email": "OFFICE@house.example"}, problems=(), hidden=False)
    assert lists.compare(target_list, [row]).changed == []
    values = {"name": "One", "email": "office@house.example"}
    assert lists.save_target(target_list=target_list, target=first, values=values)[1] == "unchanged"
    second, _ = lists.save_target(target_list=target_list, values={"name": "Two", "email": "office@HOUSE.example"})
    assert first.email == second.email
    tagged, _ = lists.save_target(target_list=target_list, values={"name": "Three", "email": "office+a@house.example"})
    assert tagged.email != first.email, "a tag is another mailbox to us: it may be sorted elsewhere"
