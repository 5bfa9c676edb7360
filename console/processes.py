"""Processes that end with the one that started them, however that one ends."""

from __future__ import annotations

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1
SUPERVISED = "CONSOLE_SUPERVISED"  # set by the supervisor for its children


# Looked up once: between fork and exec as little as possible may happen.
_prctl = getattr(ctypes.CDLL(None), "prctl", None)


def end_with_parent(signal_number: int = signal.SIGTERM) -> None:
    """Linux: have the kernel send this process a signal when its parent dies. Elsewhere nothing happens."""
    if _prctl is not None:
        _prctl(PR_SET_PDEATHSIG, int(signal_number))


def end_with_supervised_parent() -> None:
    """For a server's own children, when a supervisor started the server: do not outlive it."""
    if os.environ.get(SUPERVISED):
        end_with_parent(signal.SIGKILL)
