"""What the service has done before any worker: done from the start, and taken back whatever else has run."""

from __future__ import annotations

import pytest

from console.flows import Blueprint, Task
from console.models import FlowState, StepState, User
from console.services.flows import cancel_flow
from tests.console.flowkit import World, run, start, state, states, step, thing

pytestmark = pytest.mark.django_db(transaction=True)


def mark(name: str = "mark") -> Task:
    return Task(name, "", "Mark it", undo="tests.unmake", arguments={"name": name}, already=True)


def test_it_is_done_and_the_next_is_ready(outside: World) -> None:
    flow = start(mark(), thing("a"))
    assert states(flow) == {"mark": StepState.DONE, "a": StepState.READY}
    run()
    assert (state(flow), outside.made) == (FlowState.DONE, ["a"])


def test_a_flow_that_is_cancelled_before_its_first_step_takes_it_back(outside: World, root: User) -> None:
    flow = start(mark(), thing("a"))
    outside.things[str(step(flow, "mark").key)] = "mark"
    cancel_flow(actor=root, flow_id=flow.pk)
    run()
    assert state(flow) == FlowState.CANCELLED
    assert states(flow) == {"mark": StepState.UNDONE, "a": StepState.SKIPPED}
    assert (outside.made, outside.did("do"), outside.did("undo")) == ([], [], ["mark"])


def test_it_is_taken_back_last(outside: World) -> None:
    outside.will("b", ValueError())
    flow = start(mark(), thing("a"), thing("b"))
    run()
    assert state(flow) == FlowState.UNDONE
    assert outside.did("undo") == ["b", "a", "mark"]


def test_a_flow_of_nothing_else_is_done_at_once(outside: World) -> None:
    assert state(start(mark())) == FlowState.DONE


@pytest.mark.parametrize(
    ("tasks", "complaint"),
    [
        ([thing("a"), mark()], "needs others"),
        ([Task("a", "", "Do it")], "has no action"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(tasks: list[Task], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Blueprint("tests.odd", "Odd", lambda _arguments: tasks).tasks({})
