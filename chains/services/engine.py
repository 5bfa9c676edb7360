"""What is known of the container engine for applications: looked at now and then, and written down."""

from __future__ import annotations

import logging
from typing import Any

from django.utils import timezone

from chains.applications.engine import address, engine
from chains.models import ApplicationHealth, ContainerEngine
from console.errors import ConsoleError
from console.transactions import use_case

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 15.0  # for each answer; a machine that works hard takes its time to describe itself
MOST_WORDS = 2000


def check() -> None:
    """Ask it how it is, and clear away what was left there; nothing where the settings name none."""
    at = address()
    if not at:
        return
    from chains.applications.images import reap

    try:
        met = engine(seconds=PATIENCE_SECONDS)
        said = met.info()
        removed = reap(met)
    except ConsoleError as problem:
        record_engine(at=at, health=ApplicationHealth.DOWN, problem=problem.for_operators[:MOST_WORDS])
        return
    if removed:
        logger.warning("%s runs of applications were left on %s and have been removed", removed, at)
    seen = {"host": said.name[:200], "version": said.version[:80], "cpus": said.cpus, "memory": said.memory}
    record_engine(at=at, health=ApplicationHealth.UP, problem="", **seen)


@use_case
def record_engine(*, at: str, **seen: Any) -> None:
    """Only the one that the settings name is kept."""
    ContainerEngine.objects.exclude(address=at).delete()
    ContainerEngine.objects.update_or_create(address=at, defaults={**seen, "checked_at": timezone.now()})


def known_engine() -> ContainerEngine | None:
    """As it was last seen; one that nobody has looked at yet; None where the settings name none."""
    at = address()
    return (ContainerEngine.objects.filter(address=at).first() or ContainerEngine(address=at)) if at else None
