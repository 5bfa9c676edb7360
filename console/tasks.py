"""Doors for Celery: ids in, a call, nothing else; and the workers' signs of life."""

import time
from typing import Any

from celery import Task, shared_task
from celery.signals import task_postrun, worker_ready, worker_shutdown
from django.conf import settings
from django.db import connections

from console import broker, workers
from console.deliveries.post import post
from console.flows import engine
from console.services.deliveries import forget_old
from console.services.retention import forget_keys, forget_log

FORGET_SECONDS = 10.0  # the door is shared: what is left is thrown away an hour later


@shared_task(name="console.run_step", expires=300, bind=True)
def run_step(self: Task, step_id: int) -> None:
    engine.work(step_id, worker=self.request.hostname or "")


@shared_task(name="console.sweep", expires=10, bind=True)
def sweep(self: Task) -> None:
    engine.sweep(engine.MOST_NUDGES - broker.waiting("flows"))
    workers.swept(self.request.hostname or "")


@shared_task(name="console.deliver", expires=10)
def deliver() -> None:
    post().turn(patience=settings.DELIVERY_SWEEP_SECONDS)


@shared_task(name="console.forget_deliveries", expires=600)
def forget_deliveries() -> None:
    forget_old()


@shared_task(name="console.forget_work", expires=600)
def forget_work() -> None:
    end = time.monotonic() + FORGET_SECONDS
    forget_log(lambda: time.monotonic() < end)
    forget_keys(lambda: time.monotonic() < end)


BEAT = {
    "work-forget": {"task": "console.forget_work", "schedule": 3600.0, "options": {"expires": 600}},
    "flows-sweep": {"task": "console.sweep", "schedule": settings.FLOW_SWEEP_SECONDS, "options": {"expires": 10}},
    "deliveries-sweep": {
        "task": "console.deliver",
        "schedule": settings.DELIVERY_SWEEP_SECONDS,
        "options": {"expires": settings.DELIVERY_SWEEP_SECONDS},
    },
    "deliveries-forget": {"task": "console.forget_deliveries", "schedule": 3600.0, "options": {"expires": 600}},
}


@worker_ready.connect
def on_ready(sender: Any, **_: object) -> None:
    workers.began(sender.hostname)
    connections.close_all()  # this is the pool's parent: its children must not inherit the connection


@task_postrun.connect
def on_task(task: Task, **_: object) -> None:
    workers.seen(task.request.hostname or "")


@worker_shutdown.connect
def on_shutdown(sender: Any, **_: object) -> None:
    workers.left(sender.hostname)
