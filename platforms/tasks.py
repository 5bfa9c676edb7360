"""Periodic doors of this floor: how platforms are, and which tenants they have."""

from __future__ import annotations

from celery import shared_task

from platforms import observe


@shared_task(name="platforms.probe", expires=30)
def probe() -> None:
    observe.probe_platforms()


@shared_task(name="platforms.refresh_tenants", expires=300)
def refresh_tenants() -> None:
    observe.refresh_tenants()


BEAT = {
    "platforms-probe": {"task": "platforms.probe", "schedule": 30.0, "options": {"expires": 30}},
    "platforms-tenants": {"task": "platforms.refresh_tenants", "schedule": 600.0, "options": {"expires": 300}},
}
