"""What a scheme is, and the registry of those there are."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

from platforms.drivers.base import PartyCredential
from platforms.http import Incoming, Outgoing

if TYPE_CHECKING:  # the mapping asks here which schemes there are
    from platforms.mapping.apifile import ApiFile
    from platforms.mapping.template import Template

Options = dict[str, Any]

_MODULES = {
    "none": "platforms.auth.none",
    "basic": "platforms.auth.basic",
    "bearer": "platforms.auth.bearer",
    "apiKey": "platforms.auth.api_key",
    "login": "platforms.auth.login",
    "oauth2-client": "platforms.auth.oauth2_client",
    "aws-sigv4": "platforms.auth.aws_sigv4",
    "huawei-aksk": "platforms.auth.huawei_aksk",
    "mtls": "platforms.auth.mtls",
}


class Scheme(Protocol):
    """Turns a request into one that the platform believes."""

    uses_tls_identity: bool

    def sign(self, request: Outgoing, credential: PartyCredential, options: Options) -> Outgoing:
        """The request with the credential on it. `options` is the mapping's `auth` entry; it holds no secret.

        The request is prepared: `url`, `host`, `headers` and `content` are what will be sent.
        """
        ...


@dataclass(frozen=True)
class Token:
    """What a platform gave for a credential, and for how many seconds it believes it, if it said so."""

    text: str = field(repr=False)
    seconds: float | None = None


@dataclass(frozen=True)
class Surroundings:
    """What a scheme that needs a call first may use: the platform's files, and a way to send."""

    template: Template
    api: ApiFile
    send: Callable[[Outgoing], Incoming]


class TokenScheme(Protocol):
    """A scheme that needs a call first: it fetches a token, and shows it with every request until it runs out."""

    uses_tls_identity: bool

    def fetch(self, credential: PartyCredential, options: Options, around: Surroundings) -> Token:
        """A new token. PlatformRefused when the platform does not accept the credential."""
        ...

    def show(self, request: Outgoing, token: str, options: Options) -> Outgoing:
        """The request with the token on it."""
        ...


def scheme_kinds() -> tuple[str, ...]:
    return tuple(_MODULES)


def scheme_schema() -> dict[str, Any]:
    """What a mapping may say of a scheme, as JSON Schema; it refers to definitions of the mapping's schema."""
    document = json.loads((Path(__file__).parent / "scheme.schema.json").read_text())
    document["properties"]["kind"] = {"enum": list(_MODULES)}
    return document


@functools.cache
def scheme_for(kind: str) -> Scheme | TokenScheme:
    """The scheme called `kind`; KeyError when there is none."""
    return import_module(_MODULES[kind]).SCHEME


def fetches_token(scheme: Scheme | TokenScheme) -> TypeGuard[TokenScheme]:
    return hasattr(scheme, "fetch")
