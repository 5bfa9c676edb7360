"""Asking platforms: one at a time for a flow, all of them at once for the timetable.

One platform that hangs holds up nobody else: each has a thread of its own, and after a while it has simply not
answered. Threads only ask; whoever collects the answers writes them down.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop

from console.errors import ConsoleError, PlatformUnavailable
from console.sentences import kept
from platforms import standard
from platforms.drivers import credentials_of, driver_for
from platforms.drivers.base import Credentials, Driver, certificate_end, read
from platforms.models import Platform
from platforms.services import registry

logger = logging.getLogger(__name__)

ROUND_SECONDS = 30.0  # after that a platform has not answered in this round
MAX_THREADS = 32
NO_ANSWER = kept(gettext_noop("no answer within %(seconds)s s"))
NOTHING_TO_ASK = gettext_noop("The platform offers nothing that could be asked.")
PROBES: tuple[tuple[str, standard.Request], ...] = (
    ("get_health", standard.EmptyRequest()),
    ("list_networks", standard.EmptyRequest()),
    ("list_tenants", standard.EmptyRequest()),
    ("list_chains", standard.ListChainsRequest()),
)
Question = Callable[[Driver, Credentials], Any]


def ask_health(driver: Driver, credentials: Credentials) -> standard.Health:
    """How the platform is, by the best that it offers for this. Raises what reading raises."""
    offered = driver.capabilities()
    for operation, request in PROBES:
        if offered[operation].supported:
            answer = read(driver, operation, request, credentials)
            return answer if isinstance(answer, standard.Health) else standard.Health(status="up")
    return standard.Health(status="degraded", detail=NOTHING_TO_ASK)


def ask_state(driver: Driver, credentials: Credentials) -> tuple[standard.Health, datetime | None]:
    """How the platform is, and when the certificate ends that it showed."""
    return ask_health(driver, credentials), certificate_end(driver)


def ask_tenants(driver: Driver, credentials: Credentials) -> list[dict[str, str]]:
    """Every tenant that the platform reports."""
    answer: Any = read(driver, "list_tenants", standard.EmptyRequest(), credentials)
    return [each.model_dump() for each in answer.items]


def probe_platforms(*, seconds: float = ROUND_SECONDS) -> None:
    """Write down how each official platform is."""
    for platform, answer in ask_all(Platform.objects.official(), ask_state, seconds):
        failed = isinstance(answer, ConsoleError)
        down = standard.Health(status="down", detail=answer.for_operators) if failed else None
        health, expires_at = (down, None) if down is not None else answer
        registry.record_health(
            platform_id=platform.pk,
            revision=platform.revision,
            status=health.status,
            detail=health.detail,
            version=health.version,
            certificate_expires_at=expires_at,
        )


def refresh_tenants(*, seconds: float = ROUND_SECONDS) -> None:
    """Write down the tenants of each official platform that reports them. One that does not answer keeps its rows."""
    rows = [each for each in Platform.objects.official() if each.capability("list_tenants")[0]]
    for platform, answer in ask_all(rows, ask_tenants, seconds):
        if isinstance(answer, ConsoleError):
            logger.warning("tenants of %s not read: %s", platform.oemtype, answer.for_operators)
        else:
            registry.record_tenants(platform_id=platform.pk, tenants=answer)


def ask_all(platforms: Iterable[Platform], question: Question, seconds: float) -> Iterator[tuple[Platform, Any]]:
    """(platform, answer or ConsoleError), each as soon as it is there."""
    pool = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="ask")
    asked: dict[Future[Any], Platform] = {}
    try:
        for platform in platforms:
            try:
                driver, credentials = driver_for(platform), Credentials(platform=credentials_of(platform))
            except ConsoleError as problem:
                yield platform, problem
                continue
            asked[pool.submit(question, driver, credentials)] = platform
        yield from _collected(asked, seconds)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _collected(asked: dict[Future[Any], Platform], seconds: float) -> Iterator[tuple[Platform, Any]]:
    silent = dict(asked)
    try:
        for future in as_completed(asked, timeout=seconds):
            yield silent.pop(future), _answer(future)
    except TimeoutError:
        for platform in silent.values():
            yield platform, PlatformUnavailable(NO_ANSWER % {"seconds": round(seconds)})


def _answer(future: Future[Any]) -> Any:
    try:
        return future.result()
    except ConsoleError as problem:
        return problem
    except Exception as problem:  # whatever nonsense breaks must not end the round for the others
        logger.exception("asking a platform failed unexpectedly")
        return PlatformUnavailable(f"{type(problem).__name__}: {problem}")
