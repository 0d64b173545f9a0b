"""The import of a table, from upload to the list."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Role, User
from campaigns.models import Campaign
from letters.models import Delivery
from targets import lists
from targets.models import ImportedFile, TargetList
from tests import cast
from tests.letters import deeds

SAMPLES = Path(settings.ROOT) / "docs" / "samples"
TABLE = (
    "Name\tRole\tInstitution\tCountry\tE-mail\n"
    "Anna Lund\tPrime Minister\tGovernment of Northland\tDE\toffice@northland.example\n"  # as on the list
    "Bruno Keller\tMinister of Trade\tGovernment of Northland\tDE\tminister@foreign.example\n"  # another role
    "Clara Weiss\tSpeaker\tHouse\tAT\tclara@house.example\n"  # new
    "Dora Blank\tClerk\tHouse\tAT\tdo ra@house.example\n"  # no address
)


@pytest.fixture
def empty_list(alice: User) -> TargetList:
    return lists.create_list(organisation=cast.organisation_of(alice), name="Empty", kind="other")


def text_of(response: object) -> str:
    return bytes(response.content).decode()  # type: ignore[attr-defined]


def upload(client: Client, target_list: TargetList, *, pasted: str = "", file: tuple[str, bytes] | None = None) -> str:
    """Bring a table and return the address of its match page."""
    form: dict[str, object] = {"pasted": pasted}
    if file is not None:
        form["file"] = SimpleUploadedFile(*file)
    response = client.post(f"/organise/targets/{target_list.public_id}/import/", form)
    assert response.status_code == 302, text_of(response)
    return str(response["Location"])


def fields_of(page: str) -> dict[str, str]:
    """Return the hidden fields and the chosen columns of a page's form."""
    found = dict(re.findall(r'<input type="hidden" name="(table|seen)" value="([^"]*)"', page))
    for name, options in re.findall(r'<select id="(column-\d+)"(.*?)</select>', page, re.DOTALL):
        found[name] = re.findall(r'value="(\w+)" selected', options)[0]
    return found


def choose(client: Client, match: str, **changed: str) -> str:
    """Accept the guessed columns, some of them changed, and return the address of the check page."""
    response = client.post(match, {**fields_of(text_of(client.get(match))), **changed})
    assert response.status_code == 302, text_of(response)
    return str(response["Location"])


def seen_on(client: Client, check: str) -> str:
    """Return the mark of what the check page offers."""
    return fields_of(text_of(client.get(check)))["seen"]


def count(page: str, words: str) -> int:
    """Return one of the figures on top of the check page."""
    found = re.search(rf"<dt>{words}</dt><dd[^>]*>([\d,]+)</dd>", page)
    assert found, page
    return int(found[1].replace(",", ""))


def accept(client: Client, check: str, **more: object) -> object:
    """Press the button of the check page."""
    return client.post(check, {"seen": seen_on(client, check), "missing": "keep", **more}, follow=True)


def names(target_list: TargetList) -> list[str]:
    return [target.name for target in lists.active_targets(target_list)]


def test_a_file_of_forty_embassies_goes_from_upload_to_the_list(as_alice: Client, empty_list: TargetList) -> None:
    content = (SAMPLES / "embassies.csv").read_bytes()
    check = choose(as_alice, upload(as_alice, empty_list, file=("embassies.csv", content)))
    page = text_of(as_alice.get(check))
    ready = count(page, "New")
    assert ready > 0
    assert names(empty_list) == []
    done = text_of(accept(as_alice, check))
    assert "The list is up to date" in done
    assert len(names(empty_list)) == ready
    assert ready + count(page, "Need mending") + page.count('name="take"') == 40


def test_a_saved_web_page_goes_from_upload_to_the_list(as_alice: Client, empty_list: TargetList) -> None:
    content = (SAMPLES / "parliament.html").read_bytes()
    check = choose(as_alice, upload(as_alice, empty_list, file=("parliament.html", content)))
    ready = count(text_of(as_alice.get(check)), "New")
    assert ready > 0
    accept(as_alice, check)
    assert len(names(empty_list)) == ready


def test_nothing_is_written_before_it_is_accepted(as_alice: Client, target_list: TargetList) -> None:
    before = [target.values() for target in lists.active_targets(target_list)]
    check = choose(as_alice, upload(as_alice, target_list, pasted=TABLE))
    page = text_of(as_alice.get(check))
    assert "nothing has been written yet" in page
    assert [target.values() for target in lists.active_targets(target_list)] == before


def test_the_check_shows_what_is_new_changed_wrong_and_missing(as_alice: Client, target_list: TargetList) -> None:
    page = text_of(as_alice.get(choose(as_alice, upload(as_alice, target_list, pasted=TABLE))))
    assert "1 target is new" in page
    assert "1 target changes" in page
    assert "Foreign Minister" in page  # the cell before
    assert "Minister of Trade" in page  # and after
    assert "1 row cannot be imported" in page
    assert "do ra@house.example" in page
    assert "1 target is on the list, but not in your table" in page
    assert "Office of the President" in page
    assert "Import 2 rows" in page


