"""The dialogue on one line to an API, byte by byte: one fence at a time, and no letter without an ending."""

import json

import h11
import pytest

from letters.composing import Message
from letters.endings import Accepted, Ambiguous, Deferred, NotSent
from tests.worker.fake_provider import answered
from tests.worker.provider_lines import a_letter, a_line_to
from worker.transports import AsksForDot, Ended, Said
from worker.transports.provider import api_of
from worker.transports.provider.api import Api, Composed
from worker.transports.provider.dialogue import ApiDialogue

FIRST, SECOND, THIRD = a_letter(1), a_letter(2), a_letter(3)
YES = answered(200, json.dumps({"id": "n", "message": "Queued. Thank you."}).encode(), {})
TAKEN = Accepted(200, "Queued. Thank you.", "n")


@pytest.fixture
def api() -> Api:
    """Return an account at Mailgun's; nothing is connected."""
    return api_of(a_line_to("http://127.0.0.1:1/mailgun/")._account)


@pytest.fixture
def dialogue(api: Api) -> ApiDialogue:
    """Return the dialogue on a line that has just been opened."""
    return ApiDialogue(api)


def asks(message: Message) -> Said:
    """Return what a letter says that waits for its fence."""
    return AsksForDot(message)


def takes(dialogue: ApiDialogue) -> bool:
    """Return whether the line takes a letter just now."""
    return dialogue.takes_letter


def write(dialogue: ApiDialogue) -> bytes:
    """Give the fence, and let the whole request leave."""
    dialogue.write_dot()
    written = bytes(dialogue.outgoing)
    dialogue.outgoing.clear()
    assert dialogue.has_left() == []
    return written


def proved(dialogue: ApiDialogue) -> ApiDialogue:
    """Let one letter be answered, so that the line is known to stay open."""
    assert dialogue.begin(FIRST) == [asks(FIRST)]
    write(dialogue)
    assert dialogue.hear(YES) == [Ended(FIRST, TAKEN)]
    return dialogue


def test_nothing_is_written_before_the_fence_and_all_of_it_after(dialogue: ApiDialogue) -> None:
    assert dialogue.begin(FIRST) == [asks(FIRST)]
    assert dialogue.outgoing == b""
    assert dialogue.seconds_left() is None
    written = write(dialogue)
    assert written.startswith(b"POST /mailgun/letters.postbag.example/messages HTTP/1.1\r\nHost: 127.0.0.1:1\r\n")
    head, _, body = written.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"office%40northland.example" in body
    left = dialogue.seconds_left()
    assert left is not None
    assert 119 < left <= 120


@pytest.mark.parametrize("size", [1, 7, len(YES)])
def test_an_answer_may_come_in_pieces(dialogue: ApiDialogue, size: int) -> None:
    dialogue.begin(FIRST)
    write(dialogue)
    said = [one for at in range(0, len(YES), size) for one in dialogue.hear(YES[at : at + size])]
    assert said == [Ended(FIRST, TAKEN)]
    assert takes(dialogue)


def test_an_answer_in_chunks_is_read(dialogue: ApiDialogue) -> None:
    body = b'{"id": "n", "message": "Queued. Thank you."}'
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(body[at : at + 9]), body[at : at + 9]) for at in range(0, len(body), 9))
    dialogue.begin(FIRST)
    write(dialogue)
    assert dialogue.hear(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks) == []
    assert dialogue.hear(b"0\r\n\r\n") == [Ended(FIRST, TAKEN)]


def test_an_answer_that_ends_with_the_line_is_whole_and_ends_the_dialogue(dialogue: ApiDialogue) -> None:
    dialogue.begin(FIRST)
    write(dialogue)
    assert dialogue.hear(b'HTTP/1.1 200 OK\r\n\r\n{"id": "n", "message": "Queued. Thank you."}') == []
    assert dialogue.hear_end() == [Ended(FIRST, TAKEN)]
    assert not dialogue.is_usable


