"""Amazon SES: the very bytes, signed by boto3, over the same watched connections as every other provider."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from letters.endings import Accepted, Ambiguous, Deferred, NotSent, Refused
from tests.worker.fake_provider import KEY, Act, FakeProvider, honest, says
from tests.worker.provider_lines import a_letter, a_line, a_line_to, send
from worker.transports import LineDown
from worker.transports.provider import ProviderLine
from worker.transports.provider.backends import AmazonBackend

pytest.importorskip("boto3", reason="boto3 is no requirement of Postbag's")
ESP = "amazon-ses"
FAULT = {"x-amzn-ErrorType": "BadRequestException"}


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3 find no credentials, and ask nobody for them."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    """Return an Amazon that is honest until a test scripts it."""
    with FakeProvider() as provider:
        yield provider
    AmazonBackend._made.clear()


def test_the_very_bytes_are_handed_over_with_the_delivery_named(provider: FakeProvider) -> None:
    message = a_letter(text="Grüße {{ 7*7 }}\n.\nFrom here")
    assert send(a_line(provider, ESP), message) == Accepted(200, "", "name-1")
    (mail,) = provider.taken
    assert mail.to == message.envelope_to
    head, body = mail.raw.split(b"\r\n\r\n", 1)
    composed_head, composed_body = message.data.split(b"\r\n\r\n", 1)
    assert body == composed_body
    assert head == composed_head + b'\r\nX-Metadata: {"delivery": "' + mail.delivery.encode() + b'"}'
    assert mail.delivery in message.envelope_from


def test_a_request_is_signed_and_shows_no_secret(provider: FakeProvider) -> None:
    send(a_line(provider, ESP))
    request = provider.requests[0]
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=user/")
    assert KEY not in str(request)


def test_the_return_path_and_the_configuration_set_are_named(provider: FakeProvider) -> None:
    options = {"envelope_sender": "yes", "configuration_set_name": "letters"}
    send(a_line(provider, ESP, options=options))
    told = provider.requests[0].document
    assert told["ConfigurationSetName"] == "letters"
    assert told["FeedbackForwardingEmailAddress"] == a_letter().envelope_from


def test_the_fence_comes_before_the_request_and_the_connection_before_the_fence(provider: FakeProvider) -> None:
    line = a_line(provider, ESP)
    assert line.send(a_letter(), allow=lambda: False) == NotSent("stopped before the request")
    assert provider.requests == []
    assert isinstance(line.send(a_letter(8), allow=lambda: True), Accepted)
    assert isinstance(send(line, a_letter(9)), Accepted)
    assert provider.connections == 1, "a letter that was stopped costs no connection"


def test_one_client_serves_all_lines_and_each_has_its_own_fence(provider: FakeProvider) -> None:
    allowed: dict[int, bool] = {number: number % 2 == 0 for number in range(1, 9)}
    ended: dict[int, object] = {}

    def carry(number: int) -> None:
        ended[number] = send(a_line(provider, ESP), a_letter(number), allow=lambda: allowed[number])

    threads = [threading.Thread(target=carry, args=(number,)) for number in allowed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {number: isinstance(ending, Accepted) for number, ending in ended.items()} == allowed
    assert {int(mail.delivery.split("-")[0], 16) for mail in provider.taken} == {2, 4, 6, 8}
    assert len(AmazonBackend._made) == 1


def test_nobody_there_is_a_line_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    line = a_line_to(f"http://127.0.0.1:{port}/", ESP)
    with pytest.raises(LineDown, match="refused"):
        line.open()
    with pytest.raises(LineDown, match="refused"):
        send(line)
    AmazonBackend._made.clear()


@pytest.mark.parametrize(
    "act",
    [Act(resets=True), Act(hangs_up=True), says(500, {"message": "oops"}, takes=True), says(502), says(504),
     says(200, b'{"Mess'), says(200, {"hello": "world"})],
    ids=["reset", "hung up", "500", "502", "504", "half JSON", "another JSON"],
)  # fmt: skip
def test_what_is_no_whole_answer_is_unclear_and_tried_once_only(provider: FakeProvider, act: Act) -> None:
    """boto3 by itself would have sent it up to four times."""
    provider.script = lambda _request: act
    assert isinstance(send(a_line(provider, ESP)), Ambiguous)
    assert len(provider.requests) == 1


def test_silence_is_unclear_within_its_time(provider: FakeProvider) -> None:
    provider.script = lambda _request: Act(waits_for=30)
    assert send(a_line(provider, ESP, seconds=0.6)) == Ambiguous("no answer to the request: no answer in time")


@pytest.mark.parametrize(
    ("status", "kind"), [(429, "TooManyRequestsException"), (503, "ServiceUnavailable"), (400, "ThrottlingException"),
                         (400, "LimitExceededException")],
)  # fmt: skip
def test_too_much_is_deferred(provider: FakeProvider, status: int, kind: str) -> None:
    provider.script = lambda _r: says(status, {"message": "Maximum rate"}, headers={"x-amzn-ErrorType": kind})
    assert send(a_line(provider, ESP)) == Deferred(status, "Maximum rate")
    assert len(provider.requests) == 1


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [(400, "MessageRejected", "Email address is not verified."), (400, "MailFromDomainNotVerifiedException", "no"),
     (403, "AccessDeniedException", "not authorized"), (400, "AccountSuspendedException", "suspended"),
     (400, "BadRequestException", "Duplicate header 'X'.")],
)  # fmt: skip
def test_our_own_faults_hold_the_letter(provider: FakeProvider, status: int, kind: str, words: str) -> None:
    provider.script = lambda _r: says(status, {"message": words}, headers={"x-amzn-ErrorType": kind})
    assert send(a_line(provider, ESP)) == NotSent(f"amazon-ses refuses our request ({status}): {words}", hold=True)


def test_an_address_that_amazon_does_not_take_fails_the_delivery(provider: FakeProvider) -> None:
    provider.script = lambda _r: says(400, {"message": "Illegal address"}, headers=FAULT)
    assert send(a_line(provider, ESP)) == Refused(400, "5.1.3 Illegal address")


def test_missing_credentials_hold_the_letter(provider: FakeProvider) -> None:
    account = a_line(provider, ESP)._account
    options = {**account.options, "session_params": {"region_name": "eu-central-1"}}
    ending = send(ProviderLine(replace(account, options=options)))
    assert ending == NotSent("amazon-ses cannot be asked: Unable to locate credentials", hold=True)
    assert provider.requests == []


def test_a_yes_of_amazon_s_is_what_the_other_tests_build_on(provider: FakeProvider) -> None:
    provider.script = lambda request: honest(request, "another")
    assert send(a_line(provider, ESP)) == Accepted(200, "", "another")
