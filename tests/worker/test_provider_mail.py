"""What a provider is asked to send: the letter as it was composed, to one address, and nothing watched."""

import email.policy
import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from email.parser import BytesHeaderParser

import pytest
from anymail.exceptions import AnymailUnsupportedFeature
from anymail.utils import parse_address_list
from hypothesis import given
from hypothesis import strategies as st

from config import providers
from letters.composing import Message
from letters.endings import Accepted, NotSent, Refused
from tests.worker.fake_provider import KEY, FakeProvider, Mail
from tests.worker.provider_lines import ESPS, INSTALLED, a_letter, a_line, send
from worker.transports.provider import ProviderLine, api_of
from worker.transports.provider.facts import FACTS, Headers
from worker.transports.provider.mail import ready
from worker.transports.provider.verdicts import _JUDGES

TYPED = (
    "It is {{ 7*7 }}, {% if x %}, {$x}, [[var:x]], *|X|*, %recipient.x%, %unsubscribe_url%, <%x%> and "
    "__unsubscribe_url__."
)
REFERENCE = re.compile(r"[0-9a-f]+-[0-9a-f]{32}\Z")


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    """Return providers that take everything."""
    with FakeProvider() as provider:
        yield provider


def taken_by(provider: FakeProvider, esp: str, message: Message, **options: str) -> Mail:
    """Hand a letter over; return what the provider was asked to send."""
    ending = send(a_line(provider, esp, options=options), message)
    assert isinstance(ending, Accepted), ending
    assert ending.provider_id, "each provider names what it took"
    assert len(provider.taken) == 1
    return provider.taken[0]


def test_each_provider_is_known_to_settings_and_line_alike() -> None:
    """Two tables, because the settings may not import the worker."""
    assert set(FACTS) == set(providers.PROVIDERS)
    assert set(_JUDGES) == set(FACTS) - {"postmark"}
    for esp, facts in FACTS.items():
        assert facts.is_told_not_to_track is providers.PROVIDERS[esp].is_told_not_to_track, esp


@pytest.mark.parametrize("esp", INSTALLED)
def test_a_letter_reaches_each_provider_as_it_was_written(provider: FakeProvider, esp: str) -> None:
    """Real Anymail backends, the provider's own request, one address."""
    message = a_letter(text="Grüße aus Leipzig.\n\n.\n  Қазақстан\nFrom here", subject="Жаңаөзен: the strike")
    mail = taken_by(provider, esp, message)
    assert mail.to == message.envelope_to
    assert "letter@letters.postbag.example" in mail.sender
    assert mail.subject == "Жаңаөзен: the strike"
    assert mail.text == "Grüße aus Leipzig.\n\n.\n  Қазақстан\nFrom here\n"
    assert "dana@mail.example" in mail.reply_to
    assert REFERENCE.match(mail.delivery)
    assert mail.delivery in message.envelope_from


@pytest.mark.parametrize("esp", INSTALLED)
def test_our_headers_travel_as_far_as_the_provider_lets_them(provider: FakeProvider, esp: str) -> None:
    mail = taken_by(provider, esp, a_letter())
    allowed = FACTS[esp].headers
    assert ("x-postbag-delivery" in mail.headers) is (allowed is not Headers.NONE)
    assert ("message-id" in mail.headers) is (allowed is Headers.ALL)
    assert ("date" in mail.headers) is (allowed is Headers.ALL)
    if allowed is not Headers.NONE:
        assert mail.headers["x-postbag-delivery"] == mail.delivery
    if allowed is Headers.ALL:
        assert mail.headers["message-id"] == f"<{mail.delivery}@letters.postbag.example>"
        assert mail.headers["date"] == "Wed, 23 Nov 2011 10:00:00 +0000"


@pytest.mark.parametrize("esp", [esp for esp in INSTALLED if FACTS[esp].is_told_not_to_track])
def test_opens_and_clicks_are_told_not_to_be_watched(provider: FakeProvider, esp: str) -> None:
    """Who reads a letter, and when, is nobody's business (RELIABILITY §9)."""
    mail = taken_by(provider, esp, a_letter())
    assert mail.opens in {False, "no", "disabled"}
    assert mail.opens is not None
    assert mail.clicks in {False, "no", "disabled", "None"}
    assert mail.clicks is not None


