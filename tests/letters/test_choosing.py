"""To whom of its list a letter goes: chosen, suggested, kept with the letter, and delivered to nobody else."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from campaigns import publishing
from campaigns.models import Ask, Campaign
from letters import choosing, forgetting, lifecycle, sharing, statistics, tallies, writing
from letters.choosing import Candidate, Reason
from letters.models import Delivery, Letter
from letters.sharing import Load
from letters.writing import LetterRefused, NobodyReachable
from targets import lists
from targets.models import Address, Target
from tests import cast, parliament
from tests.letters import deeds

Mode = Ask.Mode


@pytest.fixture
def ask(campaign: Campaign) -> Ask:
    """Return an ask whose letters go to one of three, whom we suggest, or to two at most."""
    return in_mode(cast.the_ask(campaign), Mode.SUGGESTED)


def in_mode(ask: Ask, mode: str, *, most: int = 2, suggested: int = 1) -> Ask:
    """Return the ask in another mode."""
    Ask.objects.filter(pk=ask.pk).update(mode=mode, most_targets=most, suggested_targets=suggested)
    return Ask.objects.select_related("campaign", "target_list").get(pk=ask.pk)


def target(name: str) -> Target:
    """Return a target of the cast."""
    return Target.objects.get(name=name)


def ids(*names: str) -> list[str]:
    """Return the public ids of targets of the cast."""
    return [target(name).public_id for name in names]


def names_of(letter: Letter) -> list[str]:
    """Return to whom a letter would go."""
    return [each.name for each in writing.targets_of(letter, now=cast.NOW)]


def delivered_to(letter: Letter) -> list[str]:
    """Return to whom a letter has deliveries."""
    return sorted(Delivery.objects.filter(letter=letter).values_list("target__name", flat=True))


def chosen_draft(ask: Ask, *names: str) -> Letter:
    """Return Dana's complete draft to these people."""
    letter = deeds.a_draft(ask)
    choosing.choose(letter, targets=ids(*names), now=cast.NOW)
    return letter


def confirmed(letter: Letter) -> Letter:
    """Return the letter, sent and confirmed."""
    assert not writing.submit(letter, now=cast.NOW)
    assert writing.confirm_by_link(deeds.the_notice(letter), chosen=None, now=cast.NOW)
    return letter


def dead(name: str) -> None:
    """Let a target's e-mail address be dead."""
    address = target(name).email
    assert address is not None
    Address.objects.filter(pk=address.pk).update(status=Address.Status.DEAD)


# What is chosen, and what becomes of it


def test_a_letter_to_everybody_has_no_choice_and_goes_to_all(campaign: Campaign) -> None:
    letter = deeds.a_confirmed_letter(cast.the_ask(campaign))
    assert writing.read(letter).targets == ""
    assert len(delivered_to(letter)) == 3


def test_a_letter_goes_to_those_chosen_and_to_nobody_else(ask: Ask) -> None:
    letter = chosen_draft(ask, "Bruno Keller", "Anna Lund")
    assert names_of(letter) == ["Anna Lund", "Bruno Keller"]
    assert [preview.target.name for preview in writing.previews(letter, now=cast.NOW)] == names_of(letter)
    confirmed(letter)
    assert delivered_to(letter) == ["Anna Lund", "Bruno Keller"]
    assert statistics.ledger(ask.campaign).total == 2
    assert statistics.recount(ask.campaign) == 0


def test_deliveries_to_those_chosen_are_created_in_one_statement(ask: Ask) -> None:
    letter = chosen_draft(ask, "Bruno Keller", "Anna Lund")
    with CaptureQueriesContext(connection) as queries:
        made = lifecycle.create_deliveries(
            letter, now=cast.NOW, paced=True, targets=choosing.chosen(writing.read(letter))
        )
    assert made == 2
    assert sum("INSERT INTO letters_delivery (" in query["sql"] for query in queries) == 1


def test_a_choice_is_sealed_with_the_text_and_forgotten_with_it(ask: Ask) -> None:
    letter = chosen_draft(ask, "Anna Lund")
    assert str(target("Anna Lund").pk) == writing.read(letter).targets
    later = cast.NOW + timedelta(hours=25)
    assert forgetting.expire(now=later) == 1
    letter.refresh_from_db()
    assert bytes(letter.sealed) == b""


