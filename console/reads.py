"""What pages and API read: querysets with what they show fetched along, and nothing that the reader may not see."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import models
from django.db.models import Count, Prefetch, Q, QuerySet

from console.errors import Missing
from console.models import (
    AuditEntry,
    Channel,
    DecisionChoice,
    Delivery,
    DeliveryState,
    Flow,
    Notification,
    Step,
    StepLog,
    StepState,
    User,
    Webhook,
)
from console.policies import may_read_audit, require

M = TypeVar("M", bound=models.Model)
LATEST_LINES = 50  # of a step's log, where a flow is read together with its logs


def decision_of(step: Step) -> dict[str, Any]:
    """What an operator is asked about a step, or was asked last, with the choices that are left."""
    decision = {"choice": "", "candidate": "", "by": "", **(step.decision or {})}
    choices: list[str] = []
    if step.state == StepState.DECIDING and not step.flow.undoing:
        choices = [each for each in DecisionChoice.values if each != DecisionChoice.ADOPT or decision["candidates"]]
    return {**decision, "choices": choices}


def flows(user: User) -> QuerySet[Flow]:
    """Flows with what their progress is counted from."""
    states = Step.objects.only("id", "flow_id", "number", "state").order_by("number")
    return Flow.objects.visible_to(user).select_related("requested_by").prefetch_related(Prefetch("steps", states))


def flows_in_full(user: User, *, log: bool = False) -> QuerySet[Flow]:
    """Flows with their steps, and with each step's latest log lines (`step.latest_log`) if wanted."""
    steps = Step.objects.order_by("number")
    if log:
        lines = StepLog.objects.order_by("-id").select_related("step")[:LATEST_LINES]
        steps = steps.prefetch_related(Prefetch("log", lines, to_attr="latest_log"))
    return Flow.objects.visible_to(user).select_related("requested_by").prefetch_related(Prefetch("steps", steps))


def runtime_log(user: User) -> QuerySet[StepLog]:
    """Lines of the runtime log, the latest first, of the flows that the user sees."""
    visible = Flow.objects.visible_to(user).order_by().values("pk")
    return StepLog.objects.filter(step__flow__in=visible).select_related("step__flow").order_by("-id")


def log_of(flow: Flow) -> QuerySet[StepLog]:
    """What the steps of a flow wrote down, in the order in which they did."""
    return StepLog.objects.filter(step__flow=flow).select_related("step").order_by("id")


def found(rows: QuerySet[M], **lookup: Any) -> M:
    """The one row that the user sees under this name; Missing otherwise."""
    row = rows.filter(**lookup).first()
    if row is None:
        raise Missing()
    return row


def audit_entries(user: User) -> QuerySet[AuditEntry]:
    """The audit log, the latest first; NotAllowed for those who may not read it."""
    require(may_read_audit(user))
    return AuditEntry.objects.order_by("-number")


def notifications(user: User) -> QuerySet[Notification]:
    """What the user was told, the latest first."""
    return Notification.objects.filter(user=user)


def webhooks(user: User) -> QuerySet[Webhook]:
    """Webhooks that the user sees, each with how much waits to go there; their secrets stay closed."""
    waiting = Count("deliveries", filter=Q(deliveries__state=DeliveryState.WAITING))
    rows = Webhook.objects.visible_to(user).closed().select_related("owner")
    return rows.annotate(waiting=waiting).order_by("name", "pk")


def deliveries_to(webhook: Webhook) -> QuerySet[Delivery]:
    """What a webhook was sent or is to be sent, the latest first."""
    return _deliveries().filter(webhook=webhook)


def letters_to(user: User) -> QuerySet[Delivery]:
    """Mail to the user, the latest first."""
    return _deliveries().filter(channel=Channel.MAIL, user=user)


def _deliveries() -> QuerySet[Delivery]:
    rows = Delivery.objects.select_related("notification", "webhook__owner").order_by("-id")
    return rows.defer("webhook__secret", "webhook__previous_secret")
