"""Rows of blocks and transactions, from what nodes answer about them."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import UNSET, Struct, UnsetType
from msgspec.json import Encoder

from console.errors import PlatformRefused
from platforms.drivers.evm import words as say
from platforms.drivers.evm.answers import Block, Body, Log, Quantity, Receipt
from platforms.drivers.evm.rpc import BAD_ANSWER, number
from platforms.standard import BlockRow, TransactionRow

_TO_JSON = Encoder()


class _Extra(Struct, gc=False):
    """What only this kind of chain tells of a transaction."""

    gasUsed: int
    nonce: int | UnsetType
    logs: list[Log] | UnsetType


def moment(timestamp: Quantity) -> datetime:
    """PlatformRefused for one that no calendar has."""
    try:
        return datetime.fromtimestamp(number(timestamp), UTC)
    except (ValueError, OverflowError, OSError) as problem:
        raise PlatformRefused(say.NOT_THIS_FORM % {"problem": problem}, code=BAD_ANSWER) from problem


def block_row(block: Block) -> BlockRow:
    return BlockRow(
        height=number(block.number),
        hash=block.hash,
        parent_hash=block.parentHash,
        time=moment(block.timestamp),
        transactions=len(block.transactions),
    )


def transaction_row(found: Body | Receipt, receipt: Receipt | None, height: int, at: datetime | None) -> TransactionRow:
    """From a transaction and its receipt. A receipt may stand for both; what it does not tell stays empty."""
    body = found if isinstance(found, Body) else None
    return TransactionRow(
        tx_id=found.hash,
        block_height=height,
        index=number(found.transactionIndex),
        time=at,
        status="pending" if receipt is None else "failed" if receipt.status == "0x0" else "committed",
        sender=found.sender or "",
        to=found.to or "",
        value=str(number(body.value)) if body else "",
        input=(body.input or "") if body else "",
        contract=(receipt.contractAddress or "") if receipt else "",
        extrainfo=_extra(receipt, body) if receipt else "",
    )


def _extra(receipt: Receipt, body: Body | None) -> str:
    nonce = number(body.nonce) if body else UNSET
    return _TO_JSON.encode(_Extra(number(receipt.gasUsed), nonce, receipt.logs or UNSET)).decode()