def test_a_page_that_showed_another_choice_confirms_nothing(ask: Ask) -> None:
    letter = chosen_draft(ask, "Anna Lund")
    assert not writing.submit(letter, now=cast.NOW)
    notice, shown = deeds.the_notice(letter), {letter.pk: writing.digest(letter)}
    choosing.choose(letter, targets=ids("Bruno Keller"), now=cast.NOW)
    assert letter.stage == Letter.Stage.DRAFT  # it is nobody's again until it is sent
    assert not writing.submit(letter, now=cast.NOW)
    assert writing.confirm_by_link(notice, chosen=shown, now=cast.NOW) == []
    assert delivered_to(letter) == []


def test_changing_the_text_keeps_the_choice_and_choosing_keeps_the_text(ask: Ask) -> None:
    letter = chosen_draft(ask, "Bruno Keller")
    writing.revise(letter, posted={"body": "Please speak up for the oil workers."}, now=cast.NOW)
    assert names_of(letter) == ["Bruno Keller"]
    stale = Letter.objects.select_related("campaign", "ask__target_list", "template").get(pk=letter.pk)
    writing.revise(letter, posted={"body": "Please speak up for them before Friday."}, now=cast.NOW)
    choosing.choose(stale, targets=ids("Anna Lund"), now=cast.NOW)
    assert writing.read(stale).body == "Please speak up for them before Friday."
    assert names_of(stale) == ["Anna Lund"]


def test_a_letter_that_was_sent_cannot_go_to_others(ask: Ask) -> None:
    letter = confirmed(chosen_draft(ask, "Anna Lund"))
    with pytest.raises(LetterRefused, match="already sent"):
        choosing.choose(letter, targets=ids("Bruno Keller"), now=cast.NOW)
    assert delivered_to(letter) == ["Anna Lund"]


# What may not be chosen


@pytest.mark.parametrize(
    "ticked",
    [["x" * 22], ["\x00"], ["Ж" * 22], ["1"], ["' OR 1=1 --"], [""]],
)
def test_somebody_unknown_cannot_be_chosen(ask: Ask, ticked: list[str]) -> None:
    letter = chosen_draft(ask, "Anna Lund")
    with pytest.raises(LetterRefused, match="cannot be written to any more"):
        choosing.choose(letter, targets=ticked, now=cast.NOW)
    assert names_of(letter) == ["Anna Lund"]


def test_somebody_on_another_campaign_s_list_cannot_be_chosen(ask: Ask, charlie: User) -> None:
    theirs = cast.the_ask(cast.an_open_campaign(charlie, slug="elsewhere")).target_list.targets.all()[0]
    letter = deeds.a_draft(ask)
    choosing.choose(letter, targets=[target_here(ask, "Bruno Keller").public_id], now=cast.NOW)
    with pytest.raises(LetterRefused) as refused:
        choosing.choose(letter, targets=[theirs.public_id], now=cast.NOW)
    assert list(refused.value.errors) == ["to"]
    with pytest.raises(LetterRefused):
        writing.begin(ask=ask, language="en", now=cast.NOW, targets=[theirs.public_id])
    assert names_of(letter) == ["Bruno Keller"]


def test_somebody_taken_off_the_list_cannot_be_chosen_and_gets_nothing(ask: Ask) -> None:
    letter = chosen_draft(ask, "Anna Lund", "Bruno Keller")
    lists.retire(target_list=ask.target_list, target=target("Anna Lund"), now=cast.NOW)
    with pytest.raises(LetterRefused):
        choosing.choose(letter, targets=ids("Anna Lund"), now=cast.NOW)
    assert delivered_to(confirmed(letter)) == ["Bruno Keller"]


@pytest.mark.parametrize(
    ("ticked", "words"), [(0, "at least one"), (3, "Take 1 name off"), (10_000, "Take 9998 names")]
)
def test_the_limit_holds_and_is_said(ask: Ask, ticked: int, words: str) -> None:
    everybody = [each.public_id for each in ask.target_list.targets.all()]
    letter = chosen_draft(ask, "Anna Lund")
    with pytest.raises(LetterRefused, match=words):
        choosing.choose(letter, targets=[*everybody, *map(str, range(10_000))][:ticked], now=cast.NOW)
    assert names_of(letter) == ["Anna Lund"]


def test_a_name_ticked_twice_counts_once(ask: Ask) -> None:
    letter = deeds.a_draft(ask)
    choosing.choose(letter, targets=ids("Anna Lund", "Anna Lund", "Bruno Keller"), now=cast.NOW)
    assert names_of(letter) == ["Anna Lund", "Bruno Keller"]


