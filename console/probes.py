"""What those who watch over the console ask it: is it alive, can it work, what are its figures."""

from __future__ import annotations

import os
from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from console import figures
from console.celery import app
from console.models import WorkerSeen
from console.models.workers import FRESH

BROKER_SECONDS = 2


class NotReady(Exception):
    """A part is missing; the text says which and what helps."""


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "alive"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Every part that work needs, each with what is wrong with it; 503 when one is missing."""
    parts = {"database": _database, "broker": _broker, "workers": _workers}
    checks = {name: _checked(check) for name, check in parts.items()}
    ready = all(check["ok"] for check in checks.values())
    return JsonResponse({"status": "ready" if ready else "not ready", "checks": checks}, status=200 if ready else 503)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures, in Prometheus's text format."""
    text, content_type = figures.exposition()
    return HttpResponse(text, content_type=content_type)


def _checked(check: Callable[[], str]) -> dict[str, object]:
    try:
        return {"ok": True, "detail": check()}
    except Exception as problem:  # whatever a driver or a transport raises: the answer is that the part is missing
        return {"ok": False, "detail": str(problem) or type(problem).__name__}


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return connection.vendor


def _broker() -> str:
    folder = getattr(settings, "BROKER_DIR", None)
    if folder is not None and not os.access(folder / "messages", os.W_OK | os.X_OK):
        raise NotReady(_("The folder of the embedded broker cannot be written."))
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=BROKER_SECONDS)
        return str(broker.transport_cls if isinstance(broker.transport_cls, str) else broker.transport.driver_type)


def _workers() -> str:
    fresh = list(WorkerSeen.objects.fresh())
    if not fresh:
        raise NotReady(_("No worker has shown itself lately; start one."))
    swept = [worker for worker in fresh if worker.swept_at and worker.swept_at > timezone.now() - FRESH]
    if not swept:
        raise NotReady(_("Nobody sweeps for forgotten work: is the timetable (beat) running, and the flow worker?"))
    return ", ".join(worker.name for worker in fresh)
