"""Whose call it is: the operator's or a cloud tenant's by its Bearer key, an on-prem organization's by certificate."""

from __future__ import annotations

import hashlib
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aiohttp import web

from platforms.sandbox.errors import Forbidden, Unauthenticated
from platforms.sandbox.identities import operator_key, read_tenants

Kind = Literal["OPERATOR", "CLOUD", "ON_PREM"]


@dataclass(frozen=True)
class Principal:
    """Who calls. On-prem organizations that share a certificate are one principal with several members."""

    id: str
    kind: Kind
    tenant_id: str = ""

    @property
    def is_operator(self) -> bool:
        return self.kind == "OPERATOR"

    def must_be_member(self) -> None:
        """The operator looks and tidies up; it owns no space in which anything could be built."""
        if self.is_operator:
            raise Forbidden("The operator has no resource space: this is done with the member's own credential.")


NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, which the ssl module does not name
PRINCIPAL = web.RequestKey("principal", Principal)
OPERATOR = Principal("operator", "OPERATOR")


class Keyring:
    """The keys and names that the sandbox gave out."""

    def __init__(self, folder: Path) -> None:
        self.tenants = read_tenants(folder)
        self._numbers = {tenant["tenantid"]: number for number, tenant in enumerate(self.tenants, 1)}
        self._by_key = {_digest(operator_key(folder)): OPERATOR}
        for tenant in self.tenants:
            self._by_key[_digest(tenant["sk"])] = Principal(f"tenant:{tenant['tenantid']}", "CLOUD", tenant["tenantid"])

    def cloud_address(self, tenant_id: str) -> str:
        """Where a tenant's nodes listen: 127.0.1.k for the k-th tenant."""
        return f"127.0.1.{self._numbers[tenant_id]}"

    def knows(self, tenant_id: str) -> bool:
        return tenant_id in self._numbers

    def principal_of(self, request: web.Request) -> Principal:
        """Raises Unauthenticated."""
        channel = request.transport.get_extra_info("ssl_object") if request.transport is not None else None
        if channel is not None:
            return Principal(f"onprem:{_common_name(_in_force(channel.getpeercert()))}", "ON_PREM")
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        found = self._by_key.get(_digest(key.strip())) if scheme.lower() == "bearer" else None
        if found is None:
            raise Unauthenticated("A valid key is needed: Authorization: Bearer <operator key or a tenant's sk>.")
        return found


def server_context(folder: Path) -> ssl.SSLContext:
    """Mutual TLS: a certificate of another CA ends the handshake; whether there is one in force, each request asks."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # With 1.3 a client learns only after its request that its certificate was refused, and cannot know
    # whether a POST was carried out; with 1.2 the handshake itself fails.
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    # None at all, or one that has run out, is refused in words: a broken handshake looks like a platform that is down.
    context.verify_mode = ssl.CERT_OPTIONAL
    context.verify_flags |= NO_CHECK_TIME
    context.load_verify_locations(str(folder / "tls/ca.pem"))
    context.load_cert_chain(str(folder / "tls/server.pem"))
    return context


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def _in_force(certificate: dict[str, Any] | None) -> dict[str, Any]:
    if not certificate:
        raise Unauthenticated("A client certificate is needed, signed by the sandbox's CA.")
    now = time.time()
    if ssl.cert_time_to_seconds(certificate["notAfter"]) <= now:
        raise Unauthenticated(f"The client certificate expired on {certificate['notAfter']}.")
    if ssl.cert_time_to_seconds(certificate["notBefore"]) > now:
        raise Unauthenticated(f"The client certificate is not valid before {certificate['notBefore']}.")
    return certificate


def _common_name(certificate: dict[str, Any]) -> str:
    fields = dict(pair for relative in certificate.get("subject", ()) for pair in relative)
    name = fields.get("commonName", "")
    if not name:
        raise Unauthenticated("The client certificate carries no common name.")
    return name
