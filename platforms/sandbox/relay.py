"""A member's node endpoint: a listening address on its own resource space, joined to the chain's process."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os

from platforms.sandbox.kernel import Kernel

PORTS_TRIED = 200
CHUNK = 65536
MAX_CONNECTIONS = 200


class NoPlace(Exception):
    """The machine has no free port, or its address is not one of this computer's."""


class Relay:
    """Forwards connections on one address to the kernel, wherever its port is at the moment."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self, ip: str, port: int) -> int:
        """Listen on `ip` at the first free port from `port` on; NoPlace when there is none."""
        reason = ""
        for candidate in range(port, min(port + PORTS_TRIED, 65536)):
            try:
                self._server = await asyncio.start_server(self._serve, ip, candidate)
                return candidate
            except OSError as problem:
                reason = os.strerror(problem.errno) if problem.errno else str(problem)
                if problem.errno == errno.EADDRNOTAVAIL:
                    break
        raise NoPlace(f"nothing can listen on {ip}:{port}: {reason}")

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._writers) >= 2 * MAX_CONNECTIONS or not self._kernel.running:
            writer.close()
            return
        self._writers.add(writer)
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._kernel.port)
        except OSError:
            self._writers.discard(writer)
            writer.close()
            return
        self._writers.add(up_writer)
        try:
            await asyncio.gather(_pump(reader, up_writer), _pump(up_reader, writer))
        finally:
            self._writers -= {writer, up_writer}


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await source.read(CHUNK):
            target.write(chunk)
            await target.drain()
    with contextlib.suppress(OSError):
        target.close()
