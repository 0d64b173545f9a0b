"""The addresses of mail providers: read strictly, and shown to nobody."""

import logging
from pathlib import Path
from unittest import mock

import anymail.backends
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from config import env, providers
from tests.worker.fake_provider import KEY
from tests.worker.processes import environment, manage, python
from tests.worker.provider_lines import ESPS, INSTALLED, address

HIDDEN = "hidden-4711"
WRONG: dict[str, tuple[str, tuple[str, ...]]] = {
    "a provider we do not know": (f"anymail+mailpigeon://:{HIDDEN}@/", ("amazon-ses", "mailgun", "unisender-go")),
    "an old name": (f"anymail+sendinblue://:{HIDDEN}@/", ("brevo",)),
    "Anymail's own test backend": (f"anymail+test://:{HIDDEN}@/", ("brevo",)),
    "no key": ("anymail+mailgun://", ("api_key", "anymail+mailgun://:API_KEY@/")),
    "a key before the colon": (f"anymail+mailgun://{HIDDEN}@/", ("api_key", "anymail+mailgun://:API_KEY@/")),
    "two keys where there is one": (f"anymail+mailgun://a:{HIDDEN}@/", ("before the colon",)),
    "one key where there are two": (f"anymail+mailjet://:{HIDDEN}@/", ("api_key", "API_KEY:SECRET_KEY@")),
    "a host": (f"anymail+mailgun://:{HIDDEN}@api.mailgun.example/", ("api_url",)),
    "a port": (f"anymail+mailgun://:{HIDDEN}@:x/", ("%2F",)),
    "a key with a slash": (f"anymail+mailgun://:{HIDDEN}/x@/", ("%2F",)),
    "a key with a sign that begins a fragment": (f"anymail+mailgun://:{HIDDEN}#x@/", ("%2F", "%23")),
    "a key with a question mark": (f"anymail+mailgun://:{HIDDEN}?x@/", ("%2F",)),
    "a key with a blank": (f"anymail+mailgun://:{HIDDEN}%20@/", ("Copy it again",)),
    "a key with a line break": (f"anymail+mailgun://:{HIDDEN}%0A@/", ("Copy it again",)),
    "a key outside ASCII": (f"anymail+mailgun://:{HIDDEN}%C3%A9@/", ("Copy it again",)),
    "half an address": (f"anymail+mailgun://:{HIDDEN}@[::1/", ("%2F",)),
    "a path": (f"anymail+mailgun://:{HIDDEN}@/v3", ("api_url",)),
    "an option it does not know": (f"anymail+mailgun://:{HIDDEN}@/?{HIDDEN}=x", ("api_url, sender_domain",)),
    "another's option": (f"anymail+mailgun://:{HIDDEN}@/?message_stream=x", ("api_url, sender_domain",)),
    "one of Anymail's that would show the key": (f"anymail+mailgun://:{HIDDEN}@/?debug_api_requests=1", ("Known are",)),
    "an option twice": (f"anymail+mailgun://:{HIDDEN}@/?sender_domain=a&sender_domain=b", ("twice",)),
    "an option without a value": (f"anymail+mailgun://:{HIDDEN}@/?sender_domain", ("does not know",)),
    "an empty option": (f"anymail+mailgun://:{HIDDEN}@/?sender_domain=", ("sender_domain",)),
    "an API that is no web address": (f"anymail+mailgun://:{HIDDEN}@/?api_url=ftp://x", ("api_url", "https://")),
    "an API with a key in it": (f"anymail+mailgun://:{HIDDEN}@/?api_url=https://{HIDDEN}@x/", ("api_url",)),
    "an API with half an address": (f"anymail+mailgun://:{HIDDEN}@/?api_url=https://[::1", ("api_url",)),
    "an API with a wrong port": (f"anymail+mailgun://:{HIDDEN}@/?api_url=https://x:y/", ("api_url",)),
    "an API that is a template": (f"anymail+scaleway://p:{HIDDEN}@/?api_url=https://x/{{y}}/", ("api_url",)),
    "no API where there are many": (f"anymail+postal://:{HIDDEN}@/", ("api_url", "postal")),
    "no API where there are two": (f"anymail+unisender-go://:{HIDDEN}@/", ("api_url",)),
    "a switch that is neither": (f"anymail+mailjet://a:{HIDDEN}@/?envelope_sender=perhaps", ("yes or no",)),
}


