"""Periodic doors of this floor: look at the chains, throw away what is old."""

from __future__ import annotations

import time

from celery import shared_task

from chains.observing.observer import observer
from chains.observing.rousing import rouse_chains
from chains.services import history
from chains.services.engine import check
from chains.services.gateway import summarize_uses
from chains.services.ledger import prune

TICK_SECONDS = 1.0
PATIENCE_SECONDS = 1.5  # a tick holds a worker no longer than this, whatever hangs
COUNT_SECONDS = 2.0
PRUNE_SECONDS = 2.0  # the door is shared with the observers


@shared_task(name="chains.observe", expires=3)
def observe() -> None:
    observer().tick(patience=PATIENCE_SECONDS)


@shared_task(name="chains.rouse", expires=30)
def rouse() -> None:
    rouse_chains()


@shared_task(name="chains.prune", expires=60)
def prune_chains() -> None:
    end = time.monotonic() + PRUNE_SECONDS
    prune(lambda: time.monotonic() < end)


@shared_task(name="chains.count", expires=30)
def count_ledgers() -> None:
    history.count_for(COUNT_SECONDS)


@shared_task(name="chains.summarize_uses", expires=600)
def summarize_gateway_uses() -> None:
    summarize_uses()


@shared_task(name="chains.check_engine", expires=60)
def check_engine() -> None:
    check()


BEAT = {
    "applications-engine": {"task": "chains.check_engine", "schedule": 60.0, "options": {"expires": 60}},
    "gateway-summarize": {"task": "chains.summarize_uses", "schedule": 600.0, "options": {"expires": 600}},
    "chains-observe": {"task": "chains.observe", "schedule": TICK_SECONDS, "options": {"expires": 3}},
    "chains-rouse": {"task": "chains.rouse", "schedule": 60.0, "options": {"expires": 30}},
    "chains-count": {"task": "chains.count", "schedule": 10.0, "options": {"expires": 10}},
    "chains-prune": {"task": "chains.prune", "schedule": 60.0, "options": {"expires": 60}},
}
