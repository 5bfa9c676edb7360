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
from django.db.models import functions
from django.utils import timezone
from django.utils.translation import gettext_noop

from console.cleansing import cleansed, storable
from console.models import AuditEntry, AuditHead, User
from console.sentences import kept, name_of
from console.transactions import joins_transaction

BEGINNING = "0" * 64  # what the first entry follows
MISSING = kept(gettext_noop("entries %(first)s to %(last)s are missing"))
OTHER_END = kept(gettext_noop("the log ends at %(number)s, its head says %(head)s"))


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
        target_label=storable(name_of(target)[:300]) if target else "",
        data=_exact(cleansed(data)),
        previous_digest=head.digest,
    )
    entry.digest = digest_of(entry)
    entry.save(force_insert=True)
    head.number, head.digest = entry.number, entry.digest
    head.save(update_fields=["number", "digest"])
    return entry


def _exact(value: Any) -> Any:
    """Fractions as text: databases write 1e+20 in more than one way, and the digest must find what it was made of."""
    if isinstance(value, dict):
        return {name: _exact(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_exact(each) for each in value]
    return repr(value) if isinstance(value, float) else value


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
    """Walk the chain from the first entry and name every place that was tampered with.

    Entries that are appended meanwhile are left for the next time.
    """
    head = AuditHead.objects.filter(pk=1).first() or AuditHead()
    number, digest = 0, BEGINNING
    for entry in AuditEntry.objects.filter(number__lte=head.number).order_by("number").iterator(chunk_size=2000):
        if entry.number != number + 1:
            yield Break(entry.number, MISSING % {"first": number + 1, "last": entry.number - 1})
        elif entry.previous_digest != digest:
            yield Break(entry.number, gettext_noop("does not follow the entry before it"))
        if entry.digest != digest_of(entry):
            yield Break(entry.number, gettext_noop("was changed after it was written"))
        number, digest = entry.number, entry.digest
    if (head.number, head.digest) != (number, digest):
        yield Break(head.number, OTHER_END % {"number": number, "head": head.number})
    for extra in _behind_the_head().values_list("number", flat=True)[:1]:
        yield Break(extra, gettext_noop("stands behind the head of the log"))


def _behind_the_head() -> models.QuerySet[AuditEntry]:
    """Entries that nobody appended, asked for in one query: an entry and its head are written together."""
    head = AuditHead.objects.filter(pk=1).values("number")
    number = functions.Coalesce(models.Subquery(head), 0, output_field=models.BigIntegerField())
    return AuditEntry.objects.filter(number__gt=number).order_by("number")
