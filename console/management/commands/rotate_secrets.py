"""Seal every secret anew with the newest key."""

from __future__ import annotations

import os
import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from console.environment import Environment
from console.services.secrets import record_rotation, reseal


class Command(BaseCommand):
    help = (
        "Seal every secret anew with the newest key. With --new-key a new one is made first: stop the console before, "
        "since processes that run do not know it, and start it afterwards."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--new-key", action="store_true", help="make a new key and seal with that")
        parser.add_argument("--drop-old", action="store_true", help="throw the old keys away once nothing needs them")

    def handle(self, *args: Any, new_key: bool, drop_old: bool, **options: Any) -> None:
        if (new_key or drop_old) and Environment().sealing_keys:
            raise CommandError("The keys come from SEALING_KEYS: change them there, newest first, and run this again.")
        if new_key:
            _keep([Fernet.generate_key().decode(), *settings.SEALING_KEYS])
        resealed, closed = reseal()
        record_rotation(actor=None, resealed=resealed, closed=closed)
        self.stdout.write(f"{resealed} secrets were sealed anew.")
        if closed:
            raise CommandError("No key opens these; were keys removed too early?\n" + "\n".join(closed))
        if drop_old:
            _keep(settings.SEALING_KEYS[:1])
            self.stdout.write("The old keys are gone.")


def _keep(keys: list[str]) -> None:
    """The key file, written whole or not at all, and readable by its owner only."""
    path: Path = settings.KEYS_DIR / "sealing-keys"
    temporary = path.with_suffix(f".{secrets.token_hex(4)}")
    temporary.touch(mode=0o600)
    temporary.write_text("\n".join(keys))
    os.replace(temporary, path)
    settings.SEALING_KEYS = keys
