"""Work that outlasts a step: a folder, a program (`cell`) that holds its lock, and the outcome that it leaves there.

A step starts a job, comes back later, and reads the outcome; it may as well be another worker by then. A lock that is
free without an outcome means that the program died, mostly with the worker that had started it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

KEPT_SECONDS = 86400  # what nobody came back for
Json = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """How a job ended: `done`, `failed`, or why it was ended. `report` says whether there is a file of it."""

    ended: str
    code: int = 0
    log: str = ""
    report: str = ""
    seconds: float = 0.0
    memory_mb: int = 0


ABSENT, RUNNING, LOST = "absent", "running", "lost"
_children: list[subprocess.Popen[bytes]] = []


def folder_of(job: str) -> Path:
    return settings.DATA_DIR / "applications/jobs" / job


def look(job: str) -> Outcome | str:
    """The outcome, or what is known without one: ABSENT, RUNNING, LOST."""
    _children[:] = [each for each in _children if each.poll() is None]
    folder = folder_of(job)
    if not folder.is_dir():
        return ABSENT
    if (outcome := _outcome(folder)) is not None:
        return outcome
    lock = _lock(folder)
    if lock is None:
        return RUNNING
    os.close(lock)
    return _outcome(folder) or LOST  # it may have ended in between


def _outcome(folder: Path) -> Outcome | None:
    try:
        return Outcome(**json.loads((folder / "outcome.json").read_text()))
    except FileNotFoundError:
        return None


def _lock(folder: Path) -> int | None:
    """The job's lock as an open file; None when somebody holds it."""
    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None  # it is being forgotten
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


def start(job: str, spec: Json, request: Json | None = None) -> None:
    """Begin the job, anew if it was lost; nothing happens while it runs."""
    folder = folder_of(job)
    _forget_old(folder.parent)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = _lock(folder)
    if lock is None or _outcome(folder) is not None:
        return
    try:
        spec = {**spec, "slots": str(folder.parent.parent / "slots"), "at_once": settings.APPLICATIONS_AT_ONCE}
        (folder / "cell.json").write_text(json.dumps(spec))
        (folder / "request.json").write_text(json.dumps(request or {}))
        command = [sys.executable, "-m", "chains.applications.cell", str(folder), str(lock)]
        with (folder / "cell.log").open("wb") as log:
            child = subprocess.Popen(
                command,
                cwd=settings.BASE_DIR,
                env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(settings.BASE_DIR)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[lock],
                start_new_session=True,
            )
        _children.append(child)
    finally:
        os.close(lock)  # the child holds it on


def stop(job: str) -> bool:
    """Have it end; True once it has."""
    found = look(job)
    if found == RUNNING:
        with contextlib.suppress(OSError):
            (folder_of(job) / "stop").touch()
        return False
    return True


def report_of(job: str) -> bytes:
    """What the application has left, brought out by the cell as a plain file of a bounded size."""
    return (folder_of(job) / "report.json").read_bytes()


def forget(job: str) -> None:
    shutil.rmtree(folder_of(job), ignore_errors=True)


def _forget_old(place: Path) -> None:
    with contextlib.suppress(OSError):
        for folder in place.iterdir():
            if folder.stat().st_mtime < time.time() - KEPT_SECONDS and look(folder.name) != RUNNING:
                forget(folder.name)
