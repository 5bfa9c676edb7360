"""What a scheme is, and the registry of those there are."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol

from platforms.drivers.base import PartyCredential
from platforms.http import Outgoing

_MODULES = {
    "none": "platforms.auth.none",
    "basic": "platforms.auth.basic",
    "bearer": "platforms.auth.bearer",
    "apiKey": "platforms.auth.api_key",
    "mtls": "platforms.auth.mtls",
}


class Scheme(Protocol):
    """Turns a request into one that the platform believes."""

    uses_tls_identity: bool

    def sign(self, request: Outgoing, credential: PartyCredential, options: dict[str, Any]) -> Outgoing:
        """The request with the credential on it. `options` is the mapping's `auth` entry; it holds no secret."""
        ...


def scheme_kinds() -> tuple[str, ...]:
    return tuple(_MODULES)


def scheme_for(kind: str) -> Scheme:
    """The scheme called `kind`; KeyError when there is none."""
    return import_module(_MODULES[kind]).SCHEME
