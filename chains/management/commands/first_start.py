"""`manage.py first_start`: what a new data directory needs before a person can use the console. Safe to repeat."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser, OutputWrapper

from chains.scenario import Scenario, ScenarioStuck
from console import audit
from console.environment import load_or_create
from console.models import ConsoleRole, User
from console.transactions import use_case

ADMINISTRATOR = "admin"


def password_file() -> Path:
    return Path(settings.KEYS_DIR) / "admin-password"


@use_case
def ensure_administrator() -> User:
    """The first administrator, with a password made on this machine."""
    existing = User.objects.filter(console_role=ConsoleRole.ADMINISTRATOR, is_active=True).first()
    if existing is not None:
        return existing
    password = load_or_create(password_file(), lambda: secrets.token_urlsafe(12))
    user = User.objects.create_user(
        ADMINISTRATOR, "", password, console_role=ConsoleRole.ADMINISTRATOR, is_staff=True, is_superuser=True
    )
    audit.record("console.user.first_administrator", actor=user, target=user)
    return user


class Command(BaseCommand):
    help = "Make the first administrator, register the evaluation platform, and seed the scenario unless SEED=none."

    requires_system_checks = []  # `migrate` was there before

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--say-login",
            action="store_true",
            help="Print NAME / PASSWORD in the end, as first_login does; everything else goes to standard error.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["say_login"]:
            self._prepare(self.stdout)
            return
        try:
            self._prepare(self.stderr)
        finally:  # read last, so that a password changed since is not shown; and shown even so
            call_command("first_login", stdout=self.stdout)

    def _prepare(self, words: OutputWrapper) -> None:
        administrator = ensure_administrator()
        sandbox = Path(settings.DATA_DIR) / "sandbox"
        if (sandbox / "registration.json").exists():
            file = str(sandbox / "registration.json")
            call_command("register_platform", file=file, wait=True, stdout=words)
        if settings.SEED != "none" and (sandbox / "tenants.json").exists():
            try:
                Scenario(administrator, sandbox, say=words.write).play()
            except ScenarioStuck as problem:
                raise CommandError(str(problem)) from problem
