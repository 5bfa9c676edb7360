"""Signing in and out, the language, one's own account, tokens and notifications."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from console.models import ApiToken, Notification, User
from console.services import notifications, tokens
from tests.console.conftest import PASSWORD, person
from tests.console.pages import signed_in

pytestmark = pytest.mark.django_db


# --- signing in -------------------------------------------------------------------------------------------------------


def test_signing_in_brings_the_language_along() -> None:
    person("mei", language="zh-hans")
    client = Client()
    response = client.post(reverse("console:login"), {"username": "mei", "password": PASSWORD, "next": "/flows"})
    assert (response.status_code, response.url) == (302, "/flows")
    assert client.cookies["django_language"].value == "zh-hans"
    assert b'lang="zh-hans"' in client.get("/flows").content


def test_a_wrong_password_is_said_without_saying_which(alice: User) -> None:
    login = reverse("console:login")
    wrong = Client().post(login, {"username": "alice", "password": "wrong"}).content.decode()
    unknown = Client().post(login, {"username": "nobody", "password": "wrong"}).content.decode()
    assert "Unknown user name or wrong password." in wrong
    assert "Unknown user name or wrong password." in unknown
    assert reverse("unions:registration-create") in wrong


def test_signing_in_leads_nowhere_else(alice: User) -> None:
    data = {"username": "alice", "password": PASSWORD, "next": "https://elsewhere.example/"}
    assert Client().post(reverse("console:login"), data).url == "/"


def test_signing_out_needs_a_click(alice: User) -> None:
    client = signed_in(alice)
    assert client.get(reverse("console:logout")).status_code == 405
    assert client.post(reverse("console:logout")).url == reverse("console:login")
    assert client.get("/").status_code == 302


# --- language ---------------------------------------------------------------------------------------------------------


def test_the_language_is_kept_on_the_account(alice: User) -> None:
    client = signed_in(alice)
    response = client.post(reverse("console:set-language"), {"language": "zh-hans", "next": "/flows"})
    assert (response.status_code, response.url) == (302, "/flows")
    alice.refresh_from_db()
    assert alice.language == "zh-hans"
    assert b'lang="zh-hans"' in client.get("/flows").content


def test_the_public_switch_is_a_cookie() -> None:
    client = Client()
    client.post(reverse("console:set-language"), {"language": "zh-hans", "next": "/login"})
    assert b'lang="zh-hans"' in client.get(reverse("console:login")).content


@pytest.mark.parametrize("language", ["xx", "", "fr"])
def test_an_unknown_language_changes_nothing(alice: User, language: str) -> None:
    client = signed_in(alice)
    response = client.post(reverse("console:set-language"), {"language": language, "next": "//elsewhere.example/"})
    assert response.url == "/"
    assert "django_language" not in client.cookies
    alice.refresh_from_db()
    assert alice.language == ""


# --- one's own account ------------------------------------------------------------------------------------------------


def test_the_profile_is_saved_and_wrong_input_stands_at_its_field(alice: User) -> None:
    client, address = signed_in(alice), reverse("console:profile")
    data = {"name": "Alice Meyer", "email": "alice@tax.example.gov", "language": "zh-hans"}
    assert client.post(address, data).status_code == 302
    alice.refresh_from_db()
    assert (alice.get_full_name(), alice.email, alice.language) == ("Alice Meyer", data["email"], "zh-hans")
    response = client.post(address, data | {"email": "no address"})
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"email"}
    alice.refresh_from_db()
    assert alice.email == data["email"]


def test_a_new_password_keeps_this_session_and_ends_the_others(alice: User) -> None:
    here, elsewhere = signed_in(alice), signed_in(alice)
    data = {"old_password": PASSWORD, "new_password": "another-Passw0rd", "again": "another-Passw0rd"}
    assert here.post(reverse("console:password-change"), data).url == reverse("console:profile")
    assert here.get("/profile").status_code == 200
    assert elsewhere.get("/profile").status_code == 302
    alice.refresh_from_db()
    assert alice.check_password("another-Passw0rd")


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"old_password": "wrong"}, "old_password"), ({"again": "else"}, "again"), ({"new_password": "12345678"}, None)],
)
def test_a_password_that_does_not_do_is_refused_at_its_field(alice: User, changed: dict, field: str | None) -> None:
    new = changed.get("new_password", "another-Passw0rd")
    data = {"old_password": PASSWORD, "new_password": new, "again": new} | changed
    response = signed_in(alice).post(reverse("console:password-change"), data)
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {field or "new_password"}
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_a_token_is_shown_once(alice: User) -> None:
    client, address = signed_in(alice), reverse("console:token-list")
    response = client.post(address, {"name": "Permit server", "days": "30", "read_only": "on"})
    text = response.context["fresh_text"]
    assert response.status_code == 201
    assert "no-store" in response.headers["Cache-Control"]
    assert text in response.content.decode()
    assert text not in client.get(address).content.decode()
    token = ApiToken.objects.get(user=alice)
    assert token.read_only
    assert token.expires_at is not None
    assert Client().get("/api/v1/flows", headers={"Authorization": f"Bearer {text}"}).status_code == 200


def test_a_token_wants_a_name(alice: User) -> None:
    response = signed_in(alice).post(reverse("console:token-list"), {"name": " ", "days": "30"})
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"name"}
    assert not ApiToken.objects.exists()


def test_only_its_owner_revokes_a_token(alice: User, bob: User) -> None:
    token, _text = tokens.create_token(actor=alice, name="Permit server")
    revoke = reverse("console:token-revoke", args=[token.pk])
    assert signed_in(bob).post(revoke).status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None
    assert signed_in(alice).post(revoke).status_code == 302
    token.refresh_from_db()
    assert token.revoked_at is not None


# --- notifications ----------------------------------------------------------------------------------------------------


def told(who: User, link: str = "/flows") -> Notification:
    with transaction.atomic():
        notifications.notify([who], kind="tests", title="%(name)s is open", parameters={"name": "Permits"}, link=link)
    return Notification.objects.filter(user=who).latest("pk")


def test_opening_a_notification_reads_it_and_leads_on(alice: User, bob: User) -> None:
    row = told(alice)
    read = reverse("console:notification-read", args=[row.pk])
    assert b"Permits is open" in signed_in(alice).get("/notifications").content
    assert signed_in(bob).post(read).status_code == 404
    row.refresh_from_db()
    assert row.read_at is None
    assert signed_in(alice).post(read).url == "/flows"
    row.refresh_from_db()
    assert row.read_at is not None
    assert b"Permits is open" not in signed_in(alice).get("/notifications?unread=1").content


def test_a_notification_leads_nowhere_else(alice: User) -> None:
    row = told(alice, link="https://elsewhere.example/")
    response = signed_in(alice).post(reverse("console:notification-read", args=[row.pk]))
    assert response.url == reverse("console:notification-list")


def test_the_bell_counts_what_is_unread(alice: User) -> None:
    told(alice)
    told(alice)
    client = signed_in(alice)
    assert b'bell-count">2<' in client.get("/").content
    client.post(reverse("console:notification-read-all"))
    assert b"bell-count" not in client.get("/").content
