"""What is said on one line, without a line: pipelined and one step at a time, and how a break ends each letter."""

import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letters.composing import Message
from letters.endings import Accepted, Ambiguous, Deferred, Ending, NotSent, Refused
from worker.transports import AsksForDot, Ended, Said
from worker.transports.dialogue import DOT_SECONDS, ENVELOPE_SECONDS, Dialogue, stuffed
from worker.transports.replies import MOST_LINES, BrokenLine, ReplyReader

YES, GO = b"250 2.0.0 ok\r\n", b"354 go\r\n"
TAKEN = Accepted(250, "2.0.0 ok")


def a_letter(number: int = 1) -> Message:
    """Return the n-th letter."""
    data = f"X-Postbag-Delivery: {number}\r\n\r\nDear Sir.\r\n".encode()
    return Message(
        number, f"return-{number}@letters.postbag.example", f"office{number}@northland.example", data,
        hashlib.sha256(data).hexdigest(), is_plain=True,
    )  # fmt: skip


def envelope(number: int) -> bytes:
    """Return what is said before a letter, in one go."""
    return (
        f"MAIL FROM:<return-{number}@letters.postbag.example>\r\n"
        f"RCPT TO:<office{number}@northland.example>\r\nDATA\r\n"
    ).encode()


def written(dialogue: Dialogue) -> bytes:
    """Return what waits for the server, as if it had left."""
    said = bytes(dialogue.outgoing)
    dialogue.outgoing.clear()
    return said


def endings(said: list[Said]) -> dict[int, Ending]:
    """Return how letters ended, by number."""
    return {one.message.delivery_id: one.ending for one in said if isinstance(one, Ended)}


def in_text(*, pipelines: bool = True) -> Dialogue:
    """Return a dialogue whose first letter waits for its dot."""
    dialogue = Dialogue(pipelines=pipelines)
    dialogue.begin(a_letter(1))
    for reply in (YES, YES, GO):
        written(dialogue)
        dialogue.hear(reply)
    written(dialogue)
    assert dialogue.has_left() == [AsksForDot(a_letter(1))]
    return dialogue


def in_pair() -> Dialogue:
    """Return a dialogue that has written the dot of the first letter and the envelope of the second."""
    dialogue = in_text()
    dialogue.write_dot()
    dialogue.begin(a_letter(2))
    return dialogue


def test_a_dot_and_the_next_envelope_leave_in_one_write() -> None:
    """One round trip a letter (RFC 2920)."""
    dialogue = in_pair()
    assert written(dialogue) == b".\r\n" + envelope(2)
    assert endings(dialogue.hear(YES + YES + YES + GO)) == {1: TAKEN}
    assert written(dialogue) == a_letter(2).data
    assert dialogue.has_left() == [AsksForDot(a_letter(2))]
    assert dialogue.has_left() == [], "it asks once"
    dialogue.write_dot()
    assert written(dialogue) == b".\r\n"
    assert endings(dialogue.hear(YES)) == {2: TAKEN}
    assert dialogue.is_idle
    assert dialogue.accepted == 2


def test_without_pipelining_each_command_waits_for_its_answer() -> None:
    """And no second letter is begun before the first has its answer."""
    dialogue = Dialogue(pipelines=False, takes_size=True)
    dialogue.begin(a_letter())
    said = [written(dialogue)]
    for reply in (YES, YES):
        assert dialogue.hear(reply) == []
        said.append(written(dialogue))
    assert said == [
        b"MAIL FROM:<return-1@letters.postbag.example> SIZE=36\r\n", b"RCPT TO:<office1@northland.example>\r\n",
        b"DATA\r\n",
    ]  # fmt: skip
    dialogue.hear(GO)
    assert written(dialogue) == a_letter().data
    dialogue.has_left()
    dialogue.write_dot()
    assert not dialogue.takes_letter
    assert endings(dialogue.hear(YES)) == {1: TAKEN}
    assert dialogue.takes_letter


