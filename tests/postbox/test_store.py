"""What is kept, how it is found again, and how it is forgotten."""

import sqlite3
import stat
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from postbox.store import Arrival, Mailbox, Store, Summary

NOON = datetime(2011, 12, 16, 12, 0, tzinfo=UTC)


def letter(number: int, *, to: str = "Mr Target <mr.target@office.example>", delivery: str = "") -> bytes:
    head = f"From: Dana <dana@people.example>\r\nTo: {to}\r\nSubject: No concert {number}\r\n"
    head += f"Message-ID: <{number}@postbag.example>\r\n"
    if delivery:
        head += f"X-Postbag-Delivery: {delivery}\r\n"
    return (head + "\r\nPlease do not sing.\r\n").encode()


def test_reading_before_anything_came_finds_nothing_and_makes_no_file(store: Store) -> None:
    assert store.mailboxes() == []
    assert store.letters_in("mr.target@office.example") == []
    assert store.totals() == (0, 0)
    assert store.count_in("mr.target@office.example") == 0
    assert store.get(1) is None
    assert list(store.iter_letters()) == []
    assert store.summary() == Summary(0, 0, 0, 0, 0)
    assert store.forget(NOON) == 0
    assert store.clear() == 0
    assert not store.path.exists()


def test_an_empty_file_of_the_right_name_reads_as_empty(store: Store) -> None:
    store.path.parent.mkdir()
    store.path.touch()
    assert store.mailboxes() == []
    assert store.summary().received == 0


def test_a_letter_comes_back_with_its_columns_and_bytes(store: Store) -> None:
    raw = letter(1, delivery="d1")
    number = store.add("bounces@postbag.example", "Mr.Target@office.example", raw, received_at=NOON)
    entry = store.get(number)
    assert entry is not None
    assert entry.raw == raw
    assert entry.received_at == NOON
    assert entry.envelope_from == "bounces@postbag.example"
    assert entry.envelope_to == "Mr.Target@office.example"
    assert entry.header_to == "Mr Target <mr.target@office.example>"
    assert entry.header_from == "Dana <dana@people.example>"
    assert entry.subject == "No concert 1"
    assert entry.message_id == "<1@postbag.example>"
    assert entry.delivery == "d1"
    assert len(entry.sha256) == 64


@pytest.mark.parametrize("number", [-1, 0, 2, 2**63, -(2**63), 10**40])
def test_an_id_that_nobody_has_finds_nothing(store: Store, number: int) -> None:
    store.add("", "mr.target@office.example", letter(1))
    assert store.get(number) is None


def test_mailboxes_count_name_and_order_by_the_latest(store: Store) -> None:
    store.add("", "mr.target@office.example", letter(1), received_at=NOON)
    store.add("", "embassy@state.example", letter(2, to="embassy@state.example"), received_at=NOON)
    store.add("", "MR.TARGET@office.example", letter(3), received_at=NOON + timedelta(hours=1))
    first, second = store.mailboxes()
    assert (first.address.lower(), first.name, first.count) == ("mr.target@office.example", "Mr Target", 2)
    assert first.last_received_at == NOON + timedelta(hours=1)
    assert second == Mailbox("embassy@state.example", "embassy@state.example", 1, NOON, has_letters=False)
    assert second.name == ""


@pytest.mark.parametrize(
    ("query", "found"),
    [("OFFICE", 1), ("mr target", 1), ("example", 2), ("50%", 0), ("_", 0), ("\\", 0), ("", 2), ("  ", 2)],
)
def test_mailboxes_are_searched_by_address_and_name_taken_literally(
    store: Store, query: str, found: int
) -> None:
    store.add("", "mr.target@office.example", letter(1))
    store.add("", "embassy@state.example", letter(2, to="embassy@state.example"))
    assert len(store.mailboxes(query=query)) == found


def test_a_mailbox_has_letters_once_a_delivery_came_among_its_other_mail(store: Store) -> None:
    store.add("", "mr.target@office.example", letter(1, delivery="d1"))
    store.add("", "dana@people.example", letter(2, to="dana@people.example"))
    store.add("", "Mr.Target@office.example", letter(3))
    found = {mailbox.address.lower(): mailbox.has_letters for mailbox in store.mailboxes()}
    assert found == {"mr.target@office.example": True, "dana@people.example": False}


def test_the_list_of_mailboxes_is_read_from_its_own_index(store: Store) -> None:
    store.add_many([Arrival("", f"t{n}@office.example", letter(n, delivery=f"d{n}")) for n in range(3)])
    plans: list[str] = []

    class Explained(Store):
        def _select(self, sql: str, values: dict[str, int | str]) -> list[tuple[object, ...]]:
            with closing(sqlite3.connect(self.path)) as connection:
                plans.extend(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values))
            return []

    Explained(store.path).mailboxes()
    assert any("USING COVERING INDEX entry_mailbox" in plan for plan in plans), plans
    assert not any("entry_delivery" in plan for plan in plans), plans


