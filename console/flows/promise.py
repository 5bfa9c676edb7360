"""Promising work, and the events that sleeping steps wait for. Everything here joins the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import models

from console import idempotency
from console.cleansing import storable
from console.flows import advance
from console.flows.blueprint import Blueprint, Json, Task
from console.models import Flow, Step, StepState, User
from console.sentences import name_of
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
    answer: Json | None = None,
) -> Flow:
    """Write the flow and all its steps; a worker begins once the caller's transaction is committed.

    `answer` is what a repeat of the request with the same idempotency key is told, beside the flow's id.
    """
    flow = Flow.objects.create(
        kind=blueprint.kind,
        title=blueprint.title,
        arguments={**arguments, "title": title_values or {}},
        requested_by=requested_by,
        **subject_fields(subject),
    )
    flow.watchers.set(watchers)
    Step.objects.bulk_create(
        _written(flow, number, task) for number, task in enumerate(blueprint.tasks(arguments), start=1)
    )
    idempotency.bind(flow, answer)
    advance.advance(flow)
    return flow


def _written(flow: Flow, number: int, task: Task) -> Step:
    """The task as a row."""
    done = {"state": StepState.DONE, "outcome": {}, "started_at": flow.created_at, "ended_at": flow.created_at}
    return Step(
        flow=flow,
        number=number,
        name=task.name,
        title=task.title,
        action=task.action,
        undo_action=task.undo,
        lasting=task.lasting,
        arguments={**task.arguments, "title": dict(task.title_values)},
        needs=list(task.needs or ()),
        **(done if task.already else {}),
    )


def subject_fields(subject: models.Model | None) -> dict[str, Any]:
    """How a row remembers the object it is about without a foreign key to a floor above."""
    if subject is None:
        return {}
    return {
        "subject_type": subject._meta.label_lower,
        "subject_id": str(subject.pk),
        "subject_label": name_of(subject)[:300],
    }


@joins_transaction
def wake(topic: str, outcome: Json | None = None) -> int:
    """Finish the steps that sleep on `topic`; returns how many there were."""
    steps = _asleep(topic)
    for step in steps:
        step.wake(storable(outcome or {}))
        step.save()
        advance.advance(step.flow)
    return len(steps)


@joins_transaction
def fail_waiting(topic: str, *, code: str, detail: str) -> int:
    """Fail the steps that sleep on `topic`; their flows are taken back."""
    steps = _asleep(topic)
    for step in steps:
        if not step.flow.undoing:  # another step of the same flow may have failed a moment ago
            advance.fail(step, {"code": code, "detail": detail})
    return len(steps)


@joins_transaction
def cancel_waiting(topic: str, *, actor: User, detail: str) -> int:
    """Cancel the flows of the steps that sleep on `topic`, or are about to."""
    flows = _waiting_flows(topic)
    for flow in flows.values():
        advance.cancel(flow, actor=actor, detail=detail)
    return len(flows)


def _asleep(topic: str) -> list[Step]:
    """The sleeping steps, their flows locked. Those that are about to sleep are told to look once more."""
    flows = _waiting_flows(topic)
    steps = Step.objects.select_for_update().filter(topic=topic, flow__in=list(flows)).order_by("pk")
    asleep = []
    for step in steps:
        if step.state == StepState.ASLEEP:
            step.flow = flows[step.flow_id]
            asleep.append(step)
        elif step.state in (StepState.RUNNING, StepState.LATER):
            step.topic = ""
            step.save()
    return asleep


def _waiting_flows(topic: str) -> dict[UUID, Flow]:
    """The open flows with a step on this topic, locked in one order."""
    ids = Step.objects.filter(topic=topic).values("flow_id")
    rows = Flow.objects.open().filter(pk__in=ids, undoing=False).select_for_update().order_by("pk")
    return {flow.pk: flow for flow in rows}
