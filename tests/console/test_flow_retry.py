"""An undoing that an operator tries again begins anew: where it stopped, only the failure would be found again."""

from __future__ import annotations

from typing import Any

import pytest

from console.errors import PlatformRefused
from console.flows import Later, StepContext
from console.models import FlowState, User
from console.services.flows import retry_step
from tests.console.flowkit import World, run_out, start, state, step, thing

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_knows_the_thing_and_not_where_it_stopped(outside: World, root: User) -> None:
    seen: list[Any] = []

    def fail_at_the_job(context: StepContext) -> Later:
        seen.append(context.position)
        if context.position is None:
            return Later(0, {"driver": {"at": 1}, "known": {"id": "n-1"}})
        raise PlatformRefused("the disk is full")

    def look(context: StepContext) -> None:
        seen.append(context.position)

    outside.will("a", fail_at_the_job, fail_at_the_job, look, undoing=True)
    outside.will("b", ValueError())
    flow = start(thing("a"), thing("b"))
    run_out()
    assert state(flow) == FlowState.FAILED
    retry_step(actor=root, flow_id=flow.pk, step_id=step(flow, "a").pk)
    run_out()
    assert seen == [None, {"driver": {"at": 1}, "known": {"id": "n-1"}}, {"known": {"id": "n-1"}}]
    assert (state(flow), outside.things) == (FlowState.UNDONE, {})
