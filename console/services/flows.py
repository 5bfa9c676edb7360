"""What an operator may do to a flow: try a step again, skip it, cancel the whole."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_noop

from console import audit
from console.flows import advance, context
from console.models import Flow, Step, User
from console.policies import may_cancel_flow, may_operate_flow, may_retry_step, may_skip_step, require
from console.transactions import locked_or_missing, use_case


@use_case
def retry_step(*, actor: User, flow_id: UUID, step_id: int) -> Flow:
    """Try a step again at once: it waits for its next attempt, or its undoing failed, or the flow stopped at it."""
    flow, step = _locked(actor, flow_id, step_id)
    require(may_retry_step(actor, step))
    if step.stopped_half_way:
        audit.record("console.flow.step_retried", actor=actor, target=flow, step=step.name)
        advance.begin_again(flow)
        return flow
    if step.is_stuck:
        step.undo_position = context.only_known(step.undo_position)
        step.begin_undoing()
        _resume(flow)
    else:
        step.due_at = timezone.now()
    step.save()
    audit.record("console.flow.step_retried", actor=actor, target=flow, step=step.name)
    advance.nudge([step.pk])
    return flow


@use_case
def skip_step(*, actor: User, flow_id: UUID, step_id: int) -> Flow:
    """Go on without a step that waits for its next attempt, or whose undoing was seen to by hand.

    What a skipped step may have done already is taken back with the rest if the flow is.
    """
    flow, step = _locked(actor, flow_id, step_id)
    require(may_skip_step(actor, step))
    if step.is_stuck:
        step.finish_undoing()
        _resume(flow)
    else:
        step.skip()
    step.save()
    audit.record("console.flow.step_skipped", actor=actor, target=flow, step=step.name)
    advance.advance(flow)
    return flow


@use_case
def cancel_flow(*, actor: User, flow_id: UUID, reason: str = "") -> Flow:
    """Stop a flow; what it has done so far is taken back."""
    flow = locked_or_missing(Flow.objects.visible_to(actor), pk=flow_id)
    require(may_cancel_flow(actor, flow))
    audit.record("console.flow.cancelled", actor=actor, target=flow, reason=reason)
    advance.cancel(flow, actor=actor, detail=reason or gettext_noop("Cancelled by an operator."))
    return flow


def _resume(flow: Flow) -> None:
    """An operator has seen to it: the taking back goes on, and what could not be undone is history."""
    flow.resume()
    flow.error = {name: value for name, value in (flow.error or {}).items() if name != "undo"}
    flow.save()


def _locked(actor: User, flow_id: UUID, step_id: int) -> tuple[Flow, Step]:
    """Flow and step, locked in the engine's order. Nobody learns of a step whose flow is not visible."""
    flow = locked_or_missing(Flow.objects.visible_to(actor), pk=flow_id)
    require(may_operate_flow(actor))
    step = locked_or_missing(Step.objects.filter(flow=flow), pk=step_id)
    step.flow = flow
    return flow, step
