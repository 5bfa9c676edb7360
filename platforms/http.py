"""The HTTP client for platforms: one fixed address, short patience, nothing followed, nothing believed.

What may go wrong is sorted here once: never reached (try again), answered late or not at all after a change was sent
(outcome unknown), too large, not JSON. Redirects are never followed; addresses are judged when connecting
(`console/network.py`); bodies are capped while they stream in.
"""

from __future__ import annotations

import contextlib
import functools
import json
import math
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpcore
import httpx
from django.conf import settings
from django.utils.translation import gettext_noop

from console.errors import ConsoleError, OutcomeUnknown, PlatformRefused, PlatformUnavailable
from console.network import AddressRefused, call_within, checked_pool
from console.sentences import kept
from platforms.certificates import end_of_certificate, tls_context

MEGABYTE = 1024 * 1024
TIMEOUT = {"connect": 5.0, "read": 10.0, "write": 10.0, "pool": 5.0}  # seconds
OWN_HEADERS = ((b"accept-encoding", b"identity"), (b"user-agent", b"concord"))
LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=30.0)
DOTS = "••••••".encode()
UNREADABLE = "unreadable"  # the platform said yes, or so, and more cannot be made of it
SAFE_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})
FAILED = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol)
IN_TARGET = "/?%:@!$&'()*+,;=~-._[]"  # beside letters and digits; an API file's own paths may hold anything

NOT_PROVEN = kept(gettext_noop("%(address)s does not prove who it is: %(words)s"))
NOT_ACCEPTED = kept(gettext_noop("%(address)s does not accept our certificate"))
UNREACHABLE = kept(gettext_noop("%(address)s cannot be reached: %(problem)s"))
SILENT = kept(gettext_noop("%(address)s did not answer in time, or broke off"))
SILENT_TO = kept(gettext_noop("%(address)s did not answer %(call)s"))
UNSAID = kept(gettext_noop("%(address)s did not say what became of what it was asked to do"))
UNSAID_OF = kept(gettext_noop("%(address)s did not say what became of %(call)s"))
REDIRECTED = kept(gettext_noop("%(address)s answered with a redirect (%(status)s), which is never followed"))
COMPRESSED = kept(gettext_noop("%(address)s answered compressed, which was not asked for"))
TOO_LARGE = kept(gettext_noop("%(address)s answered with more than %(limit)s MB"))
NOT_JSON = kept(gettext_noop("%(address)s answered %(status)s with something that is not JSON"))
NO_PATH = kept(gettext_noop("“%(value)s” cannot stand in a path"))


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
        return _origin(self.address).host.decode()

    @property
    def content(self) -> bytes | None:
        if self.body is None or isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body).encode()

    def with_headers(self, *pairs: tuple[str, str]) -> Outgoing:
        return replace(self, headers=(*self.headers, *pairs))


@dataclass(frozen=True)
class _Origin:
    """An address, taken apart for the connection pool."""

    scheme: bytes
    name: bytes
    port: int | None
    host: bytes  # as the Host header has it
    base: str  # the path before every other


@functools.lru_cache(maxsize=256)
def _origin(address: str) -> _Origin:
    url = httpx.URL(address)
    return _Origin(url.raw_scheme, url.raw_host, url.port, url.netloc, url.raw_path.decode().rstrip("/"))


