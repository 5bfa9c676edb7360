"""How flows end: carried through, taken back in reverse, or stopped at what cannot be taken back."""

from __future__ import annotations

from uuid import uuid4

import pytest

from console.errors import OutcomeUnknown, PlatformRefused, PlatformUnavailable
from console.flows import Done, Later, StepContext, engine
from console.models import Flow, FlowState, Notification, StepLog, StepState, User
from console.services.flows import cancel_flow
from tests.console.flowkit import (
    World,
    error,
    hurry,
    line,
    question,
    run,
    run_out,
    start,
    state,
    states,
    step,
    thing,
    wake,
)

pytestmark = pytest.mark.django_db

REFUSED = PlatformRefused("No room left.", code="no_room")


def test_steps_in_series_run_in_order(outside: World) -> None:
    flow = start(thing("a"), line("b"), thing("c"))
    assert states(flow) == {"a": "ready", "b": "waiting", "c": "waiting"}
    run()
    assert outside.did("do") == ["a", "b", "c"]
    assert state(flow) == FlowState.DONE
    assert set(states(flow).values()) == {StepState.DONE}
    ended = Flow.objects.get(pk=flow.pk)
    assert ended.ended_at is not None
    assert ended.error is None
    assert ended.progress == {"done": 3, "total": 3}


def test_steps_in_parallel_are_ready_together_and_the_next_waits_for_all(outside: World) -> None:
    flow = start(thing("a"), thing("b", ("a",)), thing("c", ("a",)), line("d", needs=("b", "c")))
    outside.will("b", Later(60))
    run()
    assert states(flow) == {"a": "done", "b": "later", "c": "done", "d": "waiting"}
    run_out()
    assert state(flow) == FlowState.DONE
    assert outside.did("do") == ["a", "b", "c", "b", "d"]


def test_a_later_step_reads_what_earlier_ones_gave(outside: World) -> None:
    seen: list[dict] = []
    flow = start(thing("a"), thing("b"))
    outside.will("b", lambda context: seen.append(context.outcome("a")) or None)
    run()
    assert state(flow) == FlowState.DONE
    assert seen == [{"made": "a"}]


def test_a_flow_waits_while_somebody_has_to_act(outside: World) -> None:
    flow = start(question(), thing("a"))
    run()
    assert (state(flow), states(flow)) == (FlowState.WAITING, {"question": "asleep", "a": "waiting"})
    assert wake({"verdict": "yes"}) == 1
    assert state(flow) == FlowState.RUNNING
    assert step(flow, "question").outcome == {"verdict": "yes"}
    run()
    assert state(flow) == FlowState.DONE
    assert wake() == 0


def test_a_failure_takes_back_what_was_done_in_reverse(outside: World) -> None:
    flow = start(thing("a"), thing("b"), line("c"), thing("d"), thing("e"))
    outside.will("d", REFUSED)
    run()
    assert outside.did("undo") == ["d", "b", "a"]
    assert outside.things == {}
    assert state(flow) == FlowState.UNDONE
    assert states(flow) == {"a": "undone", "b": "undone", "c": "undone", "d": "undone", "e": "skipped"}
    assert error(flow) == {"code": "no_room", "detail": "No room left.", "step": "d"}
    assert step(flow, "d").error == {"code": "no_room", "detail": "No room left."}


def test_what_failed_without_an_undoing_stays_failed(outside: World) -> None:
    flow = start(thing("a"), line("b"))
    outside.will("b", REFUSED)
    run()
    assert states(flow) == {"a": "undone", "b": "failed"}
    assert state(flow) == FlowState.UNDONE


def test_a_bug_ends_as_a_failed_step_and_tells_nothing_inner(outside: World) -> None:
    flow = start(thing("a"), thing("b"))
    outside.will("b", KeyError("password=hunter2"))
    run()
    assert state(flow) == FlowState.UNDONE
    assert error(flow)["code"] == "internal"
    assert "hunter2" not in str(error(flow)) + str(list(StepLog.objects.values_list("message", "data")))


def test_two_parallel_steps_that_fail_at_once(outside: World) -> None:
    """The first failure is the flow's; nothing is taken back while a worker has something in hand; then all is."""
    flow = start(thing("a"), thing("b", ("a",)), thing("c", ("a",)), line("d", needs=("b", "c")))
    engine.run_step(step(flow, "a").pk)
    seen: dict[str, str] = {}

    def fails_after_the_other(context: StepContext) -> Exception:
        engine.run_step(step(flow, "c").pk)
        seen.update(states(flow))
        return PlatformRefused("Second.", code="second")

    outside.will("b", fails_after_the_other)
    outside.will("c", PlatformRefused("First.", code="first"))
    engine.run_step(step(flow, "b").pk)
    assert seen == {"a": "done", "b": "running", "c": "failed", "d": "skipped"}
    run()
    assert (error(flow)["code"], error(flow)["step"]) == ("first", "c")
    assert step(flow, "b").error == {"code": "second", "detail": "Second."}
    assert outside.did("undo") == ["c", "b", "a"]
    assert state(flow) == FlowState.UNDONE


