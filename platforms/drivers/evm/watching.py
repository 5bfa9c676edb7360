"""Reading without a thread for each reading: what observers ask of very many chains, on one event loop."""

from __future__ import annotations

import asyncio
import functools
import math
import time
from collections.abc import Callable
from typing import Any, cast

from console.errors import PlatformRefused, PlatformUnavailable
from platforms import standard
from platforms.drivers.evm import ledger
from platforms.drivers.evm.book import Chain
from platforms.drivers.evm.ledger import Question, T
from platforms.drivers.evm.reading import Reader, stands, summary_of
from platforms.drivers.evm.rpc import BAD_ANSWER, NO_METHOD, TOO_SLOW, number
from platforms.drivers.evm.stretch import stretch
from platforms.drivers.evm.wire import Wire
from platforms.standard import Answer, LedgerRange, LedgerRangeRequest

COUNT_BATCHES = 1  # of one go: the stretches that are read count as well
SLOW_SECONDS = 600.0  # a chain whose nodes were too slow is asked for less at once for so long

LESS_MAY_HELP = (TOO_SLOW, BAD_ANSWER)  # a node that takes fewer calls at once answers none of too many


class Watcher:
    """The driver's `follower`: the ledger's operations, and stretches of a ledger at once."""

    operations = frozenset({"get_ledger_summary", "list_blocks", "list_transactions", "get_ledger_range"})

    def __init__(self, reader: Reader, wire: Wire) -> None:
        self._reader, self._wire = reader, wire
        self._stretches: dict[str, dict[int, list[int]]] = {}  # chain → first block → transactions of it and the next
        self._one_by_one: set[str] = set()  # chains whose nodes give no receipts by block
        self._most: dict[str, tuple[float, float]] = {}  # chain → blocks that its nodes give in time, and since when

    async def read(self, operation: str, request: standard.Request) -> Answer:
        question: Callable[[Any], Any] = getattr(self, f"_{operation}")
        return cast(Answer, await question(request))

    async def _get_ledger_summary(self, request: standard.ChainRequest) -> standard.LedgerSummary:
        chain = await self._chain(request.chain_id)
        head = await self._carry(chain, ledger.head())
        if stands(chain, head):
            heads = await asyncio.gather(
                *(self._wire.head_of(chain, node) for node in self._wire.others(chain)), return_exceptions=True
            )
            head = self._reader.newest(chain, head, heads)
        height, known = number(head["number"]), self._reader.known_count(chain)
        if known[0] != height:
            known = await self._carry(chain, ledger.count(known, height, batches=COUNT_BATCHES))
            await self._note_count(chain, known)
        return summary_of(chain, head, known[1])

    async def _list_blocks(self, request: standard.ListBlocksRequest) -> standard.BlockPage:
        return await self._carry(await self._chain(request.chain_id), ledger.blocks(request))

    async def _list_transactions(self, request: standard.ListTransactionsRequest) -> standard.TransactionPage:
        return await self._carry(await self._chain(request.chain_id), ledger.transactions(request))

    async def _get_ledger_range(self, request: LedgerRangeRequest) -> LedgerRange:
        """In halves where it is too much for one answer, or for the time that a node has for one; with single receipts
        where it knows no others."""
        chain = await self._chain(request.chain_id)
        if _size(request) > self._most_at_once(chain):
            return await self._in_halves(request)
        by_block = chain.chain_id not in self._one_by_one
        try:
            found = await stretch(functools.partial(self._wire.ask, chain), request, by_block=by_block)
        except PlatformRefused as problem:
            if by_block and problem.code == NO_METHOD:
                self._one_by_one.add(chain.chain_id)
                return await self._get_ledger_range(request)
            if request.from_height == request.to_height:
                raise
            return await self._in_halves(request)
        except PlatformUnavailable as problem:
            if problem.code not in LESS_MAY_HELP or request.from_height == request.to_height:
                raise
            self._most[chain.chain_id] = min((_size(request) + 1) // 2, self._most_at_once(chain)), time.monotonic()
            return await self._in_halves(request)
        await self._note_stretch(chain, found)
        return found

    def _most_at_once(self, chain: Chain) -> float:
        """Blocks that may be asked for by one question: fewer for a while where more took too long."""
        most, since = self._most.get(chain.chain_id, (math.inf, 0.0))
        return most if time.monotonic() - since < SLOW_SECONDS else math.inf

    async def _in_halves(self, request: LedgerRangeRequest) -> LedgerRange:
        middle = (request.from_height + request.to_height) // 2
        low = await self._get_ledger_range(request.model_copy(update={"to_height": middle}))
        if len(low.blocks) <= middle - request.from_height:
            return low
        high = await self._get_ledger_range(request.model_copy(update={"from_height": middle + 1}))
        return LedgerRange(low.blocks + high.blocks, low.transactions + high.transactions, low.full)

    async def _note_stretch(self, chain: Chain, found: LedgerRange) -> None:
        """Blocks that are read need not be counted once more; stretches may come in any order."""
        if not found.blocks:
            return
        waiting = self._stretches.setdefault(chain.chain_id, {})
        waiting[found.blocks[0].height] = [each.transactions for each in found.blocks]
        at, total = before = self._reader.known_count(chain)
        for begin in sorted(waiting):
            if begin > at + 1:
                break
            counts = waiting.pop(begin)[at + 1 - begin :]
            at, total = at + len(counts), total + sum(counts)
        if (at, total) != before:
            await self._note_count(chain, (at, total))

    async def _note_count(self, chain: Chain, count: tuple[int, int]) -> None:
        if self._reader.note_count(chain, count):
            await asyncio.to_thread(self._reader.keep_count, chain)

    async def _chain(self, chain_id: str) -> Chain:
        at_hand = self._reader.chain_at_hand(chain_id)
        return await asyncio.to_thread(self._reader.chain, chain_id) if at_hand is None else at_hand

    async def _carry(self, chain: Chain, question: Question[T]) -> T:
        try:
            calls = next(question)
            while True:
                calls = question.send(await self._wire.ask(chain, calls))
        except StopIteration as end:
            return cast(T, end.value)


def _size(request: LedgerRangeRequest) -> int:
    return request.to_height - request.from_height + 1
