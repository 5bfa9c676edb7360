"""Waiting for something to become true, as briefly as possible."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(looks: Callable[[], T | None], seconds: float, what: str, *, every: float = 0.2) -> T:
    """What `looks` gives once it gives something; AssertionError when it does not within so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        found = looks()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(every)
