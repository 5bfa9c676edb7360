"""The console's figures for Prometheus: what the rows say, asked at each scrape, and the requests of this process.

With several web processes on one machine set `PROMETHEUS_MULTIPROC_DIR` to an empty folder of theirs; the figures of
flows and steps need nothing, since every process reads the same rows.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db import DatabaseError
from django.db.models import Count, DurationField, ExpressionWrapper, F, Min, Q, Sum
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from prometheus_client import CollectorRegistry, Counter, Histogram, multiprocess
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from console.deliveries.post import due, sendable
from console.flows import engine
from console.models import Channel, Delivery, DeliveryState, Flow, FlowState, Step, StepState, WorkerSeen

STEP_SECONDS = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200, 86400)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_own = CollectorRegistry()
REQUESTS = Counter("concord_requests", "Requests answered.", ["method", "route", "status"], registry=_own)
SECONDS = Histogram("concord_request_seconds", "Time to answer a request.", ["method", "route"], registry=_own)


class Counted:
    """Middleware: counts requests by route, so that ids in addresses make no series of their own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = self.get_response(request)
        method = request.method if request.method in METHODS else "other"
        route = request.resolver_match.route if request.resolver_match else "none"
        REQUESTS.labels(method, route, response.status_code).inc()
        SECONDS.labels(method, route).observe(time.perf_counter() - began)
        return response


class Rows(Collector):
    """What the database knows: the same from whichever process it is asked."""

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("concord_database_up", "Whether the database answers.")
        try:
            families = [*_flows_and_steps(), _durations(), *_deliveries(), _workers()]
        except DatabaseError:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from families


def exposition() -> tuple[bytes, str]:
    """All figures as text, and the text's content type."""
    registry = CollectorRegistry()
    registry.register(Rows())
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.MultiProcessCollector(registry)
        return generate_latest(registry), CONTENT_TYPE_LATEST
    return generate_latest(registry) + generate_latest(_own), CONTENT_TYPE_LATEST


def _flows_and_steps() -> Iterator[Metric]:
    flows = GaugeMetricFamily("concord_flows", "Flows by state.", labels=["state"])
    counts = dict(Flow.objects.order_by().values_list("state").annotate(Count("pk")))
    for state in FlowState.values:
        flows.add_metric([state], counts.get(state, 0))
    yield flows
    steps = GaugeMetricFamily("concord_steps", "Steps by state.", labels=["state"])
    counts = dict(Step.objects.order_by().values_list("state").annotate(Count("pk")))
    for state in StepState.values:
        steps.add_metric([state], counts.get(state, 0))
    yield steps
    due = engine.due().aggregate(number=Count("pk"), oldest=Min("due_at"))
    yield _gauge("concord_steps_due", "Steps that wait for a worker.", due["number"])
    age = (timezone.now() - due["oldest"]).total_seconds() if due["oldest"] else 0.0
    yield _gauge("concord_steps_due_oldest_seconds", "For how long the oldest of them has been due.", age)


def _durations() -> Metric:
    """Seconds from a step's first attempt to its end, waits included, by action."""
    family = HistogramMetricFamily("concord_step_seconds", "From a step's first attempt to its end.", labels=["action"])
    took = ExpressionWrapper(F("ended_at") - F("started_at"), output_field=DurationField())
    within = {f"le{i}": Count("pk", filter=Q(took__lte=timedelta(seconds=s))) for i, s in enumerate(STEP_SECONDS)}
    rows = (
        Step.objects.filter(started_at__isnull=False, ended_at__isnull=False)
        .order_by("action")
        .annotate(took=took)
        .values("action")
        .annotate(number=Count("pk"), total=Sum("took"), **within)
    )
    for row in rows:
        buckets = [(str(float(seconds)), row[f"le{i}"]) for i, seconds in enumerate(STEP_SECONDS)]
        family.add_metric([row["action"]], [*buckets, ("+Inf", row["number"])], row["total"].total_seconds())
    return family


def _deliveries() -> Iterator[Metric]:
    family = GaugeMetricFamily("concord_deliveries", "Mail and webhooks by state.", labels=["channel", "state"])
    rows = Delivery.objects.order_by().values_list("channel", "state").annotate(Count("pk"))
    counts = {(channel, state): number for channel, state, number in rows}
    for channel in Channel.values:
        for state in DeliveryState.values:
            family.add_metric([channel, state], counts.get((channel, state), 0))
    yield family
    oldest = sendable(due()).aggregate(oldest=Min("due_at"))["oldest"]
    age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    yield _gauge("concord_deliveries_due_oldest_seconds", "For how long the oldest of them has been due.", age)


def _workers() -> Metric:
    return _gauge("concord_workers", "Workers that have shown themselves lately.", WorkerSeen.objects.fresh().count())


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value=value)