@pytest.mark.parametrize("change", [{"most": 1}, {"mode": Mode.UP_TO, "most": 1}])
def test_a_choice_that_the_ask_no_longer_allows_is_not_sent(ask: Ask, change: dict[str, int]) -> None:
    letter = chosen_draft(ask, "Anna Lund", "Bruno Keller")
    letter.ask = in_mode(ask, **{"mode": Mode.SUGGESTED, **change})  # type: ignore[arg-type]
    with pytest.raises(LetterRefused) as refused:
        writing.submit(letter, now=cast.NOW)
    assert list(refused.value.errors) == ["to"]


def test_a_draft_to_everybody_is_not_sent_once_the_ask_offers_a_choice(campaign: Campaign) -> None:
    ask = cast.the_ask(campaign)
    letter = deeds.a_draft(ask)
    letter.ask = in_mode(ask, Mode.UP_TO)
    with pytest.raises(LetterRefused, match="Choose again"):
        writing.submit(letter, now=cast.NOW)


def test_what_was_shown_for_confirmation_holds_whatever_the_ask_became(campaign: Campaign) -> None:
    letter = deeds.an_awaiting_letter(cast.the_ask(campaign))
    in_mode(letter.ask, Mode.SUGGESTED)
    assert writing.confirm_by_link(deeds.the_notice(letter), chosen=None, now=cast.NOW)
    assert len(delivered_to(letter)) == 3


# Who cannot be reached


def test_somebody_whose_address_died_gets_no_delivery_and_can_be_posted_to(ask: Ask) -> None:
    letter = chosen_draft(ask, "Anna Lund", "Bruno Keller")
    dead("Anna Lund")
    content = writing.read(letter)
    assert names_of(letter) == ["Bruno Keller"]
    assert [each.name for each in choosing.by_post_alone(ask, content, now=cast.NOW)] == ["Anna Lund"]
    assert delivered_to(confirmed(letter)) == ["Bruno Keller"]


def test_somebody_with_paper_only_may_be_chosen_beside_others(ask: Ask) -> None:
    Target.objects.filter(name="Anna Lund").update(email=None)
    letter = chosen_draft(ask, "Anna Lund", "Bruno Keller")
    assert delivered_to(confirmed(letter)) == ["Bruno Keller"]


def test_somebody_who_asked_for_no_more_letters_is_not_offered_the_post_either(ask: Ask) -> None:
    letter = chosen_draft(ask, "Anna Lund", "Bruno Keller")
    deeds.suppress("office@northland.example")
    assert choosing.by_post_alone(ask, writing.read(letter), now=cast.NOW) == []
    with pytest.raises(LetterRefused):
        choosing.choose(letter, targets=ids("Anna Lund"), now=cast.NOW)
    assert delivered_to(confirmed(letter)) == ["Bruno Keller"]


@pytest.mark.parametrize("mode", [Mode.FIXED, Mode.SUGGESTED])
def test_a_letter_to_nobody_is_kept_and_not_sent(campaign: Campaign, mode: str) -> None:
    letter = chosen_draft(in_mode(cast.the_ask(campaign), mode), "Bruno Keller")
    before = writing.read(letter)
    Address.objects.update(status=Address.Status.DEAD)
    with pytest.raises(NobodyReachable, match="cannot deliver letters right now"):
        writing.submit(letter, now=cast.NOW)
    letter.refresh_from_db()
    assert letter.stage == Letter.Stage.DRAFT
    assert writing.read(letter) == before


def test_a_letter_is_not_confirmed_to_nobody_and_may_be_later(ask: Ask) -> None:
    letter = chosen_draft(ask, "Bruno Keller")
    assert not writing.submit(letter, now=cast.NOW)
    notice = deeds.the_notice(letter)
    dead("Bruno Keller")
    with pytest.raises(NobodyReachable):
        writing.confirm_by_link(notice, chosen=None, now=cast.NOW)
    letter.refresh_from_db()
    assert letter.stage == Letter.Stage.AWAITING
    assert statistics.recount(ask.campaign) == 0
    Address.objects.update(status=Address.Status.WORKING)
    assert writing.confirm_by_link(notice, chosen=None, now=cast.NOW)
    assert delivered_to(letter) == ["Bruno Keller"]


# Whom we suggest


def test_a_draft_begins_with_as_many_as_are_suggested(ask: Ask) -> None:
    for suggested in (1, 2):
        letter = writing.begin(ask=in_mode(ask, Mode.SUGGESTED, suggested=suggested), language="en", now=cast.NOW)
        assert len(choosing.chosen(writing.read(letter))) == suggested


def test_a_draft_begins_with_those_whom_the_page_named(ask: Ask) -> None:
    letter = writing.begin(ask=ask, language="en", now=cast.NOW, targets=ids("Office of the President"))
    assert names_of(letter) == ["Office of the President"]


