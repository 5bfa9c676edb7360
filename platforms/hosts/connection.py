"""The way to one host's Docker Engine: mutual TLS, judged addresses, and errors in our own words."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from requests.adapters import HTTPAdapter

from console.errors import ConsoleError, Missing, PlatformRefused, PlatformUnavailable
from console.network import AddressRefused, refuse_address
from platforms.certificates import tls_context
from platforms.hosts import words as w

CONNECT_SECONDS = 5.0
CALL_SECONDS = 20.0  # between two bytes of an answer
KNOCK_SECONDS = 2.0
MAX_WORDS = 300  # characters of an engine's own words
POOL = 10  # connections to one host

_DISK_FULL = re.compile(r"no space left|disk quota exceeded|not enough space", re.IGNORECASE)
_TAKEN = re.compile(r"address already in use|port is already allocated", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://\S+")


class _Adapter(HTTPAdapter):
    """Sends over our own TLS context, and trusts nobody else than it does."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_connections=1, pool_maxsize=POOL, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)  # type: ignore[no-untyped-call]

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """requests would add authorities of its own here."""

    def build_connection_pool_key_attributes(
        self, request: Any, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        host, key = super().build_connection_pool_key_attributes(request, verify, cert)
        key = {name: value for name, value in key.items() if not name.startswith(("ca_", "cert_", "key_"))}
        return host, {**key, "ssl_context": self._context}

    def send(
        self,
        request: Any,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        patience = timeout if isinstance(timeout, tuple) else (CONNECT_SECONDS, timeout)
        return super().send(request, stream, patience, verify, cert, proxies)


def connect(
    ip: str, port: int, tlscert: str, *, allow_private: bool, seconds: float = CALL_SECONDS
) -> docker.DockerClient:
    """A client of the engine at this address; nothing is sent yet. PlatformRefused for an address nobody may call."""
    _judge(ip, port, allow_private)
    host = f"[{ip}]" if ":" in ip else ip
    client = docker.DockerClient(base_url=f"https://{host}:{port}", version="1.40", timeout=seconds)
    client.api.mount(f"https://{host}:{port}", _Adapter(tls_context(tlscert, "")))
    client.api.trust_env = False
    return client


def connect_here(socket_path: str, *, seconds: float = CALL_SECONDS) -> docker.DockerClient:
    """A client of the engine behind a socket of this machine; nothing is sent yet."""
    client = docker.DockerClient(base_url=f"unix://{socket_path}", version="1.40", timeout=seconds)
    client.api.trust_env = False
    return client


def knock(ip: str, port: int, tlscert: str) -> None:
    """Shake hands and say nothing: raises ssl.SSLError when the host refuses our certificate.

    A host that refuses it closes at once, and its reason may be lost behind what we have sent already.
    """
    context = tls_context(tlscert, "")
    with (
        socket.create_connection((ip, port), CONNECT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=ip) as wrapped,
        contextlib.suppress(TimeoutError),
    ):
        wrapped.settimeout(KNOCK_SECONDS)
        wrapped.recv(1)


def settle_version(client: docker.DockerClient) -> dict[str, Any]:
    """Ask the engine what it speaks, and speak that from now on; what it said of its version."""
    said = client.api.version(api_version=False)
    client.api._version = str(said["ApiVersion"])
    return said


def _judge(ip: str, port: int, allow_private: bool) -> None:
    try:
        found = socket.getaddrinfo(ip, port, type=socket.SOCK_STREAM)
        for info in found:
            refuse_address(str(info[4][0]), host=ip, allow_private=allow_private)
    except (OSError, UnicodeError) as problem:
        raise PlatformUnavailable(w.UNREACHABLE % {"host": f"{ip}:{port}"}) from problem
    except AddressRefused as problem:
        raise PlatformRefused(str(problem), code="address_refused") from problem


@contextlib.contextmanager
def in_our_words(host: str, image: str = "", *, pulling: bool = False) -> Iterator[None]:
    """What goes wrong in this block, as PlatformUnavailable (time can heal it), PlatformRefused or Missing."""
    try:
        yield
    except DockerException as problem:  # first: an engine's refusal is one of requests' errors as well
        raise _of_engine(host, image, problem, pulling) from problem
    except (requests.exceptions.RequestException, OSError) as problem:
        raise _of_transport(host, problem) from problem
    except (KeyError, ValueError, TypeError) as problem:
        raise PlatformRefused(w.TOO_OLD % {"host": host, "problem": repr(problem)}, code="bad_answer") from problem


def _of_transport(host: str, problem: Exception) -> ConsoleError:
    tls = next((each for each in _causes(problem) if isinstance(each, ssl.SSLError)), None)
    if isinstance(tls, ssl.SSLCertVerificationError):
        words = {"host": host, "problem": tls.verify_message or str(tls)}
        return PlatformRefused(w.NOT_PROVEN % words, code="certificate_not_trusted")
    if tls is not None and "ALERT" in str(tls).upper():
        return PlatformRefused(w.CERTIFICATE_REFUSED % {"host": host}, code="credential_refused")
    if isinstance(problem, ConnectionError | requests.exceptions.ConnectTimeout | requests.exceptions.ConnectionError):
        return PlatformUnavailable(w.UNREACHABLE % {"host": host})
    return PlatformUnavailable(w.SILENT % {"host": host})


def _of_engine(host: str, image: str, problem: DockerException, pulling: bool) -> ConsoleError:
    whole = _said(problem)
    words = whole[:MAX_WORDS]
    if _DISK_FULL.search(whole):
        return PlatformRefused(w.NO_DISK % {"host": host}, code="no_disk")
    if _TAKEN.search(whole):
        return PlatformRefused(w.PORT_TAKEN % {"host": host, "problem": words}, code="port_taken")
    if isinstance(problem, ImageNotFound) or (pulling and isinstance(problem, APIError)):
        return PlatformRefused(w.NO_IMAGE % {"host": host, "image": image, "problem": words}, code="no_image")
    if isinstance(problem, NotFound):
        return Missing(w.NOT_THERE % {"host": host, "problem": words})
    if isinstance(problem, APIError) and problem.status_code in (502, 503, 504):
        return PlatformUnavailable(w.REFUSED % {"host": host, "problem": words})
    return PlatformRefused(w.REFUSED % {"host": host, "problem": words}, code="engine_refused")


def _said(problem: DockerException) -> str:
    """The engine's own words, on one line."""
    text = str(getattr(problem, "explanation", None) or problem)
    return " ".join(_ADDRESS.sub("", text).split())


def _causes(problem: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came from; urllib3 keeps some of it among an error's arguments."""
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [problem]
    while waiting:
        each = waiting.pop(0)
        if each is None or each in seen:
            continue
        seen.append(each)
        yield each
        inner = [argument for argument in each.args if isinstance(argument, BaseException)]
        waiting += [*inner, getattr(each, "reason", None), each.__cause__, each.__context__]
