"""The program that runs a job: `python -m chains.applications.cell FOLDER LOCK`, told by `FOLDER/cell.json`.

It holds `FOLDER/lock` as long as it lives, waits for a free slot, runs the commands, watches time, memory, processes
and output of all of them together, ends everything that they have started, and writes `FOLDER/outcome.json` last.
Whoever started it may be gone by then; whoever has died with it left no outcome, and a free lock.
A confined job has one command, behind `walls`; the report that it leaves in its place of work is brought out here.

Imports nothing of the console, so nothing of the console can leak into what it starts.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chains.applications import walls

LOOK_SECONDS = 0.1
TAIL_BYTES = 16_000
MOST_OUTPUT = 32 * 2**20  # bytes; who says more is ended
CHUNK = 65536
NOT_STARTED = 127
POLITENESS = 5  # the console's own work goes first
Json = dict[str, Any]


class Watch:
    """One command under way: what it has said, what it uses, and why it had to be ended."""

    def __init__(self, pid: int, output: int, spec: Json, stop: Path, deadline: float) -> None:
        self.pid, self.output, self.spec, self.stop, self.deadline = pid, output, spec, stop, deadline
        self.said, self.tail, self.peak_mb, self.why = 0, b"", 0.0, ""

    def until_end(self, kill: Callable[[], None]) -> int:
        """The exit status; everything is over when this returns."""
        while True:
            self._listen()
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self._listen(once=True)
                return status
            self.why = self.why or self._trouble()
            if self.why:
                kill()
                _pid, status = os.waitpid(self.pid, 0)
                self._listen(once=True)
                return status

    def _listen(self, once: bool = False) -> None:
        """Read what is there; keeps the end of it."""
        end = time.monotonic() + LOOK_SECONDS
        while (left := end - time.monotonic()) > 0 or once:
            ready, _w, _x = select.select([self.output], [], [], 0 if once else left)
            chunk = os.read(self.output, CHUNK) if ready else b""
            self.said += len(chunk)
            self.tail = (self.tail + chunk)[-TAIL_BYTES:]
            if not chunk or self.said > MOST_OUTPUT:
                if ready and not once:
                    time.sleep(min(left, 0.02))  # closed, or too much: no reason to spin
                return

    def _trouble(self) -> str:
        if self.stop.exists():
            return "stopped"
        if time.monotonic() > self.deadline:
            return "time"
        if self.said > MOST_OUTPUT:
            return "output"
        if not self.spec.get("memory_mb"):
            return ""
        family = family_of(self.pid)
        used = sum(memory_of(pid) for pid in family) / 2**20
        self.peak_mb = max(self.peak_mb, used)
        if used > self.spec["memory_mb"]:
            return "memory"
        return "processes" if len(family) > self.spec["processes"] + 1 else ""


def family_of(pid: int) -> list[int]:
    """The process and all that come from it, as far as they can be seen at this moment."""
    found, new = [], [pid]
    while new:
        one = new.pop()
        found.append(one)
        try:
            tasks = os.listdir(f"/proc/{one}/task")
        except OSError:
            continue
        for task in tasks:
            try:
                new += [int(each) for each in Path(f"/proc/{one}/task/{task}/children").read_text().split()]
            except OSError:
                continue
    return found


def memory_of(pid: int) -> int:
    """Bytes that are the process's own."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssAnon:", "RssShmem:")))


def main(folder: Path) -> int:
    """The lock was taken by whoever started this, and came along as an open file."""
    walls.end_with_parent()
    os.umask(0o022)  # whoever a program runs as can read what is made for it; the job's own folder is nobody else's
    spec: Json = json.loads((folder / "cell.json").read_text())
    began = time.monotonic()
    try:
        _slot = wait_for_slot(spec, folder / "stop")
        os.nice(POLITENESS)
        outcome = confined(folder, spec) if spec["confined"] else plainly(folder, spec)
    except Stopped:
        outcome = {"ended": "stopped"}
    except walls.NoWalls as problem:
        outcome = {"ended": "walls", "log": str(problem)}
    except OSError as problem:
        outcome = {"ended": "start", "log": str(problem)}
    write_whole(folder / "outcome.json", json.dumps({"seconds": round(time.monotonic() - began, 1), **outcome}))
    return 0


class Stopped(Exception):
    """Nobody wants it any more."""


