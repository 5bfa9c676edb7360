"""The diagrams of flows and steps, literally: every edge, and a refusal from everywhere else."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_fsm import ConcurrentTransition, TransitionNotAllowed

from console.models import Flow, FlowState, Step, StepState
from console.models.flows import CLAIMED
from tests.console.flowkit import World, start, step, thing

pytestmark = pytest.mark.django_db

FLOW_EDGES = {
    ("running", "wait", "waiting"),
    ("waiting", "go_on", "running"),
    ("running", "complete", "done"),
    ("waiting", "complete", "done"),
    ("running", "take_back", "undone"),
    ("waiting", "take_back", "undone"),
    ("running", "call_off", "cancelled"),
    ("waiting", "call_off", "cancelled"),
    ("running", "give_up", "failed"),
    ("waiting", "give_up", "failed"),
    ("failed", "resume", "running"),
}

STEP_EDGES = {
    ("waiting", "make_ready", "ready"),
    ("running", "finish", "done"),
    ("asleep", "wake", "done"),
    ("running", "postpone", "later"),
    ("running", "fall_asleep", "asleep"),
    ("running", "fail", "failed"),
    ("asleep", "fail", "failed"),
    ("running", "ask", "deciding"),
    ("deciding", "take_answer", "ready"),
    ("deciding", "fail", "failed"),
    ("deciding", "begin_undoing", "undoing"),
    ("deciding", "finish_undoing", "undone"),
    ("waiting", "skip", "skipped"),
    ("ready", "skip", "skipped"),
    ("running", "skip", "skipped"),
    ("later", "skip", "skipped"),
    ("done", "begin_undoing", "undoing"),
    ("later", "begin_undoing", "undoing"),
    ("asleep", "begin_undoing", "undoing"),
    ("failed", "begin_undoing", "undoing"),
    ("skipped", "begin_undoing", "undoing"),
    ("undoing", "postpone_undoing", "undoing"),
    ("undoing", "finish_undoing", "undone"),
    ("done", "finish_undoing", "undone"),
    ("later", "finish_undoing", "undone"),
    ("asleep", "finish_undoing", "undone"),
    ("failed", "finish_undoing", "undone"),
    ("undoing", "stay", "failed"),
    ("done", "stay", "failed"),
    ("later", "stay", "failed"),
    ("asleep", "stay", "failed"),
    ("failed", "stay", "failed"),
    ("skipped", "stay", "failed"),
    ("failed", "begin_again", "waiting"),
    ("undone", "begin_again", "waiting"),
    ("skipped", "begin_again", "waiting"),
}

CLAIMS = {("ready", "running"), ("later", "running"), ("running", "running"), ("undoing", "undoing")}

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "finish": ({},),
    "ask": ({},),
    "take_answer": ({},),
    "wake": ({},),
    "postpone": (timezone.now(),),
    "postpone_undoing": (timezone.now(),),
    "fail": ({"code": "x", "detail": "x"},),
    "stay": ({"code": "x", "detail": "x"},),
}


def edges(model: type[Flow] | type[Step]) -> set[tuple[str, str, str]]:
    field = model._meta.get_field("state")
    return {(str(each.source), each.name, str(each.target)) for each in field.get_all_transitions(model)}


def test_the_diagrams_are_these() -> None:
    assert edges(Flow) == FLOW_EDGES
    assert edges(Step) == STEP_EDGES
    assert {(str(source), str(target)) for source, target in CLAIMED.items()} == CLAIMS


def test_nothing_leaves_the_end() -> None:
    left = {source for source, _name, _target in FLOW_EDGES}
    assert set(FlowState.values) - left == {"done", "undone", "cancelled"}
    left = {source for source, _name, _target in STEP_EDGES}
    assert set(StepState.values) - left == set()
    assert {edge for edge in STEP_EDGES if edge[0] == "undone"} == {("undone", "begin_again", "waiting")}


@pytest.mark.parametrize("model", [Flow, Step])
def test_every_edge_holds_and_every_other_is_refused(model: Any) -> None:
    drawn = edges(model)
    for name in {name for _source, name, _target in drawn}:
        for source in model._meta.get_field("state").choices:
            row = model(state=source[0])
            target = next((end for begin, verb, end in drawn if (begin, verb) == (source[0], name)), None)
            if target is None:
                with pytest.raises(TransitionNotAllowed):
                    getattr(row, name)(*ARGUMENTS.get(name, ()))
                assert row.state == source[0]
            else:
                getattr(row, name)(*ARGUMENTS.get(name, ()))
                assert row.state == target


def test_nobody_sets_a_state_by_hand(outside: World) -> None:
    flow = start(thing("a"))
    for row in (Flow.objects.get(pk=flow.pk), step(flow, "a")):
        with pytest.raises(AttributeError, match="not allowed"):
            row.state = "done"


def test_a_stale_row_does_not_overwrite(outside: World) -> None:
    flow = start(thing("a"))
    stale, fresh = step(flow, "a"), step(flow, "a")
    fresh.skip()
    fresh.save()
    stale.skip()
    with pytest.raises(ConcurrentTransition), transaction.atomic():
        stale.save()


BROKEN: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "a flow's unknown state": (Flow, {"state": "lost"}),
    "a flow that ended at no time": (Flow, {"state": "done", "ended_at": None}),
    "an open flow that has ended": (Flow, {"state": "running", "ended_at": timezone.now()}),
    "a step's unknown state": (Step, {"state": "lost"}),
    "a deciding step without a question": (Step, {"state": "deciding", "decision": None}),
    "a running step without a lease": (Step, {"state": "running", "lease_until": None}),
    "a running step without an owner": (Step, {"state": "running", "lease_until": timezone.now(), "owner": None}),
}


@pytest.mark.parametrize("case", BROKEN)
def test_the_database_refuses_what_the_code_forbids(outside: World, case: str) -> None:
    model, values = BROKEN[case]
    start(thing("a"))
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.update(**values)
