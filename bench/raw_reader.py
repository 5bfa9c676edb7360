"""The raw batch reader: the same calls as the console's, by aiohttp and orjson, and nothing is made of the answers.

Run in the peers' environment: `python raw_reader.py ADDRESS LAST full|light`. Prints the seconds.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import aiohttp
import orjson

BATCH, AT_ONCE = 100, 4


async def read(address: str, last: int, full: bool) -> int:
    """All blocks with their receipts; returns how many receipts there were."""
    begins = iter(range(0, last + 1, BATCH))
    receipts = 0

    async def work(session: aiohttp.ClientSession) -> None:
        nonlocal receipts
        for begin in begins:
            names = [hex(height) for height in range(begin, min(begin + BATCH, last + 1))]
            calls: list[tuple[str, list[Any]]] = [("eth_getBlockByNumber", [name, full]) for name in names]
            calls += [("eth_getBlockReceipts", [name]) for name in names]
            body = [
                {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}
                for number, (method, parameters) in enumerate(calls)
            ]
            async with session.post(
                address, data=orjson.dumps(body), headers={"content-type": "application/json"}
            ) as response:
                said = orjson.loads(await response.read())
            receipts += sum(len(each["result"]) for each in said if isinstance(each["result"], list))

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(work(session) for _ in range(AT_ONCE)))
    return receipts


def main(address: str, last: str, mode: str) -> None:
    began = time.perf_counter()
    receipts = asyncio.run(read(address, int(last), mode == "full"))
    print(time.perf_counter() - began, receipts)


if __name__ == "__main__":
    main(*sys.argv[1:])
