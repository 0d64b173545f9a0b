"""Signing in, and out again."""

import re

import pytest
from django.core import mail
from django.test import Client

from accounts.models import User
from tests import cast

LOGIN = "/organise/sign-in/login/"


def test_a_member_signs_in_and_reaches_the_dashboard(client: Client, alice: User) -> None:
    response = client.post(LOGIN, {"login": alice.email, "password": cast.PASSWORD}, follow=True)
    assert response.redirect_chain[-1][0] == "/organise/"
    assert "Dashboard" in response.content.decode()


def test_upper_case_in_the_address_makes_no_difference(client: Client, alice: User) -> None:
    assert client.post(LOGIN, {"login": alice.email.upper(), "password": cast.PASSWORD}).status_code == 302


def test_a_wrong_password_says_so_in_summary_and_title_and_keeps_the_address(client: Client, alice: User) -> None:
    response = client.post(LOGIN, {"login": alice.email, "password": "not this one"})
    page = response.content.decode()
    assert "<title>Error: Sign in" in page
    assert "There is a problem" in page
    assert f'value="{alice.email}"' in page
    assert "not this one" not in page
    assert "_auth_user_id" not in client.session


def test_an_unknown_address_reads_the_same_as_a_wrong_password(client: Client, alice: User) -> None:
    said = [
        re.findall(r'<div class="error-summary".*?</div>', client.post(LOGIN, form).content.decode(), re.DOTALL)
        for form in (
            {"login": alice.email, "password": "not this one"},
            {"login": "nobody@nowhere.example", "password": "not this one"},
        )
    ]
    assert said[0]
    assert said[0] == said[1]


def test_after_many_wrong_passwords_even_the_right_one_must_wait(client: Client, alice: User) -> None:
    for _ in range(12):
        client.post(LOGIN, {"login": alice.email, "password": "not this one"})
    client.post(LOGIN, {"login": alice.email, "password": cast.PASSWORD})
    assert "_auth_user_id" not in client.session


def test_next_leads_to_an_own_page(client: Client, alice: User) -> None:
    form = {"login": alice.email, "password": cast.PASSWORD, "next": "/organise/targets/"}
    assert client.post(LOGIN, form)["Location"] == "/organise/targets/"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://elsewhere.example/", "//elsewhere.example/", "/\\elsewhere.example", "javascript:alert(1)"],
)
def test_next_leads_to_no_other_site(client: Client, alice: User, elsewhere: str) -> None:
    form = {"login": alice.email, "password": cast.PASSWORD, "next": elsewhere}
    assert client.post(LOGIN, form)["Location"] == "/organise/"


def test_nobody_makes_an_account_for_themselves(client: Client, db: None) -> None:
    where = "/organise/sign-in/signup/"
    form = {"email": "mallory@elsewhere.example", "password1": "a long password 1", "password2": "a long password 1"}
    assert "Organisers are invited" in client.get(where).content.decode()
    assert "Organisers are invited" in client.post(where, form).content.decode()
    assert not User.objects.exists()


def test_signing_out_takes_a_click_and_not_a_link(as_alice: Client) -> None:
    page = as_alice.get("/organise/sign-in/logout/").content.decode()
    assert "Sign out?" in page
    assert "_auth_user_id" in as_alice.session
    as_alice.post("/organise/sign-in/logout/")
    assert "_auth_user_id" not in as_alice.session


def test_a_new_password_is_chosen_by_a_link_in_a_plain_mail(client: Client, alice: User) -> None:
    page = client.post("/organise/sign-in/password/reset/", {"email": alice.email}, follow=True).content.decode()
    assert "Check your e-mail" in page
    (sent,) = mail.outbox
    assert sent.subject == "Choose a new password"
    assert not getattr(sent, "alternatives", [])
    link = re.search(r"http://\S+", str(sent.body))
    assert link
    shown = client.get(link[0], follow=True)
    password = "another winter strike"
    form = {"password1": password, "password2": password}
    done = client.post(shown.redirect_chain[-1][0], form, follow=True).content.decode()
    assert "Your password is changed" in done
    assert client.post(LOGIN, {"login": alice.email, "password": password}).status_code == 302


def test_a_reset_link_works_once_and_then_says_so(client: Client, db: None) -> None:
    page = client.get("/organise/sign-in/password/reset/key/1-set-password/").content.decode()
    assert "This link no longer works" in page


def test_an_address_without_account_gets_no_mail_and_the_page_does_not_tell(client: Client, db: None) -> None:
    form = {"email": "stranger@elsewhere.example"}
    page = client.post("/organise/sign-in/password/reset/", form, follow=True).content.decode()
    assert "Check your e-mail" in page
    assert mail.outbox == []


@pytest.mark.parametrize(
    "where",
    [
        "", "password/change/", "2fa/", "2fa/totp/activate/", "2fa/recovery-codes/generate/", "2fa/webauthn/",
        "2fa/webauthn/add/", "reauthenticate/", "logout/", "email/",
    ],
)  # fmt: skip
def test_every_sign_in_page_looks_like_the_product(client: Client, alice: User, where: str) -> None:
    client.post(LOGIN, {"login": alice.email, "password": cast.PASSWORD})
    response = client.get(f"/organise/sign-in/{where or 'password/reset/'}", follow=True)
    page = response.content.decode()
    assert response.status_code == 200
    assert "css/organisers.css" in page
    assert "stamp-test" in page
    assert " style=" not in page
    assert page.count("<h1") == 1


def test_who_belongs_to_no_organisation_reads_whom_to_ask(client: Client, db: None) -> None:
    lone = User.objects.create_user("lone@some.example", cast.PASSWORD)
    client.force_login(lone, backend="django.contrib.auth.backends.ModelBackend")
    response = client.get("/organise/")
    assert response.status_code == 403
    assert "You belong to no organisation yet" in response.content.decode()


def test_a_person_of_two_organisations_chooses_which_to_work_for(as_alice: Client, alice: User) -> None:
    from accounts.models import Member, Role  # noqa: PLC0415

    other = cast.an_organisation("The Other Team")
    Member.objects.create(organisation=other, user=alice, role=Role.ANALYST)
    cast.a_list(other, "Only theirs")
    assert "Only theirs" not in as_alice.get("/organise/targets/").content.decode()
    as_alice.post("/organise/organisation/", {"organisation": other.public_id})
    assert "Only theirs" in as_alice.get("/organise/targets/").content.decode()
    as_alice.post("/organise/organisation/", {"organisation": "of somebody else"})
    assert "Only theirs" in as_alice.get("/organise/targets/").content.decode()
