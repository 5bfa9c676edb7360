"""Calling out by HTTP: only to addresses that were checked, and never longer than the whole call may take.

A name is resolved once, each address is judged, and the very address that was judged is connected to, so that a name
that resolves differently a moment later gains nothing. The deadline of a call holds for every read and write of it,
however slowly its bytes arrive.
"""

from __future__ import annotations

import contextlib
import contextvars
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from typing import Any

import aiohttp
import httpcore
import httpx
from django.utils.translation import gettext_noop

from console.sentences import kept

NO_SERVER = kept(gettext_noop("%(host)s is %(address)s, where no server can be"))
PRIVATE = kept(gettext_noop("%(host)s is a private address (%(address)s), which this console does not call"))
NO_ADDRESS = kept(gettext_noop("the name %(host)s has no address"))
NOT_RESOLVED = kept(gettext_noop("the name %(host)s cannot be resolved"))
TOO_LONG = gettext_noop("the call took too long")

_deadline: contextvars.ContextVar[float | None] = contextvars.ContextVar("deadline", default=None)


@contextlib.contextmanager
def call_within(seconds: float) -> Iterator[None]:
    """Whatever is sent and read in this block is over after so many seconds, or fails with a timeout."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def _left(timeout: float | None, too_late: type[httpcore.TimeoutException]) -> float | None:
    deadline = _deadline.get()
    if deadline is None:
        return timeout
    left = deadline - time.monotonic()
    if left <= 0:
        raise too_late(TOO_LONG)
    return left if timeout is None else min(timeout, left)


class AddressRefused(Exception):
    """The console does not call this address; the text says which and why."""


def refuse_address(text: str, *, host: str, allow_private: bool) -> None:
    """AddressRefused for an address that no server has, or a private one where that is not allowed."""
    address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(text.split("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address.sixtofour or address
    if address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved:
        raise AddressRefused(NO_SERVER % {"host": host, "address": address})
    if not allow_private and not address.is_global:
        raise AddressRefused(PRIVATE % {"host": host, "address": address})


def checked_connector(*, allow_private: bool, limit: int, limit_per_host: int) -> aiohttp.TCPConnector:
    """aiohttp's connector for the running event loop, which connects to checked addresses only."""

    def checked(info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _name, address = info
        refuse_address(str(address[0]), host=str(address[0]), allow_private=allow_private)
        return socket.socket(family, kind, protocol)

    return aiohttp.TCPConnector(limit=limit, limit_per_host=limit_per_host, socket_factory=checked)


def checked_pool(*, context: ssl.SSLContext, allow_private: bool, limits: httpx.Limits) -> httpcore.ConnectionPool:
    """Connections to checked addresses only. Nothing is followed, and no cookie is kept."""
    return httpcore.ConnectionPool(
        ssl_context=context,
        max_connections=limits.max_connections,
        max_keepalive_connections=limits.max_keepalive_connections,
        keepalive_expiry=limits.keepalive_expiry,
        network_backend=_CheckedBackend(allow_private),
    )


class CheckedTransport(httpx.HTTPTransport):
    """httpx's transport over a pool that connects to checked addresses only."""

    def __init__(self, *, context: ssl.SSLContext, allow_private: bool, limits: httpx.Limits) -> None:
        super().__init__(verify=context, trust_env=False, limits=limits)
        self._pool = checked_pool(context=context, allow_private=allow_private, limits=limits)


class _CheckedBackend(httpcore.SyncBackend):
    def __init__(self, allow_private: bool) -> None:
        self._allow_private = allow_private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failed: Exception | None = None
        for address in self._addresses(host, port):
            try:
                left = _left(timeout, httpcore.ConnectTimeout)
                return _TimedStream(super().connect_tcp(address, port, left, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as problem:
                failed = problem
        raise failed or httpcore.ConnectError(NO_ADDRESS % {"host": host})

    def _addresses(self, host: str, port: int) -> list[str]:
        """Every address of the name, all of them judged before any is used."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as problem:
            raise httpcore.ConnectError(NOT_RESOLVED % {"host": host}) from problem
        addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        for address in addresses:
            refuse_address(address, host=host, allow_private=self._allow_private)
        return addresses


class _TimedStream(httpcore.NetworkStream):
    """A connection whose every move ends with the call's deadline."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _TimedStream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