def test_what_is_said_on_the_way_is_no_answer(dialogue: ApiDialogue) -> None:
    dialogue.begin(FIRST)
    write(dialogue)
    assert dialogue.hear(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n") == []
    assert dialogue.hear(YES) == [Ended(FIRST, TAKEN)]


def test_a_letter_waits_on_a_busy_line_and_asks_when_the_one_before_it_has_ended(dialogue: ApiDialogue) -> None:
    """Its fence is asked for with the result of the first, never before it (RELIABILITY §4.3)."""
    proved(dialogue)
    assert dialogue.begin(SECOND) == [asks(SECOND)]
    assert not takes(dialogue), "the fence of the one before comes first"
    write(dialogue)
    assert takes(dialogue)
    assert dialogue.begin(THIRD) == []
    assert not takes(dialogue)
    assert dialogue.hear(YES) == [Ended(SECOND, TAKEN), asks(THIRD)]
    assert dialogue.outgoing == b""
    write(dialogue)
    assert dialogue.hear(YES) == [Ended(THIRD, TAKEN)]


def test_a_line_that_was_never_kept_open_takes_one_letter_at_a_time(dialogue: ApiDialogue) -> None:
    """A provider that ends each line with its answer would cost every second letter an attempt."""
    dialogue.begin(FIRST)
    write(dialogue)
    assert not takes(dialogue)


def test_a_letter_does_not_wait_on_a_busy_line_while_another_is_free(dialogue: ApiDialogue, api: Api) -> None:
    proved(dialogue)
    other = ApiDialogue(api)
    dialogue.begin(SECOND)
    write(dialogue)
    assert takes(other)
    assert not takes(dialogue)
    other.begin(THIRD)
    assert takes(dialogue)
    other.break_off("gone")
    assert takes(dialogue)


@pytest.mark.parametrize("closes", [b"Connection: close\r\n", b""])
def test_a_letter_that_waited_on_a_line_that_ends_was_not_sent(dialogue: ApiDialogue, closes: bytes) -> None:
    proved(dialogue)
    dialogue.begin(SECOND)
    write(dialogue)
    dialogue.begin(THIRD)
    lost = Ended(THIRD, NotSent("the line ended before the request"))
    if closes:
        last = YES.replace(b"\r\n\r\n", b"\r\n" + closes + b"\r\n", 1)
        assert dialogue.hear(last) == [Ended(SECOND, TAKEN), lost]
    else:
        unclear = Ended(SECOND, Ambiguous("no answer to the request: the provider hung up"))
        assert dialogue.hear_end() == [unclear, lost]
    assert not dialogue.is_usable


def test_too_much_lets_no_line_begin_for_a_moment(dialogue: ApiDialogue, api: Api) -> None:
    other = ApiDialogue(api)
    dialogue.begin(FIRST)
    write(dialogue)
    said = dialogue.hear(answered(429, b'{"message": "later"}', {"Retry-After": "3600"}))
    assert said == [Ended(FIRST, Deferred(429, "later", wait_for=3600))]
    assert not takes(dialogue)
    assert not takes(other)
    assert 4 < api.quiet_for <= 5, "a line that rests for longer would keep a worker from ending"


def test_a_refused_fence_leaves_the_line_open(dialogue: ApiDialogue) -> None:
    dialogue.begin(FIRST)
    assert dialogue.refuse_dot() == [Ended(FIRST, NotSent("stopped before the request"))]
    assert takes(dialogue)
    assert dialogue.outgoing == b""


def test_a_request_that_cannot_be_written_fails_before_its_fence(
    dialogue: ApiDialogue, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever drives the line ends such a letter as not sent; the line goes on."""
    composed = api.compose(FIRST)
    assert isinstance(composed, Composed)
    composed.request.headers["Authorization"] = "two\r\nlines"
    with monkeypatch.context() as patched:
        patched.setattr(api, "compose", lambda _message: composed)
        with pytest.raises(h11.LocalProtocolError):
            dialogue.begin(FIRST)
    assert dialogue.begin(SECOND) == [asks(SECOND)]


def test_an_answer_that_we_cannot_judge_is_unclear(
    dialogue: ApiDialogue, api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A defect of ours must leave no letter without an ending, and tell no address."""

    def fail(*_args: object) -> None:
        raise KeyError(FIRST.envelope_to)

    monkeypatch.setattr(Api, "_judged", fail)
    dialogue.begin(FIRST)
    write(dialogue)
    assert dialogue.hear(YES) == [Ended(FIRST, Ambiguous("our side failed"))]
    assert "KeyError" in caplog.text
    assert FIRST.envelope_to not in caplog.text


def test_a_letter_behind_one_that_is_not_answered_is_given_back(dialogue: ApiDialogue) -> None:
    """Another line may have it; nothing more waits behind that one."""
    proved(dialogue)
    assert dialogue.silent_for == 0.0
    dialogue.begin(SECOND)
    write(dialogue)
    dialogue.begin(THIRD)
    assert dialogue.silent_for >= 0.0
    assert dialogue.let_go_of_next() == THIRD
    assert not takes(dialogue)
    assert dialogue.let_go_of_next() is None
    assert dialogue.hear(YES) == [Ended(SECOND, TAKEN)]
    assert takes(dialogue)
