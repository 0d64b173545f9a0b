"""Pages of target lists and their targets."""

import pytest
from django.test import Client

from accounts.models import Member, Role, User
from campaigns.models import Campaign
from targets import lists
from targets.models import Target, TargetList
from tests import cast
from tests.letters import deeds
from web.organisers.targets import values_of

LISTS = "/organise/targets/"


def address(target_list: TargetList, rest: str = "") -> str:
    return f"{LISTS}{target_list.public_id}/{rest}"


def text_of(response: object) -> str:
    return bytes(response.content).decode()  # type: ignore[attr-defined]


def test_who_is_not_signed_in_is_sent_to_sign_in_and_comes_back(client: Client, target_list: TargetList) -> None:
    response = client.get(address(target_list, "?q=a"))
    assert response.status_code == 302
    assert response["Location"].startswith("/organise/sign-in/login/?next=/organise/targets/")


def test_the_lists_show_their_size_and_how_many_can_be_reached(as_alice: Client, target_list: TargetList) -> None:
    page = text_of(as_alice.get(LISTS))
    assert "EU leaders" in page
    assert "100 %" in page  # all three have an e-mail address
    assert "33 %" in page  # one has a postal one


def test_another_organisations_list_is_as_absent_as_none(
    client: Client, charlie: User, target_list: TargetList
) -> None:
    target = lists.active_targets(target_list)[0]
    client.force_login(charlie, backend="django.contrib.auth.backends.ModelBackend")
    for rest in ("", "export/", "add/", "import/", f"{target.public_id}/", f"{target.public_id}/retire/"):
        assert client.get(address(target_list, rest)).status_code == 404, rest
        assert client.post(address(target_list, rest), {"name": "Mine now"}).status_code == 404, rest
    assert "EU leaders" not in text_of(client.get(LISTS))


@pytest.mark.parametrize("role", [Role.ANALYST, Role.SENDER, Role.TRANSLATOR, Role.REPLIES])
def test_a_role_that_only_reads_sees_the_list_and_changes_nothing(
    client: Client, alice: User, target_list: TargetList, role: str
) -> None:
    client.force_login(
        cast.a_member(cast.organisation_of(alice), "Erin", role), backend="django.contrib.auth.backends.ModelBackend"
    )
    target = lists.active_targets(target_list)[0]
    page = text_of(client.get(address(target_list)))
    assert "Anna Lund" in page
    assert "Import a table" not in page
    for rest in ("add/", "import/", f"{target.public_id}/", f"{target.public_id}/retire/"):
        refused = client.post(address(target_list, rest), {"name": "Other", "email": "o@other.example"})
        assert refused.status_code == 403, rest
        assert "Your role does not allow this" in text_of(refused)
    assert [t.name for t in lists.active_targets(target_list)] == [values["name"] for values in cast.TARGETS]


def test_a_partner_sees_no_lists(client: Client, alice: User, target_list: TargetList) -> None:
    partner = cast.a_member(cast.organisation_of(alice), "Petra", Role.PARTNER)
    client.force_login(partner, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(address(target_list)).status_code == 403


def test_a_role_taken_away_counts_at_the_next_click(
    client: Client, alice: User, bob: User, target_list: TargetList
) -> None:
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(address(target_list, "add/")).status_code == 200
    Member.objects.filter(user=bob).update(role=Role.ANALYST)
    assert client.get(address(target_list, "add/")).status_code == 403
    Member.objects.filter(user=bob).delete()
    assert client.get(address(target_list)).status_code == 403


def test_a_list_is_made_and_leads_to_its_import(as_alice: Client, alice: User) -> None:
    response = as_alice.post(f"{LISTS}new/", {"name": " Embassies  in Europe ", "kind": "embassies", "source": ""})
    made = TargetList.objects.get()
    assert made.name == "Embassies in Europe"
    assert made.organisation == cast.organisation_of(alice)
    assert response["Location"] == address(made, "import/")


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"name": "", "kind": "other"}, "Give the list a name"),
        ({"name": "A list", "kind": ""}, "Choose what kind"),
        ({"name": "eu LEADERS", "kind": "other"}, "There is already a list"),
        ({"name": "x" * 121, "kind": "other"}, "more than 120"),
    ],
)
def test_a_list_that_cannot_be_made_says_why_and_keeps_what_was_typed(
    as_alice: Client, target_list: TargetList, form: dict[str, str], sentence: str
) -> None:
    response = as_alice.post(f"{LISTS}new/", {**form, "source": "the ministry's page"})
    page = text_of(response)
    assert response.status_code == 422
    assert "<title>Error: " in page
    assert "There is a problem" in page
    assert page.count(sentence) == 2  # in the summary and at the field
    assert "the ministry&#39;s page" in page
    assert TargetList.objects.count() == 1


