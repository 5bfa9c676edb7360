"""`make check`: what a machine can say about the code without running it. All is asked, then the answer is given."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from console.environment import ROOT
from tests.tools import machine
from tests.tools.messages import CATALOGUE, faults_of_messages

BIN = Path(sys.executable).parent
SCHEMA = ROOT / "docs/openapi.yaml"
OK, FAILED = "ok", "FAILED"


@dataclass(frozen=True)
class Check:
    """One question; the answer is what is wrong, empty when nothing is, or the reason why it was not asked."""

    name: str
    ask: Callable[[], str]
    unless: Callable[[], str] = lambda: ""


def main() -> int:
    machine.fetch_missing(only="gettext")
    results: list[tuple[str, str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DATA_DIR"] = folder  # what Django makes while it is asked is thrown away
        for check in CHECKS:
            began = time.monotonic()
            if reason := check.unless():
                results.append((check.name, f"not checked: {reason}", 0))
                continue
            wrong = check.ask()
            if wrong:
                print(f"\n=== {check.name}\n{wrong}", flush=True)
            results.append((check.name, FAILED if wrong else OK, time.monotonic() - began))
    print()
    for name, result, seconds in results:
        print(f"{name:<20} {result}  ({seconds:.0f} s)")
    return 1 if any(result == FAILED for _, result, _ in results) else 0


def _says(*command: str | Path) -> Callable[[], str]:
    """Run a program; its words are the answer when it fails."""

    def ask() -> str:
        done = subprocess.run(
            [str(word) for word in command], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        return (done.stdout + done.stderr).strip() or "failed without a word" if done.returncode else ""

    return ask


def _manage(*arguments: str) -> Callable[[], str]:
    return _says(sys.executable, ROOT / "manage.py", *arguments)


def _schema_differs() -> str:
    """The committed API file against the one that the code describes now."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "openapi.yaml"
        problem = _manage("spectacular", "--fail-on-warn", "--file", str(fresh))()
        if problem:
            return problem
        changes = _says("diff", "-u", SCHEMA, fresh)()
    return f"{changes[:4000]}\n{WRITE_ANEW}" if changes else ""


WRITE_ANEW = "If the change is meant: .venv/bin/python manage.py spectacular --file docs/openapi.yaml"

CHECKS = (
    Check("lint", _says(BIN / "ruff", "check", ".")),
    Check("formatting", _says(BIN / "ruff", "format", "--check", ".")),
    Check("types", _says(BIN / "mypy")),
    Check("import contracts", _says(BIN / "lint-imports")),
    Check("Django", _manage("check", "--fail-level", "WARNING")),
    Check("migrations", _manage("makemigrations", "--check", "--dry-run")),
    Check("templates", _says(BIN / "djlint", "--check", "--lint", "templates")),
    Check("API file", _schema_differs, lambda: "" if SCHEMA.exists() else "docs/openapi.yaml is not there yet"),
    Check(
        "translations", faults_of_messages, lambda: "" if CATALOGUE.exists() else "there is no Chinese catalogue yet"
    ),
)

if __name__ == "__main__":
    sys.exit(main())
