"""How a flow moves: which steps become ready, when it is over, and how it is taken back.

Every function joins a transaction in which the flow's row is locked (or new).
"""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone

from console.flows.blueprint import Json
from console.models import Flow, FlowState, Step, StepState, User

logger = logging.getLogger(__name__)

STARTED = (StepState.RUNNING, StepState.LATER, StepState.ASLEEP)
BUSY = (StepState.READY, StepState.RUNNING, StepState.LATER)


def advance(flow: Flow) -> None:
    """Make ready what can go on, settle the flow's own state, and nudge the workers after the commit."""
    steps = list(flow.steps.all().order_by("number"))
    ready = _next_to_undo(steps) if flow.undoing else _next_to_run(steps)
    now = timezone.now()
    for step in ready:
        step.state = StepState.UNDOING if flow.undoing else StepState.READY
        step.due_at, step.lease_until, step.owner = now, None, None
        step.save(update_fields=["state", "due_at", "lease_until", "owner"])
    _settle(flow, steps)
    nudge([step.pk for step in ready])


def fail(step: Step, error: Json) -> None:
    """A step has failed for good: remember why, and take the flow back."""
    step.state, step.error, step.ended_at, step.lease_until, step.owner = (
        StepState.FAILED,
        error,
        timezone.now(),
        None,
        None,
    )
    step.save(update_fields=["state", "error", "ended_at", "lease_until", "owner"])
    flow = step.flow
    flow.error = {**error, "step": step.name}
    _begin_undoing(flow)


def cancel(flow: Flow, *, actor: User, detail: str) -> None:
    """Stop the flow on a person's word and take back what was done."""
    flow.cancelled_by = actor
    flow.error = {"code": "cancelled", "detail": detail}
    _begin_undoing(flow)


def fail_undoing(step: Step, error: Json) -> None:
    """A step could not be taken back: the flow stops here and waits for an operator."""
    step.state, step.undo_error, step.lease_until, step.owner = StepState.FAILED, error, None, None
    step.save(update_fields=["state", "undo_error", "lease_until", "owner"])
    flow = step.flow
    flow.state, flow.ended_at = FlowState.FAILED, timezone.now()
    flow.error = {**(flow.error or {}), "undo": {**error, "step": step.name}}
    flow.save(update_fields=["state", "ended_at", "error"])


def _begin_undoing(flow: Flow) -> None:
    flow.undoing = True
    flow.save(update_fields=["undoing", "error", "cancelled_by"])
    flow.steps.filter(state__in=[StepState.WAITING, StepState.READY], attempts=0).update(state=StepState.SKIPPED)
    # What sleeps or is due again is not in anybody's hands: it is taken back like what is done.
    advance(flow)


def _next_to_run(steps: list[Step]) -> list[Step]:
    through = {step.name for step in steps if step.state in (StepState.DONE, StepState.SKIPPED)}
    return [step for step in steps if step.state == StepState.WAITING and through.issuperset(step.needs)]


def _next_to_undo(steps: list[Step]) -> list[Step]:
    """The last step that has an effect to take back, once no step is in a worker's hands any more."""
    if any(step.state in (StepState.RUNNING, StepState.UNDOING) for step in steps):
        return []
    for step in reversed(steps):
        if not _has_effect(step):
            continue
        if step.undo_action:
            return [step]
        step.state = StepState.UNDONE  # nothing to take back
        step.save(update_fields=["state"])
    return []


def _has_effect(step: Step) -> bool:
    if step.undo_error is not None:
        return False
    if step.state == StepState.FAILED:
        return bool(step.undo_action) and step.attempts > 0
    return step.state in (StepState.DONE, StepState.LATER, StepState.ASLEEP) or (
        step.state in BUSY and step.attempts > 0
    )


def _settle(flow: Flow, steps: list[Step]) -> None:
    state = _state_of(flow, steps)
    if state == flow.state:
        return
    flow.state = state
    flow.ended_at = None if state in (FlowState.RUNNING, FlowState.WAITING) else timezone.now()
    flow.save(update_fields=["state", "ended_at"])


def _state_of(flow: Flow, steps: list[Step]) -> FlowState:
    if flow.undoing:
        if any(step.state in (StepState.RUNNING, StepState.UNDOING) for step in steps):
            return FlowState.RUNNING
        return FlowState.CANCELLED if flow.cancelled_by_id else FlowState.UNDONE
    if all(step.state in (StepState.DONE, StepState.SKIPPED) for step in steps):
        return FlowState.DONE
    if any(step.state in BUSY for step in steps):
        return FlowState.RUNNING
    return FlowState.WAITING


def nudge(step_ids: list[int]) -> None:
    """Tell the workers after the commit. A lost nudge costs a moment: the sweep finds the row."""
    if step_ids:
        transaction.on_commit(lambda: _send(step_ids))


def _send(step_ids: list[int]) -> None:
    from console.tasks import run_step  # tasks import the engine, which imports this

    for step_id in step_ids:
        try:
            run_step.delay(step_id)
        except Exception as problem:  # any broker failure: the row is the promise
            logger.warning("nudge for step %s not sent: %s", step_id, problem)
            return
