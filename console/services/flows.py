"""What an operator may do to a flow: try a step again, skip it, cancel the whole."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from console import audit
from console.errors import Conflict, Invalid
from console.flows import advance, context
from console.models import DecisionChoice, Flow, Step, StepState, User
from console.policies import may_cancel_flow, may_decide_step, may_operate_flow, may_retry_step, may_skip_step, require
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
def decide_step(*, actor: User, flow_id: UUID, choice: str, step_id: int | None = None, candidate: str = "") -> Flow:
    """Tell a step that nobody could know about how it goes on.

    `adopt`: go on with `candidate`; `again`: look once more, and do it if it is not there; `give_up`: take the flow
    back, `candidate` with it; without one what the platform has is left alone. Without `step_id`, the one that asks.
    Raises Invalid naming the field, Conflict when the step does not ask.
    """
    if step_id is None:
        step_id = _asking_step(actor, flow_id)
    flow, step = _locked(actor, flow_id, step_id)
    require(may_decide_step(actor, step))
    question = step.decision or {}
    known = {str(each["id"]) for each in question["candidates"]}
    _check_choice(known, choice, candidate)
    refused = {*question["refused"], *(() if choice == DecisionChoice.ADOPT else known)} - {candidate}
    decision = {
        **question,
        "choice": choice,
        "candidate": candidate,
        "by": actor.username,
        "refused": sorted(refused),
    }
    audit.record("console.flow.decided", actor=actor, target=flow, step=step.name, choice=choice, candidate=candidate)
    advance.take_answer(step, decision, actor=actor)
    return flow


def _asking_step(actor: User, flow_id: UUID) -> int:
    """The step of the flow that asks; when several do, the caller has to name one."""
    flow = locked_or_missing(Flow.objects.visible_to(actor), pk=flow_id)
    require(may_operate_flow(actor))
    asking = list(flow.steps.filter(state=StepState.DECIDING).order_by("number").values_list("pk", flat=True)[:2])
    if not asking:
        raise Conflict(_("This flow does not need a decision, or not any more."))
    if len(asking) > 1:
        raise Invalid.field("step", _("Several steps need a decision: name one."))
    return asking[0]


def _check_choice(known: set[str], choice: str, candidate: str) -> None:
    if choice not in DecisionChoice.values:
        raise Invalid.field("choice", _("There is no such choice."))
    if choice == DecisionChoice.ADOPT and not candidate:
        raise Invalid.field("candidate", _("Say with which one to go on."))
    if choice == DecisionChoice.AGAIN and candidate:
        raise Invalid.field("candidate", _("To try again, name none."))
    if candidate and candidate not in known:
        raise Invalid.field("candidate", _("It is not among those that were found."))


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
