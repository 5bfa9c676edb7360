"""One reading of one chain: what an observer asks a platform, and what it believes of the answers.

Nothing here touches a row. A `Target` goes in, a `Reading` comes out, so it may run in any thread and be thrown away
at any time. A reading goes on behind the highest block that is stored; when that block is not the chain's any more,
it asks for what else is stored (`look_below`) and walks back to the block that both have.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import math
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from django.utils.translation import gettext_noop

from chains.observing.sound import sound_block, sound_summary, sound_transaction, sound_transactions
from console.errors import ConsoleError, Missing, NotSupported, PlatformRefused
from console.sentences import kept
from platforms import standard
from platforms.drivers.base import Credentials, Driver, read
from platforms.standard import (
    BlockRow,
    Figure,
    LedgerRange,
    LedgerRangeRequest,
    LedgerSummary,
    NodeInfo,
    TransactionRow,
)
from platforms.steps import NOT_UNDERSTOOD

T = TypeVar("T")

logger = logging.getLogger(__name__)

WINDOW = 100  # blocks asked for at once
AHEAD = 8  # such questions that are known beforehand, where they need no thread
TRANSACTIONS_PAGE = 500
MAX_PAGES = 40
KNOWN = 256  # stored blocks that are handed out for walking back, at once
MAX_FIGURES = 50

NOT_STORED = gettext_noop("What the platform answered could not be stored.")
NO_SUCH_CHAIN = kept(gettext_noop("The platform says that there is no such chain: %(problem)s"))
NO_ANSWER = kept(gettext_noop("The platform did not answer within %(seconds)s s."))


Key = tuple[UUID, int]  # a claim, and the chain that it is on


@dataclass(frozen=True)
class Tip:
    """A stored block."""

    height: int
    hash: str


class Head(NamedTuple):
    """A chain as it was told before."""

    height: int
    block_hash: str
    transactions: int
    block_time: datetime | None


NO_CREDENTIALS = Credentials()


@dataclass(frozen=True, repr=False)
class Target:
    """A chain to read, what speaks to its platform, and where the last reading stopped."""

    blockchain: int
    reader: UUID
    platform: int
    chain_id: str
    network_id: str
    driver: Driver = None  # type: ignore[assignment]  # nobody can speak to its platform
    credentials: Credentials = NO_CREDENTIALS
    abilities: frozenset[str] = frozenset()
    tip: Tip | None = None
    before: Head | None = None  # what the last reading said, if it went well
    details: bool = False
    keep_blocks: int = 0
    max_blocks: int = 1
    budget_seconds: float = 0.0
    catch_up_blocks: int = 0  # deeper below the head, details are left for later
    lacking: int | None = None  # the height of transactions whose details are still to be read
    wanted: bool = False  # somebody waits for these
    in_ranges: bool = False  # many blocks come at once, with their transactions
    known: tuple[Tip, ...] | None = None  # stored blocks, highest first: walk back along these

    @property
    def key(self) -> Key:
        return self.reader, self.blockchain


@dataclass
class Reading:
    """What came of it. An error does not undo what was read before it."""

    target: Target
    summary: LedgerSummary | None = None
    blocks: list[BlockRow] = field(default_factory=list)
    transactions: list[TransactionRow] = field(default_factory=list)
    lacks: set[int] = field(default_factory=set)  # heights of blocks whose transactions came without details
    filled: list[TransactionRow] = field(default_factory=list)  # stored already, and now with their details
    fills: range = range(0)  # heights that this is all there is of
    replace_from: int | None = None  # stored blocks from this height on are not the chain's
    look_below: int | None = None  # read again, with the stored blocks at and below this height
    behind: bool = False  # there is more to read at once
    goes_on: bool = False  # the same reading brings more of it: its claim is kept
    nodes: list[NodeInfo] | None = None
    figures: list[Figure] = field(default_factory=list)
    error: str = ""
    missing: bool = False  # the platform says that there is no such chain
    heals: bool = True  # whether asking again soon makes sense

    @property
    def quiet(self) -> bool:
        """Whether it has found nothing new at all."""
        new = self.blocks or self.fills or self.replace_from is not None or self.target.details
        if new or self.error or self.behind or self.goes_on or self.summary is None:
            return False
        said = self.summary
        return self.target.before == (said.height, said.block_hash, said.transactions, said.block_time)

    def absorb(self, later: Reading) -> None:
        """What the same reading has brought since."""
        self.summary = later.summary
        self.blocks += later.blocks
        self.transactions += later.transactions
        self.lacks |= later.lacks
        self.filled, self.fills = self.filled or later.filled, self.fills or later.fills
        self.behind, self.goes_on = later.behind, later.goes_on
        self.nodes, self.figures = later.nodes, later.figures
        self.error, self.missing, self.heals = later.error, later.missing, later.heals


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to the platform, and those that come next if nothing surprising is answered."""

    operation: str
    request: standard.Request
    ahead: tuple[standard.Request, ...] = ()


