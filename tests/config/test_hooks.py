"""Who may tell us what became of letters: nobody without a proof, and nothing starts where that is forgotten."""

import sys
from pathlib import Path
from subprocess import run

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from config import checks, hooks
from config.hooks import INBOUND, TRACKING, WAYS, Hooks
from config.providers import PROVIDERS, ProviderAddress
from tests.web.hooks import mail_senders, senders
from tests.worker.processes import ROOT, environment
from web.hooks import doors

SECRET = senders.SECRET
TELL = [esp for esp, ways in WAYS.items() if ways.tells]


def test_every_provider_is_decided_on_and_tried_in_the_tests() -> None:
    assert WAYS.keys() == PROVIDERS.keys()
    assert sorted(TELL) == sorted(senders.ESPS)
    assert sorted(esp for esp, ways in WAYS.items() if INBOUND in ways.tells) == sorted(mail_senders.ESPS)
    assert sorted(esp for esp, ways in WAYS.items() if ways.signs or ways.may_sign) == sorted(
        set(senders.SIGNERS) - {"amazon-ses"}
    )


@pytest.mark.parametrize("esp", TELL)
def test_without_a_proof_no_hook_opens_and_the_cure_is_named(settings: Settings, esp: str) -> None:
    read = hooks.read(esp, "", "", None)
    assert not read.open
    (cure,) = read.unproved
    assert esp in cure
    assert ("HOOKS_KEYS" if WAYS[esp].signs else "HOOKS_SECRET") in cure
    settings.HOOKS = read
    (found,) = checks.proved_hooks()
    assert (found.id, found.msg) == ("postbag.E002", cure)
    with pytest.raises(ImproperlyConfigured, match=esp):
        checks.refuse_unproved_hooks()


@pytest.mark.parametrize("esp", TELL)
def test_the_provider_that_letters_leave_by_is_heard_only_with_a_proof_too(esp: str) -> None:
    address = ProviderAddress(esp, {})
    assert hooks.read("", "", "", address).unproved
    keys = " ".join(pair for pair in senders.keys().split() if pair.startswith(esp))
    opened = hooks.read("", SECRET, keys, address)
    assert opened.unproved == ()
    assert opened.open[esp, TRACKING].secret == SECRET
    assert hooks.read("none", "", "", address) == Hooks()


@pytest.mark.parametrize("esp", [esp for esp, ways in WAYS.items() if ways.signs])
def test_a_provider_that_always_signs_is_not_believed_for_name_and_password_alone(esp: str) -> None:
    assert not hooks.read(esp, SECRET, "", None).open


def test_one_that_signs_needs_no_name_and_password() -> None:
    opened = hooks.read("mailgun", "", f"mailgun={senders.KEY}", None).open
    assert {(one.esp, one.what, one.key, one.secret) for one in opened.values()} == {
        ("mailgun", TRACKING, senders.KEY, ""), ("mailgun", INBOUND, senders.KEY, ""),
    }  # fmt: skip


def test_mail_is_not_taken_from_one_that_signs_it_with_a_key_that_is_missing() -> None:
    assert set(hooks.read("mandrill", SECRET, "mandrill=k", None).open) == {("mandrill", TRACKING)}


def test_unisender_signs_with_the_key_of_its_api() -> None:
    opened = hooks.read("", "", "", ProviderAddress("unisender-go", {"api_key": "its-key"})).open
    assert opened["unisender-go", TRACKING].key == "its-key"


@pytest.mark.parametrize(
    ("names", "secret", "keys", "words"),
    [("mailpigeon", "", "", "Known are"), ("scaleway", "", "", "Known are"), ("none mailgun", "", "", "Known are"),
     ("postmark", "short:secret", "", "32 characters"), ("postmark", "x" * 40, "", "name:password"),
     ("postmark", ":" + "x" * 40, "", "name:password"), ("postmark", "hooks:ä" + "x" * 40, "", "name:password"),
     ("mailgun", "", "hidden-4711", "provider=KEY"), ("mailgun", "", "mailgun=", "provider=KEY"),
     ("mailgun", "", "mailgun=hidden-4711 mailgun=x", "twice"), ("mailgun", "", "mandrill=hidden-4711", "not name"),
     ("postmark", SECRET, "postmark=hidden-4711", "signs nothing"), ("mailgun", "", "mailgun=hidden-é", "provider=KEY"),
     ("mailgun", "", "mailgun-inbound=hidden-4711", "key")],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_without_showing_it(names: str, secret: str, keys: str, words: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=words) as refused:
        hooks.read(names, secret, keys, None)
    assert "hidden" not in str(refused.value)
    assert not secret or secret not in str(refused.value)


@pytest.mark.parametrize(
    ("esp", "key"), [("sendgrid", "AAAA"), ("postal", "no-key"), ("resend", "whsec_!!!"), ("resend", "whsec_c2hvcnQ=")]
)
def test_a_key_that_no_signature_can_be_checked_with_is_found_at_start(
    settings: Settings, esp: str, key: str
) -> None:
    settings.HOOKS = hooks.read(esp, "", f"{esp}={key}", None)
    (found,) = checks.proved_hooks()
    assert (found.id, esp in found.msg, key in found.msg) == ("postbag.E003", True, False)


def test_good_keys_are_good(settings: Settings) -> None:
    settings.HOOKS = hooks.read(" ".join(TELL), SECRET, senders.keys(), None)
    assert doors.unusable() == []
    assert checks.proved_hooks() == []
    checks.refuse_unproved_hooks()


def test_secrets_are_not_shown_where_hooks_are_printed() -> None:
    read = hooks.read(" ".join(TELL), SECRET, senders.keys(), None)
    assert SECRET not in repr(read)
    assert senders.KEY not in repr(read)


@pytest.mark.slow
def test_the_pages_do_not_start_without_a_proof(tmp_path: Path) -> None:
    """Anymail only warns."""

    def start(**more: str) -> tuple[int, str]:
        command = [sys.executable, "-c", "import config.wsgi"]
        done = run(command, cwd=ROOT, env=environment(tmp_path, **more), capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    status, said = start(HOOKS="postmark")
    assert status != 0
    assert "Whoever calls themselves postmark could tell us anything. Set HOOKS_SECRET" in said
    status, said = start(HOOKS="postmark", HOOKS_SECRET=SECRET)
    assert status == 0, said
