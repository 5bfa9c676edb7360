"""Doors for Celery: ids in, a call, nothing else; and the workers' signs of life."""

from typing import Any

from celery import Task, shared_task
from celery.signals import task_postrun, worker_ready, worker_shutdown
from django.conf import settings

from console import broker, workers
from console.flows import engine


@shared_task(name="console.run_step", expires=300, bind=True)
def run_step(self: Task, step_id: int) -> None:
    engine.run_step(step_id, worker=self.request.hostname or "")


@shared_task(name="console.sweep", expires=10, bind=True)
def sweep(self: Task) -> None:
    engine.sweep(engine.MOST_NUDGES - broker.waiting("flows"))
    workers.swept(self.request.hostname or "")


BEAT = {
    "flows-sweep": {"task": "console.sweep", "schedule": settings.FLOW_SWEEP_SECONDS, "options": {"expires": 10}},
}


@worker_ready.connect
def on_ready(sender: Any, **_: object) -> None:
    workers.began(sender.hostname)


@task_postrun.connect
def on_task(task: Task, **_: object) -> None:
    workers.seen(task.request.hostname or "")


@worker_shutdown.connect
def on_shutdown(sender: Any, **_: object) -> None:
    workers.left(sender.hostname)
