"""Taking the audit log out of the house: an act that the log itself records."""

from __future__ import annotations

from typing import Any

from console import audit
from console.models import AuditEntry, User
from console.policies import may_read_audit, require
from console.transactions import use_case


@use_case
def record_export(*, actor: User, narrowed_by: dict[str, Any]) -> AuditEntry:
    """Write down that somebody takes a copy; the copy ends with this entry."""
    require(may_read_audit(actor))
    return audit.record("console.audit.exported", actor=actor, narrowed_by=narrowed_by)
