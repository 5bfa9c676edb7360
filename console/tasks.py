"""Doors for Celery: ids in, a call, nothing else."""

from celery import shared_task
from django.conf import settings

from console.flows import engine


@shared_task(name="console.run_step", expires=300)
def run_step(step_id: int) -> None:
    engine.run_step(step_id)


@shared_task(name="console.sweep", expires=10)
def sweep() -> None:
    engine.sweep()


BEAT = {
    "flows-sweep": {"task": "console.sweep", "schedule": settings.FLOW_SWEEP_SECONDS, "options": {"expires": 10}},
}
