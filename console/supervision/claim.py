"""One supervisor per data directory, and ports that are free."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from pathlib import Path
from types import TracebackType

PATIENCE_SECONDS = 30.0
PORTS_TRIED = 200


class Refused(Exception):
    """This console must not be started; the text says why."""


class Claim:
    """A lock on the data directory that lasts until the last process that was started under it has ended.

    The children inherit the lock's file, so after a supervisor was killed the next one waits for what is still
    stopping instead of meeting it.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self.descriptor = -1

    def __enter__(self) -> Claim:
        try:
            self._data_dir.mkdir(parents=True, exist_ok=True)
            self.descriptor = os.open(self._data_dir / "supervisor.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise Refused(f"DATA_DIR {self._data_dir} cannot be used: {problem.strerror}.") from problem
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._locked():
            holder = self._holder()
            if holder and _is_alive(holder):
                raise Refused(f"A console is running on {self._data_dir} already (process {holder}).")
            if time.monotonic() > deadline:
                raise Refused(f"Processes of an earlier start still use {self._data_dir}. End them and try again.")
            time.sleep(0.2)
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, str(os.getpid()).encode(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.ftruncate(self.descriptor, 0)
        os.close(self.descriptor)

    def _locked(self) -> bool:
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _holder(self) -> int:
        text = os.pread(self.descriptor, 20, 0).decode()
        return int(text) if text.isdigit() else 0


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port(wanted: int, *, avoid: set[int]) -> int:
    """The first free port of the loopback address from `wanted` on."""
    for port in range(wanted, wanted + PORTS_TRIED):
        if port not in avoid and port < 65536 and is_free("127.0.0.1", port):
            return port
    raise Refused(f"No free port from {wanted} on.")
