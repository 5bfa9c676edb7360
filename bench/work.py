"""What the flow benchmark's worker does: the same five steps, as a flow and as a bare chain of tasks.

A step writes a small row in the engine's own transaction, writes it outside of that, or calls the stub platform.
"""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")

import django

django.setup()

import httpx
from celery import chain, shared_task

from console import flows
from console.celery import app as app
from console.flows import Blueprint, Done, StepContext, Task
from console.models import Notification

STEPS = 5
PLATFORM = os.environ.get("BENCH_PLATFORM", "")  # the address of the stub platform's call
_client = httpx.Client()


@flows.step("bench.local", local=True)
def write_locally(context: StepContext) -> Done:
    return Done({"written": _write(context.requested_by_id)})


@flows.step("bench.remote")
def write_remotely(context: StepContext) -> Done:
    """Not run inside the engine's transaction, like a call of a platform."""
    return Done({"written": _write(context.requested_by_id)})


@flows.step("bench.call")
def call_platform(context: StepContext) -> Done:
    """A call of the platform, and the row that says so."""
    _call()
    return Done({"written": _write(context.requested_by_id)})


def _plan(action: str) -> Any:
    return lambda arguments: [Task(f"step-{number}", action, "Step") for number in range(STEPS)]


LOCAL = flows.register(Blueprint("bench.local", "Five local steps", _plan("bench.local")))
REMOTE = flows.register(Blueprint("bench.remote", "Five steps", _plan("bench.remote")))
CALLS = flows.register(Blueprint("bench.call", "Five calls", _plan("bench.call")))


@shared_task(name="bench.bare")
def bare(user_id: int) -> None:
    """One link of a bare Celery chain: the write, and nothing that would survive a crash."""
    _write(user_id)


@shared_task(name="bench.bare_call")
def bare_call(user_id: int) -> None:
    """One link of a bare Celery chain: the platform's call and the write."""
    _call()
    _write(user_id)


def bare_chain(user_id: int, link: Any = bare) -> Any:
    return chain(*(link.si(user_id).set(queue="flows") for _ in range(STEPS)))


def _call() -> None:
    _client.get(PLATFORM).raise_for_status().json()


def _write(user_id: int | None) -> int:
    return Notification.objects.create(user_id=user_id, kind="bench", title="written").pk