def test_a_list_shows_fifty_rows_and_the_rest_on_further_pages(as_alice: Client, target_list: TargetList) -> None:
    for n in range(60):
        values = {"name": f"Deputy {n:02}", "email": f"deputy{n}@house.example"}
        lists.save_target(target_list=target_list, values=values)
    first, second = text_of(as_alice.get(address(target_list))), text_of(as_alice.get(address(target_list, "?page=2")))
    assert "Rows 1 to 50 of 63" in first
    assert "Deputy 46" in first
    assert "Deputy 47" not in first
    assert "Deputy 47" in second
    assert "Anna Lund" not in second


def test_a_list_is_filtered_and_sorted_by_its_address(as_alice: Client, target_list: TargetList) -> None:
    found = text_of(as_alice.get(address(target_list, "?q=southland")))
    assert "Office of the President" in found
    assert "Bruno Keller" not in found
    backwards = text_of(as_alice.get(address(target_list, "?sort=-name")))
    assert backwards.index("Office of the President") < backwards.index("Bruno Keller") < backwards.index("Anna Lund")
    assert 'aria-sort="descending"' in backwards
    assert "No target fits" in text_of(as_alice.get(address(target_list, "?q=nobody+at+all")))


@pytest.mark.parametrize("query", ["?page=0", "?page=x", "?page=999", "?sort=password", "?show=secret", "?q=%00%27"])
def test_a_nonsensical_query_shows_the_usual_view(as_alice: Client, target_list: TargetList, query: str) -> None:
    assert as_alice.get(address(target_list, query)).status_code == 200


def test_the_export_holds_exactly_this_view_and_no_formula(as_alice: Client, target_list: TargetList) -> None:
    lists.save_target(target_list=target_list, values={"name": "Fred", "role": "=1+1", "email": "fred@a.example"})
    response = as_alice.get(address(target_list, "export/?q=fred"))
    rows = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    assert response["Content-Type"].startswith("text/csv")
    assert "attachment" in response["Content-Disposition"]
    assert "fred@a.example" in rows
    assert "Anna Lund" not in rows
    assert ",=1+1" not in rows


def test_a_target_is_added(as_alice: Client, target_list: TargetList) -> None:
    form = {"name": "Erik Dahl", "country": "se", "email": "erik@dahl.example", "cap_per_hour": "20"}
    response = as_alice.post(address(target_list, "add/"), form, follow=True)
    made = Target.objects.get(name="Erik Dahl")
    assert "Erik Dahl is on the list." in text_of(response)
    assert made.country == "SE"
    assert made.email is not None
    assert made.email.cap_per_hour == 20


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": ""}, "Give the name"),
        ({"email": "", "postal_address": ""}, "Give an e-mail address, a postal address or both"),
        ({"email": "two@at@signs.example"}, ""),
        ({"email": "noreply@office.example"}, "Nobody reads this kind of address"),
        ({"country": "Germany"}, "two letters"),
        ({"cap_per_hour": "61"}, "1 to 60"),
        ({"cap_per_hour": "many"}, "1 to 60"),
        ({"postal_address": "x" * 501}, "more than 500"),
        ({"role": "x" * 201}, ""),
    ],
)
def test_a_target_that_cannot_be_kept_says_why_and_keeps_what_was_typed(
    as_alice: Client, target_list: TargetList, wrong: dict[str, str], sentence: str
) -> None:
    form = {"name": "Erik Dahl", "institution": "Kept as typed", "email": "erik@dahl.example", **wrong}
    response = as_alice.post(address(target_list, "add/"), form)
    page = text_of(response)
    assert response.status_code == 422
    assert "<title>Error: " in page
    assert "There is a problem" in page
    assert 'aria-invalid="true"' in page
    assert sentence in page
    assert 'value="Kept as typed"' in page
    assert all(value[:60] in page for value in wrong.values())
    assert lists.active_targets(target_list).count() == 3


