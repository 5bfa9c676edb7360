"""What nodes answer, as far as it is read here.

A ledger's stretches are parsed straight into these: what else stands in them is passed over, and a form that is none of
these is refused on the way. That costs a fraction of dictionaries of everything, and then looking. Other answers stay
dictionaries, held against `form_of` their call as soon as they come: a node may be anybody's.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from msgspec import Meta, Struct, ValidationError, convert
from msgspec.json import Decoder

from console.errors import PlatformRefused
from platforms.drivers.evm import words as say

T = TypeVar("T")
Quantity = str | int | None
Whole = Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{1,16}$")] | Annotated[int, Meta(ge=0)]


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
    number: Whole
    hash: str
    parentHash: str
    timestamp: Whole
    transactions: list[Body | str]


class FullBlock(Struct, gc=False):
    """With its transactions whole."""

    number: Whole
    hash: str
    parentHash: str
    timestamp: Whole
    transactions: list[Body]


class Answered(Struct, Generic[T], gc=False):
    """One answer of a batch."""

    id: int
    result: T
    error: Any = None


BLOCKS_AND_RECEIPTS = Decoder(list[Answered[Block | list[Receipt | None] | None]])
BLOCKS = Decoder(list[Answered[Block | None]])
RECEIPTS = Decoder(list[Answered[Receipt | None]])
_FORMS: dict[str, Any] = {
    "eth_blockNumber": Whole,
    "eth_chainId": Whole,
    "eth_estimateGas": Whole,
    "eth_getTransactionCount": Whole,
    "net_peerCount": Whole,
    "eth_getBlockTransactionCountByNumber": Whole | None,
    "eth_getTransactionByHash": Body | None,
    "eth_getTransactionReceipt": Receipt | None,
    "clique_getSigners": list[str] | None,
    "ibft_getValidatorsByBlockNumber": list[str] | None,
    "istanbul_getValidators": list[str] | None,
    "qbft_getValidatorsByBlockNumber": list[str] | None,
}
_ALWAYS_THERE = ("latest", "0x0")


def form_of(method: str, given: list[Any]) -> Any:
    """The form that an answer to this call has; Any where nothing is known of it."""
    if method != "eth_getBlockByNumber":
        return _FORMS.get(method, Any)
    block, full = given
    form = FullBlock if full else Block
    return form if block in _ALWAYS_THERE else form | None


def understood(said: Any, form: Any) -> Any:
    """An answer that is there as dictionaries already. PlatformRefused when it has another form."""
    try:
        return convert(said, form)
    except ValidationError as problem:
        raise PlatformRefused(say.NOT_THIS_FORM % {"problem": problem}, code="bad_answer") from problem
