"""A target that is left out: letters begun, confirmed and waiting."""

from datetime import timedelta

import pytest

from accounts.models import AuditEntry, User
from campaigns import publishing
from campaigns.models import Ask, Campaign
from letters import choosing, excluding, statistics, writing
from letters.models import Delivery
from letters.writing import LetterRefused, NobodyReachable
from targets import exclusions, lists
from targets.models import ListEntry, Target
from tests import cast
from tests.letters import deeds

ANNA, BRUNO, OFFICE = (values["name"] for values in cast.TARGETS)


@pytest.fixture
def ask(campaign: Campaign) -> Ask:
    """Return an ask to everybody on its list."""
    return cast.the_ask(campaign)


def suggested(ask: Ask) -> Ask:
    """Return the ask, its letters going to two at most, of whom we suggest two."""
    Ask.objects.filter(pk=ask.pk).update(mode=Ask.Mode.SUGGESTED, most_targets=2, suggested_targets=2)
    return Ask.objects.select_related("campaign", "target_list").get(pk=ask.pk)


def leave_out(ask: Ask, by: User, name: str = ANNA, *, stops: bool = False, until: str = "") -> int:
    """Leave a target out; return how many deliveries that stopped."""
    entry = ListEntry.objects.select_related("target", "target_list__organisation").get(
        target_list=ask.target_list, target__name=name
    )
    exclusion = "away" if until else "ally"
    return excluding.exclude(
        entry=entry, exclusion=exclusion, words="", until=until, stops_waiting=stops, by=by, now=cast.NOW
    )


def states(name: str) -> list[str]:
    """Return the states of the deliveries to a target."""
    return sorted(Delivery.objects.filter(target__name=name).values_list("state", flat=True))


def test_a_letter_to_everybody_leaves_them_out(ask: Ask, alice: User) -> None:
    leave_out(ask, alice)
    deeds.a_confirmed_letter(ask)
    assert states(ANNA) == []
    assert states(BRUNO) == states(OFFICE) == ["queued"]
    assert statistics.recount(ask.campaign) == 0


def test_a_letter_that_was_on_its_way_to_them_is_confirmed_without_them(ask: Ask, alice: User) -> None:
    letter = deeds.an_awaiting_letter(ask)
    leave_out(ask, alice)
    assert writing.confirm_by_link(deeds.the_notice(letter), chosen=None, now=cast.NOW)
    assert states(ANNA) == []
    assert states(BRUNO) == ["queued"]


def test_who_is_away_gets_the_letters_confirmed_afterwards(ask: Ask, alice: User) -> None:
    letter = deeds.an_awaiting_letter(ask)
    leave_out(ask, alice, until=cast.NOW.date().isoformat())
    tomorrow = cast.NOW + timedelta(days=1)
    assert writing.confirm_by_link(deeds.the_notice(letter), chosen=None, now=tomorrow)
    assert states(ANNA) == ["queued"]


def test_they_are_neither_suggested_nor_weighed(ask: Ask, alice: User) -> None:
    ask = suggested(ask)
    leave_out(ask, alice)
    known = choosing.candidates(ask, now=cast.NOW)
    anna = Target.objects.get(name=ANNA).pk
    assert len(known) == 2
    assert anna not in {each.target for each in known}
    assert anna not in choosing.suggest(ask, known)


def test_choosing_them_is_refused_by_name_and_the_choice_stays(ask: Ask, alice: User) -> None:
    ask = suggested(ask)
    letter = deeds.a_draft(ask)
    leave_out(ask, alice)
    before = writing.read(letter).targets
    ids = list(Target.objects.filter(name__in=(ANNA, BRUNO)).values_list("public_id", flat=True))
    with pytest.raises(LetterRefused) as refused:
        choosing.choose(letter, targets=ids, now=cast.NOW)
    assert refused.value.errors == {"to": f"No letters go to {ANNA} at the moment. Look who gets yours now."}
    letter.refresh_from_db()
    assert writing.read(letter).targets == before


def test_where_everybody_is_left_out_a_letter_is_kept(ask: Ask, alice: User) -> None:
    letter = deeds.a_draft(ask)
    for name in (ANNA, BRUNO, OFFICE):
        leave_out(ask, alice, name)
    with pytest.raises(NobodyReachable):
        writing.submit(letter, now=cast.NOW)
    assert choosing.by_post_alone(ask, writing.read(letter), now=cast.NOW) == []
    assert "no_targets" in {obstacle.code for obstacle in publishing.obstacles(ask.campaign, now=cast.NOW)}


@pytest.mark.parametrize(("stops", "left"), [(False, "queued"), (True, "cancelled")])
def test_letters_that_wait_go_on_or_are_stopped(ask: Ask, alice: User, stops: bool, left: str) -> None:
    deeds.a_confirmed_letter(ask)
    entry = ask.target_list.entries.get(target__name=ANNA)
    assert excluding.waiting(entry) == 1
    assert leave_out(ask, alice, stops=stops) == (1 if stops else 0)
    assert states(ANNA) == [left]
    assert states(BRUNO) == ["queued"]
    assert excluding.waiting(entry) == (0 if stops else 1)
    done = list(AuditEntry.objects.order_by("pk").values_list("deed", flat=True))
    assert done[done.index("left a target out") + 1 :] == (["stopped target"] if stops else [])
    assert statistics.recount(ask.campaign) == 0


def test_letters_of_another_list_to_the_same_target_go_on(ask: Ask, alice: User) -> None:
    other = lists.create_list(organisation=cast.organisation_of(alice), name="Others", kind="leaders")
    ListEntry.objects.create(target_list=other, target=Target.objects.get(name=ANNA))
    second = publishing.save_ask(campaign=ask.campaign, by=alice, target_list=other, title="Another", slug="another")
    publishing.save_template(ask=second, by=alice, language="en", passages=cast.WORDING)
    deeds.a_confirmed_letter(ask)
    deeds.a_confirmed_letter(second)
    assert leave_out(ask, alice, stops=True) == 1
    assert states(ANNA) == ["cancelled", "queued"]
    assert Delivery.objects.get(target__name=ANNA, state="queued").ask == second


def test_a_refused_exclusion_stops_nothing(ask: Ask, alice: User) -> None:
    deeds.a_confirmed_letter(ask)
    with pytest.raises(exclusions.ExclusionRefused):
        leave_out(ask, alice, stops=True, until="yesterday")
    assert states(ANNA) == ["queued"]
