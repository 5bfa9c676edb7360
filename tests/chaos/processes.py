"""The console's processes and its broker, started as `console.supervision` starts them, and killed with -9."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from console.environment import ROOT, Environment
from console.processes import end_with_parent
from console.supervision.services import Ports, services
from tests.tools.services import Unavailable, redis_program

UP_SECONDS = 60.0


class Process:
    """One command, whichever process it is at the moment; in a session of its own, so that all of it can be killed."""

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        self.name, self.command, self.log = name, [str(word) for word in command], log
        self.process: subprocess.Popen[str] | None = None

    def start(self, **pipes: Any) -> None:
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                text=True,
                **{"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, **pipes},
                start_new_session=True,
                preexec_fn=end_with_parent,
            )

    def kill(self) -> None:
        """All of its session at once, as the kernel does when memory is short."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    @property
    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def kill_child(self, number: int) -> None:
        """Kill one of its children, if it has any."""
        if children := self.children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(children[number % len(children)], signal.SIGKILL)

    def children(self) -> list[int]:
        """The processes that it has started: a worker's pool, or the web server's own process."""
        if self.process is None:
            return []
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        with contextlib.suppress(OSError):
            return [int(word) for word in listed.read_text().split()]
        return []


class Console:
    """The web server, workers of two processes each, the clock, and the broker: what may be killed."""

    ANSWERING = ("web", "the web server's own process")

    def __init__(
        self, data_dir: Path, redis_port: int | None, *, workers: int = 2, app: str = "console", web: bool = True
    ) -> None:
        self.data_dir = data_dir
        commands = {each.name: each for each in services(Environment(), Ports(0, 0))}
        self.redis = Redis(redis_port, data_dir) if redis_port else None
        self.web = Process("web", commands["web"].command, data_dir / "web.log")
        self.beat = Process("beat", commands["beat"].command, data_dir / "beat.log")
        self.workers = [
            Process(f"worker {number}", _own(commands["worker"].command, number, app), data_dir / "worker.log")
            for number in range(1, workers + 1)
        ]
        self.all = [*([self.web] if web else []), *self.workers, self.beat]

    def start(self) -> None:
        if self.redis:
            self.redis.start()
        for process in self.all:
            process.start()

    def stop(self) -> None:
        for process in (*self.all, *([self.redis] if self.redis else [])):
            process.kill()

    def revive(self) -> list[str]:
        """Start again what has ended by itself, as the supervisor does: who it was."""
        ended = [each for each in self.all if each.has_ended]
        _again(*ended)
        return [each.name for each in ended]

    def victims(self) -> dict[str, int]:
        """Who may be killed, by weight."""
        return {
            "web": 4,
            "the web server's own process": 2,
            "a worker": 5,
            "a process of a worker's pool": 3,
            "all workers": 2,
            "beat": 2,
            "broker": 2,
            "all": 1,
        }

    def kill(self, victim: str, number: int) -> None:
        """Kill, and start again what does not come back by itself. `number` picks among several."""
        worker = self.workers[number % len(self.workers)]
        match victim:
            case "a worker":
                _again(worker)
            case "web":
                _again(self.web)
            case "the web server's own process":
                self.web.kill_child(number)  # its parent starts another
            case "a process of a worker's pool":
                worker.kill_child(number)
            case "all workers":
                _again(*self.workers)
            case "beat":
                _again(self.beat)
            case "broker":
                self._kill_broker()
            case "all":
                self.stop()
                self._lose_messages()
                self.start()

    def _kill_broker(self) -> None:
        if self.redis:
            _again(self.redis)
        self._lose_messages()

    def _lose_messages(self) -> None:
        """The embedded broker is a folder: to lose it is to lose its messages."""
        for folder in ("messages", "processed"):
            for message in (self.data_dir / "broker" / folder).glob("*.msg"):
                message.unlink(missing_ok=True)


class Redis(Process):
    """A broker without a memory: what was in it when it died is lost."""

    def __init__(self, port: int, folder: Path) -> None:
        program = redis_program()
        if program is None:
            raise Unavailable("Redis is not installed (no redis-server on the PATH)")
        options = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder))
        super().__init__("redis", [str(program), "--port", str(port), *options], folder / "redis.log")
        self.port = port

    def start(self, **pipes: Any) -> None:
        super().start(**pipes)
        deadline = time.monotonic() + UP_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.02)
        raise Unavailable("Redis does not come up")


class PlaneProcess(Process):
    """The platform; never killed before the end."""

    def __init__(self, seed: str, data_dir: Path) -> None:
        self._one_at_a_time = threading.Lock()
        super().__init__("plane", [sys.executable, "-m", "tests.chaos.plane", seed], data_dir / "plane.log")

    def start(self, **pipes: Any) -> None:
        super().start(stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addresses: dict[str, str] = self._answer()

    def told(self, **words: Any) -> dict[str, Any]:
        assert self.process is not None
        assert self.process.stdin is not None
        with self._one_at_a_time:
            self.process.stdin.write(json.dumps(words) + "\n")
            self.process.stdin.flush()
            return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process is not None
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise Unavailable(f"the plane has ended: {self.log.read_text()[-2000:]}")
        return json.loads(line)


def _again(*processes: Process) -> None:
    for process in processes:
        process.kill()
    for process in processes:
        process.start()


def _own(command: Sequence[str], number: int, app: str) -> list[str]:
    """The worker's command under a name of its own."""
    changes = {"flows@%h": f"flows{number}@%h", "console": app}
    return [changes.get(word, word) for word in command]


def throw_away(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
