"""Leaving a target out of what supporters of a list are offered: what is kept, refused, and who is offered when."""

from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.models import AuditEntry, User
from targets import exclusions, imports, lists
from targets.exclusions import ExclusionRefused
from targets.models import ListEntry, Target, TargetList
from tests import cast

pytestmark = pytest.mark.django_db
ANNA, BRUNO, OFFICE = (values["name"] for values in cast.TARGETS)


def entry_of(target_list: TargetList, name: str = ANNA) -> ListEntry:
    """Return a target's place on a list."""
    return target_list.entries.select_related("target", "target_list__organisation").get(target__name=name)


def exclude(entry: ListEntry, by: User, exclusion: str = "ally", words: str = "", until: str = "") -> None:
    """Leave a target out."""
    exclusions.exclude(entry=entry, exclusion=exclusion, words=words, until=until, by=by, now=cast.NOW)


def offered(target_list: TargetList, now: datetime = cast.NOW) -> list[str]:
    """Return whom a letter would go to."""
    return [target.name for target in lists.deliverable_targets(target_list, now=now)]


def test_who_is_left_out_gets_no_new_letters_and_stays_on_the_list(alice: User, target_list: TargetList) -> None:
    exclude(entry_of(target_list), alice)
    assert offered(target_list) == [BRUNO, OFFICE]
    reachable = lists.reachable_targets(target_list, now=cast.NOW)
    assert [each.target.name for each in reachable] == [BRUNO, OFFICE]  # nor by post, which Anna has
    assert [target.name for target in lists.active_targets(target_list)] == [ANNA, BRUNO, OFFICE]
    assert [entry.target.name for entry in exclusions.in_force(target_list, now=cast.NOW)] == [ANNA]
    assert exclusions.offer_again(entry=entry_of(target_list), by=alice)
    assert offered(target_list) == [ANNA, BRUNO, OFFICE]
    assert not exclusions.offer_again(entry=entry_of(target_list), by=alice)


def test_other_lists_with_the_same_target_stay_as_they_are(alice: User, target_list: TargetList) -> None:
    other = lists.create_list(organisation=cast.organisation_of(alice), name="Governments", kind="leaders")
    ListEntry.objects.create(target_list=other, target=Target.objects.get(name=ANNA))
    exclude(entry_of(target_list), alice)
    assert offered(other) == [ANNA]
    assert not exclusions.in_force(other, now=cast.NOW).exists()


def test_who_is_away_is_offered_again_from_the_day_after(alice: User, target_list: TargetList) -> None:
    last = cast.NOW.date() + timedelta(days=2)
    exclude(entry_of(target_list), alice, "away", until=last.isoformat())
    entry = entry_of(target_list)
    for days, is_left_out in ((0, True), (2, True), (3, False)):
        at = cast.NOW + timedelta(days=days)
        assert exclusions.is_in_force(entry, now=at) is is_left_out
        assert (ANNA not in offered(target_list, at)) is is_left_out
        assert exclusions.in_force(target_list, now=at).exists() is is_left_out


def test_another_reason_takes_the_first_ones_words_away(alice: User, target_list: TargetList) -> None:
    exclude(entry_of(target_list), alice, "own", words="  has met \n the families already ")
    assert entry_of(target_list).exclusion_words == "has met the families already"
    exclude(entry_of(target_list), alice, "answered", words="not kept", until="2011-12-01")
    entry = entry_of(target_list)
    assert (entry.exclusion, entry.exclusion_words, entry.excluded_until) == ("answered", "", None)


@pytest.mark.parametrize(
    ("exclusion", "words", "until", "field"),
    [
        ("", "", "", "exclusion"),
        ("friend", "", "", "exclusion"),
        ("own", " ", "", "words"),
        ("own", "…", "", "words"),
        ("own", "x" * 121, "", "words"),
        ("away", "", "", "until"),
        ("away", "", "12 December", "until"),
        ("away", "", "2011-02-30", "until"),
        ("away", "", "2011-11-22", "until"),
    ],
)
def test_what_cannot_be_kept_is_named_and_changes_nothing(
    alice: User, target_list: TargetList, exclusion: str, words: str, until: str, field: str
) -> None:
    exclude(entry_of(target_list), alice, "answered")
    with pytest.raises(ExclusionRefused) as refused:
        exclude(entry_of(target_list), alice, exclusion, words=words, until=until)
    assert set(refused.value.errors) == {field}
    assert entry_of(target_list).exclusion == "answered"
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(
    "columns",
    [
        {"exclusion": "friend"},
        {"exclusion": "own"},
        {"exclusion": "ally", "exclusion_words": "she is"},
        {"exclusion": "away"},
        {"exclusion_words": "she is"},
        {"excluded_until": date(2011, 12, 1)},
    ],
)
def test_the_database_keeps_no_half_exclusion(target_list: TargetList, columns: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ListEntry.objects.filter(target_list=target_list).update(**columns)


def test_both_deeds_stand_in_the_audit_log(alice: User, target_list: TargetList) -> None:
    exclude(entry_of(target_list), alice, "away", until="2011-12-01")
    exclusions.offer_again(entry=entry_of(target_list), by=alice)
    left_out, again = AuditEntry.objects.order_by("pk")
    assert (left_out.deed, left_out.by, left_out.subject) == ("left a target out", alice, f"EU leaders: {ANNA}")
    assert left_out.details == {"exclusion": "away", "words": "", "until": "2011-12-01"}
    assert again.deed == "offered a target again"


@pytest.mark.parametrize("retire_missing", [False, True])
def test_an_import_changes_the_target_and_not_that_it_is_left_out(
    alice: User, target_list: TargetList, retire_missing: bool
) -> None:
    exclude(entry_of(target_list), alice, "own", words="has met the families")
    table = "name,role,email\nAnna Lund,Chancellor,office@northland.example\nNew One,,new@one.example\n"
    file = lists.keep_file(target_list=target_list, by=alice, filename="t.csv", content=table.encode())
    rows = imports.check_rows(imports.read(table.encode(), filename="t.csv")[0], file.columns)
    comparison = lists.compare(target_list, rows)
    assert [target.name for _row, target, _cells in comparison.changed] == [ANNA]
    lists.accept_import(file=file, comparison=comparison, retire_missing=retire_missing, now=cast.NOW)
    entry = entry_of(target_list)
    assert (entry.target.role, entry.exclusion_words, entry.retired_at) == ("Chancellor", "has met the families", None)
    assert ANNA not in offered(target_list)