def wait_for_slot(spec: Json, stop: Path) -> int:
    """Hold one of so many places of this machine; given back when this process ends."""
    slots = Path(spec["slots"])
    slots.mkdir(parents=True, exist_ok=True)
    while not stop.exists():
        for number in range(spec["at_once"]):
            slot = os.open(slots / str(number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(slot, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(slot)
            else:
                return slot
        time.sleep(LOOK_SECONDS)
    raise Stopped


def write_whole(path: Path, text: str) -> None:
    """There is all of it, or nothing."""
    beside = path.with_suffix(".part")
    beside.write_text(text)
    beside.replace(path)


# --- the console's own tools: building an environment -----------------------------------------------------------------


def plainly(folder: Path, spec: Json) -> Json:
    """Run the commands one after the other, as who we are; the first that fails is the last."""
    deadline, log = time.monotonic() + spec["seconds"], b""
    outcome: Json = {"ended": "done"}
    for command in spec["commands"]:
        log += f"$ {command['said']}\n".encode()
        watch, status = _one(command, folder, spec, deadline)
        log += watch.tail
        if watch.why or status:
            outcome = {"ended": watch.why or "failed", "code": os.waitstatus_to_exitcode(status)}
            break
    return {**outcome, "log": log[-TAIL_BYTES:].decode(errors="replace")}


def _one(command: Json, folder: Path, spec: Json, deadline: float) -> tuple[Watch, int]:
    listen, speak = os.pipe()
    pid = os.fork()
    if pid == 0:
        _become(speak, os.setsid, command["run"], spec["environment"], command["folder"])
    os.close(speak)
    watch = Watch(pid, listen, spec, folder / "stop", deadline)
    status = watch.until_end(lambda: _kill_group(pid))
    _kill_group(pid)
    os.close(listen)
    return watch, status


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except OSError:
        return


def _become(speak: int, prepare: Callable[[], object], command: list[str], env: dict[str, str], folder: str) -> None:
    """In a new process: be the command, with nothing in hand but where to speak. Never returns."""
    try:
        walls.end_with_parent()
        nothing = os.open("/dev/null", os.O_RDONLY)
        prepare()
        os.chdir(folder)
        for number, source in ((0, nothing), (1, speak), (2, speak)):
            os.dup2(source, number)
        speak = 2
        os.closerange(3, 4096)
        os.execve(command[0], command, env)  # noqa: S606 - there is no shell in between on purpose
    except BaseException as problem:  # whatever it is, this process must not go on as the one it was forked from
        os.write(speak, f"{command[0]}: {problem}\n".encode())
    os._exit(NOT_STARTED)


# --- somebody else's program ------------------------------------------------------------------------------------------


def confined(folder: Path, spec: Json) -> Json:
    """Run the command behind walls, and bring its report out."""
    user = walls.enter()
    root = folder / "root"
    work = walls.furnish(root, shown=spec["shown"], hidden=spec["hidden"], work_mb=spec["work_mb"], owner=user)
    _hand_in(folder / "request.json", work / "request.json", user)
    place = os.open(work, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    listen, speak = os.pipe()
    first = os.fork()
    if first == 0:
        _first_inside(root, user, speak, spec)
    os.close(speak)
    watch = Watch(first, listen, spec, folder / "stop", time.monotonic() + spec["seconds"])
    status = watch.until_end(lambda: os.kill(first, signal.SIGKILL))
    code = os.waitstatus_to_exitcode(status)
    log = watch.tail.decode(errors="replace")
    if code == NOT_INSIDE and not watch.why:
        raise walls.NoWalls(log.strip()[-500:])
    report = _bring_out(place, folder / "report.json", spec["report_kb"] * 1024)
    ended = watch.why or ("done" if code == 0 else "failed")
    return {"ended": ended, "code": code, "log": log, "report": report, "memory_mb": round(watch.peak_mb)}


NOT_INSIDE = 126


def _hand_in(source: Path, target: Path, user: int) -> None:
    target.write_bytes(source.read_bytes())
    if user != walls.INSIDE:
        os.chown(target, user, user)


def _first_inside(root: Path, user: int, speak: int, spec: Json) -> None:
    """Process 1 inside: furnish the rest, start the program, and end with it; all others end with this one."""
    try:
        walls.end_with_parent()
        os.setsid()
        walls.move_in(root)
        walls.limit(**{name: spec[name] for name in ("cpu_seconds", "memory_mb", "file_mb", "processes")})
        walls.give_up_rights(user)
        walls.end_with_parent()  # once more: another user's process has forgotten it
        program = os.fork()
    except BaseException as problem:  # likewise
        os.write(speak, str(problem).encode())
        os._exit(NOT_INSIDE)
    if program == 0:
        _become(speak, lambda: None, spec["command"], spec["environment"], walls.PLACE)
    os.closerange(0, 4096)
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == program:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def _bring_out(place: int, target: Path, most: int) -> str:
    """Copy the report, if it is a plain file of a sound size; says what was found."""
    try:
        found = os.open("report.json", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=place)
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "no_file"  # a link, for example: never followed
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        return "no_file"
    with os.fdopen(found, "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        return "too_large"
    target.write_bytes(content)
    return "there"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
