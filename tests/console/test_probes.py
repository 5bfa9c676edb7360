"""Alive, ready, and the figures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from console import workers
from console.errors import PlatformRefused
from console.models import WorkerSeen
from console.models.workers import FRESH
from tests.console.flowkit import World, line, run, start, thing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_signs_yet() -> None:
    workers._last.clear()


def ready() -> tuple[int, dict[str, bool]]:
    answer = Client().get("/readyz")
    checks = answer.json()["checks"]
    assert all(check["detail"] for check in checks.values())
    assert answer.json()["status"] == ("ready" if answer.status_code == 200 else "not ready")
    return answer.status_code, {name: check["ok"] for name, check in checks.items()}


def test_alive_needs_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


def test_ready_when_a_worker_sweeps() -> None:
    workers.began("flows@here")
    workers.swept("flows@here")
    assert ready() == (200, {"database": True, "broker": True, "workers": True})


def test_not_ready_without_a_worker() -> None:
    assert ready() == (503, {"database": True, "broker": True, "workers": False})


def test_not_ready_when_nobody_sweeps() -> None:
    """A worker is there, but no timetable: what is forgotten stays forgotten."""
    workers.began("flows@here")
    assert ready()[1]["workers"] is False


def test_not_ready_when_the_worker_is_long_gone() -> None:
    workers.swept("flows@here")
    WorkerSeen.objects.update(seen_at=timezone.now() - 2 * FRESH)
    assert ready()[1]["workers"] is False


def test_not_ready_as_soon_as_the_worker_leaves() -> None:
    workers.swept("flows@here")
    workers.left("flows@here")
    assert ready()[1]["workers"] is False


def test_not_ready_without_a_broker(settings: Any, tmp_path: Any) -> None:
    workers.swept("flows@here")
    settings.BROKER_DIR = tmp_path / "nowhere"
    assert ready() == (503, {"database": True, "broker": False, "workers": True})


def test_not_ready_without_a_database() -> None:
    """Each part is named, and the answer comes all the same."""

    def away(*arguments: Any) -> Any:
        raise OperationalError("the server is away")

    with connection.execute_wrapper(away):
        assert ready() == (503, {"database": False, "broker": True, "workers": False})


def test_probes_are_only_read(root: Any) -> None:
    for place in ("/healthz", "/readyz", "/metrics"):
        assert Client().post(place).status_code == 405
        assert Client().head(place).status_code in (200, 503)


# --- signs of life ----------------------------------------------------------------------------------------------------


def test_signs_of_life_are_written_now_and_then(django_assert_num_queries: Any) -> None:
    workers.seen("observe@here")
    first = WorkerSeen.objects.get().seen_at
    with django_assert_num_queries(0):
        for _task in range(50):
            workers.seen("observe@here")
    workers._last.clear()
    workers.seen("observe@here")
    assert WorkerSeen.objects.get().seen_at > first
    assert WorkerSeen.objects.get().swept_at is None
    workers.swept("observe@here")
    assert WorkerSeen.objects.get().swept_at is not None


def test_a_sign_that_cannot_be_written_does_not_stop_the_work() -> None:
    def away(*arguments: Any) -> Any:
        raise OperationalError("the server is away")

    with connection.execute_wrapper(away):
        for note in (workers.seen, workers.swept, workers.began, workers.left):
            note("flows@here")


def test_work_outside_of_a_worker_leaves_no_sign() -> None:
    for note in (workers.seen, workers.swept, workers.began, workers.left):
        note("")
    assert not WorkerSeen.objects.exists()


# --- figures ----------------------------------------------------------------------------------------------------------


def figures() -> dict[tuple[str, tuple[str, ...]], float]:
    answer = Client().get("/metrics")
    assert answer["Content-Type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.content.decode())
    return {(s.name, tuple(s.labels.values())): s.value for family in families for s in family.samples}


def test_flows_and_steps_are_counted(outside: World) -> None:
    start(line("a"), line("b"))
    refused = start(line("c"))
    outside.will("c", PlatformRefused("No."))
    run()
    start(thing("d"), thing("e"))
    found = figures()
    assert refused
    assert found["concord_flows", ("done",)] == 1
    assert found["concord_flows", ("undone",)] == 1
    assert found["concord_flows", ("running",)] == 1
    assert found["concord_flows", ("failed",)] == 0
    assert found["concord_steps", ("done",)] == 2
    assert found["concord_steps", ("waiting",)] == 1
    assert found["concord_steps_due", ()] == 1
    assert found["concord_steps_due_oldest_seconds", ()] > 0
    assert found["concord_database_up", ()] == 1


def test_durations_of_steps(outside: World) -> None:
    flow = start(line("a"), line("b"))
    run()
    now = timezone.now()
    for name, seconds in (("a", 0.3), ("b", 400)):
        flow.steps.filter(name=name).update(started_at=now - timedelta(seconds=seconds), ended_at=now)
    found = figures()
    bucket = lambda le: found["concord_step_seconds_bucket", ("tests.note", le)]  # noqa: E731
    assert (bucket("0.1"), bucket("0.5"), bucket("300.0"), bucket("1800.0"), bucket("+Inf")) == (0, 1, 1, 2, 2)
    assert found["concord_step_seconds_count", ("tests.note",)] == 2
    assert found["concord_step_seconds_sum", ("tests.note",)] == pytest.approx(400.3, abs=0.01)


def test_requests_are_counted_by_route(root: Any) -> None:
    def count(status: str) -> float:
        return figures().get(("concord_requests_total", ("GET", "api/v1/tokens/<int:token_id>", status)), 0)

    before = count("401")
    for number in range(3):
        Client().get(f"/api/v1/tokens/{number}")
    assert count("401") == before + 3


def test_workers_are_counted() -> None:
    workers.swept("flows@here")
    workers.seen("observe@here")
    assert figures()["concord_workers", ()] == 2


def test_figures_without_a_database() -> None:
    def away(*arguments: Any) -> Any:
        raise OperationalError("the server is away")

    with connection.execute_wrapper(away):
        assert figures()["concord_database_up", ()] == 0


def test_the_figures_have_a_budget(outside: World, django_assert_max_num_queries: Any) -> None:
    for _number in range(5):
        start(line("a"), line("b"))
    run()
    with django_assert_max_num_queries(7):
        Client().get("/metrics")
