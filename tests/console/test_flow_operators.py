"""What an operator may do to a flow, in which state, and that a refusal leaves everything as it was."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from console.errors import Conflict, Missing, NotAllowed, PlatformRefused, PlatformUnavailable
from console.flows import Ask, Later
from console.models import AuditEntry, Flow, FlowState, StepState, User
from console.services.flows import cancel_flow, retry_step, skip_step
from tests.console.flowkit import (
    World,
    error,
    line,
    question,
    run,
    run_out,
    start,
    state,
    states,
    step,
    thing,
)

pytestmark = pytest.mark.django_db
REFUSED = PlatformRefused("No room left.", code="no_room")


def snapshot(flow: Flow) -> Any:
    return state(flow), states(flow), error(flow), AuditEntry.objects.count()


def stuck(outside: World) -> Flow:
    """A flow that could not take back "b"; what came before it waits."""
    flow = start(thing("a"), thing("b"), line("c"))
    outside.will("c", REFUSED)
    outside.will("b", PlatformRefused("It is in use.", code="in_use"), undoing=True)
    run()
    assert state(flow) == FlowState.FAILED
    return flow


def test_a_step_that_waits_for_its_next_attempt_is_tried_at_once(outside: World, root: User) -> None:
    flow = start(thing("a"), thing("b"))
    outside.will("a", PlatformUnavailable("down"))
    run()
    retry_step(actor=root, flow_id=flow.pk, step_id=step(flow, "a").pk)
    run()
    assert state(flow) == FlowState.DONE
    assert AuditEntry.objects.get().action == "console.flow.step_retried"
    assert AuditEntry.objects.get().data == {"step": "a"}


def test_an_undoing_that_waits_is_tried_at_once(outside: World, root: User) -> None:
    flow = start(thing("a"), line("b"))
    outside.will("b", REFUSED)
    outside.will("a", PlatformUnavailable("down"), undoing=True)
    run()
    retry_step(actor=root, flow_id=flow.pk, step_id=step(flow, "a").pk)
    run()
    assert state(flow) == FlowState.UNDONE


def test_a_failed_undoing_is_tried_again_and_the_rest_follows(outside: World, root: User) -> None:
    flow = stuck(outside)
    retry_step(actor=root, flow_id=flow.pk, step_id=step(flow, "b").pk)
    assert state(flow) == FlowState.RUNNING
    run()
    assert (state(flow), outside.things) == (FlowState.UNDONE, {})
    assert error(flow) == {"code": "no_room", "detail": "No room left.", "step": "c"}


def test_a_failed_undoing_seen_to_by_hand_is_skipped_and_the_rest_follows(outside: World, root: User) -> None:
    flow = stuck(outside)
    skip_step(actor=root, flow_id=flow.pk, step_id=step(flow, "b").pk)
    run()
    assert state(flow) == FlowState.UNDONE
    assert states(flow) == {"a": "undone", "b": "undone", "c": "failed"}
    assert outside.did("undo") == ["b", "a"], "b was not tried again"


def test_a_flow_that_stopped_half_way_goes_on_where_it_stopped(outside: World, root: User) -> None:
    lasting = {"undo": "", "lasting": "Gone for good."}
    flow = start(thing("a"), thing("b", **lasting), thing("c", **lasting), line("d"))
    outside.will("c", REFUSED)
    run()
    assert (state(flow), outside.made) == (FlowState.FAILED, ["b"])
    key = step(flow, "c").key
    before = snapshot(flow)
    for name in ("a", "b", "d"):
        with pytest.raises(Conflict):
            retry_step(actor=root, flow_id=flow.pk, step_id=step(flow, name).pk)
    with pytest.raises(Conflict):
        skip_step(actor=root, flow_id=flow.pk, step_id=step(flow, "c").pk)
    assert snapshot(flow) == before
    retry_step(actor=root, flow_id=flow.pk, step_id=step(flow, "c").pk)
    again = {"a": StepState.READY, "b": StepState.DONE, "c": StepState.WAITING, "d": StepState.WAITING}
    assert states(flow) == again, (
        "c waits for a, although b is done: whoever works on them, they come one after the other"
    )
    run()
    assert (state(flow), error(flow), outside.made) == (FlowState.DONE, {}, ["a", "b", "c"])
    assert outside.did("do") == ["a", "b", "c", "a", "c", "d"], "b was done"
    assert step(flow, "c").key != key


def test_a_step_in_trouble_is_skipped_and_the_flow_goes_on(outside: World, root: User) -> None:
    flow = start(thing("a"), thing("b"))
    outside.will("a", PlatformUnavailable("down"))
    run()
    skip_step(actor=root, flow_id=flow.pk, step_id=step(flow, "a").pk)
    run()
    assert (state(flow), states(flow)) == (FlowState.DONE, {"a": "skipped", "b": "done"})


def test_what_a_skipped_step_may_have_done_is_taken_back_with_the_rest(outside: World, root: User) -> None:
    flow = start(thing("a"), line("b"))

    def makes_it_and_loses_the_answer(context: Any) -> PlatformUnavailable:
        outside.things[context.key] = "a"
        return PlatformUnavailable("no answer")

    outside.will("a", makes_it_and_loses_the_answer)
    outside.will("b", REFUSED)
    run()
    skip_step(actor=root, flow_id=flow.pk, step_id=step(flow, "a").pk)
    run()
    assert (state(flow), states(flow)) == (FlowState.UNDONE, {"a": "undone", "b": "failed"})
    assert outside.things == {}


def test_what_was_never_begun_is_not_taken_back(outside: World, root: User) -> None:
    flow = start(thing("a"), thing("b"), thing("c"))
    outside.will("a", REFUSED)
    run()
    assert outside.did("undo") == ["a"]
    assert states(flow) == {"a": "undone", "b": "skipped", "c": "skipped"}


# --- what is refused --------------------------------------------------------------------------------------------------


def in_state(outside: World, wanted: StepState) -> tuple[Flow, str]:
    """A flow with a step in the state, brought there by the engine."""
    match wanted:
        case StepState.WAITING:
            return start(thing("x"), thing("a")), "a"
        case StepState.READY:
            return start(thing("a")), "a"
        case StepState.LATER:
            outside.will("a", Later(60))
        case StepState.FAILED:
            outside.will("a", REFUSED)
            flow = start(line("a"))
            run()
            return flow, "a"
        case StepState.ASLEEP:
            flow = start(question("a"))
            run()
            return flow, "a"
        case StepState.DECIDING:
            outside.will("a", Ask("Is it there?"))  # type: ignore[arg-type]
        case StepState.UNDOING:
            outside.will("a", PlatformUnavailable("down"), undoing=True)
            outside.will("b", REFUSED)
            flow = start(thing("a"), line("b"))
            run()
            return flow, "a"
        case StepState.UNDONE:
            outside.will("a", REFUSED)
        case StepState.SKIPPED:
            outside.will("x", REFUSED)
            flow = start(thing("x"), thing("a"))
            run()
            return flow, "a"
    flow = start(thing("a"))
    run()
    return flow, "a"


REACHED = [state for state in StepState if state != StepState.RUNNING]  # see the next but one test
RETRIED = {StepState.LATER, StepState.UNDOING}
SKIPPED = {StepState.LATER}


@pytest.mark.parametrize("wanted", REACHED)
@pytest.mark.parametrize(("verb", "allowed"), [(retry_step, RETRIED), (skip_step, SKIPPED)])
def test_in_which_states_a_step_is_retried_and_skipped(
    outside: World, root: User, wanted: StepState, verb: Any, allowed: set[StepState]
) -> None:
    flow, name = in_state(outside, wanted)
    assert states(flow)[name] == wanted
    before = snapshot(flow)
    if wanted in allowed:
        verb(actor=root, flow_id=flow.pk, step_id=step(flow, name).pk)
        assert AuditEntry.objects.count() == 1
    else:
        with pytest.raises(Conflict):
            verb(actor=root, flow_id=flow.pk, step_id=step(flow, name).pk)
        assert snapshot(flow) == before


def test_a_running_step_is_neither_retried_nor_skipped(outside: World, root: User) -> None:
    flow = start(thing("a"))
    heard: list[str] = []

    def meddled_with(context: Any) -> None:
        for verb in (retry_step, skip_step):
            try:
                verb(actor=root, flow_id=flow.pk, step_id=context.step_id)
            except Conflict as refusal:
                heard.append(refusal.code)

    outside.will("a", meddled_with)
    run()
    assert heard == ["conflict", "conflict"]
    assert state(flow) == FlowState.DONE


def test_a_vote_is_never_skipped(outside: World, root: User) -> None:
    """Neither while it sleeps nor in the moment before."""
    from console.flows import engine

    flow = start(question())
    claimed = engine._claim(step(flow, "question").pk, uuid4(), "")
    assert claimed is not None
    assert engine._run_claimed(claimed)
    assert states(flow) == {"question": "later"}
    with pytest.raises(Conflict):
        skip_step(actor=root, flow_id=flow.pk, step_id=claimed.pk)


def test_a_flow_that_has_ended_or_is_being_taken_back_is_not_cancelled(outside: World, root: User) -> None:
    done, undoing = start(thing("x")), None
    run()
    undoing = in_state(outside, StepState.UNDOING)[0]
    for flow in (done, undoing, stuck(outside)):
        before = snapshot(flow)
        with pytest.raises(Conflict):
            cancel_flow(actor=root, flow_id=flow.pk)
        assert snapshot(flow) == before
    run_out()


def test_only_administrators_and_only_what_they_see(outside: World, alice: User, bob: User, otto: User) -> None:
    flow = start(thing("a"), by=alice)
    outside.will("a", PlatformUnavailable("down"))
    run()
    pk = step(flow, "a").pk
    before = snapshot(flow)
    calls = {
        "cancel": lambda who: cancel_flow(actor=who, flow_id=flow.pk),
        "retry": lambda who: retry_step(actor=who, flow_id=flow.pk, step_id=pk),
        "skip": lambda who: skip_step(actor=who, flow_id=flow.pk, step_id=pk),
    }
    for call in calls.values():
        for seeing in (alice, otto):
            with pytest.raises(NotAllowed):
                call(seeing)
        with pytest.raises(Missing):
            call(bob)
    assert snapshot(flow) == before


def test_a_step_of_another_flow_is_not_found(outside: World, root: User) -> None:
    one, two = start(thing("a")), start(thing("a"))
    for verb in (retry_step, skip_step):
        with pytest.raises(Missing):
            verb(actor=root, flow_id=one.pk, step_id=step(two, "a").pk)
        with pytest.raises(Missing):
            verb(actor=root, flow_id=uuid4(), step_id=step(two, "a").pk)


def test_watchers_see_the_flow_and_strangers_do_not(outside: World, alice: User, bob: User, root: User) -> None:
    flow = start(thing("a"), by=alice, watchers=[bob])
    other = start(thing("a"), by=root)
    assert list(Flow.objects.visible_to(bob)) == [flow]
    assert list(Flow.objects.visible_to(alice)) == [flow]
    assert set(Flow.objects.visible_to(root)) == {flow, other}