@functools.lru_cache(maxsize=8192)
def head_of(chain_id: str) -> Ask:
    """What is asked far more often than anything else."""
    return Ask("get_ledger_summary", standard.ChainRequest(chain_id=chain_id))


TAKE = Ask("", standard.EmptyRequest())  # no question: the reading so far is a full portion
Steps = Generator[Ask, Any, T]


def read_chain(target: Target) -> Reading:
    """Ask the platform, one question after the other, for one portion; never raises."""
    reader = Reader(target)
    with reader.failures_noted():
        steps = reader.steps()
        asked = next(steps)
        while True:
            try:
                answer = read(target.driver, asked.operation, asked.request, target.credentials)
            except ConsoleError as problem:
                asked = steps.throw(problem)
            else:
                asked = steps.send(answer)
    return reader.reading


class Reader:
    """The reading as a generator: it yields questions and is sent the answers.

    It ends with the first portion of blocks. Where portions are taken in between (`portions`), it yields `TAKE` when
    one is full, and then goes on in a new `reading`, until its time is spent.
    """

    def __init__(self, target: Target, *, portions: bool = False) -> None:
        self.target, self.reading, self._portions = target, Reading(target), portions
        self._stop_at = time.monotonic() + target.budget_seconds
        self._asked_to = -1  # the height up to which blocks are on their way
        self._inside: dict[int, list[TransactionRow]] = {}  # of blocks that came with their transactions

    def steps(self) -> Steps[None]:
        said = yield head_of(self.target.chain_id)
        self.reading.summary = summary = sound_summary(said)
        if self.target.wanted:
            yield from self._fill()
        if "list_blocks" in self.target.abilities:
            yield from self._follow(summary)
        if not self.target.wanted and not self.reading.behind:
            yield from self._fill()
        if self.target.details and self.reading.look_below is None:
            yield from self._read_details()

    @contextlib.contextmanager
    def failures_noted(self) -> Iterator[None]:
        """What goes wrong in this block ends the reading and stands in it."""
        target, reading = self.target, lambda: self.reading
        try:
            yield
        except StopIteration:
            pass
        except Missing as problem:
            reading().missing, reading().heals = reading().summary is None, False
            reading().error = NO_SUCH_CHAIN % {"problem": problem.detail} if reading().missing else problem.detail
        except NotSupported as problem:
            reading().error, reading().heals = problem.detail, False
        except ConsoleError as problem:
            if problem.code in NOT_UNDERSTOOD:
                logger.warning("chain %s: %s", target.blockchain, problem.for_operators)
            reading().error = problem.detail
        except Exception as problem:  # whatever a platform's nonsense breaks must not end the observer
            logger.exception("reading chain %s failed unexpectedly", target.blockchain)
            reading().error = f"{type(problem).__name__}: {problem}"

    @property
    def _spent(self) -> bool:
        return time.monotonic() >= self._stop_at

    def _ends(self, height: int) -> bool:
        """Whether the time is over before this block; what has been asked ahead is still taken in."""
        return height > self._asked_to and self._spent

    # --- blocks -----------------------------------------------------------------------------------------------------

    def _follow(self, summary: LedgerSummary) -> Steps[None]:
        """Read behind the stored head, or say that the stored head is not the chain's."""
        tip = self.target.tip
        if self.target.known is not None:
            tip = yield from self._common(self.target.known)
        elif tip is not None and _has_left(tip, summary):
            self.reading.look_below = min(tip.height, summary.height)
        if self.reading.look_below is None:
            yield from self._read_on(tip, summary.height)

    def _common(self, known: Sequence[Tip]) -> Steps[Tip | None]:
        """The highest stored block that the platform has as well; everything above it is to be replaced."""
        for start in range(0, len(known), WINDOW):
            window = known[start : start + WINDOW]
            theirs = yield from self._blocks(window[-1].height, window[0].height)
            for tip in window:
                if tip.height in theirs and theirs[tip.height].hash == tip.hash:
                    self.reading.replace_from = tip.height + 1
                    return tip
        if len(known) == KNOWN:
            self.reading.look_below = known[-1].height - 1
        else:
            self.reading.replace_from = 0
        return None

    def _read_on(self, tip: Tip | None, head: int) -> Steps[None]:
        """Blocks and their transactions in rising order, each linked to the one before it."""
        position = tip.height + 1 if tip else 0
        if self.target.keep_blocks:
            position = max(position, head - self.target.keep_blocks + 1)
        jumped = False
        while position <= head and self.reading.look_below is None:
            found = yield from self._window(position, head)
            if not found:
                if jumped:
                    return
                # The platform does not show these blocks (any more): go on with the newest ones.
                position, jumped = max(position + WINDOW, head - WINDOW + 1), True
                continue
            taken = yield from self._take(found, max(position, min(found)), tip)
            if taken is None:
                return
            tip, position = taken, taken.height + 1
            full = len(self.reading.blocks) >= self.target.max_blocks
            if position <= head and (self._ends(position) or (full and not self._portions)):
                self.reading.behind = True
                return
            if position <= head and full:
                self.reading.goes_on = True
                yield TAKE
                self.reading = Reading(self.target, self.reading.summary)

    def _take(self, found: dict[int, BlockRow], height: int, tip: Tip | None) -> Steps[Tip | None]:
        """Keep the blocks from `height` on; the new tip, or None when they do not go on where `tip` stands."""
        if tip and tip.height == height - 1 and not (yield from self._linked(tip, found[height])):
            if tip == self.target.tip and self.target.known is None:
                self.reading.look_below = tip.height
            self.reading.behind = True  # reorganised under our hands: the next reading sees it
            return None
        while (block := found.get(height)) is not None and not (self._ends(height) and self.reading.blocks):
            yield from self._keep(block)
            tip, height = Tip(height, block.hash), height + 1
        return tip

    def _linked(self, tip: Tip, block: BlockRow) -> Steps[bool]:
        """Whether the block follows the tip. A platform that stands by both is believed, whatever it calls parent."""
        if block.parent_hash in ("", tip.hash):
            return True
        theirs = (yield from self._blocks(tip.height, tip.height)).get(tip.height)
        return theirs is not None and theirs.hash == tip.hash

    def _keep(self, block: BlockRow) -> Steps[None]:
        """A block with its transactions: whoever is stored has all of them."""
        inside = self._inside.pop(block.height, None)
        if inside is None and block.transactions and "list_transactions" in self.target.abilities:
            inside = yield from self._transactions(block)
        self.reading.transactions += inside or ()
        self.reading.blocks.append(block)

    def _window(self, low: int, head: int) -> Steps[dict[int, BlockRow]]:
        """The next blocks up to the head, by height; from where they come at once, with their transactions."""
        if not self.target.in_ranges:
            return (yield from self._blocks(low, min(low + WINDOW - 1, head)))
        self._inside.clear()
        if not self._spent:
            self._asked_to = min(head, low + (AHEAD + 1) * WINDOW - 1)
        asked, *ahead = (self._range(begin, head) for begin in range(low, max(low, self._asked_to) + 1, WINDOW))
        said: LedgerRange = yield Ask("get_ledger_range", asked, tuple(ahead))
        blocks = [sound_block(block) for block in said.blocks]
        if not said.full:
            self.reading.lacks.update(block.height for block in blocks)
        self._inside = {block.height: [] for block in blocks}
        for each in sound_transactions(said.transactions):
            self._inside[each.block_height].append(each)
        return {block.height: block for block in blocks}

    def _range(self, low: int, head: int) -> LedgerRangeRequest:
        high = min(low + WINDOW - 1, head)
        full = high > head - self.target.catch_up_blocks
        return LedgerRangeRequest(chain_id=self.target.chain_id, from_height=low, to_height=high, full=full)

    def _fill(self) -> Steps[None]:
        """What was left for later: the blocks below the one that is named. A platform that refuses gives none of it."""
        top, target = self.target.lacking, self.target
        if top is None or not target.in_ranges or self.reading.look_below is not None:
            return
        low = max(0, top - WINDOW + 1)
        request = LedgerRangeRequest(chain_id=target.chain_id, from_height=low, to_height=top)
        try:
            said: LedgerRange = yield Ask("get_ledger_range", request)
            self.reading.filled = sound_transactions(said.transactions)
        except PlatformRefused as problem:
            logger.warning("details of chain %s from %s to %s: %s", target.blockchain, low, top, problem.for_operators)
        self.reading.fills = range(low, top + 1)

    def _blocks(self, low: int, high: int) -> Steps[dict[int, BlockRow]]:
        """The blocks from `low` to `high`, by height, also from platforms that ignore the range or cut the page."""
        found: dict[int, BlockRow] = {}
        seen: set[int] = set()
        for page in range(1, MAX_PAGES + 1):
            request = standard.ListBlocksRequest(
                chain_id=self.target.chain_id, page=page, page_size=WINDOW, from_height=low, to_height=high
            )
            said = yield Ask("list_blocks", request)
            blocks = [sound_block(block) for block in said.items]
            found.update({block.height: block for block in blocks if low <= block.height <= high})
            heights = {block.height for block in blocks}
            if len(found) == high - low + 1 or heights <= seen:
                break
            seen |= heights
        return found

    def _transactions(self, block: BlockRow) -> Steps[list[TransactionRow]]:
        found: dict[str, TransactionRow] = {}
        seen: set[str] = set()
        for page in range(1, MAX_PAGES + 1):
            request = standard.ListTransactionsRequest(
                chain_id=self.target.chain_id, page=page, page_size=TRANSACTIONS_PAGE, block_height=block.height
            )
            items = (yield Ask("list_transactions", request)).items
            found.update({item.tx_id: sound_transaction(item) for item in items if item.block_height == block.height})
            names = {item.tx_id for item in items}
            if len(found) >= block.transactions or names <= seen:
                break
            seen |= names
        found.pop("", None)
        return list(found.values())

    # --- nodes and monitoring ---------------------------------------------------------------------------------------

    def _read_details(self) -> Steps[None]:
        """Nodes and figures; what a platform cannot say of these leaves the ledger's reading as it is."""
        target = self.target
        try:
            if "list_nodes" in target.abilities:
                asked = standard.ListNodesRequest(network_id=target.network_id, chain_id=target.chain_id)
                nodes: Iterable[NodeInfo] = (yield Ask("list_nodes", asked)).items
                self.reading.nodes = [node for node in nodes if node.chain_id in ("", target.chain_id)]
            if "get_monitoring" in target.abilities:
                monitoring = yield Ask("get_monitoring", standard.ChainRequest(chain_id=target.chain_id))
                figures = [figure for figure in monitoring.figures if figure.name and math.isfinite(figure.value)]
                self.reading.figures = figures[:MAX_FIGURES]
        except ConsoleError as problem:
            logger.warning("nodes or monitoring of chain %s: %s", target.blockchain, problem.for_operators)


def _has_left(tip: Tip, summary: LedgerSummary) -> bool:
    """Whether the chain is shorter than what is stored, or has another block in its place."""
    if summary.height < tip.height:
        return True
    return summary.height == tip.height and summary.block_hash not in ("", tip.hash)