def test_a_step_that_succeeds_while_the_flow_fails_is_taken_back_too(outside: World) -> None:
    flow = start(thing("a"), thing("b", ("a",)), thing("c", ("a",)))
    engine.run_step(step(flow, "a").pk)
    outside.will("b", lambda context: engine.run_step(step(flow, "c").pk) and None)
    outside.will("c", REFUSED)
    engine.run_step(step(flow, "b").pk)
    assert "b" in outside.made
    run()
    assert outside.things == {}
    assert states(flow) == {"a": "undone", "b": "undone", "c": "undone"}


# --- taking back ------------------------------------------------------------------------------------------------------


def test_undoing_is_tried_again_where_time_can_heal(outside: World) -> None:
    flow = start(thing("a"), line("b"))
    outside.will("b", REFUSED)
    outside.will("a", PlatformUnavailable("down"), Later(5), PlatformUnavailable("down"), undoing=True)
    run()
    assert step(flow, "a").undo_error == {"code": "platform_unavailable", "detail": "down"}
    assert state(flow) == FlowState.RUNNING
    run_out()
    assert state(flow) == FlowState.UNDONE
    assert step(flow, "a").undo_error is None
    assert outside.things == {}


def test_what_cannot_be_undone_stops_and_is_said(outside: World) -> None:
    flow = start(thing("a"), thing("b"), line("c"))
    outside.will("c", REFUSED)
    outside.will("b", PlatformRefused("It is in use.", code="in_use"), undoing=True)
    run()
    assert state(flow) == FlowState.FAILED
    assert states(flow) == {"a": "done", "b": "failed", "c": "failed"}, "what came before it waits for the operator"
    assert error(flow) == {
        "code": "no_room",
        "detail": "No room left.",
        "step": "c",
        "undo": {"code": "in_use", "detail": "It is in use.", "step": "b"},
    }
    assert step(flow, "b").is_stuck
    run()
    assert outside.did("undo") == ["b"]


def test_undoing_gives_up_after_its_attempts(outside: World, settings: object) -> None:
    settings.FLOW_MAX_ATTEMPTS = 3  # type: ignore[attr-defined]
    flow = start(thing("a"), line("b"))
    outside.will("b", REFUSED)
    outside.will("a", *[PlatformUnavailable("down")] * 9, undoing=True)
    run_out()
    assert state(flow) == FlowState.FAILED
    assert outside.did("undo") == ["a"] * 3
    assert error(flow)["undo"]["step"] == "a"


def test_what_came_before_a_lasting_effect_is_taken_back_around_it(outside: World, alice: User, root: User) -> None:
    flow = start(thing("a"), thing("b", undo="", lasting="What b had is gone for good."), line("c"), by=alice)
    outside.will("c", REFUSED)
    run()
    assert state(flow) == FlowState.FAILED
    assert error(flow)["undo"] == {"code": "cannot_undo", "detail": "What b had is gone for good.", "step": "b"}
    assert outside.made == ["b"]
    assert states(flow) == {"a": "undone", "b": "done", "c": "failed"}
    told = Notification.objects.filter(kind="flow", link=f"/flows/{flow.pk}")
    assert set(told.values_list("user__username", flat=True)) == {alice.username, root.username}
    assert "No room left." in told[0].body_text


@pytest.mark.parametrize("problem", [REFUSED, OutcomeUnknown("?")])
def test_a_lasting_step_that_failed_may_have_had_its_effect(
    outside: World, settings: object, problem: Exception
) -> None:
    settings.FLOW_MAX_ATTEMPTS = 1  # type: ignore[attr-defined]
    flow = start(thing("a"), thing("b", undo="", lasting="What b had is gone for good."))
    outside.will("b", problem)
    run()
    assert (state(flow), states(flow)) == (FlowState.FAILED, {"a": "undone", "b": "failed"})


def test_a_lasting_step_that_was_never_begun_is_no_trouble(outside: World) -> None:
    flow = start(thing("a"), thing("b", undo="", lasting="What b had is gone for good."))
    outside.will("a", REFUSED)
    run()
    assert state(flow) == FlowState.UNDONE


def test_undoing_knows_what_the_forward_run_knew(outside: World) -> None:
    """A creation whose poll fails: the undoing finds the id, from the position or remembered at once."""
    told: list[dict] = []
    flow = start(thing("a"))

    def creates_then_fails(context: StepContext) -> Exception:
        context.remember(member_id="m-1")
        return PlatformUnavailable("no answer")

    outside.will("a", creates_then_fails, Later(2, {"driver": {"at": 1}, "known": {"network_id": "n-1"}}), REFUSED)
    outside.will("a", lambda context: told.append(context.known) or None, undoing=True)
    run_out()
    assert told == [{"member_id": "m-1", "network_id": "n-1"}]
    assert state(flow) == FlowState.UNDONE


