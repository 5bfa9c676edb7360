"""The HTTP client for platforms: one fixed address, short patience, nothing followed, nothing believed.

What may go wrong is sorted here once: never reached (try again), answered late or not at all after a change was sent
(outcome unknown), too large, not JSON. Redirects are never followed; private addresses only if the operator allows
them; bodies are capped while they stream in.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import socket
import ssl
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from console.errors import OutcomeUnknown, PlatformRefused, PlatformUnavailable

MAX_BODY = 8 * 1024 * 1024  # bytes
CALL_SECONDS = 20.0  # a whole call, however slowly its bytes arrive
TIMEOUT = httpx.Timeout(connect=5.0, read=10.0, write=10.0, pool=5.0)
DOTS = "••••••".encode()
SAFE_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})


@dataclass(frozen=True)
class Outgoing:
    """A request. `path` is percent-encoded and starts with a slash; `body` is JSON, or bytes that go out as they are.

    `address` is empty until a client has prepared the request; from then on `url`, `host` and `content` are exactly
    what is sent, so a signature over them holds.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: Any = field(default=None, repr=False)
    idempotent: bool = False  # may be sent twice without a second effect
    address: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)  # what must not come back in the answer

    @property
    def url(self) -> str:
        return self.address + self.path + (f"?{self.query_string}" if self.query else "")

    @property
    def query_string(self) -> str:
        return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in self.query)

    @property
    def host(self) -> str:
        """The Host header's value: no port where it is the scheme's own."""
        return httpx.URL(self.address).netloc.decode()

    @property
    def content(self) -> bytes | None:
        if self.body is None or isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body).encode()

    def with_headers(self, *pairs: tuple[str, str]) -> Outgoing:
        return replace(self, headers=(*self.headers, *pairs))


@dataclass(frozen=True)
class Incoming:
    """An answer: status, headers with lower-case names, and the body as JSON (None when empty)."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None


class PlatformClient:
    """One connection pool to one address with one TLS identity. Safe to use from several threads."""

    def __init__(
        self,
        address: str,
        *,
        allow_private: bool,
        tlscert: str = "",
        ca_certificate: str = "",
        max_body: int = MAX_BODY,
    ) -> None:
        self.address = address.rstrip("/")
        self._allow_private = allow_private
        self._max_body = max_body
        self._client = httpx.Client(
            verify=tls_context(tlscert, ca_certificate),
            timeout=TIMEOUT,
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=10),
        )

    def prepared(self, request: Outgoing) -> Outgoing:
        """The request with this address and the headers that every request carries: what a scheme signs."""
        if request.address:
            return request
        given = {name.lower() for name, _value in request.headers}
        own = [("accept", "application/json")]
        if request.body is not None:
            own.append(("content-type", "application/json"))
        added = tuple(pair for pair in own if pair[0] not in given)
        return replace(request, address=self.address, headers=(*request.headers, *added))

    def send(self, request: Outgoing) -> Incoming:
        """Send once. Raises PlatformUnavailable, OutcomeUnknown or PlatformRefused."""
        self._refuse_private()
        request = self.prepared(request)
        safe = request.idempotent or request.method in SAFE_METHODS
        headers = [(name.encode(), value.encode()) for name, value in request.headers]
        try:
            with self._client.stream(request.method, request.url, content=request.content, headers=headers) as response:
                return self._read(response, request.secrets)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as problem:
            raise PlatformUnavailable(f"{self.address} cannot be reached: {problem}") from problem
        except httpx.HTTPError as problem:
            text = f"{request.method} {request.path}: {type(problem).__name__}"
            if safe:
                raise PlatformUnavailable(f"{self.address} did not answer {text}") from problem
            raise OutcomeUnknown(f"{self.address} did not say what became of {text}") from problem

    def close(self) -> None:
        self._client.close()

    def _read(self, response: httpx.Response, secrets: tuple[str, ...]) -> Incoming:
        if response.is_redirect:
            raise PlatformRefused(f"{self.address} answered with a redirect, which is never followed")
        deadline = time.monotonic() + CALL_SECONDS
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > self._max_body:
                raise PlatformRefused(f"{self.address} answered with more than {self._max_body} bytes")
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the answer arrives too slowly")
        headers = {name.lower(): value for name, value in response.headers.items()}
        for secret in secrets:  # a platform that repeats a credential must not bring it into an error or a record
            body = body.replace(secret.encode(), DOTS)
        return Incoming(response.status_code, headers, self._json(bytes(body), response.status_code))

    def _json(self, body: bytes, status: int) -> Any:
        """JSON judged by its bytes: some platforms label it text/html."""
        if not body.strip():
            return None
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as problem:
            if status >= 500:
                return None
            raise PlatformRefused(f"{self.address} answered {status} with something that is not JSON") from problem

    def _refuse_private(self) -> None:
        if self._allow_private:
            return
        host = urlsplit(self.address).hostname or ""
        try:
            found = {info[4][0] for info in socket.getaddrinfo(host, None)}
        except OSError as problem:
            raise PlatformUnavailable(f"the name {host} cannot be resolved") from problem
        for address in found:
            if not ipaddress.ip_address(address).is_global:
                raise PlatformRefused(f"{host} is a private address ({address}), which this console does not call")


def tls_context(tlscert: str, ca_certificate: str) -> ssl.SSLContext:
    """Whom we trust and who we are: `tlscert` is client certificate, key and possibly a CA in one PEM text."""
    context = ssl.create_default_context()
    for authority in (ca_certificate, *_authorities(tlscert)):
        if authority.strip():
            context.load_verify_locations(cadata=authority)
    if "PRIVATE KEY" in tlscert:
        with _private_file(tlscert) as path:
            context.load_cert_chain(path)
    return context


def encode_path_value(value: str) -> str:
    """One path segment: percent-encoded whole, so that no value can leave its place."""
    if value in ("", ".", ".."):
        raise PlatformRefused(f"“{value}” cannot stand in a path")
    return quote(value, safe="")


def _authorities(bundle: str) -> list[str]:
    """The certificates of a bundle behind the first, which is our own."""
    marker = "-----BEGIN CERTIFICATE-----"
    parts = bundle.split(marker)[2:]
    end = "-----END CERTIFICATE-----"
    return [marker + part.split(end)[0] + end for part in parts]


@contextlib.contextmanager
def _private_file(text: str) -> Iterator[str]:
    """A file that only we can read, gone when the block ends; OpenSSL takes keys from files only."""
    descriptor, path = tempfile.mkstemp(prefix="tls-")  # mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        yield path
    finally:
        os.unlink(path)