def test_where_supporters_choose_by_themselves_nobody_is_chosen_yet(ask: Ask) -> None:
    ask = in_mode(ask, Mode.UP_TO)
    letter = deeds.a_draft(ask)
    assert not choosing.fits(ask, writing.read(letter))
    with pytest.raises(LetterRefused):
        writing.submit(letter, now=cast.NOW)


def test_by_country_a_letter_goes_to_the_supporter_s_own(ask: Ask) -> None:
    ask = in_mode(ask, Mode.BY_COUNTRY, suggested=2)
    letter = writing.begin(ask=ask, language="en", now=cast.NOW, country="DE")
    assert names_of(letter) == ["Anna Lund", "Bruno Keller"]
    assert not choosing.is_elsewhere(ask, writing.read(letter))
    assert names_of(writing.begin(ask=ask, language="en", now=cast.NOW, country="FR")) == ["Office of the President"]


@pytest.mark.parametrize("country", ["IS", "ZZ"])
def test_by_country_others_are_suggested_where_there_is_nobody(ask: Ask, country: str) -> None:
    ask = in_mode(ask, Mode.BY_COUNTRY, suggested=2)
    letter = writing.begin(ask=ask, language="en", now=cast.NOW, country=country)
    assert len(names_of(letter)) == 2
    assert choosing.is_elsewhere(ask, writing.read(letter))


def test_by_country_needs_a_country(ask: Ask) -> None:
    with pytest.raises(LetterRefused) as refused:
        writing.begin(ask=in_mode(ask, Mode.BY_COUNTRY), language="en", now=cast.NOW)
    assert list(refused.value.errors) == ["country"]
    assert not Letter.objects.exists()


def test_the_country_goes_along_to_the_next_letter(ask: Ask) -> None:
    ask = in_mode(ask, Mode.BY_COUNTRY)
    first = writing.begin(ask=ask, language="en", now=cast.NOW, country="FR")
    second = writing.begin(ask=ask, language="en", now=cast.NOW, after=first)
    assert names_of(second) == ["Office of the President"]


def test_those_of_the_supporter_s_country_come_first_among_those_suggested(ask: Ask) -> None:
    ask = in_mode(ask, Mode.SUGGESTED, suggested=2)
    known = choosing.candidates(ask, now=cast.NOW)
    for place in (0.0, 0.4, 0.9):
        suggested = choosing.suggest(ask, known, country="FR", place=place)
        assert suggested[0] == target("Office of the President").pk
        assert len(suggested) == 2
        assert choosing.reasons(known, suggested, country="FR")[suggested[0]] == Reason.COUNTRY


def test_the_reason_is_true_of_whom_it_is_said(ask: Ask) -> None:
    known = [
        Candidate(1, "DE", Load(letters=95)), Candidate(2, "FR", Load(letters=40)),
        Candidate(3, "FR", Load(letters=100)), Candidate(4, "FR", Load(letters=90)),
    ]  # fmt: skip
    here = choosing.reasons(known, [1, 2, 3, 4, 99], country="DE")
    assert here == {1: Reason.COUNTRY, 2: Reason.FEW, 3: Reason.SHARED, 4: Reason.SHARED}
    assert choosing.reasons(known, [1]) == {1: Reason.SHARED}
    new = [Candidate(1, "", Load(letters=9)), Candidate(2, "", Load(letters=0))]
    assert set(choosing.reasons(new, [1, 2]).values()) == {Reason.FEW}


def test_those_with_few_letters_are_suggested_more_often(ask: Ask) -> None:
    tallies.count({(ask.campaign_id, ask.pk, target("Anna Lund").pk, "sent", True, 2): 50})
    counts = suggestions(ask)
    assert counts[target("Anna Lund").pk] < counts[target("Bruno Keller").pk] / 20
    assert counts[target("Bruno Keller").pk] == pytest.approx(counts[target("Office of the President").pk], rel=0.05)


def test_letters_that_were_stopped_do_not_count(ask: Ask) -> None:
    tallies.count({(ask.campaign_id, ask.pk, target("Anna Lund").pk, "cancelled", False, 0): 50})
    assert {each.load.letters for each in choosing.candidates(ask, now=cast.NOW)} == {0}


