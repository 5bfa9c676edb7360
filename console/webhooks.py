"""Calling a webhook: what is sent, how it is signed, and how an attempt may end.

The headers and the signature are those of Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks,
spec/standard-webhooks.md), so that its libraries verify them: HMAC-SHA256 over `id.timestamp.body`. What comes back is
not kept and not even read, save for its status: the console is no window into the network that it stands in.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import secrets
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx
from django.utils import timezone

from console.network import AddressRefused, CheckedTransport, call_within
from console.outcomes import DETAIL_LENGTH, GONE, Outcome

PREFIX = "whsec_"
SECRET_BYTES = 32
CALL_SECONDS = 15.0
TIMEOUT = httpx.Timeout(connect=5.0, read=CALL_SECONDS, write=5.0, pool=5.0)
LONGEST_WAIT = 6 * 3600.0  # a receiver may ask for more; it is not believed


@dataclass(frozen=True)
class Call:
    """One request to a webhook, ready to be sent. Every secret in it makes a signature of its own."""

    url: str
    message_id: str
    body: bytes = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    allow_private: bool = False


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def body_of(values: dict[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over what is sent, when and as what."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers_of(call: Call, timestamp: int) -> dict[str, str]:
    signatures = [signature(secret, call.message_id, timestamp, call.body) for secret in call.secrets]
    return {
        "content-type": "application/json",
        "webhook-id": call.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def send(call: Call, *, call_seconds: float = CALL_SECONDS) -> Outcome:
    """Call once. Every way in which that may go wrong is an outcome, none an exception."""
    try:
        with call_within(call_seconds), _client(call.allow_private) as client:
            headers = headers_of(call, int(time.time()))
            with client.stream("POST", call.url, content=call.body, headers=headers) as response:
                return _judged(response)
    except AddressRefused as problem:
        return Outcome("address_refused", _short(problem), final=True)
    except httpx.InvalidURL as problem:
        return Outcome("unreachable", _short(problem), final=True)
    except httpx.HTTPError as problem:
        return _sorted(problem, call_seconds)


def _client(allow_private: bool) -> httpx.Client:
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=0)
    return httpx.Client(
        transport=CheckedTransport(context=_trust(), allow_private=allow_private, limits=limits),
        timeout=TIMEOUT,
        follow_redirects=False,
        trust_env=False,
        headers={"accept": "*/*", "accept-encoding": "identity", "connection": "close", "user-agent": "concord"},
    )


@functools.lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """The authorities that this machine trusts; reading them takes a while."""
    return ssl.create_default_context()


def _judged(response: httpx.Response) -> Outcome:
    status = response.status_code
    if 200 <= status < 300:
        return Outcome(status=status)
    wait = _wait_asked_for(response.headers.get("retry-after", ""))
    if 300 <= status < 400:
        return Outcome("redirected", str(status), status)
    if status == HTTPStatus.GONE:
        return Outcome(GONE, str(status), status, final=True)
    return Outcome("answered", str(status), status, wait=wait)


def _wait_asked_for(text: str) -> float:
    """`Retry-After` in seconds: a number of them, or a date."""
    seconds = 0.0
    if text.strip().isdecimal() and text.isascii():
        seconds = float(text.strip()[:9])
    elif text:
        try:
            seconds = (_aware(parsedate_to_datetime(text)) - timezone.now()).total_seconds()
        except (ValueError, OverflowError):
            seconds = 0.0
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _aware(moment: datetime) -> datetime:
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def _sorted(problem: httpx.HTTPError, call_seconds: float) -> Outcome:
    tls = next((each for each in _causes(problem) if isinstance(each, ssl.SSLError)), None)
    if isinstance(tls, ssl.SSLCertVerificationError):
        return Outcome("not_trusted", _short(tls.verify_message))
    if isinstance(problem, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.UnsupportedProtocol):
        return Outcome("unreachable", _short(problem or type(problem).__name__))
    if isinstance(problem, httpx.TimeoutException):
        return Outcome("too_slow", f"{call_seconds:g}")
    return Outcome("broken_off", _short(str(problem) or type(problem).__name__))


def _causes(problem: BaseException | None) -> Sequence[BaseException]:
    found: list[BaseException] = []
    while problem is not None:
        found.append(problem)
        problem = problem.__cause__ or problem.__context__
    return found


def _short(problem: object) -> str:
    return str(problem)[:DETAIL_LENGTH]
