"""The check of what the receiver kept: a letter that is missing, doubled, changed or nobody's is found."""

import hashlib
from pathlib import Path

from bench import keeper, work
from bench.content import Expected, Findings, check
from bench.keeper import Kept
from letters import headers
from letters.composing import quoted_printable

NAME = "d1"


def letter(*, number: int = 7, to: int = 3, text: str = "", name: str = NAME) -> bytes:
    """A letter of the work as bytes, made by the product's own parts."""
    target = work.target(to)
    return b"".join((
        headers.mailbox("From", work.sender(number), f"letter@{work.SENDER_DOMAIN}"),
        headers.mailbox("To", target.name, target.email),
        headers.text("Subject", work.SUBJECT),
        b"Date: Fri, 16 Dec 2011 10:00:00 +0000\r\n",
        f"X-Postbag-Delivery: {name}\r\n\r\n".encode(),
        quoted_printable(text or work.text(number, to)),
    ))  # fmt: skip


def found(*received: bytes, expected: bytes = b"") -> Findings:
    """What the check finds, where one delivery was expected."""
    digest = hashlib.sha256(expected or letter()).digest()
    kept = [Kept(f"return@{work.SENDER_DOMAIN}", work.target(3).email, data) for data in received]
    return check({1: Expected(7, 3, digest)}, kept, delivery_of={NAME: 1}.get)


def test_a_letter_that_came_once_and_unchanged_is_well() -> None:
    told = found(letter())
    assert told.is_well, told.problems


def test_missing_doubled_and_strange_letters_are_counted() -> None:
    assert found().missing == 1
    assert found(letter(), letter()).doubled == 1
    assert found(letter(), letter(name="d2")).strange == 1
    assert not any(told.is_well for told in (found(), found(letter(), letter()), found(letter(), letter(name="d2"))))


def test_a_changed_byte_and_a_wrong_text_are_found() -> None:
    assert found(letter().replace(b"strike", b"Strike", 1)).changed == 1
    wrong = letter(text=work.text(8, 3))
    told = found(wrong, expected=wrong)  # the product swears by it; the work knows better
    assert told.changed == 1
    assert "text" in told.problems[0]


def test_what_was_kept_is_read_back_as_it_came(tmp_path: Path) -> None:
    file = tmp_path / "kept"
    file.write_bytes(b"9 a@one.example b@two.example\n..a\r\n.b\r\n\n")
    assert list(keeper.records(file)) == [Kept("a@one.example", "b@two.example", b".a\r\nb\r\n")]