def test_accepting_writes_once_however_often_it_is_clicked(as_alice: Client, target_list: TargetList) -> None:
    check = choose(as_alice, upload(as_alice, target_list, pasted=TABLE))
    seen = seen_on(as_alice, check)
    for _ in range(2):
        response = as_alice.post(check, {"seen": seen, "missing": "keep"}, follow=True)
        assert response.redirect_chain[-1][0].endswith("/done/")
        assert "The list is up to date" in text_of(response)
    assert names(target_list).count("Clara Weiss") == 1
    assert len(names(target_list)) == 4


def test_a_corrected_address_reaches_letters_that_wait_and_says_so(as_alice: Client, campaign: Campaign) -> None:
    ask = cast.the_ask(campaign)
    deeds.a_confirmed_letter(ask)
    table = "Name,E-mail\nAnna Lund,anna.lund@new.example\n"
    done = text_of(accept(as_alice, choose(as_alice, upload(as_alice, ask.target_list, pasted=table))))
    assert "1 letter that waits has the new address." in done
    assert Delivery.objects.filter(address__value="anna.lund@new.example", state="held").count() == 1


def test_missing_targets_are_retired_only_if_that_was_chosen(as_alice: Client, target_list: TargetList) -> None:
    check = choose(as_alice, upload(as_alice, target_list, pasted=TABLE))
    seen = seen_on(as_alice, check)
    undecided = as_alice.post(check, {"seen": seen})
    assert undecided.status_code == 422
    assert "Choose what happens" in text_of(undecided)
    assert "Office of the President" in names(target_list)
    accept(as_alice, check, missing="retire")
    assert "Office of the President" not in names(target_list)


def test_a_row_can_be_left_out(as_alice: Client, empty_list: TargetList) -> None:
    table = "Name,E-mail\nAnna Lund,Anna <anna@a.example>\nBruno Keller,bruno@b.example\n"
    check = choose(as_alice, upload(as_alice, empty_list, pasted=table))
    (noted,) = re.findall(r'name="leave" value="(\d+)"', text_of(as_alice.get(check)))
    accept(as_alice, check, leave=[noted])
    assert names(empty_list) == ["Bruno Keller"]


def test_hidden_rows_stay_out_unless_they_are_ticked(as_alice: Client, empty_list: TargetList) -> None:
    page = (
        "<table><tr><th>Name</th><th>E-mail</th></tr><tr><td>Anna Lund</td><td>anna@a.example</td></tr>"
        '<tr hidden><td>Trap Door</td><td>trap@t.example</td></tr></table>'
    )
    check = choose(as_alice, upload(as_alice, empty_list, pasted=page))
    (hidden,) = re.findall(r'name="take" value="(\d+)"', text_of(as_alice.get(check)))
    accept(as_alice, check)
    assert names(empty_list) == ["Anna Lund"]
    again = choose(as_alice, upload(as_alice, empty_list, pasted=page))
    accept(as_alice, again, take=[hidden])
    assert names(empty_list) == ["Anna Lund", "Trap Door"]


def test_a_list_changed_meanwhile_is_looked_at_again(as_alice: Client, target_list: TargetList) -> None:
    check = choose(as_alice, upload(as_alice, target_list, pasted=TABLE))
    seen = seen_on(as_alice, check)
    lists.save_target(target_list=target_list, values={"name": "Clara Weiss", "email": "clara@house.example"})
    response = as_alice.post(check, {"seen": seen, "missing": "retire"})
    assert response.status_code == 422
    assert "The list has changed since you looked" in text_of(response)
    assert "Office of the President" in names(target_list)


def test_rejected_rows_come_back_with_their_problem_and_import_once_mended(
    as_alice: Client, empty_list: TargetList
) -> None:
    check = choose(as_alice, upload(as_alice, empty_list, pasted=TABLE))
    response = as_alice.get(check.replace("/check/", "/rejected/"))
    table = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    header, row = table.strip().split("\r\n")
    assert header == "Name,Role,Institution,Country,E-mail,problem"
    assert row.startswith("Dora Blank,Clerk,House,AT,do ra@house.example,")
    assert len(row.split(",", 5)[5]) > 10
    mended = upload(as_alice, empty_list, pasted=table.replace("do ra@", "dora@"))
    accept(as_alice, choose(as_alice, mended))
    assert names(empty_list) == ["Dora Blank"]


@pytest.mark.parametrize(
    ("filename", "content", "sentence"),
    [
        ("empty.csv", b" \r\n", "There is nothing in it"),
        ("table.xls", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "save it as CSV"),
        ("table.csv", b"%PDF-1.4 ...", "This is a PDF"),
        ("long.csv", b"name,email\n" + b"a,a@a.example\n" * 160_000, "one import takes 2 MB"),
        ("many.csv", b"n,e\n" + b"a,a@b.test\n" * 5_001, "one import takes 5,000"),
        ("letter.txt", b"Dear Sir or Madam", ""),
    ],
)
def test_a_file_that_is_no_table_says_so_with_a_cure(
    as_alice: Client, empty_list: TargetList, filename: str, content: bytes, sentence: str
) -> None:
    form = {"file": SimpleUploadedFile(filename, content)}
    response = as_alice.post(f"/organise/targets/{empty_list.public_id}/import/", form)
    page = text_of(response)
    assert response.status_code == 422
    assert "<title>Error: " in page
    assert 'href="#file"' in page
    assert sentence in page
    assert not ImportedFile.objects.exists()


