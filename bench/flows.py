"""Flows against a bare Celery chain: five small writes each, same database, same broker, same workers, same run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FLOWS = int(os.environ.get("BENCH_FLOWS", "60"))
PATIENCE = 120.0


def measure() -> dict[str, Any]:
    """Run in a process whose environment names the data directory, the database and the broker."""
    from django.core.management import call_command

    from bench import work
    from console.models import User

    call_command("migrate", verbosity=0)
    user = User.objects.create_user("bench", "", "bench")
    with _Workers():
        work.bare_chain(user.pk).delay()
        _wait(lambda: _writes() == work.STEPS)  # the workers are up
        bare = _timed(lambda: [work.bare_chain(user.pk).delay() for _ in range(FLOWS)], (FLOWS + 1) * work.STEPS)
        local = _timed(lambda: _start(work.LOCAL, user), (2 * FLOWS + 1) * work.STEPS)
        remote = _timed(lambda: _start(work.REMOTE, user), (3 * FLOWS + 1) * work.STEPS)
    return {
        "flows": FLOWS,
        "steps": work.STEPS,
        "bare chain, steps/s": round(FLOWS * work.STEPS / bare, 1),
        "flow of local steps, steps/s": round(FLOWS * work.STEPS / local, 1),
        "flow of remote steps, steps/s": round(FLOWS * work.STEPS / remote, 1),
        "ratio local": round(local / bare, 2),
        "ratio remote": round(remote / bare, 2),
    }


def _start(blueprint: Any, user: Any) -> None:
    from django.db import transaction

    from console import flows

    for _ in range(FLOWS):
        with transaction.atomic():
            flows.start(blueprint, subject=None, requested_by=user, arguments={})


def _writes() -> int:
    from console.models import Notification

    return Notification.objects.count()


def _timed(begin: Callable[[], Any], writes: int) -> float:
    began = time.monotonic()
    begin()
    _wait(lambda: _writes() >= writes and not _open_flows())
    return time.monotonic() - began


def _open_flows() -> bool:
    from console.models import Flow

    return Flow.objects.open().exists()


def _wait(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit("the workers do not get on; see the log above")
        time.sleep(0.05)


class _Workers:
    """A worker with two processes, as `make run` has, and the clock that sweeps."""

    def __enter__(self) -> None:
        celery = [sys.executable, "-m", "celery", "--app", "bench.work", "--quiet"]
        quiet = ["--loglevel", "WARNING"]
        lonely = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        schedule = str(Path(os.environ["DATA_DIR"]) / "beat")
        commands = (
            [*celery, "worker", *quiet, *lonely, "--queues", "flows,observe", "--concurrency", "2"],
            [*celery, "beat", *quiet, "--pidfile=", "--schedule", schedule],
        )
        self._processes = [subprocess.Popen(each, cwd=ROOT, stdin=subprocess.DEVNULL) for each in commands]

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(30)


if __name__ == "__main__":
    print(json.dumps(measure()))
