"""The bodies that the sandbox takes: camelCase, nothing unknown, every refusal with the place and words."""

from __future__ import annotations

import ipaddress
import json
from typing import Annotated, Literal, TypeVar

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.alias_generators import to_camel

from platforms.sandbox.errors import ApiError, BadRequest
from platforms.sandbox.faults import Fault

MAX_BODY = 256 * 1024  # bytes
ExternalId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(lambda text: _printable(text))]
NodeId = Annotated[str, Field(min_length=1, max_length=64)]
RequestId = Annotated[str, Field(max_length=200)]
HEX = r"^0x([0-9a-fA-F]{2})*$"
ADDRESS = r"^0x[0-9a-fA-F]{40}$"
Code = Annotated[str, Field(min_length=4, max_length=200_000, pattern=HEX)]
CLOUD_ADDRESSES = ipaddress.ip_network("127.0.1.0/24")


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=False, frozen=True)


class Host(Body):
    """A machine of an on-prem organization. The sandbox builds on loopback addresses only."""

    ip: str
    port: int = Field(ge=1, le=65535)

    @field_validator("ip")
    @classmethod
    def _loopback(cls, text: str) -> str:
        try:
            address = ipaddress.IPv4Address(text)
        except ValueError:
            raise ValueError("is not an IPv4 address") from None
        if not address.is_loopback:
            raise ValueError("is not a loopback address (127.0.0.0/8), the only ones that the sandbox builds on")
        if address in CLOUD_ADDRESSES:
            raise ValueError("belongs to the cloud tenants (127.0.1.0/24)")
        return text


class Member(Body):
    """Who joins: the name that the caller knows itself by, and where its nodes go."""

    external_id: ExternalId
    display_name: Name
    tenant_id: str = Field(default="", max_length=100)
    hosts: tuple[Host, ...] = Field(default=(), max_length=50)


class Invitee(Body):
    external_id: ExternalId
    display_name: Name
    tenant_id: str = Field(default="", max_length=100)


class CreateNetwork(Body):
    request_id: RequestId = ""
    name: Name
    description: str = Field(default="", max_length=2000)
    engine: Literal["EVM"] = "EVM"
    member: Member
    invite: tuple[Invitee, ...] = Field(default=(), max_length=100)


class Invitation(Body):
    display_name: Name
    tenant_id: str = Field(default="", max_length=100)


class JoinNetwork(Body):
    request_id: RequestId = ""
    member: Member


class CreateChain(Body):
    """`node_ids`: nodes of the caller on which the chain shall run; without them it gets one of its own."""

    request_id: RequestId = ""
    name: Name
    external_id: ExternalId | None = None
    node_ids: tuple[NodeId, ...] = Field(default=(), max_length=10)


class CreateNode(Body):
    request_id: RequestId = ""
    external_id: ExternalId | None = None


class ShareNodes(Body):
    """Nodes that the caller's member has already, and that shall serve the chain, too."""

    request_id: RequestId = ""
    external_id: ExternalId | None = None
    node_ids: tuple[NodeId, ...] = Field(min_length=1, max_length=10)


class CreateContract(Body):
    """`data` is the creation code with its arguments."""

    request_id: RequestId = ""
    name: Name
    external_id: ExternalId | None = None
    data: Code


class UpgradeContract(Body):
    """New code for a contract that stands behind a proxy."""

    request_id: RequestId = ""
    external_id: ExternalId | None = None
    data: Code


class SendTransaction(Body):
    request_id: RequestId = ""
    external_id: ExternalId | None = None
    to: str = Field(pattern=ADDRESS)
    data: str = Field(default="0x", max_length=200_000, pattern=HEX)


class IssueCertificate(Body):
    common_name: Name
    days: int = Field(default=365, ge=1, le=730)


class SetFault(Body):
    fault: Fault
    times: int = Field(default=1, ge=1, le=100)
    on: tuple[str, ...] = Field(default=(), max_length=20)


class SetTraffic(Body):
    enabled: bool | None = None
    per_minute: int | None = Field(default=None, ge=1, le=600)
    quiet_after: int | None = Field(default=None, ge=0, le=10_000_000)


B = TypeVar("B", bound=Body)


async def read_body(request: web.Request, model: type[B], error: type[BadRequest] = BadRequest) -> B:
    """The request's JSON as `model`; an ApiError names every field that does not fit."""
    raw = await request.read()
    try:
        data = json.loads(raw or b"null", parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise error("The body is not JSON.") from None
    if not isinstance(data, dict):
        raise error("The body must be a JSON object.")
    try:
        return model.model_validate(data)
    except ValidationError as problem:
        raise _words(problem, error) from None


def must_be_json(request: web.Request) -> None:
    """The management plane takes JSON that says so."""
    if request.body_exists and request.content_type != "application/json":
        raise ApiError("The body must be application/json.", code="UNSUPPORTED_MEDIA_TYPE", status=415)


def _words(problem: ValidationError, error: type[BadRequest]) -> BadRequest:
    details = [
        {"field": ".".join(map(str, each["loc"])) or "body", "problem": each["msg"].removeprefix("Value error, ")}
        for each in problem.errors()[:20]
    ]
    first = details[0]
    return error(f"{first['field']}: {first['problem']}.", details=details)


def _printable(text: str) -> str:
    if not text.strip() or any(ord(letter) < 32 or letter == "\x7f" for letter in text):
        raise ValueError("must be text without control characters")
    return text


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
