"""`manage.py build_front_end`: third-party styles, scripts and icons into static/vendor/, from the lock file."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console import frontend


class Command(BaseCommand):
    """Build what the pages need from npm; quick when nothing has changed."""

    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--force", action="store_true", help="build even if everything is current")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = frontend.build(force=options["force"])
        except frontend.BuildError as problem:
            raise CommandError(str(problem)) from problem
        done = "built" if report.built else "up to date"
        self.stdout.write(f"front end: {done}, {report.icons} icons, {report.size // 1024} KiB")
