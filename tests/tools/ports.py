"""Ports that somebody else has."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator


@contextlib.contextmanager
def taken(ip: str, port: int) -> Iterator[None]:
    """Somebody listens there. Connections of an earlier test that the kernel has not forgotten yet do not matter."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((ip, port))
        other.listen()
        yield