@pytest.mark.parametrize("esp", [esp for esp in INSTALLED if not FACTS[esp].is_told_not_to_track])
def test_where_nothing_is_said_of_tracking_anymail_could_not_say_it(provider: FakeProvider, esp: str) -> None:
    """So that this table learns when Anymail does."""
    backend = api_of(a_line(provider, esp)._account)._backend
    mail = ready(a_letter(), FACTS[esp], switches=frozenset()).mail
    mail.track_opens = False
    with pytest.raises(AnymailUnsupportedFeature, match="track_opens"):
        backend.request(mail)


@pytest.mark.parametrize("esp", INSTALLED)
def test_what_looks_like_a_provider_s_own_mark_is_read_as_typed(provider: FakeProvider, esp: str) -> None:
    """RELIABILITY B19: a text is never a template, not at the provider either."""
    mail = taken_by(
        provider, esp, a_letter(text=f"{{{{{{{{ {TYPED}", subject=f"Read: {TYPED}", sender=f"{TYPED} via us")
    )
    for mark in FACTS[esp].marks:
        for text in (mail.text, mail.subject, mail.sender, str(provider.requests[0].document)):
            assert mark not in text, (mark, text)
    assert re.sub(r"\s", "", mail.text) == re.sub(r"\s", "", f"{{{{{{{{ {TYPED}"), "nothing but a blank came in"
    if not FACTS[esp].marks:
        assert TYPED in mail.text


def test_a_provider_that_wants_html_gets_the_same_words_and_nothing_else(provider: FakeProvider) -> None:
    """Brevo refuses mail without an HTML part."""
    taken_by(provider, "brevo", a_letter(text='1 < 2 & "3"\n\n<script>alert(1)</script>'))
    told = provider.requests[0].document
    body = told["htmlContent"].split("<body>")[1].split("</body>")[0]
    assert body.strip() == "1 &lt; 2 &amp; &quot;3&quot;<br>\n<br>\n&lt;script&gt;alert(1)&lt;/script&gt;"
    assert "http" not in told["htmlContent"]
    assert told["textContent"] == '1 < 2 & "3"\n\n<script>alert(1)</script>\n'


@pytest.mark.parametrize("esp", ["resend", "brevo"])
def test_a_repetition_of_the_same_bytes_carries_the_same_key_and_other_bytes_another(
    provider: FakeProvider, esp: str
) -> None:
    for message in (a_letter(), a_letter(), a_letter(8), a_letter(text="Other words than before.")):
        assert isinstance(send(a_line(provider, esp), message), Accepted)
    keys = [
        request.headers.get("idempotency-key") or request.document["headers"]["idempotencyKey"]
        for request in provider.requests
    ]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3
    if esp == "brevo":
        assert all(str(uuid.UUID(key)) == key for key in keys), "Brevo wants a UUID"
    else:
        assert keys[0] == f"{provider.taken[0].delivery}-{a_letter().digest}"
        assert len(keys[0]) <= 256
        assert provider.folded == 1
        assert len(provider.taken) == 3, "the repetition was folded"


@pytest.mark.parametrize("esp", [esp for esp in INSTALLED if not FACTS[esp].folds])
def test_no_key_is_sent_to_a_provider_that_does_not_know_it(provider: FakeProvider, esp: str) -> None:
    taken_by(provider, esp, a_letter())
    assert "idempoten" not in str(provider.requests[0]).lower()


def test_a_mail_to_a_supporter_carries_its_own_headers_and_no_delivery(provider: FakeProvider) -> None:
    """Its number is a notice's: as a delivery's reference it would be believed of another letter."""
    data = (
        b"From: Oil Workers' Aid <confirm@letters.postbag.example>\r\nTo: dana@mail.example\r\nSubject: Confirm\r\n"
        b"Date: Wed, 23 Nov 2011 10:00:00 +0000\r\nMessage-ID: <notice-7@letters.postbag.example>\r\n"
        b"Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n"
        b'Content-Type: text/plain; charset="utf-8"\r\n\r\n123456\r\n'
    )
    mail = taken_by(provider, "mailgun", Message(7, "confirm@letters.postbag.example", "dana@mail.example", data, "d"))
    assert mail.delivery == ""
    assert mail.headers["auto-submitted"] == "auto-generated"
    assert mail.headers["x-auto-response-suppress"] == "All"
    assert mail.text == "123456\n"