def test_changing_a_target_keeps_its_earlier_version(as_alice: Client, target_list: TargetList) -> None:
    target = lists.active_targets(target_list)[0]
    here = address(target_list, f"{target.public_id}/")
    assert 'value="Dear Prime Minister"' in text_of(as_alice.get(here))
    as_alice.post(here, {**cast.TARGETS[0], "role": "Former Prime Minister", "cap_per_hour": ""})
    target.refresh_from_db()
    assert target.role == "Former Prime Minister"
    assert target.versions.count() == 2


def test_saving_a_target_unchanged_says_so(as_alice: Client, target_list: TargetList) -> None:
    target = lists.active_targets(target_list)[0]
    form = {**cast.TARGETS[0], "cap_per_hour": ""}
    response = as_alice.post(address(target_list, f"{target.public_id}/"), form, follow=True)
    assert "Nothing was different." in text_of(response)
    assert target.versions.count() == 1


def test_a_target_is_retired_and_restored_only_after_a_check(as_alice: Client, target_list: TargetList) -> None:
    target = lists.active_targets(target_list)[0]
    retire, restore = (address(target_list, f"{target.public_id}/{deed}/") for deed in ("retire", "restore"))
    assert "Retire Anna Lund?" in text_of(as_alice.get(retire))
    assert lists.active_targets(target_list).count() == 3
    assert "is retired" in text_of(as_alice.post(retire, follow=True))
    assert lists.active_targets(target_list).count() == 2
    assert "Anna Lund" not in text_of(as_alice.get(address(target_list, "?q=Lund")))
    assert "Anna Lund" in text_of(as_alice.get(address(target_list, "?show=retired")))
    assert "Put Anna Lund back" in text_of(as_alice.get(restore))
    as_alice.post(restore)
    assert lists.active_targets(target_list).count() == 3


def test_names_are_shown_as_text_and_never_as_markup(as_alice: Client, target_list: TargetList) -> None:
    lists.save_target(
        target_list=target_list, values={"name": "Ann", "role": "<script>alert(1)</script>", "email": "a@a.example"}
    )
    page = text_of(as_alice.get(address(target_list)))
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_every_page_carries_the_test_stamp_while_mail_goes_nowhere(as_alice: Client, target_list: TargetList) -> None:
    for where in ("/organise/", LISTS, address(target_list), address(target_list, "add/")):
        page = text_of(as_alice.get(where))
        assert "stamp-test" in page, where
        assert " style=" not in page, where


def test_a_corrected_address_reaches_letters_that_wait_and_says_so(as_alice: Client, campaign: Campaign) -> None:
    deeds.a_confirmed_letter(cast.the_ask(campaign))
    anna = Target.objects.get(name="Anna Lund")
    form = {**values_of(anna), "email": "anna.lund@new.example"}
    page = text_of(as_alice.post(address(anna.lists.get(), f"{anna.public_id}/"), form, follow=True))
    assert "Anna Lund is saved." in page
    assert "1 letter that waits has the new address." in page
    board = text_of(as_alice.get("/organise/campaigns/oil-workers/delivery/"))
    assert "The address was changed while it waited." in board
    assert "Letting go sends them there." in board
