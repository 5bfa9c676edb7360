"""A short chaos run of each size; `make chaos RUNS=200 DB=postgres` is the long one."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from console.environment import ROOT

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
    assert re.search(r"\d  web$", said, re.MULTILINE), "a request was cut off"
    assert "flows by end (0)" not in said


def test_a_broker_that_forgets_everything_holds_up_nobody() -> None:
    said = ran("tests.chaos.crowd", FLOWS="100", FLUSHES="3")
    assert "flows by end: {'done': 100}" in said
