"""One reading of one chain: what an observer asks a platform, and what it believes of the answers.

Nothing here touches a row. A `Target` goes in, a `Reading` comes out, so it may run in any thread and be thrown away
at any time. A reading goes on behind the highest block that is stored; when that block is not the chain's any more,
it asks for what else is stored (`look_below`) and walks back to the block that both have.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_noop

from console.errors import ConsoleError, Missing, NotSupported, PlatformRefused
from console.sentences import kept
from platforms import standard
from platforms.drivers.base import Credentials, Driver, read
from platforms.standard import BlockInfo, Figure, LedgerSummary, NodeInfo, TransactionInfo
from platforms.steps import NOT_UNDERSTOOD

logger = logging.getLogger(__name__)

WINDOW = 100  # blocks asked for at once
TRANSACTIONS_PAGE = 500
MAX_PAGES = 40
KNOWN = 256  # stored blocks that are handed out for walking back, at once
MAX_HEIGHT = 2**63 - 1
MAX_COUNT = 2**31 - 1
MAX_FIGURES = 50
YEARS = range(1990, 2200)  # a block's time outside is no time

BAD_NUMBER = kept(gettext_noop("The platform answered with %(value)s as %(name)s."))
NOT_STORED = gettext_noop("What the platform answered could not be stored.")
NO_SUCH_CHAIN = kept(gettext_noop("The platform says that there is no such chain: %(problem)s"))
NO_ANSWER = kept(gettext_noop("The platform did not answer within %(seconds)s s."))


@dataclass(frozen=True)
class Tip:
    """A stored block."""

    height: int
    hash: str


@dataclass(frozen=True, repr=False)
class Target:
    """A chain to read, what speaks to its platform, and where the last reading stopped."""

    blockchain: int
    reader: UUID
    platform: int
    chain_id: str
    network_id: str
    driver: Driver
    credentials: Credentials
    abilities: frozenset[str]
    tip: Tip | None
    details: bool
    keep_blocks: int
    max_blocks: int
    budget_seconds: float
    known: tuple[Tip, ...] | None = None  # stored blocks, highest first: walk back along these


@dataclass
class Reading:
    """What came of it. An error does not undo what was read before it."""

    target: Target
    summary: LedgerSummary | None = None
    blocks: list[BlockInfo] = field(default_factory=list)
    transactions: list[TransactionInfo] = field(default_factory=list)
    replace_from: int | None = None  # stored blocks from this height on are not the chain's
    look_below: int | None = None  # read again, with the stored blocks at and below this height
    behind: bool = False  # there is more to read at once
    nodes: list[NodeInfo] | None = None
    figures: list[Figure] = field(default_factory=list)
    error: str = ""
    missing: bool = False  # the platform says that there is no such chain
    heals: bool = True  # whether asking again soon makes sense


def read_chain(target: Target) -> Reading:
    """Ask the platform; never raises."""
    reading = Reading(target)
    try:
        _Reader(target, reading).go()
    except Missing as problem:
        reading.missing, reading.heals = reading.summary is None, False
        reading.error = NO_SUCH_CHAIN % {"problem": problem.detail} if reading.missing else problem.detail
    except NotSupported as problem:
        reading.error, reading.heals = problem.detail, False
    except ConsoleError as problem:
        if problem.code in NOT_UNDERSTOOD:
            logger.warning("chain %s: %s", target.blockchain, problem.for_operators)
        reading.error = problem.detail
    except Exception as problem:  # whatever a platform's nonsense breaks must not end the observer
        logger.exception("reading chain %s failed unexpectedly", target.blockchain)
        reading.error = f"{type(problem).__name__}: {problem}"
    return reading


class _Reader:
    def __init__(self, target: Target, reading: Reading) -> None:
        self.target, self.reading = target, reading
        self._stop_at = time.monotonic() + target.budget_seconds

    def go(self) -> None:
        summary = sound_summary(self._ask("get_ledger_summary", standard.ChainRequest(chain_id=self.target.chain_id)))
        self.reading.summary = summary
        if "list_blocks" in self.target.abilities:
            self._follow(summary)
        if self.target.details and self.reading.look_below is None:
            self._read_details()

    def _ask(self, operation: str, request: standard.Request) -> Any:
        return read(self.target.driver, operation, request, self.target.credentials)

    @property
    def _spent(self) -> bool:
        return time.monotonic() >= self._stop_at

    # --- blocks -----------------------------------------------------------------------------------------------------

    def _follow(self, summary: LedgerSummary) -> None:
        """Read behind the stored head, or say that the stored head is not the chain's."""
        tip = self.target.tip
        if self.target.known is not None:
            tip = self._common(self.target.known)
        elif tip is not None and _has_left(tip, summary):
            self.reading.look_below = min(tip.height, summary.height)
        if self.reading.look_below is None:
            self._read_on(tip, summary.height)

    def _common(self, known: Sequence[Tip]) -> Tip | None:
        """The highest stored block that the platform has as well; everything above it is to be replaced."""
        for start in range(0, len(known), WINDOW):
            window = known[start : start + WINDOW]
            theirs = self._blocks(window[-1].height, window[0].height)
            for tip in window:
                if tip.height in theirs and theirs[tip.height].hash == tip.hash:
                    self.reading.replace_from = tip.height + 1
                    return tip
        if len(known) == KNOWN:
            self.reading.look_below = known[-1].height - 1
        else:
            self.reading.replace_from = 0
        return None

    def _read_on(self, tip: Tip | None, head: int) -> None:
        """Blocks and their transactions in rising order, each linked to the one before it."""
        position = tip.height + 1 if tip else 0
        if self.target.keep_blocks:
            position = max(position, head - self.target.keep_blocks + 1)
        jumped = False
        while position <= head and self.reading.look_below is None:
            found = self._blocks(position, min(position + WINDOW - 1, head))
            if not found:
                if jumped:
                    return
                # The platform does not show these blocks (any more): go on with the newest ones.
                position, jumped = max(position + WINDOW, head - WINDOW + 1), True
                continue
            taken = self._take(found, max(position, min(found)), tip)
            if taken is None:
                return
            tip, position = taken, taken.height + 1
            if self._spent or len(self.reading.blocks) >= self.target.max_blocks:
                self.reading.behind = position <= head
                return

    def _take(self, found: dict[int, BlockInfo], height: int, tip: Tip | None) -> Tip | None:
        """Keep the blocks from `height` on; the new tip, or None when they do not go on where `tip` stands."""
        if tip and tip.height == height - 1 and not self._linked(tip, found[height]):
            if tip == self.target.tip and self.target.known is None:
                self.reading.look_below = tip.height
            self.reading.behind = True  # reorganised under our hands: the next reading sees it
            return None
        while (block := found.get(height)) is not None and not (self._spent and self.reading.blocks):
            self._keep(block)
            tip, height = Tip(height, block.hash), height + 1
        return tip

    def _linked(self, tip: Tip, block: BlockInfo) -> bool:
        """Whether the block follows the tip. A platform that stands by both is believed, whatever it calls parent."""
        if block.parent_hash in ("", tip.hash):
            return True
        theirs = self._blocks(tip.height, tip.height).get(tip.height)
        return theirs is not None and theirs.hash == tip.hash

    def _keep(self, block: BlockInfo) -> None:
        """A block with its transactions: whoever is stored has all of them."""
        if block.transactions and "list_transactions" in self.target.abilities:
            self.reading.transactions += self._transactions(block)
        self.reading.blocks.append(block)

    def _blocks(self, low: int, high: int) -> dict[int, BlockInfo]:
        """The blocks from `low` to `high`, by height, also from platforms that ignore the range or cut the page."""
        found: dict[int, BlockInfo] = {}
        seen: set[int] = set()
        for page in range(1, MAX_PAGES + 1):
            request = standard.ListBlocksRequest(
                chain_id=self.target.chain_id, page=page, page_size=WINDOW, from_height=low, to_height=high
            )
            blocks = [sound_block(block) for block in self._ask("list_blocks", request).items]
            found.update({block.height: block for block in blocks if low <= block.height <= high})
            heights = {block.height for block in blocks}
            if len(found) == high - low + 1 or heights <= seen:
                break
            seen |= heights
        return found

    def _transactions(self, block: BlockInfo) -> list[TransactionInfo]:
        found: dict[str, TransactionInfo] = {}
        seen: set[str] = set()
        for page in range(1, MAX_PAGES + 1):
            request = standard.ListTransactionsRequest(
                chain_id=self.target.chain_id, page=page, page_size=TRANSACTIONS_PAGE, block_height=block.height
            )
            items = self._ask("list_transactions", request).items
            found.update({item.tx_id: sound_transaction(item) for item in items if item.block_height == block.height})
            names = {item.tx_id for item in items}
            if len(found) >= block.transactions or names <= seen:
                break
            seen |= names
        found.pop("", None)
        return list(found.values())

    # --- nodes and monitoring ---------------------------------------------------------------------------------------

    def _read_details(self) -> None:
        """Nodes and figures; what a platform cannot say of these leaves the ledger's reading as it is."""
        target = self.target
        try:
            if "list_nodes" in target.abilities:
                asked = standard.ListNodesRequest(network_id=target.network_id, chain_id=target.chain_id)
                nodes: Iterable[NodeInfo] = self._ask("list_nodes", asked).items
                self.reading.nodes = [node for node in nodes if node.chain_id in ("", target.chain_id)]
            if "get_monitoring" in target.abilities:
                monitoring = self._ask("get_monitoring", standard.ChainRequest(chain_id=target.chain_id))
                figures = [figure for figure in monitoring.figures if figure.name and math.isfinite(figure.value)]
                self.reading.figures = figures[:MAX_FIGURES]
        except ConsoleError as problem:
            logger.warning("nodes or monitoring of chain %s: %s", target.blockchain, problem.for_operators)


