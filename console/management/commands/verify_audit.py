"""Check that the audit log is as it was written."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console import audit
from console.models import AuditEntry


class Command(BaseCommand):
    help = "Walk the chain of the audit log and name every entry that was changed, removed or inserted."

    def handle(self, *args: Any, **options: Any) -> None:
        breaks = [f"#{each.number} {each.problem}" for each in audit.verify()]
        if breaks:
            raise CommandError("The audit log was tampered with:\n" + "\n".join(breaks))
        self.stdout.write(f"{AuditEntry.objects.count()} entries, the chain holds.")
