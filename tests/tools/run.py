"""`make test`: every test, on SQLite, on PostgreSQL with Redis, and on the whole product, and one answer at the end."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from console.environment import ROOT
from tests.tools import databases, machine, places, services
from tests.tools.plugin import REPORT

# One more than there are cores: tests wait for servers, too.
PROCESSES = os.environ.get("TEST_PROCESSES", str(max(2, min(4, (os.cpu_count() or 2) + 1))))
# What a developer's shell may say and the tests shall not hear; compiled modules are kept, many processes start.
LEFT_OUTSIDE = ("DATABASE_URL", "BROKER_URL", "PYTHONDONTWRITEBYTECODE")
INSIDE = "not stack and not browser"
MOST_LOOKED_AT_AGAIN = 12  # more than that is no accident of a busy machine


@dataclass
class Outcome:
    """What one run of pytest came to."""

    title: str
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0
    not_run: str = ""
    alone: list[str] = field(default_factory=list)  # failed beside others, passed alone


def main() -> int:
    lacking = machine.fetch_missing()
    outcomes = []
    try:
        with _servers() as environment:
            outcomes.append(_pytest("SQLite", INSIDE, {}, "--share", databases.SQLITE))
            outcomes.append(_pytest("PostgreSQL and Redis", INSIDE, environment, "--share", databases.POSTGRESQL))
    except services.Unavailable as problem:
        outcomes = [
            _pytest("SQLite", f"{INSIDE} and not postgres", {}),
            Outcome("PostgreSQL and Redis", not_run=str(problem)),
        ]
    among = places.of_the_whole_product()
    outcomes.append(_pytest("the whole product", "stack or browser", {}, "--dist", "loadgroup", among=among))
    return _sum_up(outcomes, lacking)


@contextlib.contextmanager
def _servers() -> Iterator[dict[str, str]]:
    with services.postgres() as database, services.redis() as broker:
        yield {"TEST_DATABASE_URL": database, "TEST_BROKER_URL": broker}


def _pytest(title: str, marks: str, environment: dict[str, str], *options: str, among: Sequence[str] = ()) -> Outcome:
    """One run; what failed beside others is looked at a second time, alone, and is named in the end either way.

    `among` is where these tests are, unless the command line says where to look.
    """
    chosen = sys.argv[1:] or among
    outcome = _run_once(title, environment, "--numprocesses", PROCESSES, "-m", marks, *options, *chosen)
    if not outcome.failed or len(outcome.failed) > MOST_LOOKED_AT_AGAIN or any("::" not in n for n in outcome.failed):
        return outcome
    again = _run_once(f"{title}: what failed, alone", environment, "--numprocesses", "0", *options, *outcome.failed)
    still = set(again.failed) if again.passed + len(again.failed) == len(outcome.failed) else set(outcome.failed)
    outcome.alone = [name for name in outcome.failed if name not in still]
    outcome.failed = [name for name in outcome.failed if name in still]
    outcome.passed += len(outcome.alone)
    return outcome


def _run_once(title: str, environment: dict[str, str], *arguments: str) -> Outcome:
    print(f"\n=== {title}", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        outside = {name: value for name, value in os.environ.items() if name not in LEFT_OUTSIDE}
        command = [sys.executable, "-m", "pytest", "-q", "--no-header", *arguments]
        code = subprocess.run(
            command, cwd=ROOT, env={**outside, **environment, REPORT: str(report)}, stdin=subprocess.DEVNULL
        ).returncode
        figures: dict[str, Any] = json.loads(report.read_text()) if report.exists() else {}
    outcome = Outcome(
        title,
        figures.get("passed", 0),
        list(figures.get("failed", [])),
        [(name, reason) for name, reason in figures.get("skipped", [])],
        time.monotonic() - began,
    )
    if code not in (0, 1, 5) or not figures:
        outcome.failed.append(f"pytest ended with code {code}")
    elif code == 1 and not outcome.failed:
        outcome.failed.append("pytest reports a failure that belongs to no test")
    return outcome


def _sum_up(outcomes: list[Outcome], lacking: list[machine.Need]) -> int:
    print("\n=== altogether")
    for outcome in outcomes:
        figures = f"{outcome.passed} passed, {len(outcome.failed)} failed, {len(outcome.skipped)} skipped"
        print(f"{outcome.title:<22} {outcome.not_run or figures}  ({outcome.seconds:.0f} s)")
    for outcome in outcomes:
        for name in outcome.failed:
            print(f"failed on {outcome.title}: {name}")
    for outcome in outcomes:
        for name in outcome.alone:
            print(f"failed beside others, passed alone, on {outcome.title}: {name}")
    reasons = [
        *(f"{outcome.title}: {outcome.not_run}" for outcome in outcomes if outcome.not_run),
        *(f"{need.purpose}: {need.package} is missing and could not be installed" for need in lacking),
        *sorted({f"{name} on {outcome.title}: {why}" for outcome in outcomes for name, why in outcome.skipped}),
    ]
    print("Not run: " + ("nothing; everything was run" if not reasons else ""))
    for reason in reasons:
        print(f"  - {reason}")
    passed = sum(outcome.passed for outcome in outcomes)
    failed = sum(len(outcome.failed) for outcome in outcomes)
    skipped = sum(len(outcome.skipped) for outcome in outcomes)
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
