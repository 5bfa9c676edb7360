"""What the processes say: each line with its process's name, to standard error and to a file of its own."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import sys
from pathlib import Path

LOG_BYTES = 5_000_000
LOGS_KEPT = 3
WIDTH = len("first_start")


def say(name: str, line: str) -> None:
    """A line to standard error; nobody reading it is no reason to stop."""
    with contextlib.suppress(BrokenPipeError, OSError, ValueError):
        print(f"{name:<{WIDTH}} | {line}", file=sys.stderr, flush=True)


def announce(line: str) -> None:
    """The one line that standard output is for."""
    with contextlib.suppress(BrokenPipeError, OSError, ValueError):
        print(line, flush=True)


class Log:
    """The file of one process: rotated, private to its owner."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.name = name
        self._handler = logging.handlers.RotatingFileHandler(
            folder / f"{name}.log", maxBytes=LOG_BYTES, backupCount=LOGS_KEPT, delay=True, encoding="utf-8"
        )
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))

    def write(self, line: str) -> None:
        say(self.name, line)
        self._handler.emit(logging.LogRecord(self.name, logging.INFO, "", 0, line, None, None))

    def close(self) -> None:
        self._handler.close()
