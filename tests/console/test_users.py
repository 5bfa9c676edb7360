"""Accounts: who makes them, who changes what, and that somebody can always administer the console."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from console.errors import Conflict, ConsoleError, Invalid, Missing, NotAllowed
from console.models import AuditEntry, User
from console.services import users
from tests.console.conftest import PASSWORD, person

pytestmark = pytest.mark.django_db
NEW = "an even longer password"


def recorded() -> list[tuple[str, str, dict[str, Any]]]:
    return list(AuditEntry.objects.order_by("number").values_list("action", "target_label", "data"))


def test_an_administrator_makes_an_account(root: User) -> None:
    made = users.create_user(
        actor=root, username="eve", password=NEW, email="eve@example.gov", name="Eve", console_role="auditor"
    )
    made.refresh_from_db()
    assert (made.username, made.get_full_name(), made.console_role, made.is_staff) == ("eve", "Eve", "auditor", False)
    assert Client().login(username="eve", password=NEW)
    assert recorded() == [("console.user.created", "eve", {"email": "eve@example.gov", "console_role": "auditor"})]


BAD_ACCOUNTS: dict[str, tuple[dict[str, str], set[str]]] = {
    "a name that is taken": ({"username": "root"}, {"username"}),
    "a name with spaces": ({"username": "e v e"}, {"username"}),
    "no name": ({"username": ""}, {"username"}),
    "a name too long": ({"username": "e" * 151}, {"username"}),
    "no address": ({"email": "eve"}, {"email"}),
    "no such role": ({"console_role": "king"}, {"console_role"}),
    "no such language": ({"language": "tlh"}, {"language"}),
    "a short password": ({"password": "short"}, {"password"}),
    "a common password": ({"password": "password123"}, {"password"}),
    "a password like the name": ({"username": "evelyn-the-great", "password": "evelyn-the-great1"}, {"password"}),
}


@pytest.mark.parametrize("case", BAD_ACCOUNTS)
def test_bad_accounts_name_the_field(root: User, case: str) -> None:
    changes, fields = BAD_ACCOUNTS[case]
    with pytest.raises(Invalid) as refusal:
        users.create_user(actor=root, **{"username": "eve", "password": NEW, **changes})
    assert set(refusal.value.errors) == fields
    assert User.objects.count() == 1
    assert recorded() == []


def test_only_administrators(alice: User, otto: User, bob: User) -> None:
    calls = [
        lambda who: users.create_user(actor=who, username="eve", password=NEW),
        lambda who: users.set_role(actor=who, user_id=bob.pk, console_role="administrator"),
        lambda who: users.set_role(actor=who, user_id=who.pk, console_role="administrator"),
        lambda who: users.disable_user(actor=who, user_id=bob.pk),
        lambda who: users.enable_user(actor=who, user_id=bob.pk),
        lambda who: users.reset_password(actor=who, user_id=bob.pk, new_password=NEW),
    ]
    for call in calls:
        for who in (alice, otto):
            with pytest.raises(NotAllowed):
                call(who)
    assert recorded() == []
    assert not User.objects.filter(console_role="administrator").exists()


def test_roles(root: User, alice: User) -> None:
    users.set_role(actor=root, user_id=alice.pk, console_role="administrator")
    alice.refresh_from_db()
    assert alice.is_administrator
    users.set_role(actor=root, user_id=alice.pk, console_role="administrator")
    users.set_role(actor=alice, user_id=root.pk, console_role="")
    assert recorded() == [
        ("console.user.role_set", "alice", {"before": "", "after": "administrator"}),
        ("console.user.role_set", "root", {"before": "administrator", "after": ""}),
    ]
    with pytest.raises(Invalid):
        users.set_role(actor=alice, user_id=root.pk, console_role="king")
    with pytest.raises(Missing):
        users.set_role(actor=alice, user_id=0, console_role="")


def test_the_last_administrator_stays(root: User, alice: User) -> None:
    person("asleep", "administrator", is_active=False)
    with pytest.raises(Conflict, match="last administrator"):
        users.set_role(actor=root, user_id=root.pk, console_role="auditor")
    with pytest.raises(Conflict):
        users.disable_user(actor=root, user_id=root.pk)
    root.refresh_from_db()
    assert root.is_administrator
    assert recorded() == []


def test_a_disabled_account_is_signed_out_and_can_be_enabled(root: User, alice: User) -> None:
    browser = Client()
    browser.force_login(alice)
    users.disable_user(actor=root, user_id=alice.pk)
    users.disable_user(actor=root, user_id=alice.pk)
    assert browser.get("/api/v1/me").status_code == 401
    assert not Client().login(username="alice", password=PASSWORD)
    users.enable_user(actor=root, user_id=alice.pk)
    users.enable_user(actor=root, user_id=alice.pk)
    assert browser.get("/api/v1/me").status_code == 200
    assert [action for action, _label, _data in recorded()] == ["console.user.disabled", "console.user.enabled"]


def test_ones_own_password(alice: User) -> None:
    for old, new, field in (("wrong", NEW, "old_password"), (PASSWORD, "short", "new_password")):
        with pytest.raises(Invalid) as refusal:
            users.change_password(actor=alice, old_password=old, new_password=new)
        assert set(refusal.value.errors) == {field}
    assert recorded() == []
    users.change_password(actor=alice, old_password=PASSWORD, new_password=NEW)
    assert Client().login(username="alice", password=NEW)
    assert not Client().login(username="alice", password=PASSWORD)
    assert recorded() == [("console.user.password_changed", "alice", {})]


def test_a_lost_password(root: User, alice: User) -> None:
    with pytest.raises(Invalid):
        users.reset_password(actor=root, user_id=alice.pk, new_password="short")
    with pytest.raises(Missing):
        users.reset_password(actor=root, user_id=0, new_password=NEW)
    users.reset_password(actor=root, user_id=alice.pk, new_password=NEW)
    assert Client().login(username="alice", password=NEW)
    assert recorded() == [("console.user.password_reset", "alice", {})]


def test_ones_own_profile_and_language(alice: User) -> None:
    users.update_profile(actor=alice, name=" Alice A. ", email="a@example.gov", language="zh-hans")
    users.set_language(actor=alice, language="en")
    users.set_language(actor=alice, language="en")
    alice.refresh_from_db()
    assert (alice.get_full_name(), alice.email, alice.language) == ("Alice A.", "a@example.gov", "en")
    assert [action for action, _label, _data in recorded()] == [
        "console.user.profile_updated",
        "console.user.language_set",
    ]
    for call in (
        lambda: users.update_profile(actor=alice, name="", email="nonsense", language=""),
        lambda: users.update_profile(actor=alice, name="x" * 151, email="", language=""),
        lambda: users.set_language(actor=alice, language="tlh"),
    ):
        with pytest.raises(ConsoleError):
            call()
    assert len(recorded()) == 2
