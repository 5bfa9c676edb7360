"""Keeping promises: claim a step by conditional UPDATE, run it, settle it if the claim still holds.

A worker may die at any point: its lease runs out and another worker claims the step again, so an action may run
twice, and its key is what makes the effect happen once. Whoever settles must still own the lease (the fence), so a
worker that was thought dead and comes back changes nothing.
"""

from __future__ import annotations

import logging
import random
import traceback
from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import models, transaction
from django.db.models import functions
from django.utils import timezone

from console.errors import ConsoleError, PlatformUnavailable
from console.flows import advance
from console.flows.blueprint import Asleep, Done, Ending, Json, Later, RegisteredAction, action_named
from console.flows.context import StepContext
from console.models import Flow, Step, StepLog, StepState

logger = logging.getLogger(__name__)

MAX_BACKOFF_SECONDS = 300


class Lost(Exception):
    """The lease ran out and somebody else has the step: whatever we know is no longer ours to write."""


def due_steps(limit: int = 500) -> list[int]:
    """Steps that somebody should be working on and, as far as the rows say, nobody is."""
    return list(Step.objects.filter(_claimable()).order_by("due_at").values_list("pk", flat=True)[:limit])


def run_step(step_id: int) -> bool:
    """Claim and run one step; False when there was nothing to claim (done, not due, or in other hands)."""
    owner = uuid4()
    step = _claim(step_id, owner)
    if step is None:
        return False
    undoing = step.state == StepState.UNDOING
    action = action_named(step.undo_action if undoing else step.action)
    try:
        if action.local:
            _run_local(action, step, owner, undoing)
        else:
            ending = action.run(StepContext(step, undoing=undoing))
            _settle(step, owner, undoing, ending)
    except Lost:
        logger.warning("step %s was taken over by another worker", step_id)
    except ConsoleError as problem:
        _settle_error(step, owner, undoing, problem.as_dict(), heals=isinstance(problem, PlatformUnavailable))
    except Exception as problem:  # a bug in an action must end as a failed step, never as a stuck one
        logger.exception("step %s failed unexpectedly", step_id)
        error: Json = {"code": "internal", "detail": f"{type(problem).__name__}: {problem}"[:500]}
        _log(step, "unexpected error", {"traceback": traceback.format_exc(limit=8)[-4000:]})
        _settle_error(step, owner, undoing, error, heals=False)
    return True


def _claimable() -> models.Q:
    now = timezone.now()
    due = models.Q(due_at__lte=now)
    free = models.Q(lease_until=None) | models.Q(lease_until__lte=now)
    return (models.Q(state__in=[StepState.READY, StepState.LATER]) & due) | (
        models.Q(state__in=[StepState.RUNNING, StepState.UNDOING]) & due & free
    )


def _claim(step_id: int, owner: UUID) -> Step | None:
    """One conditional UPDATE decides who works on the step."""
    now = timezone.now()
    lease = {"lease_until": now + timedelta(seconds=settings.FLOW_LEASE_SECONDS), "owner": owner}
    claimable = Step.objects.filter(_claimable(), pk=step_id)
    claimed = claimable.filter(state=StepState.UNDOING).update(undo_attempts=models.F("undo_attempts") + 1, **lease)
    if not claimed:
        claimed = claimable.exclude(state=StepState.UNDOING).update(
            state=StepState.RUNNING,
            attempts=models.F("attempts") + 1,
            started_at=functions.Coalesce("started_at", models.Value(now)),
            **lease,
        )
    return Step.objects.select_related("flow").filter(pk=step_id, owner=owner).first() if claimed else None


def _run_local(action: RegisteredAction, step: Step, owner: UUID, undoing: bool) -> None:
    """Run and settle in one transaction, so that the effect happens exactly once."""
    with transaction.atomic(durable=True):
        mine = _mine(step, owner)
        ending = action.run(StepContext(mine, undoing=undoing))
        _apply(mine, undoing, ending)


