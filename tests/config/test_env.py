"""Settings that are wrong stop the start with one sentence: what, why, and the cure."""

import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env
from tests.worker.processes import environment, manage

SHORT = "too short"
WRONG: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "a port that is a word": ({"PORT": "abc"}, ("PORT", "abc", "1 to 65535")),
    "port nought": ({"PORT": "0"}, ("PORT", "1 to 65535")),
    "a port beyond the last": ({"PORT": "65536"}, ("PORT", "1 to 65535")),
    "no worker": ({"WORKERS": "0"}, ("WORKERS", "1 to 64")),
    "no connection": ({"CONNECTIONS": "-1"}, ("CONNECTIONS", "1 to 64")),
    "a lease of no time": ({"LEASE_SECONDS": "0"}, ("LEASE_SECONDS",)),
    "a database we do not know": ({"DATABASE_URL": "mysql://u:p@h/db"}, ("DATABASE_URL", "postgres://")),
    "a database address that is none": ({"DATABASE_URL": "somewhere"}, ("DATABASE_URL", "postgres://")),
    "a mail server we do not know": ({"EMAIL_URL": "foo://h"}, ("EMAIL_URL", "smtp://")),
    "a mail server without a host": ({"EMAIL_URL": "smtp://"}, ("EMAIL_URL", "smtp://")),
    "a mail server with a wrong port": ({"EMAIL_URL": "smtp://h:99999"}, ("EMAIL_URL", "port", "smtp://")),
    "a mail server with half an address": ({"EMAIL_URL": "smtp://[::1"}, ("EMAIL_URL", "smtp://")),
    "a mail server for supporters": ({"SUPPORTER_EMAIL_URL": "foo://h"}, ("SUPPORTER_EMAIL_URL", "smtp://")),
    "a key that is too short": ({"SECRET_KEY": SHORT}, ("SECRET_KEY", "32 characters", "secrets.token_urlsafe")),
    "a master key that is too short": ({"MASTER_KEY": SHORT}, ("MASTER_KEY", "32 characters")),
    "a pepper that is too short": ({"PEPPER": SHORT}, ("PEPPER", "32 characters")),
    "no key with a database of one's own": (
        {"SECRET_KEY": "", "DATABASE_URL": "postgres://u:p@127.0.0.1:1/db"},
        ("SECRET_KEY", "all hosts", "token_urlsafe"),
    ),
    "a file that is not there": ({"SECRET_KEY_FILE": "/nowhere/key"}, ("SECRET_KEY_FILE", "/nowhere/key", "path")),
    "a file that is a directory": ({"SECRET_KEY_FILE": "/"}, ("SECRET_KEY_FILE", "path")),
    "a file that is no text": ({"SECRET_KEY_FILE": sys.executable}, ("SECRET_KEY_FILE", "text")),
    "an address without a scheme": ({"BASE_URL": "letters.example.org"}, ("BASE_URL", "https://")),
    "an address with a path": ({"BASE_URL": "https://letters.example.org/x"}, ("BASE_URL", "https://")),
    "half an address": ({"BASE_URL": "https://[::1"}, ("BASE_URL", "https://")),
    "a log level we do not know": ({"LOG_LEVEL": "loud"}, ("LOG_LEVEL", "WARNING")),
    "a rehearsal with a real mail server": (
        {"REHEARSAL": "yes", "EMAIL_URL": "smtp://mx.nowhere.invalid"}, ("rehearsal", "127.0.0.1"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("wrong", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_setting_stops_the_start_with_one_sentence(
    tmp_path: Path, wrong: dict[str, str], words: tuple[str, ...]
) -> None:
    """It names the setting and the cure; no traceback, and nothing secret."""
    done = manage("check", env=environment(tmp_path, **wrong))
    assert done.returncode != 0
    assert done.stderr.startswith("Postbag does not start: ")
    assert done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert SHORT not in done.stderr
    assert "u:p@" not in done.stderr


@pytest.mark.slow  # it starts Python anew
def test_good_settings_start(tmp_path: Path) -> None:
    """The same command, with nothing wrong: otherwise the tests above would prove little."""
    done = manage("check", env=environment(tmp_path, PORT="8123", WORKERS="3", BASE_URL="https://letters.example.org/"))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("smtp://mx.example.org", ("mx.example.org", 25, "plain", "", "")),
        ("smtp+starttls://a:b@mx.example.org", ("mx.example.org", 587, "starttls", "a", "b")),
        ("smtps://a%40x.example:p%2Fw@mx.example.org:2465", ("mx.example.org", 2465, "tls", "a@x.example", "p/w")),
        ("smtp://[::1]:2525", ("::1", 2525, "plain", "", "")),
    ],
)
def test_a_mail_server_s_address_is_read(raw: str, expected: tuple[str, int, str, str, str]) -> None:
    """Scheme, usual port, and a name and password that were quoted."""
    found = env.mail_server("EMAIL_URL", source={"EMAIL_URL": raw})
    assert isinstance(found, env.MailServerAddress)
    assert (found.host, found.port, found.security, found.username, found.password) == expected


@pytest.mark.parametrize(
    ("host", "stays"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("10.0.0.1", False),
     ("localhost.example.org", False), ("127.0.0.1.example.org", False)],
)  # fmt: skip
def test_only_loopback_stays_on_this_machine(host: str, stays: bool) -> None:
    """A rehearsal trusts this."""
    assert env.MailServerAddress(host, 25, "plain").is_loopback is stays


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    """As container platforms hand them out; the file wins, its last newline does not count."""
    file = tmp_path / "key"
    file.write_text("from the file\n", encoding="utf-8")
    assert env.text("KEY", source={"KEY": "from the environment", "KEY_FILE": str(file)}) == "from the file"


def test_a_key_is_made_once_and_kept_for_us_alone(tmp_path: Path) -> None:
    """Two processes that start at once agree on one."""
    directory = tmp_path / "data"
    first = env.kept_secret("SECRET_KEY", directory, required=False, source={})
    assert len(first) >= 48
    assert env.kept_secret("SECRET_KEY", directory, required=False, source={}) == first
    (kept,) = directory.iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert directory.stat().st_mode & 0o777 == 0o700


def test_a_key_is_never_made_up_for_several_hosts(tmp_path: Path) -> None:
    """Each host would have another, and none could read the others' letters."""
    with pytest.raises(ImproperlyConfigured, match="all hosts"):
        env.kept_secret("SECRET_KEY", tmp_path / "data", required=True, source={})
    assert not (tmp_path / "data").exists()
