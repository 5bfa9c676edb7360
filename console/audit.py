"""The audit log: one door to write, one check that tells whether somebody else wrote.

Entry n holds SHA-256 over the canonical JSON of itself and the digest of entry n-1, as in a hash-linked time-stamp
(Haber and Stornetta, 1991): changing, removing or inserting an entry breaks every digest behind it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils import timezone

from console.models import AuditEntry, AuditHead, User
from console.secrets import Sealed
from console.transactions import joins_transaction

SECRET_WORDS = ("password", "secret", "token", "tlscert", "private", "credential", "authorization")
SECRET_NAMES = frozenset({"ak", "sk", "key", "keys"})
DOTS = "••••••"


@joins_transaction
def record(action: str, *, actor: User | None, target: models.Model | None = None, **data: Any) -> AuditEntry:
    """Append one entry in the caller's transaction; secrets in `data` are cleansed by name and by type."""
    head = AuditHead.objects.select_for_update().filter(pk=1).first()
    if head is None:
        AuditHead.objects.get_or_create(pk=1)
        head = AuditHead.objects.select_for_update().get(pk=1)
    entry = AuditEntry(
        number=head.number + 1,
        at=timezone.now(),
        action=action,
        actor=actor,
        actor_label=actor.get_username() if actor else "",
        target_type=target._meta.label_lower if target else "",
        target_id=str(target.pk) if target else "",
        target_label=str(target)[:300] if target else "",
        data=cleansed(data),
        previous_digest=head.digest,
    )
    entry.digest = digest_of(entry)
    entry.save(force_insert=True)
    head.number, head.digest = entry.number, entry.digest
    head.save(update_fields=["number", "digest"])
    return entry


def cleansed(value: Any, name: str = "") -> Any:
    """Plain JSON without secrets: hidden by the field's name or because the value is sealed."""
    lowered = name.lower()
    if isinstance(value, Sealed) or lowered in SECRET_NAMES or any(word in lowered for word in SECRET_WORDS):
        return DOTS if value else value if value is None else ""
    if isinstance(value, dict):
        return {str(key): cleansed(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [cleansed(item, name) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def digest_of(entry: AuditEntry) -> str:
    """SHA-256 (hex) over everything the entry says and the digest before it."""
    body = {
        "number": entry.number,
        "at": entry.at.isoformat(timespec="microseconds"),
        "action": entry.action,
        "actor": [entry.actor_id, entry.actor_label],
        "target": [entry.target_type, entry.target_id, entry.target_label],
        "data": entry.data,
        "previous": entry.previous_digest,
    }
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def as_dict(entry: AuditEntry) -> dict[str, Any]:
    """The entry as plain JSON, with the digests that hold it in the chain."""
    return {
        "number": entry.number,
        "at": entry.at.isoformat(timespec="microseconds"),
        "action": entry.action,
        "actor": {"id": str(entry.actor_id) if entry.actor_id else None, "name": entry.actor_label},
        "target": {"type": entry.target_type, "id": entry.target_id, "name": entry.target_label},
        "data": entry.data,
        "previous_digest": entry.previous_digest,
        "digest": entry.digest,
    }


def lines(entries: models.QuerySet[AuditEntry]) -> Iterator[str]:
    """The entries as JSON lines, oldest first, read as they are sent."""
    for entry in entries.order_by("number").iterator(chunk_size=1000):
        yield json.dumps(as_dict(entry), ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Break:
    """A place where the chain does not hold, and what is wrong there."""

    number: int
    problem: str


def verify() -> Iterator[Break]:
    """Walk the chain from the first entry and name every place that was tampered with."""
    number, digest = 0, "0" * 64
    for entry in AuditEntry.objects.order_by("number").iterator(chunk_size=2000):
        if entry.number != number + 1:
            yield Break(entry.number, f"entries {number + 1} to {entry.number - 1} are missing")
        elif entry.previous_digest != digest:
            yield Break(entry.number, "does not follow the entry before it")
        if entry.digest != digest_of(entry):
            yield Break(entry.number, "was changed after it was written")
        number, digest = entry.number, entry.digest
    head = AuditHead.objects.filter(pk=1).first()
    if head is not None and (head.number, head.digest) != (number, digest):
        yield Break(head.number, f"the log ends at {number}, its head says {head.number}")
