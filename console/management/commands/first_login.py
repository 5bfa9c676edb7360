"""`manage.py first_login`: the first administrator's name and password, as far as they still hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from console.models import ConsoleRole, User


class Command(BaseCommand):
    help = "Print NAME / PASSWORD of the first administrator; a password changed since then is not known here."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        administrators = User.objects.filter(console_role=ConsoleRole.ADMINISTRATOR, is_active=True)
        user = administrators.order_by("pk").first()
        if user is None:
            raise CommandError("there is no administrator")
        made = Path(settings.KEYS_DIR) / "admin-password"
        password = made.read_text().strip() if made.exists() else ""
        shown = password if password and user.check_password(password) else "(the password you chose)"
        self.stdout.write(f"{user.username} / {shown}")
