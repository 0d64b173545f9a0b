"""What the facts say about a database, as a table; and what each finding tells people to do."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import override_settings

from letters import standing, state_file
from letters.models import Delivery, Instance, Letter
from letters.standing import Facts, Verdict, judge
from letters.state_file import Memory
from tests import cast

OURS, THEIRS = "a" * 32, "b" * 32
WELL = Facts(OURS, 5, "1/2/3", "1/2/3", is_on_hold=False, memory=Memory(OURS, 5), setting="", is_shared=True)


@pytest.mark.parametrize(
    ("verdict", "changed"),
    [
        (Verdict.OURS, {}),
        (Verdict.OURS, {"epoch": 6}),
        (Verdict.OURS, {"recorded_body": ""}),
        (Verdict.OURS, {"actual_body": ""}),
        (Verdict.OURS, {"is_shared": False, "recorded_body": "", "actual_body": ""}),
        (Verdict.OURS, {"memory": None, "setting": OURS}),
        (Verdict.OURS, {"memory": Memory(THEIRS, 900), "setting": OURS}),
        (Verdict.OURS, {"memory": None, "is_fresh": True}),
        (Verdict.OURS, {"memory": None, "is_fresh": True, "is_shared": False}),
        (Verdict.ON_HOLD, {"is_on_hold": True}),
        (Verdict.ON_HOLD, {"is_on_hold": True, "epoch": 4}),
        (Verdict.BEHIND, {"epoch": 4}),
        (Verdict.BEHIND, {"epoch": 4, "setting": OURS}),
        (Verdict.BEHIND, {"epoch": 0, "is_fresh": True}),
        (Verdict.BEHIND, {"epoch": 4, "actual_body": "1/2/4"}),
        (Verdict.MOVED, {"actual_body": "1/2/4"}),
        (Verdict.MOVED, {"memory": None, "setting": OURS, "actual_body": "9/2/3"}),
        (Verdict.FOREIGN, {"identity": THEIRS}),
        (Verdict.FOREIGN, {"setting": THEIRS}),
        (Verdict.FOREIGN, {"identity": THEIRS, "is_on_hold": True}),
        (Verdict.UNKNOWN, {"memory": None}),
        (Verdict.UNKNOWN, {"memory": None, "is_on_hold": True}),
        (Verdict.UNKNOWN, {"memory": None, "setting": OURS, "is_shared": False}),
        (Verdict.COPIED, {"memory": Memory(OURS, 5, is_copy=True)}),
        (Verdict.COPIED, {"memory": Memory(OURS, 5, is_copy=True), "setting": OURS}),
        (Verdict.COPIED, {"memory": Memory(OURS, 5, is_copy=True), "is_fresh": True}),
    ],
)
def test_what_the_facts_say(verdict: Verdict, changed: dict[str, object]) -> None:
    assert judge(replace(WELL, **changed)) is verdict  # type: ignore[arg-type]


@pytest.mark.django_db
def test_a_database_has_one_row_and_it_stays(tmp_path: Path) -> None:
    with override_settings(INSTANCE_ID=""):
        made = standing.the_row()
        assert state_file.IDENTITY.fullmatch(made.identity)
        assert standing.the_row().identity == made.identity
    assert Instance.objects.count() == 1


@pytest.mark.django_db
def test_a_new_database_takes_the_id_of_the_settings() -> None:
    with override_settings(INSTANCE_ID=OURS):
        assert standing.the_row().identity == OURS


@pytest.mark.django_db
def test_a_database_from_which_something_was_tried_before_it_had_an_id_is_not_fresh(letter: Letter) -> None:
    """An upgrade, or a backup from before it: nobody can tell which."""
    with override_settings(INSTANCE_ID=""):
        assert standing.facts_of(standing.the_row(), None).is_fresh
        Delivery.objects.filter(pk=Delivery.objects.first().pk).update(first_tried_at=cast.NOW)  # type: ignore[union-attr]
        assert not standing.facts_of(standing.the_row(), None).is_fresh
    with override_settings(INSTANCE_ID=standing.the_row().identity):
        assert standing.facts_of(standing.the_row(), None).is_fresh
        Instance.objects.update(epoch=1)
        assert not standing.facts_of(standing.the_row(), None).is_fresh


@pytest.mark.django_db
def test_the_body_is_the_same_each_time_and_another_in_a_table_made_anew() -> None:
    before = standing.body()
    assert standing.body() == before
    if connection.vendor != "postgresql":
        assert before == ""
        return
    assert len(before.split("/")) == 3
    assert "0" not in before.split("/")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE letters_instance RENAME TO before; CREATE TABLE letters_instance (LIKE before)")
    assert standing.body() != before


@pytest.mark.django_db
def test_organisers_are_told_what_keeps_letters_here_and_nothing_else() -> None:
    now = cast.NOW
    assert standing.announcement(now=now) == ""
    standing.the_row()
    assert standing.announcement(now=now) == ""
    Instance.objects.update(refused_at=now, refused_because="A worker host sends nothing.")
    assert standing.announcement(now=now + timedelta(minutes=2)) == "A worker host sends nothing."
    assert standing.announcement(now=now + timedelta(minutes=4)) == ""
    Instance.objects.update(on_hold_since=now, on_hold_because="restored")
    said = standing.announcement(now=now + timedelta(days=4))
    assert "23 November 2011 at 10:00" in said
    assert "a backup was restored" in said
    assert "manage.py adopt" in said
    Instance.objects.update(on_hold_because="copied")
    assert "was copied" in standing.announcement(now=now)


@pytest.mark.parametrize("verdict", [Verdict.FOREIGN, Verdict.UNKNOWN, Verdict.COPIED])
def test_every_refusal_says_why_and_what_to_do(verdict: Verdict) -> None:
    said = standing.refusal(Instance(identity=OURS), verdict)
    assert said.startswith("A worker host sends nothing: ")
    assert "manage.py adopt --join" in said
    assert (f"INSTANCE_ID={OURS}" in said) is (verdict is not Verdict.COPIED)
