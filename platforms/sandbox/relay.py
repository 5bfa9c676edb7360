"""A member's node endpoint: a listening address on its own resource space, joined to the chain's process."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from platforms.sandbox.kernel import Kernel

logger = logging.getLogger(__name__)
PORTS_TRIED = 200
CHUNK = 65536


class NoPlace(Exception):
    """The machine has no free port, or its address is not one of this computer's."""


class Relay:
    """Forwards connections on one address to the kernel, wherever its port is at the moment."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._server: asyncio.Server | None = None

    async def open(self, ip: str, port: int, *, exactly: bool = False) -> int:
        """Listen on `ip` at the first free port from `port` on; NoPlace when there is none."""
        for candidate in range(port, port + (1 if exactly else PORTS_TRIED)):
            try:
                self._server = await asyncio.start_server(self._serve, ip, candidate)
                return candidate
            except OSError as problem:
                last = problem
        raise NoPlace(f"nothing can listen on {ip}:{port}: {last.strerror}")

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._kernel.port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, up_writer), _pump(up_reader, writer))


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await source.read(CHUNK):
            target.write(chunk)
            await target.drain()
    with contextlib.suppress(OSError):
        target.close()
