"""Signs of life of the workers, kept as rows: readiness is judged by them, and the dead ones' steps are freed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import wraps

from django.db import DatabaseError
from django.utils import timezone

from console.flows import engine
from console.models import WorkerSeen

logger = logging.getLogger(__name__)
EVERY_SECONDS = 5.0  # a write for every task would cost more than many tasks

_last: dict[str, float] = {}


def _never_in_the_way(note: Callable[[str], None]) -> Callable[[str], None]:
    """A sign of life that cannot be written must not stop the work."""

    @wraps(note)
    def inner(name: str) -> None:
        if not name:
            return
        try:
            note(name)
        except DatabaseError as problem:
            logger.warning("worker %s could not write its sign of life: %s", name, problem)

    return inner


@_never_in_the_way
def began(name: str) -> None:
    """A worker takes up work: what its predecessor of the same name left in hand is free for everyone."""
    now = timezone.now()
    WorkerSeen.objects.update_or_create(name=name, defaults={"started_at": now, "seen_at": now})
    if freed := engine.release(name, since=now):
        logger.warning("%s steps of an earlier %s are taken up again", freed, name)


@_never_in_the_way
def seen(name: str) -> None:
    """A worker has run something."""
    if _is_time_for(name):
        _note(name)


@_never_in_the_way
def swept(name: str) -> None:
    """A worker has looked for promises nobody was keeping."""
    if _is_time_for(f"{name} swept"):
        _note(name, swept_at=timezone.now())


@_never_in_the_way
def left(name: str) -> None:
    """A worker goes, in good order."""
    WorkerSeen.objects.filter(name=name).delete()


def _note(name: str, **values: object) -> None:
    now = timezone.now()
    if not WorkerSeen.objects.filter(name=name).update(seen_at=now, **values):
        WorkerSeen.objects.get_or_create(name=name, defaults={"seen_at": now, **values})


def _is_time_for(note: str) -> bool:
    now = time.monotonic()
    if now - _last.get(note, -EVERY_SECONDS) < EVERY_SECONDS:
        return False
    _last[note] = now
    return True
