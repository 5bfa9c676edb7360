"""What a chain is asked about its ledger, and what is made of the answers.

Each question is a generator that yields batches of calls and is sent their results: a thread that waits for its
node puts it just as an event loop does (`Reader` and `Watcher`).
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic_core import to_json

from console.errors import Missing
from platforms import standard
from platforms.drivers.evm import words as say
from platforms.drivers.evm.rpc import Call, number
from platforms.standard import BlockInfo, TransactionInfo

T = TypeVar("T")
Json = dict[str, Any]
Question = Generator[list[Call], list[Any], T]

COUNT_BATCH = 250  # blocks whose transactions are counted in one batch
NEWEST = 50  # blocks that are searched for the newest transactions
RECEIPTS_BATCH = 500


def head() -> Question[Json]:
    (found,) = yield [("eth_getBlockByNumber", ["latest", False])]
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
    return standard.BlockPage(total=total, items=tuple(block_info(each) for each in found if each))


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
    items = [transaction_info(each, receipt, block) for (each, block), receipt in zip(chosen, receipts, strict=True)]
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
    return transaction_info(found, receipt, block)


def stretch(request: standard.LedgerRangeRequest, *, by_block: bool) -> Question[standard.LedgerRange]:
    """Blocks with all that is in them. `by_block`: the node gives the receipts of a block in one answer."""
    full = request.full or not by_block
    names = [hex(height) for height in range(request.from_height, request.to_height + 1)]
    calls: list[Call] = [("eth_getBlockByNumber", [name, full]) for name in names]
    if by_block:
        calls += [("eth_getBlockReceipts", [name]) for name in names]
    answers = yield calls
    found = answers[: len(names)]
    receipts = answers[len(names) :] if by_block else (yield from _receipts_one_by_one(found))
    kept_blocks: list[BlockInfo] = []
    kept: list[TransactionInfo] = []
    for block, of_block in zip(found, receipts, strict=True):
        if not block or not _belong(block, of_block):
            break  # the chain changed between two answers: what comes now is not what came before
        at = block_time(block)
        kept_blocks.append(block_info(block))
        bodies = block["transactions"] if full else of_block
        kept += [transaction_info(*pair, block, at) for pair in zip(bodies, of_block, strict=True)]
    return standard.LedgerRange(blocks=tuple(kept_blocks), transactions=tuple(kept), full=full)


def _receipts_one_by_one(found: list[Json | None]) -> Question[list[list[Json]]]:
    """For nodes that give no receipts by block (geth before 1.13, Quorum)."""
    hashes = [[each["hash"] for each in block["transactions"]] if block else [] for block in found]
    flat = [each for of_block in hashes for each in of_block]
    answers: list[Json] = []
    for begin in range(0, len(flat), RECEIPTS_BATCH):
        answers += yield [("eth_getTransactionReceipt", [each]) for each in flat[begin : begin + RECEIPTS_BATCH]]
    left = iter(answers)
    return [[next(left) for _each in of_block] for of_block in hashes]


def _belong(block: Json, receipts: list[Json | None] | None) -> bool:
    """Whether these are the receipts of this very block, all of them."""
    if receipts is None or len(receipts) != len(block["transactions"]):
        return False
    return all(each and each["blockHash"] == block["hash"] for each in receipts)


# --- what is made of the answers --------------------------------------------------------------------------------------


def block_time(block: Json) -> datetime:
    return datetime.fromtimestamp(number(block["timestamp"]), UTC)


def block_info(block: Json) -> BlockInfo:
    return BlockInfo(
        height=number(block["number"]),
        hash=block["hash"],
        parent_hash=block["parentHash"],
        time=block_time(block),
        transactions=len(block["transactions"]),
    )


def transaction_info(
    found: Json, receipt: Json | None, block: Json | None, at: datetime | None = None
) -> TransactionInfo:
    """From a transaction and its receipt. A receipt may stand for both; what it does not tell stays empty."""
    status: standard.TransactionStatus = "pending"
    extra: Json = {}
    if receipt:
        status = "failed" if receipt.get("status") == "0x0" else "committed"
        extra = {"gasUsed": number(receipt["gasUsed"])}
        if "nonce" in found:
            extra["nonce"] = number(found["nonce"])
        if logs := receipt.get("logs"):
            extra["logs"] = [{name: each.get(name) for name in ("address", "topics", "data")} for each in logs]
    return TransactionInfo(
        tx_id=found["hash"] if "hash" in found else found["transactionHash"],
        block_height=number(found.get("blockNumber")),
        index=number(found.get("transactionIndex")),
        time=at or (block_time(block) if block else None),
        status=status,
        sender=found.get("from") or "",
        to=found.get("to") or "",
        value=str(number(found["value"])) if "value" in found else "",
        input=found.get("input") or "",
        contract=(receipt or {}).get("contractAddress") or "",
        extrainfo=to_json(extra).decode() if extra else "",
    )
