"""`Idempotency-Key`: a key belongs to one request, and the flow that the request started answers for it.

The API view says which request is under way (`request_under_way`); `flows.start` binds the key to the flow in the
same transaction as the promise. So a repeat finds the flow or finds nothing, never half of it.
"""

from __future__ import annotations

import contextlib
import contextvars
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from console.errors import Invalid
from console.models import Flow, IdempotencyKey, User
from console.transactions import joins_transaction


@dataclass(frozen=True)
class KeyedRequest:
    """A request that carries a key: who, which key, and a digest of method, path and body."""

    user: User
    key: str
    fingerprint: str


@dataclass
class _UnderWay:
    """The request, and the flow that answers for it once one was started."""

    request: KeyedRequest
    flow_id: UUID | None = None


_under_way: contextvars.ContextVar[_UnderWay | None] = contextvars.ContextVar("idempotency", default=None)


def fingerprint(method: str, path: str, body: Any) -> str:
    """SHA-256 over method, path and the body in canonical JSON."""
    canonical = json.dumps([method, path, body], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


@contextlib.contextmanager
def request_under_way(request: KeyedRequest | None) -> Iterator[None]:
    token = _under_way.set(_UnderWay(request) if request else None)
    try:
        yield
    finally:
        _under_way.reset(token)


@joins_transaction
def bind(flow: Flow, answer: dict[str, Any] | None = None) -> None:
    """Write the key of the request under way, if there is one, beside the first flow that it starts.

    `answer` is what a repeat of the request is told, beside the flow's id. A transaction that is rolled back and begun
    again binds again: its first flow is gone.
    """
    mine = _under_way.get()
    if mine is None or (mine.flow_id and Flow.objects.filter(pk=mine.flow_id).exists()):
        return
    IdempotencyKey.objects.create(
        user=mine.request.user,
        key=mine.request.key,
        fingerprint=mine.request.fingerprint,
        flow=flow,
        answer=None if answer is None else {"flow": str(flow.pk), **answer},
    )
    mine.flow_id = flow.pk


def recall(request: KeyedRequest) -> IdempotencyKey | None:
    """What an earlier request with this key started; Invalid when that was another request."""
    row = IdempotencyKey.objects.select_related("flow").filter(user=request.user, key=request.key).first()
    if row is not None and row.fingerprint != request.fingerprint:
        raise Invalid(
            _("This Idempotency-Key was used for another request; use a new key."), code="idempotency_key_reused"
        )
    return row


def remember_answer(request: KeyedRequest, answer: dict[str, Any]) -> None:
    """Keep the body that was answered, so that a repeat answers the same."""
    IdempotencyKey.objects.filter(user=request.user, key=request.key, answer__isnull=True).update(answer=answer)