@pytest.mark.parametrize(
    ("broken_after", "first", "second"),
    [
        (b"", Ambiguous, NotSent), (YES[:7], Ambiguous, NotSent), (YES, Accepted, NotSent),
        (YES + YES + YES, Accepted, NotSent), (YES + YES + YES + GO, Accepted, NotSent),
        (b"451 later\r\n", Deferred, NotSent), (b"554 no\r\n" + YES, Refused, NotSent),
    ],
)  # fmt: skip
def test_a_break_leaves_doubt_about_one_letter_at_most(
    broken_after: bytes, first: type[Ending], second: type[Ending]
) -> None:
    """Replies come in order, so it is known which letter had none."""
    dialogue = in_pair()
    said = dialogue.hear(broken_after) + dialogue.break_off("reset by peer")
    assert {pk: type(ending) for pk, ending in endings(said).items()} == {1: first, 2: second}
    assert not dialogue.is_usable


@pytest.mark.parametrize(
    ("replies", "ending"),
    [
        (b"550 5.7.1 no\r\n503 x\r\n503 x\r\n", Refused(550, "5.7.1 no")),
        (YES + b"450 4.2.1 retry in 300 s\r\n503 x\r\n", Deferred(450, "4.2.1 retry in 300 s", True, 300)),
        (YES + b"550 5.1.1 who?\r\n554 no valid recipients\r\n", Refused(550, "5.1.1 who?")),
        (YES + YES + b"452 4.3.1 full\r\n", Deferred(452, "4.3.1 full")),
    ],
)  # fmt: skip
def test_a_refused_envelope_is_forgotten_and_the_line_goes_on(replies: bytes, ending: Ending) -> None:
    """The rest of its answers are read; RSET goes before the next letter, in the same write."""
    dialogue = Dialogue(pipelines=True)
    dialogue.begin(a_letter(1))
    written(dialogue)
    assert endings(dialogue.hear(replies)) == {1: ending}
    dialogue.begin(a_letter(2))
    assert written(dialogue) == b"RSET\r\n" + envelope(2)
    dialogue.hear(YES + YES + YES + GO)
    assert written(dialogue) == a_letter(2).data


def test_a_server_that_wants_a_text_for_nobody_is_left() -> None:
    """A dot would hand over an empty letter."""
    dialogue = Dialogue(pipelines=True)
    dialogue.begin(a_letter())
    said = dialogue.hear(YES + b"550 5.1.1 who?\r\n" + GO)
    assert endings(said) == {1: Refused(550, "5.1.1 who?")}
    assert not dialogue.is_usable


def test_a_yes_before_the_dot_ends_the_line() -> None:
    """It must not pass for the answer to the dot."""
    dialogue = in_text()
    assert isinstance(endings(dialogue.hear(YES))[1], NotSent)
    assert not dialogue.is_usable


def test_a_refused_dot_leaves_the_server_with_nothing() -> None:
    """What was stopped at the last moment was not sent."""
    dialogue = in_text()
    assert endings(dialogue.refuse_dot()) == {1: NotSent("stopped before the final dot")}
    assert not dialogue.is_usable
    assert written(dialogue) == b""


@pytest.mark.parametrize("code", [199, 354, 600, 999])
def test_an_answer_to_the_dot_that_is_none_is_unclear(code: int) -> None:
    """Neither yes nor no."""
    dialogue = in_text()
    dialogue.write_dot()
    assert isinstance(endings(dialogue.hear(f"{code} what\r\n".encode()))[1], Ambiguous)
    assert not dialogue.is_usable


def test_a_421_ends_the_line_and_says_when_to_come_back() -> None:
    """The next letter of the pipeline was not sent."""
    dialogue = in_pair()
    said = dialogue.hear(YES + b"421 4.7.0 too many\r\n")
    assert {pk: type(ending) for pk, ending in endings(said).items()} == {1: Accepted, 2: Deferred}
    assert dialogue.was_told_to_leave
    assert not dialogue.is_usable