@dataclass(frozen=True)
class Incoming:
    """An answer: status, headers with lower-case names, and the body as JSON (None when empty)."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    size: int = 0  # bytes of the body


class PlatformClient:
    """One connection pool to one address with one TLS identity. Safe to use from several threads."""

    def __init__(
        self,
        address: str,
        *,
        allow_private: bool,
        tlscert: str = "",
        ca_certificate: str = "",
        max_body: int | None = None,
        call_seconds: float | None = None,
    ) -> None:
        """`max_body` in bytes, `call_seconds` for a whole call however slowly its bytes arrive; else as set."""
        self.address = address.rstrip("/")
        self._max_body = max_body or int(settings.PLATFORM_MAX_BODY_MB * MEGABYTE)
        self._call_seconds = call_seconds or settings.PLATFORM_CALL_SECONDS
        context = tls_context(tlscert, ca_certificate)
        self.certificate_end: datetime | None = None  # of the server's certificate, once it has shown one
        self._shown: object = None  # by this connection
        self._pool = checked_pool(context=context, allow_private=allow_private, limits=LIMITS)

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
        request = self.prepared(request)
        try:
            with call_within(self._call_seconds), self._sent(request) as response:
                return self._read(response, request.secrets)
        except AddressRefused as problem:
            raise PlatformRefused(str(problem), code="address_refused") from problem
        except FAILED as problem:
            raise self._sorted(problem, request) from problem

    def close(self) -> None:
        self._pool.close()

    @contextlib.contextmanager
    def _sent(self, request: Outgoing) -> Iterator[httpcore.Response]:
        """Straight through the pool: nothing is followed, and no cookie passes from one party to another."""
        origin, content = _origin(request.address), request.content
        headers = [(name.encode(), value.encode()) for name, value in request.headers]
        own = (
            [*OWN_HEADERS]
            if any(name.lower() == b"host" for name, _value in headers)
            else [_host(origin), *OWN_HEADERS]
        )
        if content is not None or request.method in ("POST", "PUT", "PATCH"):
            own.append((b"content-length", str(len(content or b"")).encode()))
        target = origin.base + _in_target(request.path) + (f"?{request.query_string}" if request.query else "")
        url = httpcore.URL(scheme=origin.scheme, host=origin.name, port=origin.port, target=target.encode())
        sent = httpcore.Request(
            request.method, url, headers=[*own, *headers], content=content, extensions={"timeout": TIMEOUT}
        )
        response = self._pool.handle_request(sent)
        try:
            self._look_at_certificate(response)
            yield response
        finally:
            response.close()

    def _look_at_certificate(self, response: httpcore.Response) -> None:
        stream = response.extensions.get("network_stream")
        connection = stream.get_extra_info("ssl_object") if stream is not None else None
        if connection is not None and connection is not self._shown:
            self._shown = connection
            self.certificate_end = end_of_certificate(connection.getpeercert(True))

    def _sorted(self, problem: Exception, request: Outgoing) -> ConsoleError:
        """What a failed call means: wrong for good, try again, or nobody knows."""
        tls = next((each for each in _causes(problem) if isinstance(each, ssl.SSLError)), None)
        if isinstance(tls, ssl.SSLCertVerificationError):
            words = {"address": self.address, "words": tls.verify_message}
            return PlatformRefused(NOT_PROVEN % words, code="certificate_not_trusted")
        if tls is not None and "ALERT" in str(tls).upper():
            return PlatformRefused(NOT_ACCEPTED % {"address": self.address}, code="credential_refused")
        if isinstance(problem, httpcore.ConnectError | httpcore.ConnectTimeout | httpcore.PoolTimeout):
            reason = str(problem) or type(problem).__name__
            return PlatformUnavailable(UNREACHABLE % {"address": self.address, "problem": reason})
        call = {"address": self.address, "call": f"{request.method} {request.path} ({type(problem).__name__})"}
        if request.idempotent or request.method in SAFE_METHODS:
            return PlatformUnavailable(SILENT % call, note=SILENT_TO % call)
        return OutcomeUnknown(UNSAID % call, note=UNSAID_OF % call)

    def _read(self, response: httpcore.Response, secrets: tuple[str, ...]) -> Incoming:
        status, headers = response.status, _headers(response.headers)
        if 300 <= status < 400:
            raise PlatformRefused(REDIRECTED % {"address": self.address, "status": status})
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise PlatformRefused(COMPRESSED % {"address": self.address})
        body = bytearray()
        for chunk in response.iter_stream():
            body += chunk
            if len(body) > self._max_body:
                raise PlatformRefused(
                    TOO_LARGE % {"address": self.address, "limit": f"{self._max_body / MEGABYTE:.3g}"}
                )
        size = len(body)
        for secret in secrets:  # a platform that repeats a credential must not bring it into an error or a record
            body = body.replace(secret.encode(), DOTS)
        return Incoming(status, headers, self._json(bytes(body), status), size)

    def _json(self, body: bytes, status: int) -> Any:
        """JSON judged by its bytes, not by its label; an error's page of another kind says nothing that we need."""
        if not body.strip():
            return None
        try:
            found = json.loads(body, parse_float=_finite, parse_constant=_no_number)
        except (ValueError, RecursionError) as problem:
            if status >= 400:
                return None
            raise PlatformRefused(NOT_JSON % {"address": self.address, "status": status}, code=UNREADABLE) from problem
        return _storable(found) if b"\\u" in body or not _is_text(body) else found


def encode_path_value(value: str) -> str:
    """One path segment: percent-encoded whole, so that no value can leave its place."""
    if value in ("", ".", ".."):
        raise PlatformRefused(NO_PATH % {"value": value})
    return quote(value, safe="")


def _host(origin: _Origin) -> tuple[bytes, bytes]:
    return b"host", origin.host


@functools.lru_cache(maxsize=4096)
def _in_target(path: str) -> str:
    """The path as a request line may hold it; what is encoded already stays as it is."""
    return quote(path, safe=IN_TARGET)


def _headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """By lower-case names; what is there several times is joined."""
    found: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), _text(value)
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _causes(problem: BaseException | None) -> Iterator[BaseException]:
    while problem is not None:
        yield problem
        problem = problem.__cause__ or problem.__context__


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is out of range")
    return number


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _storable(value: Any) -> Any:
    """Without NUL characters and halves of characters, which no database takes."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace").replace("\0", "")
    if isinstance(value, list):
        return [_storable(each) for each in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(each) for key, each in value.items()}
    return value
