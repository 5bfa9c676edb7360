"""A console that runs: started by the supervisor on a folder and ports of its own, watched from outside."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from console.environment import ROOT

READY = re.compile(r"^ready: (http://127\.0\.0\.1:\d+)  login: (\S+) / (.+?)  sandbox: (\S.*)$")
START_SECONDS = 150.0
STOP_SECONDS = 40.0
SUPERVISOR = (sys.executable, "-m", "console.supervisor", "--end-with-parent")


class NotReady(AssertionError):
    """The console did not come up; the text holds what it said."""


@dataclass
class Product:
    """One start after another on the same data directory."""

    data_dir: Path
    seed: str = "none"
    environment: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = SUPERVISOR
    printed: list[str] = field(default_factory=list)  # to standard output, by the newest start
    address: str = ""
    login: tuple[str, str] = ("", "")
    sandbox: str = ""
    port: int = 0
    _process: subprocess.Popen[str] | None = None

    def start(self) -> Product:
        """Up to the ready line."""
        self.port = self.port or free_port()
        self._process = self.popen()
        self.printed = []
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            line = self._process.stdout.readline() if self._process.stdout else ""
            if line:
                self.printed.append(line.rstrip("\n"))
            if found := READY.match(line.rstrip()):
                self.address, self.sandbox = found[1], found[4]
                self.login = (found[2], found[3])
                return self
            if not line and self._process.poll() is not None:
                break
        raise NotReady(f"no ready line but {self.printed}; it said:\n{self.said()[-4000:]}")

    def popen(self) -> subprocess.Popen[str]:
        """The supervisor, as `make run` starts it."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with (self.data_dir / "said").open("a") as said:
            return subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self.variables(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                start_new_session=True,
            )

    def variables(self) -> dict[str, str]:
        plain = {
            name: value
            for name, value in os.environ.items()
            if name not in ("DATABASE_URL", "BROKER_URL", "DJANGO_SETTINGS_MODULE")
        }
        own = {"DATA_DIR": str(self.data_dir), "PORT": str(self.port), "SEED": self.seed}
        return {**plain, **own, **self.environment}

    def said(self) -> str:
        return (self.data_dir / "said").read_text(errors="replace")

    @property
    def supervisor(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ask once; returns the exit code."""
        assert self._process is not None
        self.signal(number)
        code = self._process.wait(STOP_SECONDS)
        if self._process.stdout:
            self.printed += self._process.stdout.read().splitlines()
            self._process.stdout.close()
        return code

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def end(self) -> None:
        """Whatever happened, nothing of it stays."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.stop()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait(STOP_SECONDS)

    def processes(self) -> dict[int, str]:
        """Every process that was started for this data directory, orphans included, by its command line."""
        mark = f"DATA_DIR={self.data_dir}".encode()
        found: dict[int, str] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                    if command:  # a zombie has none
                        found[int(folder.name)] = command
        return found

    def named(self, text: str) -> list[int]:
        """The processes whose command line has this text."""
        return sorted(pid for pid, command in self.processes().items() if text in command)


def stops_everything(product: Product, number: signal.Signals) -> None:
    """Asked once: whatever it was doing, it says that all went well, and leaves nothing behind."""
    assert len(product.processes()) >= 6
    assert product.stop(number) == 0
    assert product.processes() == {}


def until(true: Callable[[], object], *, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.1)


def free_port() -> int:
    """A port with free neighbours, because the sandbox takes the next two."""
    for _ in range(50):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port < 65000 and all(_is_free(port + offset) for offset in range(3)):
            return port
    raise RuntimeError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextlib.contextmanager
def running(data_dir: Path, **options: object) -> Iterator[Product]:
    product = Product(data_dir, **options)  # type: ignore[arg-type]
    try:
        yield product.start()
    finally:
        product.end()
