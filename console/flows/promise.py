"""Promising work, and the events that sleeping steps wait for. Everything here joins the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.utils import timezone

from console import idempotency
from console.flows import advance
from console.flows.blueprint import Blueprint, Json
from console.models import Flow, Step, StepState, User
from console.transactions import joins_transaction


@joins_transaction
def start(
    blueprint: Blueprint,
    *,
    subject: models.Model | None,
    requested_by: User | None,
    arguments: Json,
    title_values: dict[str, str] | None = None,
    watchers: Iterable[User] = (),
) -> Flow:
    """Write the flow and all its steps; a worker begins once the caller's transaction is committed."""
    flow = Flow.objects.create(
        kind=blueprint.kind,
        title=blueprint.title,
        arguments={**arguments, "title": title_values or {}},
        requested_by=requested_by,
        **subject_fields(subject),
    )
    flow.watchers.set(watchers)
    Step.objects.bulk_create(
        Step(
            flow=flow,
            number=number,
            name=task.name,
            title=task.title,
            action=task.action,
            undo_action=task.undo,
            arguments={**task.arguments, "title": dict(task.title_values)},
            needs=list(task.needs or ()),
        )
        for number, task in enumerate(blueprint.tasks(arguments), start=1)
    )
    idempotency.bind(flow)
    advance.advance(flow)
    return flow


def subject_fields(subject: models.Model | None) -> dict[str, Any]:
    """How a row remembers the object it is about without a foreign key to a floor above."""
    if subject is None:
        return {}
    return {
        "subject_type": subject._meta.label_lower,
        "subject_id": str(subject.pk),
        "subject_label": str(subject)[:300],
    }


@joins_transaction
def wake(topic: str, outcome: Json | None = None) -> int:
    """Finish the steps that sleep on `topic`; returns how many there were."""
    steps = _asleep(topic)
    for step in steps:
        step.state, step.outcome, step.ended_at = StepState.DONE, outcome or {}, timezone.now()
        step.save(update_fields=["state", "outcome", "ended_at"])
        advance.advance(step.flow)
    return len(steps)


@joins_transaction
def fail_waiting(topic: str, *, code: str, detail: str) -> int:
    """Fail the steps that sleep on `topic`; their flows are taken back."""
    steps = _asleep(topic)
    for step in steps:
        advance.fail(step, {"code": code, "detail": detail})
    return len(steps)


@joins_transaction
def cancel_waiting(topic: str, *, actor: User, detail: str) -> int:
    """Cancel the flows of the steps that sleep on `topic`."""
    steps = _asleep(topic)
    for step in steps:
        advance.cancel(step.flow, actor=actor, detail=detail)
    return len(steps)


def _asleep(topic: str) -> list[Step]:
    """The sleeping steps, their flows locked first and in one order."""
    flow_ids = Step.objects.filter(topic=topic, state=StepState.ASLEEP).values("flow_id")
    list(Flow.objects.select_for_update().filter(pk__in=flow_ids).order_by("pk"))
    return list(
        Step.objects.select_for_update(of=("self",)).select_related("flow").filter(topic=topic, state=StepState.ASLEEP)
    )
