"""How a flow's step calls a platform: one operation of the standard interface, carried across waits and crashes."""

from __future__ import annotations

from typing import Any

from console.errors import ConsoleError, Missing, OutcomeUnknown, PlatformRefused
from console.flows import Done, Later, StepContext
from platforms import standard
from platforms.drivers import driver_for
from platforms.drivers.base import Credentials, Finished, Json, trace_of
from platforms.http import UNREADABLE
from platforms.models import Platform

GONE = Done({"skipped": "it was gone already"})
NOT_UNDERSTOOD = (UNREADABLE, "mapping_failed")


def perform(
    context: StepContext, platform: Platform, operation: str, request: standard.Request, credentials: Credentials
) -> tuple[Any, None] | tuple[None, Later]:
    """The platform's answer, or the wait after which the step goes on where it stopped.

    The step's key is the platform's idempotency key. The step's position is `{"driver": …, "known": {…}}`: where the
    driver goes on, and what is known already of the thing that is being made. Every request and answer becomes a line
    of the step's log, also those before a failure. Raises Missing, NotSupported, PlatformRefused, PlatformUnavailable.
    """
    position = context.position or {}
    try:
        result = driver_for(platform).perform(
            operation, request, credentials=credentials, key=context.key, position=position.get("driver")
        )
    except ConsoleError as problem:
        log_trace(context, operation, trace_of(problem))
        raise
    log_trace(context, operation, result.trace)
    if isinstance(result, Finished):
        return result.answer, None
    known = {**position.get("known", {}), **result.known}
    return None, Later(result.seconds, {"driver": result.position, "known": known})


def remove(
    context: StepContext,
    platform: Platform,
    operation: str,
    request: standard.Request,
    credentials: Credentials,
    *,
    known: Json,
) -> Done | Later:
    """A removal: what is gone already counts as removed. What was found is `known` at the next look too.

    An answer that is not understood may stand for a removal that goes on, so it is no refusal: the removal is asked
    for again, which does no harm.
    """
    try:
        answer, wait = perform(context, platform, operation, request, credentials)
    except Missing:
        return GONE
    except PlatformRefused as problem:
        if problem.code in NOT_UNDERSTOOD:
            raise OutcomeUnknown(problem.detail, note=problem.note) from problem
        raise
    if answer is not None:
        return Done({"status": answer.status})
    if wait is None:
        raise RuntimeError("a platform call neither finished nor waits")
    position = wait.position or {}
    return Later(wait.seconds, {**position, "known": {**known, **position.get("known", {})}})


def log_trace(context: StepContext, operation: str, trace: tuple[Json, ...]) -> None:
    """What was sent and answered, as lines of the step's log."""
    for line in trace:
        context.log(str(line.get("message", operation)), **{k: v for k, v in line.items() if k != "message"})
