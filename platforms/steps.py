"""How a flow's step calls a platform: one operation of the standard interface, carried across waits and crashes."""

from __future__ import annotations

from typing import Any

from console.errors import ConsoleError
from console.flows import Later, StepContext
from platforms import standard
from platforms.drivers import driver_for
from platforms.drivers.base import Credentials, Finished, Json, trace_of
from platforms.models import Platform


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
        _log(context, operation, trace_of(problem))
        raise
    _log(context, operation, result.trace)
    if isinstance(result, Finished):
        return result.answer, None
    known = {**position.get("known", {}), **result.known}
    return None, Later(result.seconds, {"driver": result.position, "known": known})


def _log(context: StepContext, operation: str, trace: tuple[Json, ...]) -> None:
    for line in trace:
        context.log(str(line.get("message", operation)), **{k: v for k, v in line.items() if k != "message"})