def test_mail_is_counted_in_all_and_by_mailbox_whatever_the_case(store: Store) -> None:
    store.add("", "mr.target@office.example", letter(1, delivery="d1"))
    store.add("", "Mr.Target@office.example", letter(2))
    store.add("", "y\udcfe@people.example", letter(3))
    assert store.totals() == (3, 1)
    assert store.count_in("MR.TARGET@office.example") == 2
    assert store.count_in("y\udcfe@people.example") == 1
    assert store.count_in("nobody@office.example") == 0


def test_a_mailbox_lists_its_latest_letters_first_and_without_bytes(store: Store) -> None:
    store.add_many([Arrival("", "mr.target@office.example", letter(n)) for n in range(5)])
    store.add("", "embassy@state.example", letter(9))
    page = store.letters_in("mr.TARGET@office.example", limit=2, offset=1)
    assert [entry.subject for entry in page] == ["No concert 3", "No concert 2"]
    assert {entry.raw for entry in page} == {b""}


def test_the_summary_tells_letters_from_other_mail_and_sees_what_came_twice(store: Store) -> None:
    store.add("", "dana@people.example", letter(1))
    store.add("", "mr.target@office.example", letter(2, delivery="a"))
    store.add("", "mr.target@office.example", letter(3, delivery="b"))
    assert store.summary() == Summary(3, 2, 3, 2, 1)
    store.add("", "mr.target@office.example", letter(3, delivery="b"))
    assert store.summary() == Summary(4, 3, 3, 2, 1)
    store.add("", "mr.target@office.example", letter(3, delivery="b") + b"changed\r\n")
    assert store.summary() == Summary(5, 4, 3, 2, 2)


def test_all_letters_are_walked_once_in_order_across_the_steps(store: Store) -> None:
    store.add("", "dana@people.example", letter(0))
    store.add_many(Arrival("", "mr.target@office.example", letter(n, delivery=f"d{n}")) for n in range(1101))
    walked = list(store.iter_letters())
    assert [entry.delivery for entry in walked] == [f"d{n}" for n in range(1101)]
    assert walked[-1].raw == letter(1100, delivery="d1100")


def test_only_what_is_older_is_forgotten_and_its_words_leave_the_disk(store: Store) -> None:
    store.add("", "a@office.example", b"Subject: old\r\n\r\nunforgettable words\r\n", received_at=NOON)
    store.add("", "b@office.example", letter(2), received_at=NOON + timedelta(seconds=1))
    assert store.forget(NOON + timedelta(seconds=1)) == 1
    assert [mailbox.address for mailbox in store.mailboxes()] == ["b@office.example"]
    for file in store.path.parent.iterdir():
        assert b"unforgettable" not in file.read_bytes(), file


def test_clearing_empties_everything_and_ids_are_not_used_again(store: Store) -> None:
    ids = store.add_many(Arrival("", "mr.target@office.example", letter(n)) for n in range(1200))
    assert store.clear() == 1200
    assert store.summary().received == 0
    assert store.add("", "mr.target@office.example", letter(1)) > max(ids)


def test_one_that_cannot_be_kept_keeps_none_of_its_group_and_the_next_is_kept(store: Store) -> None:
    store.add("", "mr.target@office.example", letter(1))
    broken = Arrival("", "mr.target@office.example", letter(3), received_at=NOON)
    store._writable().execute(
        "CREATE TRIGGER full BEFORE INSERT ON entry WHEN NEW.subject = 'No concert 3' "
        "BEGIN SELECT RAISE(ABORT, 'full'); END"
    )
    with pytest.raises(Exception, match="full"):
        store.add_many([Arrival("", "mr.target@office.example", letter(2)), broken])
    assert store.summary().received == 1
    store.add("", "mr.target@office.example", letter(4))
    assert store.summary().received == 2


def test_addresses_with_undecodable_bytes_are_kept_readable(store: Store) -> None:
    store.add("x\udcff@a.example", "y\udcfe@b.example", b"Subject: caf\xe9\r\n\r\n")
    (mailbox,) = store.mailboxes()
    assert mailbox.address == "y\ufffd@b.example"
    assert store.letters_in("y\udcfe@b.example")[0].subject == "caf\ufffd"


def test_the_file_is_for_its_owner_alone(store: Store) -> None:
    store.add("", "mr.target@office.example", letter(1))
    for file in store.path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_readers_see_whole_groups_while_the_writer_writes(store: Store) -> None:
    groups, size = 60, 7
    done = threading.Event()

    def write() -> None:
        for group in range(groups):
            raws = [letter(n, delivery=f"{group}.{n}") for n in range(size)]
            store.add_many(Arrival("", "mr.target@office.example", raw) for raw in raws)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    reader = Store(Path(store.path))
    while not done.is_set():
        seen.append(reader.summary().received)
    writer.join(10)
    assert all(count % size == 0 for count in seen)
    assert seen == sorted(seen)
    assert reader.summary().received == groups * size
