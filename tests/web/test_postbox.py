"""The postbox pages, over a store that the tests fill themselves."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Protocol

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from postbox.store import Arrival, Store
from web import postbox
from web.postbox import PAGE, pieces

pytestmark = pytest.mark.django_db  # what is not found is answered with what is there: open campaigns
WHEN = datetime(2011, 11, 23, 16, 3, tzinfo=UTC)
TARGET, DANA = "office@leaders.example", "dana@mail.example"
EVERY_PAGE = ["/postbox/", f"/postbox/box/?address={TARGET}", "/postbox/mail/1/", "/postbox/mail/1/source/"]


class Answer(Protocol):
    """What these tests read of an answer."""

    @property
    def content(self) -> bytes: ...


@pytest.fixture(autouse=True)
def _while_testing(settings: Settings, tmp_path: Path) -> None:
    settings.BUILT_IN_MAIL_SERVER = True
    settings.BASE_URL = "http://localhost:8000"
    settings.POSTBOX_STORE = tmp_path / "postbox.sqlite3"


@pytest.fixture
def store(settings: Settings) -> Store:
    """Return the store that the pages read, still without a file."""
    return Store(settings.POSTBOX_STORE)


def a_letter(number: int = 1, to: str = TARGET, name: str = "The Office", text: str = "Dear Office.") -> Arrival:
    """Return the mail of one delivery."""
    head = f"From: Ada Bell <letters@post.example>\r\nTo: {name} <{to}>\r\nSubject: Letter {number}\r\n"
    head += f"Message-ID: <{number}@post.example>\r\nX-Postbag-Delivery: {number}\r\n"
    return _arrival(to, head, text, number)


def a_confirmation(to: str = DANA, text: str = "Open http://localhost:8000/c/token/.") -> Arrival:
    """Return a mail that asks a supporter to confirm."""
    return _arrival(to, f"From: confirm@post.example\r\nTo: {to}\r\nSubject: One tap left\r\n", text, 0)


def _arrival(to: str, head: str, text: str, minutes: int) -> Arrival:
    raw = f"{head}\r\n{text}\r\n".encode()
    return Arrival("letters@post.example", to, raw, WHEN + timedelta(minutes=minutes))


def page(answer: Answer) -> str:
    """Return what a reader sees of an answer, with its tags."""
    return unescape(answer.content.decode())


def boxes(answer: Answer) -> list[tuple[str, str, str, str]]:
    """Return (whose, name or address, address where it stands beside a name, count) of each row."""
    rows = re.findall(r'<li class="is-(\w+)">(.*?)</li>', page(answer), re.DOTALL)
    return [(whose, *(_words(row, f"box-{part}") for part in ("name", "address", "count"))) for whose, row in rows]


def names(answer: Answer) -> list[str]:
    """Return the names (or addresses) of the mailboxes listed."""
    return [box[1] for box in boxes(answer)]


def subjects(answer: Answer) -> list[str]:
    """Return the subjects of the mails listed."""
    return re.findall(r'<p class="mail-subject"><a [^>]+><bdi>(.*?)</bdi>', page(answer))


def following(answer: Answer) -> str:
    """Return the address of the next page; empty on the last."""
    found = re.search(r'href="([^"]+)" rel="next"', page(answer))
    return found[1] if found else ""


def _words(row: str, part: str) -> str:
    found = re.search(rf'<p class="{part}[^>]*>(.*?)</p>', row, re.DOTALL)
    return re.sub(r'<span class="unseen">.*?</span>|<[^>]+>', "", found[1]).strip() if found else ""


def test_an_empty_postbox_says_so_kindly_and_makes_no_file(client: Client, store: Store) -> None:
    answer = client.get("/postbox/")
    assert answer.status_code == 200
    assert "Nothing has arrived yet" in page(answer)
    assert "Nothing leaves this machine: this server keeps what it receives." in page(answer)
    assert "TEST" in page(answer)
    assert not store.path.exists()


@pytest.mark.parametrize("address", [*EVERY_PAGE, "/postbox/empty/", "/postbox/?to=dana@mail.example"])
def test_no_page_is_there_once_a_real_mail_server_is_in_use(
    client: Client, store: Store, settings: Settings, address: str
) -> None:
    store.add_many([a_letter()])
    settings.BUILT_IN_MAIL_SERVER = False
    assert client.get(address).status_code == 404


def test_nothing_can_be_emptied_once_a_real_mail_server_is_in_use(
    client: Client, store: Store, settings: Settings
) -> None:
    store.add_many([a_letter()])
    settings.BUILT_IN_MAIL_SERVER = False
    assert client.post("/postbox/empty/").status_code == 404
    assert store.summary().received == 1


@pytest.mark.parametrize("address", EVERY_PAGE)
def test_every_page_stays_out_of_caches_and_indexes_and_sets_no_cookie(
    client: Client, store: Store, address: str
) -> None:
    store.add_many([a_letter()])
    answer = client.get(address)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert "noindex" in answer["X-Robots-Tag"]
    assert not answer.cookies


@pytest.mark.parametrize("address", EVERY_PAGE)
def test_pages_are_read_only(client: Client, store: Store, address: str) -> None:
    store.add_many([a_letter()])
    assert client.post(address).status_code == 405


def test_mailboxes_stand_latest_first_with_name_count_and_totals(client: Client, store: Store) -> None:
    store.add_many([a_letter(1), a_letter(2), a_confirmation()])
    answer = client.get("/postbox/")
    assert boxes(answer) == [("supporter", DANA, "", "1 mail"), ("target", "The Office", TARGET, "2 mails")]
    assert "<b>3</b> mails received" in page(answer)
    assert "<b>2</b> letters to targets" in page(answer)
    assert "23 November 2011 at 16:05 UTC" in page(answer)


def test_targets_and_supporters_can_be_told_apart(client: Client, store: Store) -> None:
    store.add_many([a_letter(), a_confirmation(), a_confirmation("eva@mail.example")])
    assert names(client.get("/postbox/", {"whose": "target"})) == ["The Office"]
    supporters = client.get("/postbox/", {"whose": "supporter"})
    assert names(supporters) == ["eva@mail.example", DANA]
    assert re.findall(r'<span class="many">(\d+)', page(supporters)) == ["3", "1", "2"]
    assert re.findall(r'aria-current="page">(\w+)', page(supporters)) == ["Supporters"]


def test_a_mailbox_with_one_letter_among_other_mail_is_a_targets(client: Client, store: Store) -> None:
    store.add_many([a_confirmation(TARGET), a_letter(), a_confirmation(TARGET)])
    assert [whose for whose, *_ in boxes(client.get("/postbox/"))] == ["target"]


def test_a_search_looks_in_addresses_and_names_and_takes_signs_as_they_are(client: Client, store: Store) -> None:
    store.add_many([a_letter(), a_confirmation(), a_confirmation("per_cent@mail.example")])
    found = {q: names(client.get("/postbox/", {"q": q})) for q in ("the office", "DANA", "r_c", "%")}
    assert found == {"the office": ["The Office"], "DANA": [DANA], "r_c": ["per_cent@mail.example"], "%": []}


def test_a_search_that_finds_nothing_gives_the_words_back(client: Client, store: Store) -> None:
    store.add_many([a_letter()])
    answer = client.get("/postbox/", {"q": "<b>nobody"})
    assert "No mailbox fits" in page(answer)
    assert 'value="&lt;b&gt;nobody"' in answer.content.decode()
    assert "<b>nobody" not in answer.content.decode()


def test_fifty_mailboxes_stand_on_a_page_and_the_filter_goes_along(client: Client, store: Store) -> None:
    store.add_many([a_confirmation(f"s{n}@mail.example") for n in range(PAGE + 3)])
    first = client.get("/postbox/", {"q": "mail", "whose": "supporter"})
    assert len(names(first)) == PAGE
    assert following(first) == "/postbox/?q=mail&whose=supporter&page=2"
    second = client.get(following(first))
    assert names(second) == [f"s{n}@mail.example" for n in (2, 1, 0)]
    assert following(second) == ""


@pytest.mark.parametrize(("asked", "shown"), [("0", 1), ("-1", 1), ("x", 1), ("²", 1), ("9" * 30, 1), ("999", 2)])
def test_a_page_number_that_cannot_be_leads_to_one_that_can(
    client: Client, store: Store, asked: str, shown: int
) -> None:
    store.add_many([a_letter(n) for n in range(1, PAGE + 2)])
    answer = client.get("/postbox/box/", {"address": TARGET, "page": asked})
    assert f"Page {shown} of 2" in page(answer)


def test_a_mailbox_shows_date_sender_and_subject_latest_first(client: Client, store: Store) -> None:
    store.add_many([a_letter(n) for n in range(1, PAGE + 2)])
    answer = client.get("/postbox/box/", {"address": TARGET.upper()})
    assert subjects(answer) == [f"Letter {n}" for n in range(PAGE + 1, 1, -1)]
    assert "<bdi>Ada Bell</bdi>" in page(answer)
    assert "23 November 2011 at 16:54 UTC" in page(answer)
    assert "<h1><bdi>The Office</bdi></h1>" in page(answer)
    assert subjects(client.get(following(answer))) == ["Letter 1"]


def test_a_mailbox_that_got_nothing_yet_says_to_look_again(client: Client) -> None:
    answer = client.get("/postbox/box/", {"address": DANA})
    assert answer.status_code == 200
    assert "Nothing has arrived here yet" in page(answer)


def test_a_supporter_is_led_to_their_own_mailbox(client: Client) -> None:
    answer = client.get("/postbox/", {"to": "dana+x@mail.example"})
    assert answer["Location"] == "/postbox/box/?address=dana%2Bx%40mail.example"
    assert client.get("/postbox/box/")["Location"] == "/postbox/"


def test_a_mail_shows_its_text_and_the_important_headers_first(client: Client, store: Store) -> None:
    head = (
        f"X-First: a\r\nMessage-ID: <1@post.example>\r\nSubject: Hello\r\nTo: {TARGET}\r\nFrom: Ada <a@b.example>\r\n"
    )
    store.add_many([_arrival(TARGET, head, "Dear Office,\r\n\r\nplease.", 0)])
    answer = client.get("/postbox/mail/1/")
    listed = page(answer).partition('<dl class="headers">')[2].partition("</dl>")[0]
    shown = re.findall(r"<dt><bdi>(.*?)</bdi></dt>", listed)
    assert shown == ["From", "To", "Subject", "Message-ID", "X-First"]
    assert "Dear Office,\r\n\r\nplease." in page(answer)
    assert f"/postbox/box/?address={TARGET.replace('@', '%40')}" in page(answer)


@pytest.mark.parametrize(
    ("header", "name", "address"),
    [
        ("Ada Bell <ada@mail.example>", "Ada Bell", "ada@mail.example"),
        ("ada@mail.example", "", "ada@mail.example"),
        ("=?utf-8?q?=C5=81ukasz?= <l@mail.example>", "Łukasz", "l@mail.example"),
        ("not an address", "", "not an address"),
        ("a@b.example, c@d.example", "", "a@b.example, c@d.example"),
        ("", "", "letters@post.example"),
    ],
)
def test_a_sender_is_shown_by_name_and_otherwise_as_they_wrote_it(
    client: Client, store: Store, header: str, name: str, address: str
) -> None:
    store.add_many([_arrival(TARGET, f"From: {header}\r\nSubject: x\r\n", "Hello", 0)])
    shown = page(client.get("/postbox/mail/1/")).partition("<dt>From</dt>")[2].partition("</dd>")[0]
    assert re.findall(r"<bdi[^>]*>(.*?)</bdi>", shown) == ([name, address] if name else [address])


def test_nothing_of_a_mail_is_ever_taken_as_html(client: Client, store: Store) -> None:
    evil = "<script>alert(1)</script>"
    head = f'From: {evil}\r\nTo: "{evil}" <{TARGET}>\r\nSubject: {evil}\r\nX-{evil}: {evil}\r\n'
    store.add_many([_arrival(TARGET, head, evil, 0)])
    for address in (f"/postbox/?q={evil}", f"/postbox/box/?address={TARGET}", "/postbox/mail/1/"):
        shown = client.get(address).content.decode()
        assert "<script" not in shown, address
        assert "&lt;script&gt;" in shown, address


def test_a_mail_with_html_alone_is_shown_as_it_was_written(client: Client, store: Store) -> None:
    html = "<p onclick=steal()>Hello</p>"
    head = f"From: a@b.example\r\nTo: {TARGET}\r\nSubject: x\r\nContent-Type: text/html\r\n"
    store.add_many([_arrival(TARGET, head, html, 0)])
    shown = client.get("/postbox/mail/1/").content.decode()
    assert "&lt;p onclick=steal()&gt;" in shown
    assert "<p onclick" not in shown
    assert "came without plain text" in shown


@pytest.mark.parametrize("charset", ["unicode_escape", "utf-7", "no-such-charset", "utf-16"])
def test_a_mail_in_a_broken_charset_still_has_a_page(client: Client, store: Store, charset: str) -> None:
    head = f"From: a@b.example\r\nTo: {TARGET}\r\nSubject: x\r\nContent-Type: text/plain; charset={charset}\r\n"
    store.add_many([_arrival(TARGET, head, "\\ud800 +2AA- \x00 \x1b[2J", 0)])
    assert client.get("/postbox/mail/1/").status_code == 200


def test_only_our_own_pages_are_linked() -> None:
    text = (
        "Open http://localhost:8000/c/abc_-1/. Not http://localhost:8000.evil.example/x, "
        "http://localhost:80001/ or https://evil.example/?u=http://localhost:8000/y\njavascript:alert(1)"
    )
    found = list(pieces(text, linked=True))
    assert [piece for piece, is_link in found if is_link] == ["http://localhost:8000/c/abc_-1/"]
    assert "".join(piece for piece, _ in found) == text


def test_links_work_in_mail_to_supporters_and_not_in_letters(client: Client, store: Store) -> None:
    store.add_many([a_confirmation(), a_letter(text="See http://localhost:8000/c/token/.")])
    link = '<a href="http://localhost:8000/c/token/">'
    assert link in client.get("/postbox/mail/1/").content.decode()
    assert link not in client.get("/postbox/mail/2/").content.decode()


def test_a_very_long_mail_is_cut_on_its_page_and_whole_in_its_source(
    client: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postbox, "TEXT_LIMIT", 10)
    store.add_many([a_letter(text="0123456789THE END")])
    shown = page(client.get("/postbox/mail/1/"))
    assert "0123456789" in shown
    assert "THE END" not in shown
    assert "the source has all of it" in shown
    assert b"THE END" in client.get("/postbox/mail/1/source/").content


def test_the_source_is_the_bytes_as_plain_text(client: Client, store: Store) -> None:
    raw = b"From: a@b.example\r\nSubject: \xff\r\n\r\n<script>alert(1)</script>\r\n"
    store.add("a@b.example", TARGET, raw)
    answer = client.get("/postbox/mail/1/source/")
    assert answer.content == raw
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"] == 'inline; filename="mail-1.txt"'
    assert "sandbox" in answer["Content-Security-Policy"]


@pytest.mark.parametrize("number", [2, 0, 2**63, 10**40])
def test_a_mail_that_is_not_there_is_not_found(client: Client, store: Store, number: int) -> None:
    store.add_many([a_letter()])
    assert client.get(f"/postbox/mail/{number}/").status_code == 404
    assert client.get(f"/postbox/mail/{number}/source/").status_code == 404


def test_emptying_is_checked_first_and_then_done(store: Store) -> None:
    browser = Client(enforce_csrf_checks=True)
    store.add_many([a_letter(), a_confirmation()])
    check = browser.get("/postbox/empty/")
    assert "2 mails go for good" in page(check)
    assert store.summary().received == 2
    answer = browser.post("/postbox/empty/", headers={"sec-fetch-site": "same-origin"})
    assert (answer.status_code, answer["Location"]) == (303, "/postbox/")
    assert store.summary().received == 0


def test_another_site_cannot_empty_the_postbox(client: Client, store: Store) -> None:
    store.add_many([a_letter()])
    assert client.post("/postbox/empty/", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert store.summary().received == 1


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_a_browser_on_this_machine_may_look(client: Client, store: Store, peer: str) -> None:
    assert client.get("/postbox/", REMOTE_ADDR=peer).status_code == 200


@pytest.mark.parametrize("address", [*EVERY_PAGE, "/postbox/empty/"])
@pytest.mark.parametrize(
    ("peer", "said"),
    [
        ("192.0.2.7", {}),
        ("", {}),
        ("127.0.0.1", {"x-forwarded-for": "127.0.0.1"}),
        ("127.0.0.1", {"x-forwarded-proto": "https"}),
        ("::1", {"forwarded": "for=127.0.0.1"}),
    ],
)
def test_nobody_elsewhere_sees_what_was_received(
    client: Client, store: Store, address: str, peer: str, said: dict[str, str]
) -> None:
    store.add_many([a_letter()])
    assert client.get(address, REMOTE_ADDR=peer, headers=said).status_code == 404
    assert client.post("/postbox/empty/", REMOTE_ADDR=peer, headers=said).status_code == 404
    assert store.summary().received == 1


def test_a_member_may_look_from_anywhere_while_testing(as_alice: Client, store: Store, settings: Settings) -> None:
    store.add_many([a_letter()])
    answer = as_alice.get("/postbox/", REMOTE_ADDR="192.0.2.7")
    assert answer.status_code == 200
    assert not answer.cookies
    settings.BUILT_IN_MAIL_SERVER = False
    assert as_alice.get("/postbox/").status_code == 404


def test_an_account_of_no_organisation_sees_nothing(as_alice: Client, alice: User, store: Store) -> None:
    alice.memberships.all().delete()
    assert as_alice.get("/postbox/", REMOTE_ADDR="192.0.2.7").status_code == 404
