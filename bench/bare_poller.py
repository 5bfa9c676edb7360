"""The bare client: asks each node for its head, over and over, by aiohttp and orjson, and keeps nothing.

Run in the peers' environment: `python bare_poller.py SECONDS AT_ONCE ADDRESS…`. Prints polls per second.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time

import aiohttp
import orjson

HEAD = [{"jsonrpc": "2.0", "id": 0, "method": "eth_getBlockByNumber", "params": ["latest", False]}]


async def poll(seconds: float, at_once: int, addresses: list[str]) -> float:
    polls, turn = 0, itertools.cycle(addresses)

    async def work(session: aiohttp.ClientSession) -> None:
        nonlocal polls
        while time.perf_counter() < end:
            async with session.post(
                f"http://{next(turn)}", data=orjson.dumps(HEAD), headers={"content-type": "application/json"}
            ) as response:
                (said,) = orjson.loads(await response.read())
            polls += int(said["result"]["number"], 16) == 0

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        began = time.perf_counter()
        end = began + seconds
        await asyncio.gather(*(work(session) for _ in range(at_once)))
        return polls / (time.perf_counter() - began)


if __name__ == "__main__":
    print(asyncio.run(poll(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])))