@pytest.mark.parametrize(
    ("esp", "path", "value"),
    [
        ("mailjet", ("Globals", "Sender", "Email"), "return-"),
        ("sparkpost", ("return_path",), "return-"),
        ("mandrill", ("message", "return_path_domain"), "letters.postbag.example"),
    ],
)
def test_the_return_path_is_ours_where_the_account_allows_it(
    provider: FakeProvider, esp: str, path: tuple[str, ...], value: str
) -> None:
    taken_by(provider, esp, a_letter(), envelope_sender="yes")
    told = provider.requests[0].document
    for name in path:
        told = told[name]
    assert str(told).startswith(value)


def test_the_sender_domain_of_mailgun_is_the_one_that_was_named(provider: FakeProvider) -> None:
    taken_by(provider, "mailgun", a_letter(), sender_domain="mg.letters.example")
    assert provider.requests[0].path == "/mailgun/mg.letters.example/messages"


@pytest.mark.parametrize(
    ("esp", "options", "path", "value"),
    [
        ("postmark", {"message_stream": "letters"}, ("MessageStream",), "letters"),
        ("scaleway", {"region": "nl-ams"}, ("project_id",), "user"),
        ("sparkpost", {}, ("options", "transactional"), True),
        ("mandrill", {}, ("message", "view_content_link"), False),
        ("mailersend", {}, ("settings", "track_content"), False),
        ("unisender-go", {"skip_unsubscribe": "yes"}, ("message", "skip_unsubscribe"), 1),
    ],
)
def test_what_the_address_says_reaches_the_provider(
    provider: FakeProvider, esp: str, options: dict[str, str], path: tuple[str, ...], value: object
) -> None:
    taken_by(provider, esp, a_letter(), **options)
    told = provider.requests[0].document
    for name in path:
        told = told[name]
    assert told == value


def test_an_account_that_may_set_headers_at_mailersend_does(provider: FakeProvider) -> None:
    mail = taken_by(provider, "mailersend", a_letter(), custom_headers="yes")
    assert mail.headers["x-postbag-delivery"] == mail.delivery


def test_the_key_travels_in_the_provider_s_own_header_alone(provider: FakeProvider) -> None:
    taken_by(provider, "postmark", a_letter())
    request = provider.requests[0]
    assert [name for name, value in request.headers.items() if KEY in value] == ["x-postmark-server-token"]
    assert KEY.encode() not in request.body
    assert KEY not in request.path


@pytest.mark.parametrize("esp", ["scaleway", "mailgun"])
def test_an_address_that_a_provider_cannot_take_ends_without_a_request(provider: FakeProvider, esp: str) -> None:
    """RELIABILITY B95: it fails, it does not go round for ever."""
    message = a_letter()
    strange = Message(7, message.envelope_from, "büro@northland.example", message.data, message.digest)
    ending = send(a_line(provider, esp), strange)
    if esp == "scaleway":
        assert ending == Refused(553, "5.6.7 scaleway cannot take an address outside ASCII")
        assert provider.requests == []
    else:
        assert isinstance(ending, Accepted), "others may deliver it, or say no themselves"


def test_what_a_provider_cannot_be_told_holds_the_letter(provider: FakeProvider) -> None:
    """Nothing is left out in silence: Postmark knows no return path of ours."""
    account = replace(a_line(provider, "postmark")._account, switches=frozenset({"envelope_sender"}))
    ending = send(ProviderLine(account))
    assert ending == NotSent("postmark cannot be told all of this letter", hold=True)
    assert provider.requests == []


@given(
    sender=st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=60),
    to_name=st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=60),
)
def test_no_name_ever_becomes_an_address(sender: str, to_name: str) -> None:
    """Quotes, commas, brackets, other scripts: what Anymail reads is the one address, and the name as it was."""
    try:
        message = a_letter(sender=sender, to_name=to_name)
    except ValueError:
        return  # composing refuses what it could not say
    mail = ready(message, FACTS["mailgun"], switches=frozenset()).mail
    (to,) = parse_address_list(mail.to)
    (origin,) = parse_address_list([mail.from_email])
    assert to.addr_spec == message.envelope_to
    assert origin.addr_spec == "letter@letters.postbag.example"
    assert mail.recipients() == [mail.to[0]]
    composed = BytesHeaderParser(policy=email.policy.default).parsebytes(message.data)
    for read, header in ((to, composed["To"]), (origin, composed["From"])):
        assert read.display_name.split() == header.addresses[0].display_name.split()


def test_every_provider_is_tried() -> None:
    """Only Amazon's needs a package that is not among the requirements; its tests are beside these."""
    assert set(ESPS) - set(INSTALLED) == {"amazon-ses"}
    assert len(ESPS) == 14
