"""The pages of the ground floor: who sees them, what they say, and how many questions they ask the database."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from console import audit, flows
from console.flows.blueprint import Blueprint, Task
from console.models import ApiToken, AuditEntry, Flow, FlowState, Notification, Step, StepState, User
from console.services import notifications, tokens

PASSWORD = "correct horse battery"
pytestmark = pytest.mark.django_db


def user(name: str, role: str = "", **fields: Any) -> User:
    return User.objects.create_user(name, f"{name}@example.gov", PASSWORD, console_role=role, **fields)


@pytest.fixture
def root() -> User:
    return user("root", "administrator")


@pytest.fixture
def otto() -> User:
    return user("otto", "auditor")


@pytest.fixture
def alice() -> User:
    return user("alice")


@pytest.fixture
def bob() -> User:
    return user("bob")


def signed_in(who: User) -> Client:
    client = Client()
    client.force_login(who)
    return client


def part(client: Client, address: str) -> Any:
    """What htmx is answered."""
    return client.get(address, headers={"HX-Request": "true"})


def said(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


@flows.step("tests.pages.network")
@flows.step("tests.pages.nodes")
@flows.step("tests.pages.open")
def acted(context: flows.StepContext) -> flows.Done:
    return flows.Done()


def plan(arguments: dict[str, Any]) -> list[Task]:
    return [
        Task("network", "tests.pages.network", "Create the network of %(name)s", title_values={"name": "Permits"}),
        Task("nodes", "tests.pages.nodes", "Build the nodes"),
        Task("open", "tests.pages.open", "Open it"),
    ]


def started(by: User, name: str = "Permits", subject: Any = None) -> Flow:
    blueprint = Blueprint("tests.create_thing", "Create %(name)s", plan)
    with transaction.atomic():
        return flows.start(blueprint, subject=subject, requested_by=by, arguments={}, title_values={"name": name})


def stand(step: Step, state: StepState, **fields: Any) -> None:
    """Put a step where the engine would have brought it."""
    Step.objects.filter(pk=step.pk).update(state=state, **fields)


def recorded(count: int, actor: User) -> None:
    for number in range(count):
        with transaction.atomic():
            audit.record("console.token.created", actor=actor, target=actor, name=f"token {number}", sk="s3cr3t")


def addresses(flow: Flow) -> dict[str, str]:
    return {
        "dashboard": reverse("console:dashboard"),
        "flows": reverse("console:flow-list"),
        "flow": reverse("console:flow-detail", args=[flow.pk]),
        "notifications": reverse("console:notification-list"),
        "profile": reverse("console:profile"),
        "password": reverse("console:password-change"),
        "tokens": reverse("console:token-list"),
        "search": reverse("console:search") + "?q=permits",
    }


# --- everybody's pages ------------------------------------------------------------------------------------------------


def test_every_page_opens_for_a_clerk_and_for_an_administrator(alice: User, root: User) -> None:
    flow = started(alice)
    for name, address in addresses(flow).items():
        for reader in (alice, root):
            response = signed_in(reader).get(address)
            assert response.status_code == 200, (name, reader)
            assert b"<main" in response.content, name
            assert response.content.count(b"<h1") == 1, name


def test_without_signing_in_every_page_leads_to_the_door(alice: User) -> None:
    for address in addresses(started(alice)).values():
        response = Client().get(address)
        assert response.status_code == 302
        assert response.url.startswith(reverse("console:login"))


def test_no_page_may_run_or_style_itself_inline(alice: User) -> None:
    for address in [*addresses(started(alice)).values(), reverse("console:login"), "/nowhere"]:
        policy = signed_in(alice).get(address).headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "script-src 'self'" in policy
        assert "style-src 'self'" in policy


def test_the_navigation_shows_where_one_is_and_only_what_one_may(alice: User, otto: User) -> None:
    seen = signed_in(alice).get(reverse("console:flow-list")).content.decode()
    assert 'href="/flows" aria-current="page"' in " ".join(seen.split())
    assert 'href="/audit"' not in seen
    assert 'href="/audit"' in signed_in(otto).get("/").content.decode()


def test_a_part_is_answered_alone_and_without_the_frame(alice: User) -> None:
    flow = started(alice)
    for name in ("dashboard", "flows", "flow", "notifications", "search"):
        content = part(signed_in(alice), addresses(flow)[name]).content
        assert b"<html" not in content, name
        assert b"navbar" not in content, name


# --- the number of questions ------------------------------------------------------------------------------------------


def queries(client: Client, address: str, **headers: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address, headers=headers).status_code == 200
    return len(captured)


@pytest.mark.parametrize(
    ("name", "budget"),
    [("dashboard", 30), ("flows", 11), ("notifications", 8), ("tokens", 7), ("search", 14), ("profile", 6)],
)
def test_a_page_asks_no_more_when_there_is_more(alice: User, root: User, name: str, budget: int) -> None:
    def more(count: int) -> None:
        for number in range(count):
            started(root, f"Permits {number}", subject=alice)
            tokens.create_token(actor=root, name=f"server {number}")
            with transaction.atomic():
                notifications.notify([root], kind="tests", title="Told", link="/flows")

    more(2)
    address, client = addresses(Flow.objects.all()[0])[name], signed_in(root)
    few = queries(client, address)
    more(9)
    assert queries(client, address) == few
    assert few <= budget


def test_a_flow_asks_no_more_for_its_logs(root: User) -> None:
    flow, client = started(root), signed_in(root)
    address = reverse("console:flow-detail", args=[flow.pk])
    few = queries(client, address)
    for step in flow.steps.all():
        for number in range(5):
            step.log.create(message=f"line {number}", data={"status": 200})
    assert queries(client, address) == few <= 11


def test_the_audit_log_asks_no_more_for_more_entries(otto: User) -> None:
    recorded(3, otto)
    client = signed_in(otto)
    few = queries(client, "/audit")
    recorded(20, otto)
    assert queries(client, "/audit") == few <= 9


def test_a_live_part_does_not_ask_for_the_frame(alice: User) -> None:
    started(alice)
    client = signed_in(alice)
    assert queries(client, "/flows", **{"HX-Request": "true"}) < queries(client, "/flows")


# --- signing in -------------------------------------------------------------------------------------------------------


def test_signing_in_brings_the_language_along() -> None:
    user("mei", language="zh-hans")
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


# --- flows ------------------------------------------------------------------------------------------------------------


def test_a_stranger_sees_neither_the_flow_nor_its_name(alice: User, bob: User) -> None:
    flow = started(alice, "Secret plan")
    client = signed_in(bob)
    assert client.get(reverse("console:flow-detail", args=[flow.pk])).status_code == 404
    assert b"Secret plan" not in client.get("/flows").content
    assert b"Secret plan" not in client.get("/search?q=create").content
    assert b"Secret plan" in signed_in(alice).get("/flows").content


def test_a_flow_is_asked_for_again_only_while_it_goes_on(alice: User) -> None:
    flow, client = started(alice), signed_in(alice)
    address = reverse("console:flow-detail", args=[flow.pk])
    assert f'hx-get="{address}"'.encode() in client.get(address).content
    for step in flow.steps.all():
        stand(step, StepState.DONE)
    Flow.objects.filter(pk=flow.pk).update(state=FlowState.DONE, ended_at=flow.created_at)
    assert b"hx-get" not in part(client, address).content


def test_filters_narrow_the_list(alice: User) -> None:
    started(alice, "Permits")
    done = started(alice, "Subsidies")
    Flow.objects.filter(pk=done.pk).update(state=FlowState.DONE, ended_at=done.created_at)
    client = signed_in(alice)
    only = client.get("/flows?state=done").content.decode()
    assert "Create Subsidies" in only
    assert "Create Permits" not in only
    assert "No flow matches" in client.get("/flows?kind=nothing.like_it").content.decode()
    assert client.get("/flows?state=nonsense").context["object_list"].count() == 2


def test_only_administrators_stop_a_flow_and_the_others_read_why(alice: User, root: User) -> None:
    flow = started(alice)
    cancel = reverse("console:flow-cancel", args=[flow.pk])
    page = signed_in(alice).get(reverse("console:flow-detail", args=[flow.pk])).content.decode()
    assert cancel not in page
    assert "Only administrators of the console may do this." in page
    assert signed_in(alice).post(cancel).status_code == 403
    flow.refresh_from_db()
    assert not flow.undoing
    response = signed_in(root).post(cancel, {"reason": "Wrong members"})
    assert response.url == reverse("console:flow-detail", args=[flow.pk])
    flow.refresh_from_db()
    assert flow.state == FlowState.CANCELLED
    assert flow.error["detail"] == "Wrong members"
    assert said(signed_in(root).post(cancel)) == ["The flow has ended or is being taken back already."]


def test_a_step_in_trouble_shows_why_and_what_an_administrator_can_do(alice: User, root: User) -> None:
    flow = started(alice)
    step = flow.steps.get(name="network")
    stand(step, StepState.LATER, attempts=2, error={"code": "x", "detail": "Nobody answers."}, due_at=flow.created_at)
    address = reverse("console:flow-detail", args=[flow.pk])
    retry = reverse("console:step-retry", args=[flow.pk, step.pk])
    mine = signed_in(alice).get(address).content.decode()
    assert "Nobody answers." in mine
    assert retry not in mine
    assert retry in signed_in(root).get(address).content.decode()
    assert signed_in(alice).post(retry).status_code == 403
    assert signed_in(root).post(retry).url == address
    assert AuditEntry.objects.filter(action="console.flow.step_retried").count() == 1
    assert signed_in(root).post(reverse("console:step-skip", args=[flow.pk, step.pk])).status_code == 302
    step.refresh_from_db()
    assert step.state == StepState.SKIPPED


# --- audit ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/audit", "/audit/1", "/audit/export"])
def test_the_audit_log_is_for_overseers(alice: User, otto: User, address: str) -> None:
    recorded(1, alice)
    refused = signed_in(alice).get(address)
    assert refused.status_code == 403
    assert b"Only administrators and auditors may read the audit log." in refused.content
    assert signed_in(otto).get(address).status_code == 200


def test_an_entry_is_shown_without_its_secrets(otto: User) -> None:
    recorded(1, otto)
    page = signed_in(otto).get("/audit/1").content.decode()
    assert "token 0" in page
    assert "s3cr3t" not in page


def test_the_check_finds_what_was_changed(otto: User) -> None:
    recorded(3, otto)
    verify = reverse("console:audit-verify")
    assert said(signed_in(otto).post(verify)) == ["3 entries checked: the chain holds."]
    AuditEntry.objects.filter(number=2).update(action="nothing.happened")
    assert said(signed_in(otto).post(verify)) == ["Entry 2: was changed after it was written."]
    assert b"was changed after it was written" in signed_in(otto).get("/audit/2").content


def test_the_list_is_narrowed_by_action_day_and_words(otto: User, alice: User) -> None:
    recorded(2, alice)
    with transaction.atomic():
        audit.record("console.flow.cancelled", actor=otto, target=alice)
    client = signed_in(otto)

    def numbers(query: str) -> list[int]:
        return [entry.number for entry in client.get(f"/audit?{query}").context["object_list"]]

    assert numbers("action=console.flow.cancelled") == [3]
    assert numbers("q=alice") == [3, 2, 1]
    assert numbers("q=otto") == [3]
    assert numbers("until=2001-01-01") == []
    assert numbers("since=2001-01-01&until=nonsense") == [3, 2, 1]


def test_the_export_is_what_the_list_shows_and_is_itself_recorded(otto: User, alice: User) -> None:
    recorded(2, alice)
    response = signed_in(otto).get("/audit/export?q=alice")
    lines = [json.loads(line) for line in b"".join(response.streaming_content).decode().splitlines()]
    assert [line["number"] for line in lines] == [1, 2]
    assert lines[1]["previous_digest"] == lines[0]["digest"]
    taken = AuditEntry.objects.get(action="console.audit.exported")
    assert (taken.actor, taken.data) == (otto, {"narrowed_by": {"q": "alice"}})


# --- search and errors ------------------------------------------------------------------------------------------------


def test_the_search_finds_pages_and_flows(alice: User, root: User) -> None:
    started(root, "Permits", subject=alice)
    found = signed_in(root).get("/search?q=alice").content.decode()
    assert "Create Permits" in found
    assert 'href="/audit"' in part(signed_in(root), "/search?q=aud").content.decode()
    assert 'href="/audit"' not in part(signed_in(alice), "/search?q=aud").content.decode()
    assert "Nothing found" in signed_in(root).get("/search?q=zzzzzz").content.decode()


def test_what_is_not_there_is_said_in_the_shell(alice: User) -> None:
    inside, outside = signed_in(alice).get("/nowhere"), Client().get("/nowhere")
    assert (inside.status_code, outside.status_code) == (404, 404)
    assert b"There is nothing here" in inside.content
    assert b"navbar-vertical" in inside.content
    assert b"There is nothing here" in outside.content
    assert b"navbar-vertical" not in outside.content


def test_the_style_guide_is_for_those_who_build(alice: User) -> None:
    assert signed_in(alice).get("/style").status_code == 404


def test_actions_are_told_in_words_and_unknown_ones_are_readable(otto: User) -> None:
    recorded(1, otto)
    with transaction.atomic():
        audit.record("tests.thing.done_twice", actor=otto)
    page = signed_in(otto).get("/audit").content.decode()
    assert "API token made" in page
    assert "Thing done twice" in page
