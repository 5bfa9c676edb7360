"""Stretches of a ledger: consecutive blocks with all that is in them, by few questions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from msgspec.json import Decoder

from platforms.drivers.evm.answers import BLOCKS, BLOCKS_AND_RECEIPTS, RECEIPTS, Block, Body, Receipt
from platforms.drivers.evm.rows import block_row, transaction_row
from platforms.drivers.evm.rpc import Call
from platforms.standard import BlockRow, LedgerRange, LedgerRangeRequest, TransactionRow

RECEIPTS_BATCH = 500
Ask = Callable[[Sequence[Call], Decoder[Any]], Awaitable[list[Any]]]


async def stretch(ask: Ask, request: LedgerRangeRequest, *, by_block: bool) -> LedgerRange:
    """`by_block`: the node gives the receipts of a block in one answer."""
    full = request.full or not by_block
    names = [hex(height) for height in range(request.from_height, request.to_height + 1)]
    calls: list[Call] = [("eth_getBlockByNumber", [name, full]) for name in names]
    if by_block:
        answers = await ask([*calls, *(("eth_getBlockReceipts", [name]) for name in names)], BLOCKS_AND_RECEIPTS)
        found, receipts = answers[: len(names)], answers[len(names) :]
    else:
        found = await ask(calls, BLOCKS)
        receipts = await _receipts_one_by_one(ask, found)
    blocks: list[BlockRow] = []
    transactions: list[TransactionRow] = []
    for block, of_block in zip(found, receipts, strict=True):
        if not isinstance(block, Block) or not _belong(block, of_block, full=full):
            break  # the chain changed between two answers: what comes now is not what came before
        row = block_row(block)
        blocks.append(row)
        bodies: list[Any] = block.transactions if full else of_block
        transactions += [transaction_row(*pair, row.height, row.time) for pair in zip(bodies, of_block, strict=True)]
    return LedgerRange(blocks, transactions, full)


async def _receipts_one_by_one(ask: Ask, found: list[Block | None]) -> list[list[Receipt | None]]:
    """For nodes that give no receipts by block (geth before 1.13, Quorum)."""
    hashes = [[each.hash for each in block.transactions if isinstance(each, Body)] if block else [] for block in found]
    flat = [each for of_block in hashes for each in of_block]
    answers: list[Receipt | None] = []
    for begin in range(0, len(flat), RECEIPTS_BATCH):
        calls: list[Call] = [("eth_getTransactionReceipt", [each]) for each in flat[begin : begin + RECEIPTS_BATCH]]
        answers += await ask(calls, RECEIPTS)
    left = iter(answers)
    return [[next(left) for _each in of_block] for of_block in hashes]


def _belong(block: Block, receipts: Any, *, full: bool) -> bool:
    """Whether these are all receipts of this very block, and its transactions as whole as they were asked for."""
    if not isinstance(receipts, list) or len(receipts) != len(block.transactions):
        return False
    return all(each is not None and each.blockHash == block.hash for each in receipts) and (
        not full or all(isinstance(each, Body) for each in block.transactions)
    )
