"""Flows by REST: what is shown, to whom, in how many queries, and what operators do."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from console.errors import PlatformRefused, PlatformUnavailable
from console.models import Flow, StepLog, User
from console.reads import LATEST_LINES
from tests.console.flowkit import World, line, question, run, start, step, thing
from tests.rest import assert_problem, client

pytestmark = pytest.mark.django_db
URL = "/api/v1/flows"
LOGS = "/api/v1/runtime-logs"


def shown(who: User, flow: Flow, **query: Any) -> dict[str, Any]:
    return client(who).get(f"{URL}/{flow.pk}", query).json()


def test_a_flow_as_it_is_answered(outside: World, alice: User) -> None:
    flow = start(thing("a"), question(), by=alice)
    outside.will("a", PlatformUnavailable("down"))
    run()
    flow.refresh_from_db()
    found = shown(alice, flow)
    steps = found.pop("steps")
    assert found == {
        "id": str(flow.pk),
        "kind": "tests.flow",
        "title": "A flow of tests",
        "state": "running",
        "undoing": False,
        "needs_decision": False,
        "progress": {"done": 0, "total": 2},
        "subject": None,
        "error": None,
        "requested_by": "alice",
        "started": flow.created_at.isoformat().replace("+00:00", "Z"),
        "ended": None,
    }
    assert [set(row) for row in steps] == [
        {"id", "name", "title", "state", "attempts", "error", "undo_error", "decision", "started", "ended"}
    ] * 2
    assert steps[0]["error"] == {"code": "platform_unavailable", "detail": "down"}
    assert (steps[0]["id"], steps[0]["attempts"]) == (str(step(flow, "a").pk), 1)
    assert (steps[1]["state"], steps[1]["started"], steps[1]["ended"]) == ("waiting", None, None)


def test_the_states_that_a_client_waits_for(outside: World, alice: User, root: User) -> None:
    waiting, done, undone, failed = (start(each, by=alice) for each in (question(), line("x"), line("y"), thing("z")))
    outside.will("y", PlatformRefused("No."))
    outside.will("z", PlatformRefused("No."))
    outside.will("z", PlatformRefused("It stays."), undoing=True)
    run()
    assert [shown(alice, flow)["state"] for flow in (waiting, done, undone, failed)] == [
        "waiting", "done", "undone", "failed"
    ]  # fmt: skip
    assert shown(alice, failed)["error"] == {
        "code": "platform_refused",
        "detail": "No.",
        "step": "z",
        "undo": {"code": "platform_refused", "detail": "It stays.", "step": "z"},
    }
    assert client(root).post(f"{URL}/{waiting.pk}/cancel").json()["state"] == "cancelled"


def test_who_sees_what(outside: World, alice: User, bob: User, root: User, otto: User) -> None:
    flow = start(thing("a"), by=alice)
    other = start(thing("b"), by=root, watchers=[bob])
    for who, seen in ((alice, [flow]), (bob, [other]), (root, [other, flow]), (otto, [other, flow])):
        rows = client(who).get(URL).json()["results"]
        assert [row["id"] for row in rows] == [str(each.pk) for each in seen]
        for each in (flow, other):
            for place in (f"{URL}/{each.pk}", f"{URL}/{each.pk}/log"):
                answer = client(who).get(place)
                assert answer.status_code == (200 if each in seen else 404)
    assert_problem(client().get(URL), 401)
    assert_problem(client().get(f"{URL}/{flow.pk}"), 401)
    assert_problem(client(root).get(f"{URL}/{uuid4()}"), 404)


def test_filters(outside: World, alice: User) -> None:
    start(thing("a"), by=alice)
    done = start(line("b"), by=alice)
    outside.will("a", PlatformUnavailable("down"))
    run()
    Flow.objects.filter(pk=done.pk).update(subject_type="unions.union", subject_id="7", kind="unions.create")
    count = lambda query: client(alice).get(f"{URL}?{query}").json()["count"]  # noqa: E731
    assert count("") == 2
    assert count("state=done") == 1
    assert count("state=done&state=running") == 2
    assert count("kind=unions.create") == 1
    assert count("subject_type=unions.union&subject_id=7") == 1
    assert count("subject_type=unions.union&subject_id=8") == 0
    assert_problem(client(alice).get(f"{URL}?state=lost"), 422, "state")
    assert shown(alice, done)["subject"] == {"type": "unions.union", "id": "7", "label": ""}


def test_lists_have_a_budget(outside: World, alice: User, django_assert_max_num_queries: Any) -> None:
    flows = [start(thing("a"), line("b"), line("c"), by=alice) for _number in range(12)]
    run()
    with django_assert_max_num_queries(3):
        rows = client(alice).get(URL).json()["results"]
    assert [row["progress"] for row in rows] == [{"done": 3, "total": 3}] * 12
    with django_assert_max_num_queries(2):
        shown(alice, flows[0])
    with django_assert_max_num_queries(3):
        shown(alice, flows[0], log="true")
    with django_assert_max_num_queries(4):
        client(alice).get(f"{URL}/{flows[0].pk}/log")
    with django_assert_max_num_queries(2):
        client(alice).get(LOGS)


def test_logs(outside: World, alice: User) -> None:
    flow = start(line("a"), by=alice)
    run()
    StepLog.objects.bulk_create(
        StepLog(step=step(flow, "a"), message=f"line {number}") for number in range(LATEST_LINES + 5)
    )
    rows = client(alice).get(f"{URL}/{flow.pk}/log", {"page_size": 500}).json()["results"]
    assert [row["message"] for row in rows[:2]] == ["noted a", "line 0"]
    assert set(rows[0]) == {"id", "step", "at", "attempt", "undoing", "message", "data"}
    assert rows[0]["step"] == "a"
    first = client(alice).get(f"{URL}/{flow.pk}/log", {"page_size": 10}).json()
    assert (first["count"], len(first["results"])) == (LATEST_LINES + 6, 10)
    assert first["next"]
    assert "log" not in shown(alice, flow)["steps"][0]
    latest = shown(alice, flow, log="true")["steps"][0]["log"]
    assert len(latest) == LATEST_LINES
    assert latest[0]["message"] == f"line {LATEST_LINES + 4}"
    assert_problem(client(alice).get(f"{URL}/{flow.pk}", {"log": "perhaps"}), 422, "log")


def test_runtime_logs(outside: World, alice: User, bob: User, otto: User) -> None:
    mine, other = start(line("a"), by=alice), start(line("b"), line("c"))
    run()
    rows = client(alice).get(LOGS).json()["results"]
    assert [(row["flow"], row["kind"], row["step"], row["message"]) for row in rows] == [
        (str(mine.pk), "tests.flow", "a", "noted a")
    ]
    count = lambda query: client(otto).get(f"{LOGS}?{query}").json()["count"]  # noqa: E731
    assert client(bob).get(LOGS).json()["count"] == 0
    assert count("") == 3
    assert count(f"flow={other.pk}") == 2
    assert count("step=a") == 1
    assert count("q=noted+b") == 1
    assert count("kind=unions.create") == 0
    assert count(f"since={rows[0]['at']}&until={rows[0]['at']}") == 0
    assert_problem(client(otto).get(f"{LOGS}?flow=x"), 422, "flow")
    assert_problem(client().get(LOGS), 401)


# --- operators --------------------------------------------------------------------------------------------------------


def test_operators_cancel_retry_and_skip(outside: World, root: User) -> None:
    flow = start(thing("a"), thing("b"))
    outside.will("a", PlatformUnavailable("down"))
    run()
    place = f"{URL}/{flow.pk}/steps/{step(flow, 'a').pk}"
    answer = client(root).post(f"{place}/retry")
    assert (answer.status_code, answer.json()["id"]) == (200, str(flow.pk))
    outside.will("a", PlatformUnavailable("down"))
    run()
    skipped = client(root).post(f"{place}/skip").json()
    assert [row["state"] for row in skipped["steps"]] == ["skipped", "ready"]
    cancelled = client(root).post(f"{URL}/{flow.pk}/cancel", {"reason": "Not wanted"}, format="json").json()
    assert cancelled["error"] == {"code": "cancelled", "detail": "Not wanted"}
    assert cancelled["undoing"]
    run()
    assert shown(root, flow)["state"] == "cancelled"
    for action in (f"{place}/retry", f"{place}/skip", f"{URL}/{flow.pk}/cancel"):
        assert_problem(client(root).post(action), 409)


def test_who_may_not(outside: World, alice: User, bob: User, otto: User) -> None:
    flow = start(thing("a"), by=alice)
    place = f"{URL}/{flow.pk}"
    actions = (
        f"{place}/cancel",
        f"{place}/steps/{step(flow, 'a').pk}/retry",
        f"{place}/steps/{step(flow, 'a').pk}/skip",
    )
    for action in actions:
        assert_problem(client().post(action), 401)
        assert_problem(client(alice).post(action), 403)
        assert_problem(client(otto).post(action), 403)
        assert_problem(client(bob).post(action), 404)
        assert_problem(client(alice).get(action), 405)
    assert shown(alice, flow)["state"] == "running"


def test_bad_reasons(outside: World, root: User) -> None:
    flow = start(thing("a"))
    for body, field in (({"reason": "x" * 2001}, "reason"), ({"why": "x"}, "why"), ({"reason": ["x"]}, "reason")):
        assert_problem(client(root).post(f"{URL}/{flow.pk}/cancel", body, format="json"), 422, field)
    assert shown(root, flow)["state"] == "running"
