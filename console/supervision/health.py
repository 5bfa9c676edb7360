"""Asking the processes whether they are up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

TIMEOUT = 5.0


async def answers(port: int) -> bool:
    """Does anything accept connections there?"""
    with contextlib.suppress(OSError, TimeoutError):
        _, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), TIMEOUT)
        writer.close()
        return True
    return False


async def is_well(port: int, path: str) -> bool:
    """Is the answer to GET a 200?"""
    with contextlib.suppress(OSError, TimeoutError):
        return await asyncio.wait_for(_status(port, path), TIMEOUT) == 200
    return False


async def _status(port: int, path: str) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        words = (await reader.readline()).split()
        return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    finally:
        writer.close()


async def answer_of(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """What a short command prints; empty when it fails."""
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    text, _ = await process.communicate()
    return text.decode().strip() if process.returncode == 0 else ""
