"""What a driver is: the one thing that speaks to a platform. Frozen values in, frozen values out, no models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.utils.translation import gettext_noop

from console.errors import ConsoleError, PlatformUnavailable
from console.sentences import kept
from platforms.standard import Answer, Request

Json = dict[str, Any]
COME_BACK = kept(gettext_noop("the platform asks to come back for %(operation)s in %(seconds)s s"))


@dataclass(frozen=True)
class Capability:
    """Whether an operation can be done, and if not, the reason that users are told."""

    supported: bool
    reason: str = ""


@dataclass(frozen=True, repr=False)
class PartyCredential:
    """What opens one party's space on a platform. Never printed."""

    ak: str = ""
    sk: str = ""
    token: str = ""
    username: str = ""
    password: str = ""
    tlscert: str = ""  # PEM: client certificate, key, authority
    category: str = ""  # cloud, on_prem, or empty for the platform's own

    def __repr__(self) -> str:
        return f"PartyCredential(category={self.category!r}, …)"


@dataclass(frozen=True, repr=False)
class Credentials:
    """The parties on whose behalf an operation may speak."""

    platform: PartyCredential = field(default_factory=PartyCredential)
    creator: PartyCredential | None = None
    member: PartyCredential | None = None

    def __repr__(self) -> str:
        return "Credentials(…)"


@dataclass(frozen=True)
class Finished:
    """The operation is through.

    `trace` is what was sent and answered, secrets cleansed, for a step's log. Reading leaves one when it fails only.
    """

    answer: Any
    trace: tuple[Json, ...] = ()


@dataclass(frozen=True)
class Pending:
    """The platform is at work: go on at `position` after `seconds`. The position is plain JSON.

    `known` is what can be said already of the thing that is being made, such as its id: whoever has to take the
    operation back before it has finished finds it there.
    """

    position: Json
    seconds: float
    trace: tuple[Json, ...] = ()
    known: Json = field(default_factory=dict)


class Driver(Protocol):
    """Speaks to one platform. Safe to use from several threads.

    `resumes` says that the driver itself does the building: without a `position`, and under the same key, it goes on
    with whatever an earlier attempt has left, and has finished only when all of it is there. Nobody builds on while
    nobody asks. Where it is False a platform may be at work by itself, and what carries our name there is waited for.
    """

    resumes: bool

    def capabilities(self) -> dict[str, Capability]:
        """What it can do, for every operation of the standard interface."""
        ...

    def perform(
        self,
        operation: str,
        request: Request,
        *,
        credentials: Credentials,
        key: str,
        position: Json | None = None,
    ) -> Finished | Pending:
        """Do the operation, or go on with it at `position`. `key` is the idempotency key: one effect for one key.

        Raises Missing (the thing is not there), NotSupported, PlatformRefused, PlatformUnavailable, OutcomeUnknown;
        `trace_of` tells what was sent before that.
        """
        ...

    def close(self) -> None:
        """Give back connections."""
        ...


class Follower(Protocol):
    """What a driver may offer besides, as `follower`: reading on an event loop, without a thread for each reading.

    It answers the operations that it names, and may name `get_ledger_range`, which is none of the standard interface.
    """

    operations: frozenset[str]

    async def read(self, operation: str, request: Request) -> Answer:
        """As `read` below."""
        ...


def follower_of(driver: Driver) -> Follower | None:
    return getattr(driver, "follower", None)


def rouser_of(driver: Driver) -> Callable[[str], tuple[Json, ...]] | None:
    """What a driver may offer besides, as `rouse`: it sees to a chain of this id that stands although nobody is away.

    Gives lines as those of a trace, none where there was nothing to do. Raises Missing, PlatformUnavailable.
    """
    return getattr(driver, "rouse", None)


def repeatable(driver: Driver, operation: str) -> bool:
    """Whether asking once more under the same key has no second effect.

    That is what a driver owes; one that speaks to a platform which may not honour keys says so in `repeatable`. It says
    nothing of who goes on with what was begun: that is `Driver.resumes`.
    """
    says = getattr(driver, "repeatable", None)
    return True if says is None else bool(says(operation))


def read(driver: Driver, operation: str, request: Request, credentials: Credentials) -> Answer:
    """A reading operation, which must finish in one go; PlatformUnavailable when the platform makes us wait."""
    result = driver.perform(operation, request, credentials=credentials, key="")
    if isinstance(result, Pending):
        raise PlatformUnavailable(COME_BACK % {"operation": operation, "seconds": round(result.seconds)})
    return result.answer


def certificate_end(driver: Driver) -> datetime | None:
    """When the first of the certificates ends that the platform has shown; None when it has shown none."""
    asked = getattr(driver, "certificate_end", None)
    return asked() if asked is not None else None


def keep_trace(problem: ConsoleError, trace: tuple[Json, ...]) -> ConsoleError:
    """Remember on an error what was sent and answered before it."""
    problem.trace = trace  # type: ignore[attr-defined]
    return problem


def trace_of(problem: ConsoleError) -> tuple[Json, ...]:
    """What a driver sent and was answered before it raised, secrets cleansed."""
    return getattr(problem, "trace", ())