def test_a_mailbox_with_room_is_preferred_whoever_fills_the_other(ask: Ask, charlie: User) -> None:
    theirs = cast.the_ask(cast.an_open_campaign(charlie, slug="elsewhere"))  # to the same three mailboxes
    anna = theirs.target_list.targets.get(name="Anna Lund")
    assert anna.email_id == target_here(ask, "Anna Lund").email_id
    Address.objects.filter(kind="email").update(cap_per_hour=5)  # 120 a day
    tallies.count({(theirs.campaign_id, theirs.pk, anna.pk, "queued", False, 0): 1200})
    known = {each.target: each.load for each in choosing.candidates(ask, now=cast.NOW)}
    assert known[target_here(ask, "Anna Lund").pk] == Load(letters=0, waiting=1200, per_day=120)
    counts = suggestions(ask)
    assert counts[target_here(ask, "Anna Lund").pk] < counts[target_here(ask, "Bruno Keller").pk] / 5


def test_without_a_pace_what_waits_is_no_matter(ask: Ask) -> None:
    tallies.count({(ask.campaign_id, ask.pk, target("Anna Lund").pk, "queued", False, 0): 10})
    assert {each.load.per_day for each in choosing.candidates(ask, now=cast.NOW)} == {None}
    assert {each.load.waiting for each in choosing.candidates(ask, now=cast.NOW)} == {0}


def test_nobody_is_suggested_whom_no_e_mail_reaches(ask: Ask) -> None:
    dead("Anna Lund")
    deeds.suppress("minister@foreign.example")
    known = choosing.candidates(ask, now=cast.NOW)
    assert [each.target for each in known] == [target("Office of the President").pk]


def suggestions(ask: Ask, n: int = 1000) -> Counter[int]:
    """Return how often each is suggested."""
    known, places = choosing.candidates(ask, now=cast.NOW), sharing.places(start=0)
    counts: Counter[int] = Counter()
    for _ in range(n):
        counts.update(choosing.suggest(ask, known, place=next(places)))
    return counts


def target_here(ask: Ask, name: str) -> Target:
    """Return the target of this name on the ask's own list."""
    return ask.target_list.targets.get(name=name)


@pytest.mark.slow
def test_a_thousand_drafts_are_spread_over_a_list(alice: User, now: datetime) -> None:
    campaign = parliament.a_parliament_campaign(alice, seats={"DE": 30, "FR": 30, "DK": 15})
    suggested = campaign.asks.select_related("campaign", "target_list").get(slug="suggested")
    by_country = campaign.asks.select_related("campaign", "target_list").get(slug="by-country")
    for ask, country, people in ((suggested, "", 72), (by_country, "DK", 14)):
        counts: Counter[int] = Counter()
        for _ in range(1000):
            letter = writing.begin(ask=ask, language="en", now=now, country=country)
            counts.update(choosing.chosen(writing.read(letter)))
        assert sum(counts.values()) == 3000
        assert len(counts) == people
        assert max(counts.values()) / min(counts.values()) <= 1.5


@pytest.mark.parametrize("seats", [{"DE": 10}, {"DE": 100, "FR": 100}])
def test_a_suggestion_costs_the_same_number_of_queries_for_any_list(
    alice: User, now: datetime, seats: dict[str, int]
) -> None:
    ask = parliament.a_parliament_campaign(alice, seats=seats).asks.select_related("campaign").get(slug="suggested")
    Address.objects.filter(kind="email").update(cap_per_hour=60)
    with CaptureQueriesContext(connection) as queries:
        choosing.candidates(ask, now=now)
    assert len(queries) == 4  # the ask's list, who of it can be reached, their letters, what waits


def test_the_supporter_s_country_is_learned_only_where_the_town_is(ask: Ask) -> None:
    letter = writing.begin(ask=ask, language="en", now=cast.NOW, country="DE")
    assert writing.read(letter).shown_country == "Germany"
    Ask.objects.update(shows_town=False)
    letter = writing.begin(ask=Ask.objects.get(pk=ask.pk), language="en", now=cast.NOW, country="DE")
    assert writing.read(letter).shown_country == ""


@pytest.mark.parametrize(
    ("change", "field"),
    [({"mode": "all"}, "mode"), ({"most_targets": 0}, "most_targets"), ({"most_targets": 41}, "most_targets"),
     ({"suggested_targets": 0}, "suggested_targets"), ({"suggested_targets": 4}, "suggested_targets"),
     ({"suggested_targets": 3, "most_targets": 2}, "suggested_targets")],
)  # fmt: skip
def test_an_ask_that_cannot_be_shared_out_is_refused(ask: Ask, change: dict[str, str], field: str) -> None:
    with pytest.raises(publishing.CampaignRefused) as refused:
        publishing.save_ask(
            campaign=ask.campaign, by=None, target_list=ask.target_list, title="Another", **change  # type: ignore[arg-type]
        )
    assert list(refused.value.errors) == [field]
