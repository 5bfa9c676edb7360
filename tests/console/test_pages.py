"""The pages of the ground floor: who sees them, what they say, and how many questions they ask the database."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from console.models import AuditEntry, Flow, FlowState, StepState, User
from console.services import notifications, tokens
from tests.console.pages import part, queries, said, signed_in, stand, started

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize(
    ("name", "budget"),
    [("dashboard", 30), ("flows", 11), ("notifications", 8), ("tokens", 7), ("search", 14), ("profile", 7)],
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


def test_a_live_part_does_not_ask_for_the_frame(alice: User) -> None:
    started(alice)
    client = signed_in(alice)
    assert queries(client, "/flows", **{"HX-Request": "true"}) < queries(client, "/flows")


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
