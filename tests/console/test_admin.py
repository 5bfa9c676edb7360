"""The support site: administrators only, everything to read, no secret, and every change through a service."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.messages import get_messages
from django.db import transaction
from django.test import Client
from django.urls import reverse

from console import audit
from console.errors import PlatformRefused, PlatformUnavailable
from console.models import ApiToken, AuditEntry, Flow, Notification, Step, User
from console.secrets import SealedField
from console.services.notifications import notify
from console.services.tokens import create_token
from tests.console.conftest import PASSWORD, person
from tests.console.flowkit import World, line, run, start, state, states, step, thing

pytestmark = pytest.mark.django_db


@pytest.fixture
def support(root: User) -> Client:
    client = Client()
    client.force_login(root)
    return client


def place(model: type[Any], what: str = "changelist", *arguments: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}", args=arguments)


def said(response: Any) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def act(client: Client, model: type[Any], action: str, *rows: Any) -> Any:
    return client.post(place(model), {"action": action, "_selected_action": [row.pk for row in rows]})


@pytest.fixture
def everything(outside: World, alice: User, root: User) -> str:
    """Rows of every kind, and the text of a token that nobody may see."""
    flow = start(thing("a"), line("b"), by=alice)
    outside.will("a", PlatformUnavailable("down"))
    run()
    assert flow
    with transaction.atomic():
        notify([alice], kind="tests", title="Told")
        audit.record("tests.done", actor=alice, sk="s3cr3t")
    return create_token(actor=alice, name="Permit server")[1]


# --- who --------------------------------------------------------------------------------------------------------------


def test_only_administrators_come_in(alice: User, otto: User) -> None:
    assert Client().get("/admin/").headers["Location"].startswith("/admin/login/")
    assert (
        Client().get("/admin/login/?next=/admin/console/user/").headers["Location"]
        == "/login?next=/admin/console/user/"
    )
    staff = person("staff", is_staff=True)
    for who in (alice, otto, staff):
        client = Client()
        client.force_login(who)
        for path in ("/admin/", place(User), place(AuditEntry)):
            answer = client.get(path, follow=True)
            assert answer.status_code == 403, "and told so, instead of sent round in circles"


def test_an_administrator_needs_no_flags_of_djangos(support: Client, root: User) -> None:
    assert not root.is_staff
    assert not root.is_superuser
    assert support.get("/admin/").status_code == 200
    assert support.get("/admin/login/").headers["Location"] == "/admin/"


def test_out_and_the_password_lead_to_the_console(support: Client) -> None:
    assert support.get(reverse("admin:password_change")).headers["Location"] == "/profile/password"
    assert support.post(reverse("admin:logout")).headers["Location"] == "/login"
    assert support.get("/admin/").status_code == 302


# --- looking ----------------------------------------------------------------------------------------------------------


def test_every_list_and_every_row_can_be_looked_at(support: Client, everything: str) -> None:
    looked = 0
    for model in admin.site._registry:
        assert support.get(place(model)).status_code == 200, model
        assert support.get(place(model), {"q": "a"}).status_code == 200, model
        for row in model._default_manager.all()[:2]:
            answer = support.get(place(model, "change", row.pk))
            assert answer.status_code == 200, model
            assert everything not in answer.content.decode()
            assert "s3cr3t" not in answer.content.decode()
            looked += 1
    assert looked >= 6


def test_no_form_of_any_floor_has_a_sealed_field(support: Client, root: User, rf: Any) -> None:
    request = rf.get("/admin/")
    request.user = root
    for model, site in admin.site._registry.items():
        sealed = {field.name for field in model._meta.fields if isinstance(field, SealedField)}
        assert not sealed & set(site.get_fields(request)), model
        assert not sealed & set(site.list_display), model


def test_hashes_are_not_shown(support: Client, everything: str, alice: User) -> None:
    token = ApiToken.objects.get()
    assert token.digest not in support.get(place(ApiToken, "change", token.pk)).content.decode()
    assert alice.password not in support.get(place(User, "change", alice.pk)).content.decode()


def test_nothing_of_this_floor_is_typed_or_thrown_away_here(support: Client, everything: str) -> None:
    for model in (Flow, Step, AuditEntry, Notification, ApiToken):
        row = model._default_manager.first()
        assert support.get(place(model, "add")).status_code == 403
        assert support.post(place(model, "add"), {"name": "x"}).status_code == 403
        assert support.post(place(model, "change", row.pk), {"name": "x", "state": "done"}).status_code == 403
        assert support.post(place(model, "delete", row.pk), {"post": "yes"}).status_code == 403
        assert "delete_selected" not in support.get(place(model)).content.decode()
    assert support.post(place(User, "delete", User.objects.first().pk), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", [User, Flow, Step, AuditEntry, Notification, ApiToken])
def test_lists_have_a_budget(
    support: Client, outside: World, alice: User, django_assert_max_num_queries: Any, model: type[Any]
) -> None:
    for number in range(12):
        person(f"user{number}")
        start(line("a"), by=alice)
        create_token(actor=alice, name="x")
        with transaction.atomic():
            notify([alice], kind="tests", title="Told")
    with django_assert_max_num_queries(10):
        support.get(place(model))


# --- changing ---------------------------------------------------------------------------------------------------------


def test_an_account_is_made_by_the_service(support: Client) -> None:
    form = {
        "username": "eve",
        "email": "eve@example.gov",
        "first_name": "Eve",
        "console_role": "auditor",
        "language": "",
    }
    answer = support.post(place(User, "add"), {**form, "password": "short"})
    assert answer.status_code == 302
    assert "too short" in said(answer)
    assert not User.objects.filter(username="eve").exists()

    support.post(place(User, "add"), {**form, "password": "an even longer password"})
    made = User.objects.get(username="eve")
    assert (made.console_role, made.is_active, made.first_name) == ("auditor", True, "Eve")
    assert Client().login(username="eve", password="an even longer password")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_label, entry.target_label) == ("console.user.created", "root", "eve")


def test_an_account_that_is_taken_is_refused_by_the_form(support: Client) -> None:
    form = {"username": "root", "email": "", "password": "an even longer password", "console_role": "", "language": ""}
    answer = support.post(place(User, "add"), form)
    assert answer.status_code == 200
    assert "already exists" in answer.content.decode()
    assert User.objects.count() == 1


def change(support: Client, user: User, **changes: Any) -> Any:
    form = {"console_role": user.console_role, "is_active": "on" if user.is_active else "", "password": "", **changes}
    return support.post(place(User, "change", user.pk), {name: value for name, value in form.items() if value != ""})


def test_roles_closing_and_lost_passwords_go_through_services(support: Client, alice: User) -> None:
    change(support, alice, console_role="auditor")
    change(support, User.objects.get(pk=alice.pk), is_active="")
    change(support, User.objects.get(pk=alice.pk), is_active="on", password="an even longer password")
    changed = User.objects.get(pk=alice.pk)
    assert (changed.console_role, changed.is_active) == ("auditor", True)
    assert Client().login(username="alice", password="an even longer password")
    assert list(AuditEntry.objects.order_by("number").values_list("action", flat=True)) == [
        "console.user.role_set",
        "console.user.disabled",
        "console.user.enabled",
        "console.user.password_reset",
    ]


def test_what_is_a_users_own_is_not_changed_here(support: Client, alice: User) -> None:
    change(support, alice, username="mallory", email="mallory@example.gov", is_superuser="on", is_staff="on")
    same = User.objects.get(pk=alice.pk)
    assert (same.username, same.email, same.is_superuser, same.is_staff) == ("alice", alice.email, False, False)
    assert not AuditEntry.objects.exists()


def test_what_the_service_refuses_is_said(support: Client, root: User) -> None:
    answer = change(support, root, console_role="auditor")
    assert "last administrator" in said(answer)
    answer = change(support, root, is_active="")
    assert "disable yourself" in said(answer)
    root.refresh_from_db()
    assert root.is_administrator
    assert not AuditEntry.objects.exists()


def test_operators_act_on_flows_and_steps(support: Client, outside: World) -> None:
    retried, skipped, cancelled, over = start(thing("a")), start(thing("b")), start(thing("c")), start(line("d"))
    for name in ("a", "b", "c"):
        outside.will(name, PlatformUnavailable("down"))
    run()
    act(support, Step, "retry_steps", step(retried, "a"))
    act(support, Step, "skip_steps", step(skipped, "b"))
    answer = act(support, Flow, "cancel_flows", cancelled, over)
    assert "has ended" in said(answer)
    assert "Done for 1." in said(answer)
    run()
    assert [state(flow) for flow in (retried, skipped, cancelled, over)] == ["done", "done", "cancelled", "done"]
    assert states(skipped) == {"b": "skipped"}
    assert AuditEntry.objects.count() == 3


def test_an_action_that_is_refused_changes_nothing(support: Client, outside: World) -> None:
    flow = start(line("a"))
    outside.will("a", PlatformRefused("No."))
    run()
    for action in ("retry_steps", "skip_steps"):
        assert "a" in said(act(support, Step, action, step(flow, "a")))
    assert states(flow) == {"a": "failed"}
    assert not AuditEntry.objects.exists()


def test_a_token_is_revoked_for_its_user(support: Client, alice: User) -> None:
    token, text = create_token(actor=alice, name="Lost")
    act(support, ApiToken, "revoke_tokens", token)
    assert Client().get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {text}").status_code == 401
    entry = AuditEntry.objects.latest("number")
    assert (entry.action, entry.actor_label) == ("console.token.revoked", "root")


def test_an_action_needs_its_form(root: User, alice: User) -> None:
    """A link or another site's page does nothing."""
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(root)
    token, _text = create_token(actor=alice, name="x")
    assert act(strict, ApiToken, "revoke_tokens", token).status_code == 403
    assert strict.get(place(ApiToken), {"action": "revoke_tokens", "_selected_action": token.pk}).status_code in (
        200,
        302,
    )
    token.refresh_from_db()
    assert token.revoked_at is None


def test_its_pages_carry_no_address_of_elsewhere(support: Client) -> None:
    page = support.get("/admin/").content.decode()
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert PASSWORD not in page
