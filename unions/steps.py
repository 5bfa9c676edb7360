"""What the steps of this floor and the one above share: one call of the standard interface, carried across waits."""

from __future__ import annotations

from typing import Any

from console.flows import Later, StepContext
from platforms import standard
from platforms.drivers import driver_for
from platforms.drivers.base import Credentials, Finished
from platforms.models import Platform


def perform(
    context: StepContext, platform: Platform, operation: str, request: standard.Request, credentials: Credentials
) -> tuple[Any, None] | tuple[None, Later]:
    """The platform's answer, or the wait after which the step goes on where it stopped.

    The step's key is the platform's idempotency key. Raises NotSupported, PlatformRefused, PlatformUnavailable.
    """
    result = driver_for(platform).perform(
        operation, request, credentials=credentials, key=context.key, position=context.position
    )
    for line in result.trace:
        context.log(str(line.get("message", operation)), **{k: v for k, v in line.items() if k != "message"})
    if isinstance(result, Finished):
        return result.answer, None
    return None, Later(result.seconds, result.position)