@pytest.mark.parametrize(("raw", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_address_is_refused_with_a_cure_and_without_its_key(raw: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        env.mail_server("EMAIL_URL", source={"EMAIL_URL": raw})
    said = str(refused.value)
    assert said.startswith("EMAIL_URL ")
    for word in words:
        assert word in said
    assert HIDDEN not in said
    assert "anymail+" in said, "it shows how such an address is written"
    assert refused.value.__cause__ is None or HIDDEN not in str(refused.value.__cause__)


@pytest.mark.parametrize("esp", INSTALLED)
def test_every_provider_s_example_is_an_address_that_is_read(esp: str) -> None:
    read = providers.read("EMAIL_URL", providers.example(esp))
    assert read.esp == esp
    assert read.backend == f"anymail.backends.{esp.replace('-', '_')}.EmailBackend"


@pytest.mark.parametrize("esp", INSTALLED)
@pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailNotSupportedWarning")
def test_anymail_is_reached_where_it_would_look_by_itself(esp: str) -> None:
    """Its own addresses stand in our table too, so that two accounts of one provider never mix."""
    provider = providers.PROVIDERS[esp]
    read = providers.read("EMAIL_URL", providers.example(esp))
    told = import_string(provider.backend)(**read.options)
    assert told.esp_name.upper().replace(" ", "_") == provider.prefix
    if not provider.api_url:
        return
    by_itself = import_string(provider.backend)(
        **{name: value for name, value in read.options.items() if name != "api_url"}
    )
    assert told.api_url == by_itself.api_url


def test_every_provider_of_anymail_is_known() -> None:
    """So that an update of Anymail that brings another one is noticed."""
    found = {path.stem.replace("_", "-") for path in Path(anymail.backends.__path__[0]).glob("*.py")}
    others = {"--init--", "base", "base-requests", "console", "test", "sendinblue"}  # the last: Brevo's former name
    assert found - others == set(providers.PROVIDERS)


def test_signs_in_a_key_are_unquoted_once() -> None:
    read = providers.read("EMAIL_URL", "anymail+mailgun://:a%2Fb%2525%40c@/?sender_domain=mg.letters.example")
    assert read.options["api_key"] == "a/b%25@c"
    assert read.options["sender_domain"] == "mg.letters.example"
    assert read.secrets == ("a/b%25@c",)


def test_mailtrap_s_sandbox_is_reached_at_its_own_address() -> None:
    read = providers.read("EMAIL_URL", "anymail+mailtrap://:k@/?sandbox_id=7")
    assert read.options["api_url"] == "https://sandbox.api.mailtrap.io/api/"


def test_an_address_shows_no_secret() -> None:
    read = providers.read("EMAIL_URL", f"anymail+mailjet://{HIDDEN}-1:{HIDDEN}@/")
    assert HIDDEN not in repr(read)
    assert HIDDEN not in str(read)
    assert read.secrets == (f"{HIDDEN}-1", HIDDEN)


def test_amazon_without_its_package_names_the_cure() -> None:
    with (
        mock.patch("importlib.util.find_spec", return_value=None),
        pytest.raises(ImproperlyConfigured, match="pip install boto3"),
    ):
        providers.read("EMAIL_URL", f"anymail+amazon-ses://id:{HIDDEN}@/?region=eu-central-1")


def test_amazon_takes_keys_or_the_machine_s_own_role() -> None:
    with mock.patch("importlib.util.find_spec"):
        named = providers.read("EMAIL_URL", "anymail+amazon-ses://id:secret@/?region=eu-central-1")
        role = providers.read("EMAIL_URL", "anymail+amazon-ses:///?configuration_set_name=letters")
        with pytest.raises(ImproperlyConfigured, match="secret_access_key"):
            providers.read("EMAIL_URL", "anymail+amazon-ses://id@/")
    assert named.options["session_params"] == {
        "aws_access_key_id": "id", "aws_secret_access_key": "secret", "region_name": "eu-central-1",
    }  # fmt: skip
    assert role.options == {"session_params": {}, "client_params": {}, "configuration_set_name": "letters"}


SHOW = """
from django.conf import settings
from django.core import mail
print(settings.EMAIL_BACKEND, settings.MAIL_SERVER, settings.SUPPORTER_MAIL_SERVER)
connection = mail.get_connection()
print(connection.api_key, connection.api_url, connection.send_defaults)
"""


@pytest.mark.slow  # it starts Python anew
def test_sign_in_mail_takes_the_supporters_provider(tmp_path: Path) -> None:
    key = tmp_path / "address"
    key.write_text(address("mailgun", "http://127.0.0.1:9/mailgun/") + "\n", encoding="utf-8")
    env = environment(tmp_path / "data", EMAIL_URL="anymail+postmark://:another@/", SUPPORTER_EMAIL_URL_FILE=str(key))
    said = python(SHOW, env=env)
    assert "anymail.backends.mailgun.EmailBackend" in said.splitlines()[0]
    assert KEY not in said.splitlines()[0]
    assert said.splitlines()[1] == (
        f"{KEY} http://127.0.0.1:9/mailgun/ {{'track_opens': False, 'track_clicks': False}}"
    )


def test_a_rehearsal_sends_to_no_provider(tmp_path: Path) -> None:
    """Not even to one that is said to be on this machine: its business is to pass mail on."""
    for name in ("EMAIL_URL", "SUPPORTER_EMAIL_URL"):
        raw = address("mailgun", "http://127.0.0.1:9/mailgun/")
        done = manage("check", env=environment(tmp_path / name, REHEARSAL="yes", **{name: raw}))
        assert done.returncode != 0
        assert "rehearsal" in done.stderr
        assert KEY not in done.stderr


def test_a_wrong_address_stops_the_start_with_one_sentence(tmp_path: Path) -> None:
    done = manage("check", env=environment(tmp_path, EMAIL_URL=f"anymail+mailpigeon://:{HIDDEN}@/"))
    assert done.returncode != 0
    assert done.stderr.startswith("Postbag does not start: EMAIL_URL names a mail provider that is not known.")
    assert done.stderr.count("\n") == 1
    assert HIDDEN not in done.stderr


def test_what_boto3_would_log_of_letters_is_not_logged() -> None:
    """At DEBUG it writes whole requests."""
    assert logging.getLogger("botocore.endpoint").getEffectiveLevel() >= logging.WARNING


def test_all_fourteen_are_there() -> None:
    assert len(ESPS) == 14
