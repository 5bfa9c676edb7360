"""Throwing away what is old: the runtime log and the idempotency keys of flows that have ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from console.models import IdempotencyKey, StepLog
from console.models.flows import OPEN_FLOW_STATES

AT_ONCE = 1000  # rows that one statement throws away


def forget_log(go_on: Callable[[], bool]) -> int:
    """Lines older than the log is kept, in small bites while `go_on` says so; returns how many."""
    old = StepLog.objects.exclude(step__flow__state__in=OPEN_FLOW_STATES)
    return _forget(old, "at", settings.KEEP_LOG_DAYS, go_on)


def forget_keys(go_on: Callable[[], bool]) -> int:
    """Idempotency keys older than they are remembered; returns how many. A repeat is then a new request."""
    old = IdempotencyKey.objects.exclude(flow__state__in=OPEN_FLOW_STATES)
    return _forget(old, "created_at", settings.KEEP_IDEMPOTENCY_DAYS, go_on)


def _forget(rows: QuerySet[Any], age: str, days: int, go_on: Callable[[], bool]) -> int:
    if days <= 0:
        return 0
    old = rows.filter(**{f"{age}__lt": timezone.now() - timedelta(days=days)}).order_by()
    gone = 0
    while go_on():
        ids = list(old.values_list("pk", flat=True)[:AT_ONCE])
        if not ids:
            break
        rows.model.objects.filter(pk__in=ids).delete()
        gone += len(ids)
    return gone
