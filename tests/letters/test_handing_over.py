"""All letters to one target as a PDF, to hand over in person."""

import pytest

from accounts.models import AuditEntry, User
from campaigns.models import Campaign
from letters import envelopes, handing_over, paper, writing
from letters.models import Letter
from targets import lists
from targets.models import Target
from tests import cast
from tests.letters import deeds, sheets
from tests.letters.sheets import Print

PEOPLE = ("ada", "ben", "cleo")


@pytest.fixture
def anna(campaign: Campaign) -> Target:
    for name in PEOPLE:
        deeds.a_confirmed_letter(
            cast.the_ask(campaign), email=f"{name}@mail.example", name=f"{name.title()} Bell", town="Leipzig"
        )
    return Target.objects.get(name="Anna Lund")


def printed(target: Target, by: User, **more: object) -> Print:
    ask = handing_over.piles(target)[0].ask
    made = handing_over.print_pile(target=target, ask=ask, by=by, layout=envelopes.DEFAULT, **more)  # type: ignore[arg-type]
    assert made is not None
    return sheets.read(made)


def test_a_pile_holds_each_letter_as_its_target_reads_it(alice: User, anna: Target) -> None:
    pages = printed(anna, alice).pages
    assert len(pages) == 3
    for name, page in zip(PEOPLE, pages, strict=True):
        assert page.line("Dear Prime Minister,")
        assert f"{name.title()} Bell" in page.text
        assert page.line("Castle Square 1")
        assert "23 November 2011" in page.text
        assert page.line("GERMANY")


def test_the_sheets_say_of_a_writer_what_the_target_learns_and_no_more(campaign: Campaign, alice: User) -> None:
    cast.the_ask(campaign)
    campaign.asks.update(shows_town=False, shows_email=False)
    deeds.a_confirmed_letter(cast.the_ask(campaign))
    page = printed(Target.objects.get(name="Anna Lund"), alice).pages[0]
    assert cast.DANA["name"] in page.text
    assert cast.DANA["town"] not in page.text
    assert cast.DANA["email"] not in page.text


def test_it_is_written_down_who_printed_how_many_and_not_whose(alice: User, anna: Target) -> None:
    printed(anna, alice)
    entry = AuditEntry.objects.get(deed="printed letters")
    assert entry.by == alice
    assert "Anna Lund" in entry.subject
    assert entry.details == {"letters": 3, "part": 1, "only_returned": False}


def test_only_what_came_back_can_be_printed(alice: User, anna: Target) -> None:
    delivery = anna.deliveries.order_by("pk")[1]
    deeds.put_into(delivery, "failed")
    assert handing_over.piles(anna)[0].came_back == 1
    (page,) = printed(anna, alice, only_returned=True).pages
    assert "Ben Bell" in page.text


def test_what_was_stopped_taken_back_or_forgotten_is_not_printed(alice: User, anna: Target) -> None:
    first, second, third = Letter.objects.order_by("pk")
    writing.withdraw(first, now=cast.NOW)
    deeds.put_into(anna.deliveries.get(letter=second), "cancelled")
    assert handing_over.piles(anna)[0].letters == 1
    Letter.objects.filter(pk=third.pk).update(sealed=b"")
    assert handing_over.piles(anna) == []


def test_a_big_pile_comes_in_parts(alice: User, anna: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "MOST_SHEETS", 2)
    (pile,) = handing_over.piles(anna)
    assert pile.parts == 2
    assert len(printed(anna, alice).pages) == 2
    (page,) = printed(anna, alice, part=2).pages
    assert "Cleo Bell" in page.text
    assert handing_over.print_pile(target=anna, ask=pile.ask, by=alice, layout=envelopes.DEFAULT, part=3) is None


def test_a_target_with_paper_alone_gets_all_letters_of_its_list(campaign: Campaign, alice: User) -> None:
    ask = cast.the_ask(campaign)
    values = {"name": "Old Palace", "country": "DE", "postal_address": "Palace Street 2\n10115 Berlin"}
    palace, _ = lists.save_target(target_list=ask.target_list, values=values)
    deeds.a_confirmed_letter(ask)
    (page,) = printed(palace, alice).pages
    assert page.line("Palace Street 2")
    assert "Dear Sir or Madam," in page.text
