"""Reading a chain: where its transactions are, newest first, in pages that do not shift while the chain grows."""

from __future__ import annotations

import asyncio
import bisect
import os
import time
from pathlib import Path
from typing import Any

from platforms.sandbox.errors import BadRequest, NotFound
from platforms.sandbox.kernel import Kernel
from platforms.sandbox.pages import Page, Place
from platforms.sandbox.store import Json, now_ms

BATCH = 250
RATE_BLOCKS = 100  # how far back the rates look
RATE_SECONDS = 60


class Ledger:
    """One chain's blocks and transactions. Counts each block's transactions once, so that totals cost nothing."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._sums: list[int] = []  # transactions up to and with each height
        self._generation = 0
        self._catching_up = asyncio.Lock()

    async def summary(self) -> Json:
        await self._catch_up()
        height = len(self._sums) - 1
        block = await self._block(height)
        return {
            "height": hex(height),
            "headHash": block["hash"],
            "headTime": _time(block),
            "transactionCount": self._sums[-1],
        }

    async def blocks(self, place: Place, first: int | None, last: int | None) -> Page:
        """Between two heights, both included."""
        await self._catch_up()
        top = min(len(self._sums) - 1, last if last is not None else len(self._sums))
        bottom = max(0, first or 0)
        total = max(0, top - bottom + 1)
        start = place.start(total, anchor=lambda height: top - height)
        heights = list(range(top - start, max(bottom, top - start - place.limit + 1) - 1, -1)) if start < total else []
        found = await self._kernel.batch([("eth_getBlockByNumber", [hex(height), False]) for height in heights])
        following = heights[-1] - 1 if heights and heights[-1] > bottom else None
        return Page([_block(each) for each in found], place.next(following), total)

    async def block(self, number: int) -> Json:
        await self._catch_up()
        if number >= len(self._sums):
            raise NotFound(f"There is no block {hex(number)}.", code="BLOCK_NOT_FOUND")
        return _block(await self._block(number))

    async def transactions(self, place: Place, height: int | None) -> Page:
        """All, or those of one block."""
        await self._catch_up()
        below, upto = (0, self._sums[-1]) if height is None else self._span(height)
        total = upto - below
        start = place.start(total, anchor=lambda ordinal: upto - 1 - ordinal)
        first = upto - 1 - start
        ordinals = list(range(first, max(below, first - place.limit + 1) - 1, -1)) if start < total else []
        following = ordinals[-1] - 1 if ordinals and ordinals[-1] > below else None
        return Page(await self._at(ordinals), place.next(following), total)

    async def transaction(self, tx_hash: str) -> Json:
        if len(tx_hash) != 66 or not tx_hash.startswith("0x") or not _is_hex(tx_hash[2:]):
            raise BadRequest("txHash: 0x and 64 hexadecimal digits are expected.")
        found, receipt = await self._kernel.batch(
            [("eth_getTransactionByHash", [tx_hash]), ("eth_getTransactionReceipt", [tx_hash])]
        )
        if found is None:
            raise NotFound(f"There is no transaction {tx_hash}.", code="TRANSACTION_NOT_FOUND")
        block = await self._block(int(found["blockNumber"], 16)) if found.get("blockNumber") else None
        return _transaction(found, receipt, block)

    async def metrics(self) -> Json:
        await self._catch_up()
        height = len(self._sums) - 1
        heights = range(max(0, height - RATE_BLOCKS + 1), height + 1)
        calls: list[tuple[str, list[Any]]] = [("eth_getBlockByNumber", [hex(each), False]) for each in heights]
        pool, *blocks = await self._kernel.batch([("txpool_status", []), *calls])
        recent = [block for block in blocks if int(block["timestamp"], 16) > time.time() - RATE_SECONDS]
        figures: list[tuple[str, float, str]] = [
            ("height", height, "blocks"),
            ("transactionCount", self._sums[-1], "transactions"),
            ("blocksPerMinute", len(recent), "1/min"),
            ("transactionsPerMinute", sum(len(block["transactions"]) for block in recent), "1/min"),
            ("pendingTransactions", int(pool["pending"], 16), "transactions"),
            ("headGasUsed", int(blocks[-1]["gasUsed"], 16), "gas"),
            ("stateBytes", self._kernel.state_bytes, "bytes"),
            ("uptime", round(time.time() - self._kernel.started_at, 1), "s"),
            *_process_figures(self._kernel.pid),
        ]
        values = [{"metric": name, "value": value, "unit": unit} for name, value, unit in figures]
        return {"sampledAt": now_ms(), "values": values}

    # --- small things -----------------------------------------------------------------------------------------------

    async def _catch_up(self) -> None:
        async with self._catching_up:
            if self._generation != self._kernel.generation:
                self._sums, self._generation = [], self._kernel.generation
            head = int(await self._kernel.rpc("eth_blockNumber"), 16)
            if head < len(self._sums) - 1:  # somebody rolled the chain back through its test methods
                self._sums = []
            while len(self._sums) <= head:
                heights = range(len(self._sums), min(head, len(self._sums) + BATCH - 1) + 1)
                calls: list[tuple[str, list[Any]]] = [
                    ("eth_getBlockTransactionCountByNumber", [hex(height)]) for height in heights
                ]
                for count in await self._kernel.batch(calls):
                    self._sums.append((self._sums[-1] if self._sums else 0) + int(count, 16))

    def _span(self, height: int) -> tuple[int, int]:
        if height >= len(self._sums):
            raise NotFound(f"There is no block {hex(height)}.", code="BLOCK_NOT_FOUND")
        return (self._sums[height - 1] if height else 0), self._sums[height]

    async def _at(self, ordinals: list[int]) -> list[Json]:
        """The transactions with these numbers, counted over the whole chain."""
        places = [(bisect.bisect_right(self._sums, ordinal), ordinal) for ordinal in ordinals]
        heights = sorted({height for height, _ordinal in places})
        blocks = await self._kernel.batch([("eth_getBlockByNumber", [hex(each), True]) for each in heights])
        receipts = await self._kernel.batch([("eth_getBlockReceipts", [hex(each)]) for each in heights])
        by_height = dict(zip(heights, zip(blocks, receipts, strict=True), strict=True))
        made = []
        for height, ordinal in places:
            block, of_block = by_height[height]
            index = ordinal - self._span(height)[0]
            made.append(_transaction(block["transactions"][index], of_block[index], block))
        return made

    async def _block(self, height: int) -> Json:
        return await self._kernel.rpc("eth_getBlockByNumber", hex(height), False)


def _block(block: Json) -> Json:
    return {
        "number": block["number"],
        "hash": block["hash"],
        "parentHash": block["parentHash"],
        "timestamp": _time(block),
        "transactionCount": len(block["transactions"]),
        "gasUsed": block["gasUsed"],
        "gasLimit": block["gasLimit"],
    }


def _transaction(found: Json, receipt: Json | None, block: Json | None) -> Json:
    outcome = "PENDING" if receipt is None else "SUCCESS" if int(receipt["status"], 16) else "REVERTED"
    return {
        "hash": found["hash"],
        "blockNumber": found.get("blockNumber"),
        "index": int(found.get("transactionIndex") or "0x0", 16),
        "timestamp": _time(block) if block else None,
        "outcome": outcome,
        "from": found["from"],
        "to": found.get("to"),
        "valueWei": str(int(found["value"], 16)),
        "input": found["input"],
        "contractAddress": receipt.get("contractAddress") if receipt else None,
        "gasUsed": receipt["gasUsed"] if receipt else None,
        "logCount": len(receipt["logs"]) if receipt else 0,
        "receipt": _receipt(receipt) if receipt else None,
    }


def _receipt(receipt: Json) -> Json:
    """What the transaction used and told."""
    logs = [{name: log[name] for name in ("address", "topics", "data")} for log in receipt["logs"]]
    return {"gasUsed": int(receipt["gasUsed"], 16), "logs": logs}


def _time(block: Json) -> int:
    return int(block["timestamp"], 16) * 1000


def _is_hex(text: str) -> bool:
    return all(letter in "0123456789abcdefABCDEF" for letter in text)


def _process_figures(pid: int | None) -> list[tuple[str, float, str]]:
    """Memory and processor time of the chain's process, as Linux counts them."""
    if pid is None:
        return []
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, IndexError, ValueError):
        return []
    ticks = os.sysconf("SC_CLK_TCK")
    return [
        ("memoryBytes", pages * os.sysconf("SC_PAGE_SIZE"), "bytes"),
        ("cpuSeconds", (int(times[11]) + int(times[12])) / ticks, "s"),
    ]
