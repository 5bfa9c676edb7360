"""What a chain is asked about its ledger, and what is made of the answers.

Each question is a generator that yields batches of calls and is sent their results: a thread that waits for its
node puts it just as an event loop does (`Reader` and `Watcher`).
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from datetime import datetime
from typing import Any, TypeVar

from console.errors import Missing
from platforms import standard
from platforms.drivers.evm import words as say
from platforms.drivers.evm.answers import Block, Body, Receipt, understood
from platforms.drivers.evm.rows import block_row, moment, transaction_row
from platforms.drivers.evm.rpc import Call, number
from platforms.standard import BlockInfo, TransactionInfo

T = TypeVar("T")
Json = dict[str, Any]
Question = Generator[list[Call], list[Any], T]

COUNT_BATCH = 250  # blocks whose transactions are counted in one batch
NEWEST = 50  # blocks that are searched for the newest transactions


HEAD: list[Call] = [("eth_getBlockByNumber", ["latest", False])]


def head() -> Question[Json]:
    (found,) = yield HEAD
    return found  # type: ignore[no-any-return]


def count(known: tuple[int, int], height: int, *, batches: int) -> Question[tuple[int, int]]:
    """All transactions up to a height, from what is known; a long way is gone in several goes."""
    at, total = known if known[0] <= height else (-1, 0)
    for _batch in range(batches):
        heights = range(at + 1, min(height, at + COUNT_BATCH) + 1)
        if not heights:
            break
        counts = yield [("eth_getBlockTransactionCountByNumber", [hex(each)]) for each in heights]
        at, total = heights[-1], total + sum(map(number, counts))
    return at, total


def blocks(request: standard.ListBlocksRequest) -> Question[standard.BlockPage]:
    """Newest first."""
    (latest,) = yield [("eth_blockNumber", [])]
    top = min(number(latest), request.to_height if request.to_height is not None else number(latest))
    bottom = max(0, request.from_height or 0)
    total = max(0, top - bottom + 1)
    first = top - request.offset
    heights = range(first, max(bottom, first - request.page_size + 1) - 1, -1) if first >= bottom else range(0)
    found = yield [("eth_getBlockByNumber", [hex(height), False]) for height in heights]
    return standard.BlockPage(total=total, items=tuple(_block_info(each) for each in found if each))


def transactions(request: standard.ListTransactionsRequest) -> Question[standard.TransactionPage]:
    """Of one block; or of the newest blocks, newest first."""
    if request.block_height is not None:
        heights: Iterable[int] = [request.block_height]
    else:
        (latest,) = yield [("eth_blockNumber", [])]
        heights = range(number(latest), max(-1, number(latest) - NEWEST), -1)
    found = yield [("eth_getBlockByNumber", [hex(height), True]) for height in heights]
    pairs = [(each, block) for block in found if block for each in block["transactions"]]
    chosen = pairs[request.offset : request.offset + request.page_size]
    receipts = yield [("eth_getTransactionReceipt", [each["hash"]]) for each, _block in chosen]
    items = [_transaction_info(each, receipt, block) for (each, block), receipt in zip(chosen, receipts, strict=True)]
    return standard.TransactionPage(total=len(pairs), items=tuple(items))


def transaction(request: standard.GetTransactionRequest) -> Question[TransactionInfo]:
    found, receipt = yield [
        ("eth_getTransactionByHash", [request.tx_id]),
        ("eth_getTransactionReceipt", [request.tx_id]),
    ]
    if found is None:
        raise Missing(say.NO_TRANSACTION % {"id": request.tx_id})
    at = found.get("blockNumber")
    block = (yield [("eth_getBlockByNumber", [at, False])])[0] if at else None
    return _transaction_info(found, receipt, block)


def _block_info(block: Json) -> BlockInfo:
    return BlockInfo(**block_row(understood(block, Block))._asdict())


def _transaction_info(found: Json, receipt: Json | None, block: Json | None) -> TransactionInfo:
    body, at = understood(found, Body), block_time(block) if block else None
    told = transaction_row(body, understood(receipt, Receipt | None), number(body.blockNumber), at)
    return TransactionInfo(**told._asdict())


def block_time(block: Json) -> datetime:
    return moment(block["timestamp"])