def _has_left(tip: Tip, summary: LedgerSummary) -> bool:
    """Whether the chain is shorter than what is stored, or has another block in its place."""
    if summary.height < tip.height:
        return True
    return summary.height == tip.height and summary.block_hash not in ("", tip.hash)


# --- what is believed -------------------------------------------------------------------------------------------------


def sound_summary(summary: LedgerSummary) -> LedgerSummary:
    _require_number("height", summary.height, MAX_HEIGHT)
    _require_number("transactions", summary.transactions, MAX_HEIGHT)
    return summary.model_copy(
        update={"block_hash": text(summary.block_hash, 100), "block_time": plausible(summary.block_time)}
    )


def sound_block(block: BlockInfo) -> BlockInfo:
    _require_number("height", block.height, MAX_HEIGHT)
    _require_number("transactions", block.transactions, MAX_COUNT)
    return block.model_copy(
        update={
            "hash": text(block.hash, 100),
            "parent_hash": text(block.parent_hash, 100),
            "time": plausible(block.time),
        }
    )


def sound_transaction(transaction: TransactionInfo) -> TransactionInfo:
    _require_number("index", transaction.index, MAX_COUNT)
    short = {name: text(getattr(transaction, name), 100) for name in ("tx_id", "sender", "to", "value", "contract")}
    long = {name: text(getattr(transaction, name), 1_000_000) for name in ("input", "extrainfo")}
    return transaction.model_copy(update={**short, **long, "time": plausible(transaction.time)})


def _require_number(name: str, value: int, limit: int) -> None:
    if not 0 <= value <= limit:
        raise PlatformRefused(BAD_NUMBER % {"value": value, "name": name}, code="bad_answer")


def text(value: str, limit: int) -> str:
    """No longer than the column, and without the one character that PostgreSQL does not store."""
    return value.replace("\x00", "")[:limit]


def plausible(value: datetime | None) -> datetime | None:
    return value.astimezone(UTC) if value is not None and value.year in YEARS else None