def test_a_wait_without_a_position_forgets_nothing_that_is_known(outside: World) -> None:
    flow = start(thing("a"))
    outside.will("a", Later(2, {"known": {"network_id": "n-1"}}), Later(2), Later(2, {"driver": 7}))
    run()
    hurry()
    run()
    assert step(flow, "a").position == {"known": {"network_id": "n-1"}}
    hurry()
    run()
    assert step(flow, "a").position == {"driver": 7, "known": {"network_id": "n-1"}}


# --- cancelling -------------------------------------------------------------------------------------------------------


def test_cancelling_takes_back_what_was_done(outside: World, root: User) -> None:
    flow = start(thing("a"), question(), thing("b"))
    run()
    cancel_flow(actor=root, flow_id=flow.pk, reason="Not wanted any more")
    run()
    assert state(flow) == FlowState.CANCELLED
    assert states(flow) == {"a": "undone", "question": "undone", "b": "skipped"}
    assert error(flow) == {"code": "cancelled", "detail": "Not wanted any more"}
    assert Flow.objects.get(pk=flow.pk).cancelled_by == root
    assert outside.things == {}
    assert wake() == 0


def test_cancelling_while_a_step_runs_waits_for_it_and_takes_it_back(outside: World, root: User) -> None:
    flow = start(thing("a"), thing("b"))
    seen: dict[str, str] = {}

    def cancelled_meanwhile(context: StepContext) -> None:
        cancel_flow(actor=root, flow_id=flow.pk)
        seen.update(states(flow), flow=state(flow))

    outside.will("a", cancelled_meanwhile)
    run()
    assert seen == {"a": "running", "b": "skipped", "flow": "running"}
    assert outside.calls == [("do", "a"), ("undo", "a")]
    assert (state(flow), outside.things) == (FlowState.CANCELLED, {})


def test_a_step_that_fails_after_the_cancelling_does_not_rename_the_end(outside: World, root: User) -> None:
    flow = start(thing("a"), thing("b"))
    outside.will("a", lambda context: cancel_flow(actor=root, flow_id=flow.pk) and REFUSED)
    run()
    assert state(flow) == FlowState.CANCELLED
    assert error(flow)["code"] == "cancelled"


def test_a_step_that_is_about_to_sleep_in_a_cancelled_flow_does_not(outside: World, root: User) -> None:
    flow = start(question(), thing("b"))
    claimed = engine._claim(step(flow, "question").pk, uuid4(), "")
    assert claimed is not None
    assert engine._run_claimed(claimed), "it has announced what it waits for, and is to look once more"
    cancel_flow(actor=root, flow_id=flow.pk)
    run()
    assert (state(flow), states(flow)) == (FlowState.CANCELLED, {"question": "undone", "b": "skipped"})
    assert outside.did("do") == ["question"]


def test_nothing_begins_in_a_flow_that_is_being_taken_back(outside: World) -> None:
    """A worker has claimed a step, and the flow fails before it starts: the step does nothing."""
    for kind in (thing, line):
        outside.clear()
        flow = start(thing("a"), kind("b", needs=("a",)), thing("c", ("a",)))
        engine.run_step(step(flow, "a").pk)
        claimed = engine._claim(step(flow, "b").pk, uuid4(), "")
        outside.will("c", REFUSED)
        engine.run_step(step(flow, "c").pk)
        assert claimed is not None
        claimed.flow.refresh_from_db()
        engine._run_claimed(claimed)
        run()
        assert "b" not in outside.did("do") + outside.did("undo")
        assert states(flow)["b"] == "skipped"
        assert state(flow) == FlowState.UNDONE


# --- plans ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tasks", [[thing("a"), thing("a")], [thing("a", ("b",)), thing("b", ())]])
def test_a_plan_that_could_never_end_is_refused_when_it_is_promised(tasks: list) -> None:
    with pytest.raises(ValueError, match=r"tests\.flow"):
        start(*tasks)
    assert not Flow.objects.exists()


def test_an_action_that_only_newer_workers_know_is_tried_again(outside: World) -> None:
    flow = start(line("a", "tests.of_tomorrow"))
    run()
    assert states(flow) == {"a": "later"}
    run_out()
    assert state(flow) == FlowState.UNDONE


def test_an_ending_that_is_none_fails_the_step(outside: World) -> None:
    flow = start(thing("a"))
    outside.will("a", lambda context: Done)  # the class, not an ending
    run()
    assert state(flow) == FlowState.UNDONE