def test_time_runs_for_what_the_server_owes_and_not_for_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """A letter that waits for its fence keeps no server guilty."""
    now = itertools.count(100.0, 0.0)
    monkeypatch.setattr("worker.transports.dialogue.time.monotonic", lambda: next(now))
    dialogue = Dialogue(pipelines=True, patience=0.5)
    assert dialogue.seconds_left() is None
    dialogue.begin(a_letter())
    assert dialogue.seconds_left() == ENVELOPE_SECONDS / 2
    waiting = in_text()
    assert waiting.seconds_left() is None
    waiting.write_dot()
    assert waiting.seconds_left() == DOT_SECONDS


@given(st.lists(st.integers(1, 7), max_size=60))
def test_how_replies_are_cut_into_pieces_changes_nothing(cuts: list[int]) -> None:
    """They arrive as the network likes."""
    whole = b"250-first\r\n250 second\r\n354 go\n451 4.2.0 later\r\n"
    reader, pieces, rest = ReplyReader(), [], whole
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    replies = [reply for piece in (*pieces, rest) for reply in reader.feed(piece)]
    assert [(reply.code, reply.words) for reply in replies] == [
        (250, "first second"), (354, "go"), (451, "4.2.0 later")
    ]  # fmt: skip
    assert reader.is_between_replies


@pytest.mark.parametrize(
    "said",
    [
        b"hello\r\n", b"25\r\n", b"250-a\r\n251 b\r\n", b"250 " + b"x" * 9000, b"250-x\r\n" * (MOST_LINES + 1),
        b"\0\r\n",
    ],
)  # fmt: skip
def test_what_is_not_smtp_breaks_the_line(said: bytes) -> None:
    """Strictly, and within bounds."""
    with pytest.raises(BrokenLine):
        list(ReplyReader().feed(said))


@given(st.binary(max_size=80))
def test_what_is_stuffed_ends_where_it_should(data: bytes) -> None:
    """Nothing before the end reads as the end of a letter."""
    clean = b"\r\n".join(data.replace(b"\r", b"").split(b"\n"))
    wire = stuffed(clean)
    assert b"\r\n.\r\n" not in wire
    assert not wire.startswith(b".\r\n")
    back = wire[1:] if wire.startswith(b".") else wire
    assert back.replace(b"\r\n.", b"\r\n") in {clean, clean + b"\r\n"}


def test_a_letter_behind_a_silent_dot_is_given_back_and_the_line_ends_with_the_answer() -> None:
    dialogue = in_text()
    dialogue.write_dot()
    dialogue.begin(a_letter(2))
    written(dialogue)
    assert dialogue.silent_for >= 0.0
    assert dialogue.let_go_of_next() == a_letter(2)
    assert dialogue.let_go_of_next() is None
    assert not dialogue.takes_letter
    assert dialogue.awaits_reply
    assert endings(dialogue.hear(YES + YES + YES + GO)) == {1: TAKEN}
    assert not dialogue.is_usable, "the envelope of the other is still said there"


def test_a_letter_that_was_given_back_is_not_ended_where_the_line_breaks_after_all() -> None:
    dialogue = in_text()
    dialogue.write_dot()
    dialogue.begin(a_letter(2))
    dialogue.let_go_of_next()
    assert set(endings(dialogue.break_off("silence"))) == {1}


def test_nothing_is_given_back_that_is_not_behind_a_dot() -> None:
    dialogue = in_text()
    assert dialogue.silent_for == 0.0
    assert dialogue.let_go_of_next() is None
    dialogue.write_dot()
    assert dialogue.let_go_of_next() is None
    assert endings(dialogue.hear(YES)) == {1: TAKEN}
    assert dialogue.takes_letter
