"""What nodes answer about a ledger, as far as it is read here.

Answers are parsed straight into these: what else stands in them is passed over, and a form that is none of these is
refused on the way. That costs a fraction of dictionaries of everything, and then looking.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from msgspec import Struct, ValidationError, convert
from msgspec.json import Decoder

from console.errors import PlatformRefused
from platforms.drivers.evm import words as say

T = TypeVar("T")
Quantity = str | int | None


class Log(Struct, gc=False):
    address: str | None = None
    topics: list[str] | None = None
    data: str | None = None


class Body(Struct, gc=False, rename={"sender": "from"}):
    """A transaction as it was sent."""

    hash: str
    value: Quantity
    nonce: Quantity
    blockNumber: Quantity = None
    transactionIndex: Quantity = None
    sender: str | None = None
    to: str | None = None
    input: str | None = None


class Receipt(Struct, gc=False, rename={"sender": "from", "hash": "transactionHash"}):
    """What became of a transaction."""

    hash: str
    blockHash: str
    gasUsed: Quantity
    blockNumber: Quantity = None
    transactionIndex: Quantity = None
    sender: str | None = None
    to: str | None = None
    contractAddress: str | None = None
    status: Quantity = None
    logs: list[Log] | None = None


class Block(Struct, gc=False):
    number: Quantity
    hash: str
    parentHash: str
    timestamp: Quantity
    transactions: list[Body | str]


class Answered(Struct, Generic[T], gc=False):
    """One answer of a batch."""

    id: int
    result: T
    error: Any = None


BLOCKS_AND_RECEIPTS = Decoder(list[Answered[Block | list[Receipt | None] | None]])
BLOCKS = Decoder(list[Answered[Block | None]])
RECEIPTS = Decoder(list[Answered[Receipt | None]])


def understood(said: Any, form: Any) -> Any:
    """An answer that is there as dictionaries already. PlatformRefused when it has another form."""
    try:
        return convert(said, form)
    except ValidationError as problem:
        raise PlatformRefused(say.NOT_THIS_FORM % {"problem": problem}, code="bad_answer") from problem
