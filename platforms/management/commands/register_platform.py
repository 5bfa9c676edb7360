"""`manage.py register_platform --file F [--wait [SECONDS]]`: bring a platform's registration up to date with a file.

The file is the body of `POST /api/v1/platforms`. A platform that is not there is registered; one that is there is
changed where the file differs; otherwise nothing happens. With `--wait` the command ends when the registration does,
and fails, with the reason, when it is refused.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.errors import ConsoleError
from console.models import ConsoleRole, User
from platforms import reads
from platforms.models import Platform, PlatformState
from platforms.services import platforms

DEFAULT_WAIT = 120.0  # seconds
EVERY = 0.25  # seconds between two looks at the row
CHANGEABLE = (
    "name",
    "cloudtype",
    "kernel",
    "base_url",
    "on_prem_base_url",
    "ca_certificate",
    "credentials",
    "api_file",
    "mapping",
    "samples",
)


class Command(BaseCommand):
    help = "Register the platform that a file describes, or change it where the file differs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", required=True, help="JSON: the body of POST /api/v1/platforms.")
        parser.add_argument("--actor", default="", help="An administrator's user name; the first one if left out.")
        parser.add_argument(
            "--wait",
            nargs="?",
            type=float,
            const=DEFAULT_WAIT,
            default=0.0,
            help="Wait until the registration has ended, at most so many seconds.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = _read(Path(options["file"]))
        wait = DEFAULT_WAIT if options["wait"] is True else float(options["wait"] or 0.0)
        try:
            platform = self._bring_up_to_date(_administrator(options["actor"]), wanted)
        except ConsoleError as problem:
            details = "".join(f"\n  {name}: {text}" for name, texts in problem.errors.items() for text in texts)
            raise CommandError(f"{wanted.get('oemtype')}: {problem.detail}{details}") from problem
        if wait and platform.state != PlatformState.OFFICIAL:
            platform = _awaited(platform, wait)
        self.stdout.write(f"{platform.oemtype}: {platform.state}")

    def _bring_up_to_date(self, actor: User, wanted: dict[str, Any]) -> Platform:
        oemtype = str(wanted.get("oemtype", ""))
        known = Platform.objects.live().filter(oemtype=oemtype).first()
        if known is None:
            self.stdout.write(f"registering {oemtype}")
            return platforms.register_platform(actor=actor, **wanted).platform
        if known.state != PlatformState.OFFICIAL:
            return known
        changes = {name: wanted[name] for name in CHANGEABLE if name in wanted}
        changed = platforms.update_platform(actor=actor, oemtype=oemtype, **changes)
        if changed.revision != known.revision:
            self.stdout.write(f"changed {oemtype}")
        return changed


def _read(path: Path) -> dict[str, Any]:
    try:
        body = json.loads(path.read_text())
    except (OSError, ValueError) as problem:
        raise CommandError(f"{path} cannot be read: {problem}") from problem
    if not isinstance(body, dict):
        raise CommandError(f"{path}: an object is expected, the body of POST /api/v1/platforms")
    return body


def _administrator(username: str) -> User:
    rows = User.objects.filter(is_active=True, console_role=ConsoleRole.ADMINISTRATOR)
    actor = (rows.filter(username=username) if username else rows).order_by("pk").first()
    if actor is None:
        raise CommandError("There is no such administrator." if username else "There is no administrator yet.")
    return actor


def _awaited(platform: Platform, seconds: float) -> Platform:
    """The row once its registration has ended; CommandError when it is refused or takes too long."""
    deadline = time.monotonic() + seconds
    while platform.state in (PlatformState.STAGED, PlatformState.CHECKING):
        if time.monotonic() > deadline:
            flow = reads.flows_of(platform).first()
            raise CommandError(
                f"{platform.oemtype}: still {platform.state} after {seconds:.0f} s (flow {flow and flow.pk})"
            )
        time.sleep(EVERY)
        platform = Platform.objects.get(pk=platform.pk)
    if platform.state != PlatformState.OFFICIAL:
        raise CommandError(f"{platform.oemtype}: {platform.state}: {platform.reason}")
    return platform
