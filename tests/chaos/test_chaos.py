"""A short chaos run of each size; `make chaos RUNS=200 DB=postgres` is the long one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from console.environment import ROOT, Environment
from console.processes import end_with_parent
from console.supervision.services import Ports, services
from tests.tools.waiting import until

RUNS = 2
NOT_RUN = 3  # the exit code where the machine lacks a server

pytestmark = pytest.mark.stack


def ran(module: str, **environment: str) -> str:
    """What the command said; the test is skipped where it could not run."""
    done = subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode == NOT_RUN:
        pytest.skip(done.stdout.strip().splitlines()[-1])
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_whatever_is_killed_every_flow_ends_and_both_sides_agree(database: str) -> None:
    said = ran("tests.chaos", DB=database, RUNS=str(RUNS))
    assert f"{RUNS} runs, " in said
    assert "killed with -9 (0)" not in said
    assert re.search(r"\d  web$", said, re.MULTILINE), "a request was cut off"
    assert "flows by end (0)" not in said


def test_a_broker_that_forgets_everything_holds_up_nobody() -> None:
    said = ran("tests.chaos.crowd", FLOWS="100", FLUSHES="3")
    assert "flows by end: {'done': 100}" in said


def test_a_worker_on_the_embedded_broker_does_not_outlive_a_process_that_is_killed(tmp_path: Path) -> None:
    """The killed one may hold the lock of the queue from which all get their work; so the whole worker begins anew."""
    command = {each.name: each for each in services(Environment(), Ports(0, 0))}["worker"].command
    plain = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "BROKER_URL")}
    environment = {**plain, "DATA_DIR": str(tmp_path), "SEED": "none"}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=log, preexec_fn=end_with_parent
        )
    try:
        until(lambda: "ready." in (tmp_path / "log").read_text(), 60, "the worker to be ready")
        listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        first, *others = [int(word) for word in listed.read_text().split()]
        os.kill(first, signal.SIGKILL)
        assert process.wait(30) == 1
        assert others
        gone = lambda: not any(Path(f"/proc/{each}").exists() for each in others)  # noqa: E731
        until(gone, 10, "the other processes to end")
    finally:
        process.kill()
        process.wait()
