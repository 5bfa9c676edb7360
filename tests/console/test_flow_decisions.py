"""Steps that nobody can know about: they wait for an operator, who chooses, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from console import flows
from console.errors import Conflict, Invalid, Missing, NotAllowed, OutcomeUnknown, PlatformUnavailable
from console.flows import Ask, Done, StepContext, Task
from console.models import AuditEntry, Flow, FlowState, IdempotencyKey, Notification, Step, StepLog, StepState, User
from console.services.flows import cancel_flow, decide_step, retry_step, skip_step
from console.services.retention import forget_keys, forget_log
from tests.console.flowkit import (
    World,
    error,
    let_leases_expire,
    line,
    run,
    run_out,
    start,
    state,
    states,
    step,
    thing,
    world,
)
from tests.rest import client as api

pytestmark = pytest.mark.django_db
CANDIDATES = ({"id": "x-1", "name": "x", "status": "running", "created": ""},)
UNKNOWN = "Is it there?"


@flows.step("tests.careful", asks=UNKNOWN)
def careful(context: StepContext) -> Any:
    """Makes a thing at every call, unless somebody says which one it is."""
    if context.chosen:
        return Done({"made": context.chosen})
    ending = world.behave("do", context)
    if ending is None:
        world.things[f"{context.key}-{len(world.things)}"] = context.arguments["name"]
    return ending or Done({"made": context.arguments["name"], "again": context.told_to_try_again})


@flows.step("tests.take_back")
def take_back(context: StepContext) -> Done:
    world.calls.append(("leave", ",".join(sorted(context.not_ours))))
    world.calls.append(("undo", context.chosen))
    return Done()


def asking(name: str = "x", **more: Any) -> Task:
    return Task(name, "tests.careful", "Make x", undo="tests.take_back", arguments={"name": name}, **more)


def asked(outside: World, *rest: Task, by: User | None = None) -> Flow:
    """A flow whose step found several things that it may have made."""
    outside.will("x", Ask("Which one?", CANDIDATES))  # type: ignore[arg-type]
    flow = start(asking(), *rest, by=by)
    run()
    return flow


def test_what_stays_unknown_is_asked_and_never_done_twice(outside: World, root: User, alice: User) -> None:
    """All attempts are lost: the step waits, the operators are told, and once one says so it is tried again."""
    outside.will("x", *[OutcomeUnknown("no answer")] * 8)
    flow = start(asking(), line("y"), by=alice)
    run_out()
    assert (state(flow), states(flow)) == (FlowState.WAITING, {"x": "deciding", "y": "waiting"})
    assert Flow.objects.get(pk=flow.pk).needs_decision
    assert list(Flow.objects.all().needing_decision()) == [flow]
    assert step(flow, "x").decision["question"] == UNKNOWN
    told = Notification.objects.get(kind="decision")
    assert (told.user, told.link) == (root, f"/flows/{flow.pk}")

    decide_step(actor=root, flow_id=flow.pk, choice="again")
    assert state(flow) == FlowState.RUNNING
    run()
    assert (state(flow), outside.made) == (FlowState.DONE, ["x"])
    assert step(flow, "x").outcome == {"made": "x", "again": True}
    entry = AuditEntry.objects.get(action="console.flow.decided")
    assert entry.data == {"step": "x", "choice": "again", "candidate": ""}
    assert not Flow.objects.all().needing_decision().exists()


def test_what_time_could_heal_and_is_certain_is_no_question(outside: World) -> None:
    outside.will("x", *[PlatformUnavailable("down")] * 8)
    flow = start(asking())
    run_out()
    assert state(flow) == FlowState.UNDONE


def test_go_on_with_what_was_found(outside: World, root: User) -> None:
    flow = asked(outside, line("y"))
    decide_step(actor=root, flow_id=flow.pk, step_id=step(flow, "x").pk, choice="adopt", candidate="x-1")
    run()
    assert (state(flow), step(flow, "x").outcome, outside.made) == (FlowState.DONE, {"made": "x-1"}, [])
    messages = list(StepLog.objects.filter(step__flow=flow, step__name="x").values_list("message", "attempt"))
    assert messages == [("Which one?", 1), ("an operator has decided", None)]


@pytest.mark.parametrize(("candidate", "left"), [("x-1", ""), ("", "x-1")])
def test_give_up_with_what_was_found_or_without(outside: World, root: User, candidate: str, left: str) -> None:
    flow = asked(outside)
    decide_step(actor=root, flow_id=flow.pk, choice="give_up", candidate=candidate)
    run()
    assert (state(flow), error(flow)["code"]) == (FlowState.UNDONE, "given_up")
    assert outside.calls[-2:] == [("leave", left), ("undo", candidate)]


def test_an_operators_word_holds_for_one_attempt(outside: World, root: User) -> None:
    """After it the outcome may be unknown once more: then it is asked once more, and what was refused stays so."""
    flow = asked(outside)
    decide_step(actor=root, flow_id=flow.pk, choice="again")
    seen: list[Any] = []

    def look(context: StepContext) -> Any:
        seen.append((context.told_to_try_again, context.unsure, sorted(context.not_ours)))
        return OutcomeUnknown("lost") if len(seen) == 1 else Ask("And now?")

    outside.will("x", look, look)
    run_out()
    assert seen == [(True, False, ["x-1"]), (False, True, ["x-1"])]
    assert (states(flow), step(flow, "x").decision["question"]) == ({"x": "deciding"}, "And now?")
    assert Notification.objects.filter(kind="decision").count() == 2


def test_a_flow_is_stopped_while_it_asks(outside: World, root: User) -> None:
    flow = asked(outside)
    cancel_flow(actor=root, flow_id=flow.pk)
    with pytest.raises(Conflict):
        decide_step(actor=root, flow_id=flow.pk, step_id=step(flow, "x").pk, choice="again")
    run()
    assert (state(flow), states(flow), outside.did("leave")) == (FlowState.CANCELLED, {"x": "undone"}, [""])


def test_a_flow_is_stopped_just_after_the_answer(outside: World, root: User) -> None:
    """What the step may have made before it was asked about is taken back all the same."""
    flow = asked(outside)
    decide_step(actor=root, flow_id=flow.pk, choice="adopt", candidate="x-1")
    cancel_flow(actor=root, flow_id=flow.pk)
    run()
    assert (state(flow), outside.calls[-1]) == (FlowState.CANCELLED, ("undo", "x-1"))


def test_a_step_beside_it_fails(outside: World, root: User) -> None:
    from console.errors import PlatformRefused

    outside.will("x", Ask("Which one?", CANDIDATES))  # type: ignore[arg-type]
    outside.will("z", PlatformRefused("no"))
    flow = start(asking(needs=()), thing("z", needs=()))
    run()
    assert state(flow) == FlowState.UNDONE


def test_a_worker_dies_while_it_asks_or_after_the_answer(outside: World, root: User) -> None:
    """The question is a row: the next worker asks it again; an answer that was written down is carried out."""
    outside.will("x", Ask("Which one?", CANDIDATES), Ask("Which one?", CANDIDATES))  # type: ignore[arg-type]
    flow = start(asking())
    from uuid import uuid4

    from console.flows import engine

    assert engine._claim(step(flow, "x").pk, uuid4(), "gone") is not None
    let_leases_expire()
    run()
    assert states(flow) == {"x": "deciding"}
    decide_step(actor=root, flow_id=flow.pk, choice="adopt", candidate="x-1")
    assert engine._claim(step(flow, "x").pk, uuid4(), "gone") is not None
    let_leases_expire()
    run()
    assert (state(flow), step(flow, "x").outcome) == (FlowState.DONE, {"made": "x-1"})


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no such choice": ({"choice": "maybe"}, "choice"),
    "adopt nothing": ({"choice": "adopt"}, "candidate"),
    "adopt a stranger": ({"choice": "adopt", "candidate": "x-2"}, "candidate"),
    "give up with a stranger": ({"choice": "give_up", "candidate": "x-2"}, "candidate"),
    "try again with something": ({"choice": "again", "candidate": "x-1"}, "candidate"),
}


def test_refusals_change_nothing(outside: World, root: User, alice: User, bob: User, otto: User) -> None:
    flow = asked(outside, by=alice)
    pk = step(flow, "x").pk

    def snapshot() -> Any:
        return state(flow), states(flow), step(flow, "x").decision, AuditEntry.objects.count(), StepLog.objects.count()

    before = snapshot()
    for wrong, field in BAD.values():
        with pytest.raises(Invalid) as refusal:
            decide_step(actor=root, flow_id=flow.pk, step_id=pk, **wrong)
        assert list(refusal.value.errors) == [field]
    for seeing in (alice, otto):
        with pytest.raises(NotAllowed):
            decide_step(actor=seeing, flow_id=flow.pk, step_id=pk, choice="again")
    with pytest.raises(Missing):
        decide_step(actor=bob, flow_id=flow.pk, step_id=pk, choice="again")
    for verb in (retry_step, skip_step):
        with pytest.raises(Conflict):
            verb(actor=root, flow_id=flow.pk, step_id=pk)
    other = start(thing("a"))
    with pytest.raises(Conflict):
        decide_step(actor=root, flow_id=other.pk, choice="again")
    with pytest.raises(Missing):
        decide_step(actor=root, flow_id=other.pk, step_id=pk, choice="again")
    assert snapshot() == before


def test_two_steps_ask_and_one_has_to_be_named(outside: World, root: User) -> None:
    for name in ("x", "w"):
        outside.will(name, Ask("Which one?", CANDIDATES))  # type: ignore[arg-type]
    flow = start(asking("x", needs=()), asking("w", needs=()))
    run()
    with pytest.raises(Invalid) as refusal:
        decide_step(actor=root, flow_id=flow.pk, choice="again")
    assert list(refusal.value.errors) == ["step"]
    decide_step(actor=root, flow_id=flow.pk, step_id=step(flow, "w").pk, choice="adopt", candidate="x-1")
    run()
    assert states(flow) == {"x": "deciding", "w": "done"}


# --- by API and page --------------------------------------------------------------------------------------------------


def test_by_api(outside: World, root: User, alice: User) -> None:
    flow = asked(outside, by=alice)
    other = start(thing("a"))
    rest = api(root)
    assert [row["id"] for row in rest.get("/api/v1/flows?needs_decision=true").json()["results"]] == [str(flow.pk)]
    assert [row["id"] for row in rest.get("/api/v1/flows?needs_decision=false").json()["results"]] == [str(other.pk)]
    shown = rest.get(f"/api/v1/flows/{flow.pk}").json()
    assert (shown["state"], shown["needs_decision"]) == ("waiting", True)
    decision = shown["steps"][0]["decision"]
    assert decision["question"] == "Which one?"
    assert (decision["choices"], decision["candidates"]) == (["adopt", "again", "give_up"], list(CANDIDATES))
    path = f"/api/v1/flows/{flow.pk}/decide"
    for body, field in (
        ({}, "choice"),
        ({"choice": "adopt", "candidate": "x-2"}, "candidate"),
        ({"choice": "again", "x": 1}, "x"),
    ):
        refused = rest.post(path, body, format="json")
        assert (refused.status_code, list(refused.json()["errors"])) == (422, [field])
    assert api(alice).post(path, {"choice": "again"}, format="json").status_code == 403
    done = rest.post(path, {"choice": "adopt", "candidate": "x-1"}, format="json")
    assert done.status_code == 200
    assert done.json()["steps"][0]["decision"] | {"asked_at": ""} == {
        "question": "Which one?",
        "candidates": list(CANDIDATES),
        "choices": [],
        "choice": "adopt",
        "candidate": "x-1",
        "by": "root",
        "asked_at": "",
    }
    assert rest.post(path, {"choice": "again"}, format="json").status_code == 409
    lines = rest.get(f"/api/v1/flows/{flow.pk}/log?q=decided").json()
    assert [row["data"]["choice"] for row in lines["results"]] == ["adopt"]
    assert rest.get(f"/api/v1/flows/{flow.pk}/log?attempt=1&step=x").json()["count"] == 1


def test_by_page(outside: World, client: Client, root: User, alice: User) -> None:
    flow = asked(outside, by=alice)
    page = f"/flows/{flow.pk}"
    client.force_login(alice)
    seen = client.get(page).content.decode()
    assert "A decision is needed" in seen
    assert "Which one?" in seen
    assert "/decide" not in seen
    client.force_login(root)
    seen = client.get(page).content.decode()
    for text in ("Which one?", "x-1", "Go on with this one", "None of these: try again", "data-confirm"):
        assert text in seen
    assert "Needs a decision" in client.get("/").content.decode()
    listed = client.get("/flows?decision=needed").content.decode()
    assert "Needs a decision" in listed
    answer = client.post(f"{page}/steps/{step(flow, 'x').pk}/decide", {"choice": "adopt", "candidate": "x-1"})
    assert answer.status_code == 302
    run()
    assert state(flow) == FlowState.DONE
    assert "root decided: go on with x-1." in client.get(page).content.decode()
    assert "No flow matches" in client.get("/flows?decision=needed").content.decode()


# --- the log ----------------------------------------------------------------------------------------------------------


def test_the_whole_log_by_page(outside: World, client: Client, alice: User, bob: User) -> None:
    flow = start(line("n7"), thing("b"), by=alice)
    run()
    StepLog.objects.all().delete()
    first_step, second = step(flow, "n7"), step(flow, "b")
    StepLog.objects.bulk_create(StepLog(step=second, message=f"noted n{number}.") for number in range(59))
    StepLog.objects.create(step=first_step, message="the last", attempt=1, data={"sent": {"a": 1}})
    client.force_login(alice)
    page = f"/flows/{flow.pk}/log"
    first = client.get(page).content.decode()
    assert ("noted n0." in first, "noted n58." in first) == (True, False)
    assert "noted n58." in client.get(f"{page}?page=2").content.decode()
    one = client.get(f"{page}?step=n7").content.decode()
    assert ("the last" in one, "noted" in one) == (True, False)
    assert "No line matches" in client.get(f"{page}?q=nonsense").content.decode()
    client.force_login(bob)
    assert client.get(page).status_code == 404


def test_old_lines_and_keys_go_and_those_of_open_flows_stay(outside: World, alice: User, settings: Any) -> None:
    old = timezone.now() - timedelta(days=200)
    done, open_, fresh = start(line("a")), start(line("b"), thing("later")), start(line("c"))
    outside.will("later", *[PlatformUnavailable("down")] * 3)
    run()
    for flow in (done, open_, fresh):
        IdempotencyKey.objects.create(user=alice, key=str(flow.pk), fingerprint="", flow=flow)
    StepLog.objects.filter(step__flow__in=[done, open_]).update(at=old)
    IdempotencyKey.objects.filter(flow__in=[done, open_]).update(created_at=old)
    settings.KEEP_LOG_DAYS = settings.KEEP_IDEMPOTENCY_DAYS = 0
    assert (forget_log(lambda: True), forget_keys(lambda: True)) == (0, 0)
    settings.KEEP_LOG_DAYS = settings.KEEP_IDEMPOTENCY_DAYS = 100
    assert (forget_log(lambda: False), forget_keys(lambda: False)) == (0, 0)
    assert (forget_log(lambda: True), forget_keys(lambda: True)) == (1, 1)
    assert set(StepLog.objects.values_list("step__flow", flat=True)) == {open_.pk, fresh.pk}
    assert set(IdempotencyKey.objects.values_list("flow", flat=True)) == {open_.pk, fresh.pk}
    assert Step.objects.filter(flow=done, state=StepState.DONE).exists()
