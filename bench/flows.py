"""Flows against a bare Celery chain: the same five steps, same database, same broker, same workers, same run.

The steps write a small row; call a stub platform by HTTP; or do so in a database that holds many finished flows.
`BENCH_FLOWS` is how many run at once, `BENCH_FINISHED` how many finished ones the database is filled with.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.utils import timezone

ROOT = Path(__file__).resolve().parents[1]
FLOWS = int(os.environ.get("BENCH_FLOWS", "60"))
FINISHED = int(os.environ.get("BENCH_FINISHED", "100000"))
FEW = 1_000  # finished flows that "few" means
ALONE = 15  # flows that run one at a time, for the time that one takes
PATIENCE = 120.0


def measure() -> dict[str, Any]:
    """Run in a process whose environment names the data directory, the database and the broker."""
    import django
    from django.core.management import call_command

    from bench.plane import PlaneProcess

    django.setup()
    call_command("migrate", verbosity=0)
    with PlaneProcess(1, 1) as address:
        os.environ["BENCH_PLATFORM"] = f"{address}/networks/net-0/chains"
        from bench import work  # which reads the environment, as the workers do
        from console.models import User

        user = User.objects.create_user("bench", "", "bench")
        with _Workers():
            work.bare_chain(user.pk).delay()
            _wait(lambda: _writes() == work.STEPS)  # the workers are up
            return _Contest(user).figures()


class _Contest:
    """Each figure of the flows against that of the bare chain, measured just before."""

    def __init__(self, user: Any) -> None:
        self.user = user

    def figures(self) -> dict[str, Any]:
        from bench import work

        _fill(FEW)
        bare, bare_calls = self.bare(work.bare), self.bare(work.bare_call)
        local, remote, calls = (self.flows(each) for each in (work.LOCAL, work.REMOTE, work.CALLS))
        bare_alone, alone = self.alone(lambda: self._chain(work.bare_call)), self.alone(lambda: self._flow(work.CALLS))
        few = self.flows(work.LOCAL)
        _fill(FINISHED)
        many = self.flows(work.LOCAL)
        each = FLOWS * work.STEPS
        return {
            "flows at once": FLOWS,
            "bare chain of writes, steps/s": round(each / bare, 1),
            "flow of local steps, steps/s": round(each / local, 1),
            "flow of remote steps, steps/s": round(each / remote, 1),
            "throughput, local steps : bare": round(bare / local, 2),
            "throughput, remote steps : bare": round(bare / remote, 2),
            "bare chain of platform calls, steps/s": round(each / bare_calls, 1),
            "flow of platform calls, steps/s": round(each / calls, 1),
            "throughput, platform calls : bare": round(bare_calls / calls, 2),
            "one bare chain alone, ms": round(bare_alone * 1000, 1),
            "one flow alone, ms": round(alone * 1000, 1),
            "time of one alone : bare": round(alone / bare_alone, 2),
            f"time with {FINISHED} finished : with {FEW}": round(many / few, 2),
        }

    def bare(self, link: Any) -> float:
        return _timed(lambda: [self._chain(link) for _ in range(FLOWS)], FLOWS)

    def flows(self, blueprint: Any) -> float:
        return _timed(lambda: [self._flow(blueprint) for _ in range(FLOWS)], FLOWS)

    def alone(self, begin: Callable[[], Any]) -> float:
        """Median seconds of one that has the workers to itself."""
        return statistics.median(_timed(begin, 1, look_every=0.002) for _ in range(ALONE))

    def _chain(self, link: Any) -> None:
        from bench import work

        work.bare_chain(self.user.pk, link).delay()

    def _flow(self, blueprint: Any) -> None:
        from django.db import transaction

        from console import flows

        with transaction.atomic():
            flows.start(blueprint, subject=None, requested_by=self.user, arguments={})


def _fill(flows: int) -> None:
    """So many finished flows of five steps in the database."""
    from django.db import connection

    from bench import work
    from console.models import Flow, FlowState, Step, StepState

    missing = flows - Flow.objects.filter(kind="bench.finished").count()
    for begin in range(0, missing, 5_000):
        rows = Flow.objects.bulk_create(
            Flow(kind="bench.finished", title="Finished", state=FlowState.DONE, ended_at=timezone.now())
            for _ in range(min(5_000, missing - begin))
        )
        Step.objects.bulk_create(
            Step(
                flow=flow,
                number=number,
                name=f"step-{number}",
                title="Step",
                action="bench.local",
                needs=[],
                state=StepState.DONE,
                outcome={},
                ended_at=flow.ended_at,
            )
            for flow in rows
            for number in range(1, work.STEPS + 1)
        )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # what autovacuum does anyway, but not in the middle of the measuring


def _writes() -> int:
    from console.models import Notification

    return Notification.objects.count()


def _timed(begin: Callable[[], Any], flows: int, look_every: float = 0.02) -> float:
    """Seconds from the first request until all that was begun is done."""
    from bench import work

    wanted = _writes() + flows * work.STEPS
    began = time.monotonic()
    begin()
    _wait(lambda: _writes() >= wanted and not _open_flows(), look_every)
    return time.monotonic() - began


def _open_flows() -> bool:
    from console.models import Flow

    return Flow.objects.open().exists()


def _wait(done: Callable[[], bool], look_every: float = 0.05) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit("the workers do not get on; see the log above")
        time.sleep(look_every)


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
