"""What an operator may do to a flow: try a step again, skip it, cancel the whole."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from console import audit
from console.errors import Conflict
from console.flows import advance
from console.models import Flow, FlowState, Step, StepState, User
from console.policies import may_operate_flow, require
from console.transactions import locked_or_missing, use_case


@use_case
def retry_step(*, actor: User, flow_id: UUID, step_id: int) -> Flow:
    """Try a step again at once: one that is due later, or one whose undoing failed."""
    flow, step = _locked(actor, flow_id, step_id)
    now = timezone.now()
    if step.state == StepState.LATER:
        step.due_at = now
        step.save(update_fields=["due_at"])
    elif step.state == StepState.FAILED and step.undo_error is not None:
        step.state, step.undo_error, step.undo_attempts, step.due_at = StepState.UNDOING, None, 0, now
        step.save(update_fields=["state", "undo_error", "undo_attempts", "due_at"])
        flow.state, flow.ended_at = FlowState.RUNNING, None
        flow.save(update_fields=["state", "ended_at"])
    else:
        raise Conflict(_("Only a step that waits for its next attempt, or whose undoing failed, can be tried again."))
    audit.record("console.flow.step_retried", actor=actor, target=flow, step=step.name)
    advance.nudge([step.pk])
    return flow


@use_case
def skip_step(*, actor: User, flow_id: UUID, step_id: int) -> Flow:
    """Go on without a step that has not begun, or whose undoing failed and was done by hand."""
    flow, step = _locked(actor, flow_id, step_id)
    if step.state == StepState.FAILED and step.undo_error is not None:
        step.state = StepState.UNDONE
        flow.state, flow.ended_at = FlowState.RUNNING, None
        flow.save(update_fields=["state", "ended_at"])
    elif step.state in (StepState.LATER, StepState.WAITING) and not flow.undoing:
        step.state, step.ended_at = StepState.SKIPPED, timezone.now()
    else:
        raise Conflict(_("This step cannot be skipped now."))
    step.save(update_fields=["state", "ended_at"])
    audit.record("console.flow.step_skipped", actor=actor, target=flow, step=step.name)
    advance.advance(flow)
    return flow


@use_case
def cancel_flow(*, actor: User, flow_id: UUID, reason: str = "") -> Flow:
    """Stop a flow; what it has done so far is taken back."""
    flow = locked_or_missing(Flow.objects.visible_to(actor), pk=flow_id)
    require(may_operate_flow(actor))
    if flow.is_final or flow.undoing:
        raise Conflict(_("The flow has ended or is being taken back already."))
    audit.record("console.flow.cancelled", actor=actor, target=flow, reason=reason)
    advance.cancel(flow, actor=actor, detail=reason or str(_("Cancelled by an operator.")))
    return flow


def _locked(actor: User, flow_id: UUID, step_id: int) -> tuple[Flow, Step]:
    flow = locked_or_missing(Flow.objects.visible_to(actor), pk=flow_id)
    require(may_operate_flow(actor))
    return flow, locked_or_missing(Step.objects.filter(flow=flow), pk=step_id)
