"""A way to a node on which its caller's words wait for a while, in the middle of the handshake between two nodes.

What it passes on are RLPx connections (ethereum/devp2p, rlpx.md): the caller's first two messages open one, its third
says how far its chain is. The node called says that as soon as the connection is open, and lists the caller among its
peers once it has heard it: what it does between the two, its new peer is not told.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

OPENING = 2  # the caller's messages before it says how far it is
LONGEST = 4.0  # seconds: nodes wait five for each other's words


@dataclass
class SlowCall:
    port: int
    waits: threading.Event = field(default_factory=threading.Event)  # set when the caller's words wait
    go: threading.Event = field(default_factory=threading.Event)  # set it to pass them on


@contextlib.contextmanager
def slow_call(ip: str, to: tuple[str, int]) -> Iterator[SlowCall]:
    with socket.create_server((ip, 0)) as listener:
        made = SlowCall(listener.getsockname()[1])
        threading.Thread(target=_accept, args=(listener, to, made), daemon=True).start()
        yield made
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, to: tuple[str, int], made: SlowCall) -> None:
    with contextlib.suppress(OSError):
        while True:
            caller, _address = listener.accept()
            called = socket.create_connection(to)
            threading.Thread(target=_pass_on, args=(caller, called, made), daemon=True).start()
            threading.Thread(target=_pass_on, args=(called, caller, None), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket, made: SlowCall | None) -> None:
    passed = 0
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            passed += 1
            if made is not None and passed == OPENING + 1:
                made.waits.set()
                made.go.wait(LONGEST)
            target.sendall(data)
    for each in (source, target):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
