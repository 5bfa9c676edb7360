"""The standard interface, raw: an administrator asks a platform directly. Every request is in the audit log."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from pydantic import ValidationError

from console import audit, flows
from console.errors import Invalid, Missing, NotSupported
from console.flows import blueprint_named
from console.models import Flow, User
from console.policies import require
from console.transactions import use_case
from platforms import reads
from platforms.drivers import credentials_of, driver_for
from platforms.drivers.base import Credentials, read
from platforms.models import Platform
from platforms.policies import may_operate_platform
from platforms.standard import OPERATIONS, Operation, Request


def operate(*, actor: User, oemtype: str, operation: str, request: Any) -> dict[str, Any] | Flow:
    """The answer of an operation that reads, or the flow that carries out one that changes something.

    Raises Missing, NotAllowed, NotSupported with the platform's reason, Invalid naming fields of the request, and
    what reading a platform raises.
    """
    platform = reads.platform_named(actor, oemtype)
    require(may_operate_platform(actor, platform))
    wanted = OPERATIONS.get(operation)
    if wanted is None:
        raise Missing(_("The standard interface has no operation “%(name)s”.") % {"name": operation})
    supported, reason = platform.capability(operation)
    if not supported:
        raise NotSupported(reason)
    asked = read_request(wanted, request)
    if wanted.writes:
        return _start(actor, platform, wanted, asked)
    _note(actor, platform, wanted, asked)
    answer = read(driver_for(platform), operation, asked, Credentials(platform=credentials_of(platform)))
    return answer.model_dump(mode="json")


def read_request(operation: Operation, given: Any) -> Request:
    """The request of an operation; Invalid names the fields (`request.creator.name`)."""
    try:
        return operation.request.model_validate({} if given is None else given)
    except ValidationError as problem:
        errors: dict[str, list[str]] = {}
        for each in problem.errors():
            errors.setdefault(".".join(["request", *map(str, each["loc"])]), []).append(each["msg"])
        raise Invalid(_("The request has errors."), errors=errors) from problem


@use_case
def _note(actor: User, platform: Platform, operation: Operation, request: Request) -> None:
    _record(actor, platform, operation, request)


@use_case
def _start(actor: User, platform: Platform, operation: Operation, request: Request) -> Flow:
    _record(actor, platform, operation, request)
    return flows.start(
        blueprint_named("platforms.operate"),
        subject=platform,
        requested_by=actor,
        arguments={
            "platform": platform.pk,
            "operation": operation.name,
            "request": request.model_dump(mode="json"),
        },
        title_values={"operation": operation.name, "name": platform.name},
    )


def _record(actor: User, platform: Platform, operation: Operation, request: Request) -> None:
    audit.record(
        "platforms.platform.operated",
        actor=actor,
        target=platform,
        operation=operation.name,
        request=request.model_dump(mode="json"),
    )