def test_a_bad_paste_is_kept_as_typed(as_alice: Client, empty_list: TargetList) -> None:
    form = {"pasted": "Dear Sir & Madam"}
    response = as_alice.post(f"/organise/targets/{empty_list.public_id}/import/", form)
    assert response.status_code == 422
    assert "Dear Sir &amp; Madam</textarea>" in text_of(response)
    assert 'href="#pasted"' in text_of(response)


def test_a_paste_that_is_too_long_names_the_cure(as_alice: Client, empty_list: TargetList) -> None:
    form = {"pasted": "Anna Lund\tanna@a.example\n" * 12_000}
    response = as_alice.post(f"/organise/targets/{empty_list.public_id}/import/", form)
    assert response.status_code == 422
    assert "Save it as a file" in text_of(response)


def test_an_upload_needs_the_token_of_its_form(alice: User, empty_list: TargetList) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    response = client.post(f"/organise/targets/{empty_list.public_id}/import/", {"pasted": TABLE})
    assert response.status_code == 403
    assert not ImportedFile.objects.exists()


def test_two_columns_for_one_field_are_refused_and_the_choice_is_kept(
    as_alice: Client, empty_list: TargetList
) -> None:
    match = upload(as_alice, empty_list, pasted=TABLE)
    form = {"table": "0", "column-0": "name", "column-1": "name", "column-4": "email"}
    response = as_alice.post(match, form)
    page = text_of(response)
    assert response.status_code == 422
    assert "Two columns go to “Full name”" in page
    assert 'href="#column-1"' in page
    assert fields_of(page) == {"table": "0", **dict.fromkeys(("column-2", "column-3"), "ignore"), **form}


def test_a_table_without_any_address_column_is_refused(as_alice: Client, empty_list: TargetList) -> None:
    response = as_alice.post(upload(as_alice, empty_list, pasted=TABLE), {"table": "0", "column-0": "name"})
    assert response.status_code == 422
    assert "Say which column holds the e-mail address" in text_of(response)


def test_of_several_tables_on_a_page_one_is_chosen(as_alice: Client, empty_list: TargetList) -> None:
    one, other = (
        f"<h2>{title}</h2><table><tr><th>Name</th><th>E-mail</th></tr>"
        f"<tr><td>{name}</td><td>{name[:4].lower()}@{title.lower()}.example</td></tr></table>"
        for title, name in (("North", "Anna Lund"), ("South", "Bruno Keller"))
    )
    match = upload(as_alice, empty_list, pasted=one + other)
    assert "Which table" in text_of(as_alice.get(match))
    check = choose(as_alice, f"{match}?table=1")
    accept(as_alice, check)
    assert len(names(empty_list)) == 1
    assert ImportedFile.objects.get().table == 1


def test_after_a_day_the_table_is_gone_and_the_page_says_so(as_alice: Client, empty_list: TargetList) -> None:
    match = upload(as_alice, empty_list, pasted=TABLE)
    file = ImportedFile.objects.get()
    ImportedFile.objects.update(created_at=file.created_at - timedelta(hours=25))
    for step in ("match", "check", "rejected", "done"):
        response = as_alice.get(match.replace("/match/", f"/{step}/"), follow=True)
        assert "kept for 24 hours and is gone now" in text_of(response), step


def test_a_table_of_another_list_is_not_found_under_this_one(
    as_alice: Client, empty_list: TargetList, target_list: TargetList
) -> None:
    match = upload(as_alice, empty_list, pasted=TABLE)
    wrong = match.replace(empty_list.public_id, target_list.public_id)
    assert as_alice.get(wrong)["Location"].endswith("/import/")


def test_charlie_finds_nothing_and_an_analyst_may_not(
    client: Client, as_alice: Client, alice: User, charlie: User, empty_list: TargetList
) -> None:
    match = upload(as_alice, empty_list, pasted=TABLE)
    check = choose(as_alice, match)
    analyst = cast.a_member(cast.organisation_of(alice), "Erin", Role.ANALYST)
    for person, status in ((charlie, 404), (analyst, 403)):
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        for step in ("match", "check", "rejected", "done"):
            where = match.replace("/match/", f"/{step}/")
            assert client.get(where).status_code == status, step
        assert client.post(check, {"seen": "", "missing": "retire"}).status_code == status
    assert names(empty_list) == []


def test_cells_of_a_hostile_page_are_shown_as_text(as_alice: Client, empty_list: TargetList) -> None:
    table = 'Name,Role,E-mail\n"Ann <script>alert(1)</script>","=cmd|x","ann@a.example"\n'
    page = text_of(as_alice.get(choose(as_alice, upload(as_alice, empty_list, pasted=table))))
    assert "<script>alert" not in page