def _settle(step: Step, owner: UUID, undoing: bool, ending: Ending) -> None:
    with transaction.atomic(durable=True):
        _apply(_mine(step, owner), undoing, ending)


def _mine(step: Step, owner: UUID) -> Step:
    """The step, with its flow locked, if the lease is still ours. Lock order: flow, then step."""
    Flow.objects.select_for_update().get(pk=step.flow_id)
    mine = Step.objects.select_for_update(of=("self",)).select_related("flow").filter(pk=step.pk, owner=owner).first()
    if mine is None or mine.state not in (StepState.RUNNING, StepState.UNDOING):
        raise Lost
    return mine


def _apply(step: Step, undoing: bool, ending: Ending) -> None:
    match ending:
        case Done(outcome):
            _finish(step, undoing, outcome)
        case Later(seconds, position):
            _postpone(step, undoing, seconds, position)
        case Asleep(topic):
            step.state, step.topic, step.lease_until, step.owner = StepState.ASLEEP, topic, None, None
            step.save(update_fields=["state", "topic", "lease_until", "owner"])
            advance.advance(step.flow)


def _finish(step: Step, undoing: bool, outcome: Json) -> None:
    if undoing:
        step.state = StepState.UNDONE
    else:
        step.state, step.outcome, step.ended_at, step.error = StepState.DONE, outcome, timezone.now(), None
    step.lease_until, step.owner = None, None
    step.save(update_fields=["state", "outcome", "ended_at", "error", "lease_until", "owner"])
    advance.advance(step.flow)


def _postpone(step: Step, undoing: bool, seconds: float, position: Json | None) -> None:
    """Due again later. A poll is not a failed attempt, so the counter goes back by one."""
    step.due_at = timezone.now() + timedelta(seconds=seconds)
    step.lease_until, step.owner = None, None
    if undoing:
        step.undo_position, step.undo_attempts = position, step.undo_attempts - 1
    else:
        step.state, step.position = StepState.LATER, position
        step.attempts = max(step.attempts - 1, 1)
    step.save(
        update_fields=[
            "state",
            "due_at",
            "lease_until",
            "owner",
            "position",
            "undo_position",
            "attempts",
            "undo_attempts",
        ]
    )
    if step.flow.undoing:
        advance.advance(step.flow)


def _settle_error(step: Step, owner: UUID, undoing: bool, error: Json, *, heals: bool) -> None:
    """Another attempt where time can heal it and attempts are left; otherwise the failure is final."""
    try:
        with transaction.atomic(durable=True):
            mine = _mine(step, owner)
            attempts = mine.undo_attempts if undoing else mine.attempts
            _log(mine, f"attempt {attempts} failed: {error['detail']}", error)
            if heals and attempts < settings.FLOW_MAX_ATTEMPTS:
                _retry_later(mine, undoing, attempts, error)
            elif undoing:
                advance.fail_undoing(mine, error)
            else:
                advance.fail(mine, error)
    except Lost:
        logger.warning("step %s failed after it was taken over by another worker", step.pk)


def _retry_later(step: Step, undoing: bool, attempts: int, error: Json) -> None:
    seconds = min(MAX_BACKOFF_SECONDS, 2**attempts) * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, not a secret
    step.due_at = timezone.now() + timedelta(seconds=seconds)
    step.lease_until, step.owner = None, None
    if undoing:
        step.undo_error = None
    else:
        step.state, step.error = StepState.LATER, error
    step.save(update_fields=["state", "due_at", "lease_until", "owner", "error", "undo_error"])
    if step.flow.undoing and not undoing:
        advance.advance(step.flow)


def _log(step: Step, message: str, data: Json) -> None:
    StepLog.objects.create(step=step, message=message[:2000], data=data)


def sweep() -> int:
    """Nudge the workers for every due step; the repair of lost nudges and dead workers."""
    ids = due_steps()
    with transaction.atomic():
        advance.nudge(ids)
    return len(ids)
