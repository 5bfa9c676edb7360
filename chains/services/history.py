"""A ledger's statistics, counted block by block behind the observers, and taken back when the chain takes back.

Counting has a mark for each chain (`LedgerTally`): what lies at or below it is in the figures, what lies above is not.
Blocks are added once, whoever counts however often; a reorganisation subtracts what it takes off, in the transaction
that takes it off; throwing old blocks away never touches the figures, and waits until they are in them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from chains.models import (
    Block,
    Blockchain,
    DroppedTransaction,
    LedgerGap,
    LedgerStatistic,
    LedgerTally,
    Period,
    Reorganisation,
    Transaction,
    TransactionStatus,
)
from chains.reads import LENGTH
from console.transactions import joins_transaction, use_case

PORTION = 2000  # blocks that are counted in one transaction
SENDERS_OF = 50_000  # transactions of a period whose senders are told apart
KEPT_DROPPED = 5000  # transactions that a reorganisation remembers by their hashes


def start_of(period: str, moment: datetime) -> datetime:
    """The beginning of the hour or day, of UTC, that the moment is in."""
    hour = moment.replace(minute=0, second=0, microsecond=0)
    return hour if period == Period.HOUR else hour.replace(hour=0)


# --- counting ---------------------------------------------------------------------------------------------------------


@dataclass
class _Sum:
    """What a portion adds to one period."""

    heights: list[int] = field(default_factory=list)
    transactions: int = 0
    failed: int = 0


def uncounted(number: int) -> list[int]:
    """Chains with stored blocks above their mark."""
    highest = Block.objects.filter(blockchain=OuterRef("pk")).order_by("-height").values("height")[:1]
    rows = Blockchain.objects.annotate(stored=Subquery(highest)).filter(stored__isnull=False)
    behind = rows.filter(Q(tally=None) | Q(tally__counted_to=None) | Q(stored__gt=F("tally__counted_to")))
    return list(behind.order_by("pk").values_list("pk", flat=True)[:number])


@use_case
def count_chain(blockchain_id: int, *, portion: int = PORTION) -> int:
    """Add the next blocks above the mark to the figures; returns how many."""
    tally = locked_tally(blockchain_id)
    rows = Block.objects.filter(blockchain=blockchain_id)
    if tally.counted_to is not None:
        rows = rows.filter(height__gt=tally.counted_to)
    found = list(rows.order_by("height").values_list("height", "time", "transactions_count")[:portion])
    if not found:
        return 0
    _add(blockchain_id, found)
    _note_gaps(blockchain_id, tally.counted_to, [height for height, _time, _number in found])
    tally.counted_to, tally.counted_at = found[-1][0], timezone.now()
    tally.save()
    return len(found)


@joins_transaction
def locked_tally(blockchain_id: int) -> LedgerTally:
    """The chain's mark, for whoever counts, takes back or throws away: one at a time."""
    LedgerTally.objects.get_or_create(blockchain_id=blockchain_id)
    return LedgerTally.objects.select_for_update().get(blockchain=blockchain_id)


def _add(blockchain_id: int, found: list[tuple[int, datetime | None, int]]) -> None:
    failed = _failed_by_height(blockchain_id, found[0][0], found[-1][0])
    sums: dict[tuple[str, datetime], _Sum] = {}
    for height, moment, number in found:
        if moment is None:
            continue  # nobody knows when that was
        for period in Period.values:
            into = sums.setdefault((period, start_of(period, moment)), _Sum())
            into.heights.append(height)
            into.transactions += number
            into.failed += failed.get(height, 0)
    starts = {start for _period, start in sums}
    known = LedgerStatistic.objects.filter(blockchain=blockchain_id, start__in=starts)
    rows = {(row.period, row.start): row for row in known}
    for key, each in sums.items():
        row = rows.get(key)
        if row is None:
            row = rows[key] = LedgerStatistic(
                blockchain_id=blockchain_id, period=key[0], start=key[1], from_height=min(each.heights), to_height=0
            )
        row.from_height = min(row.from_height, *each.heights)
        row.to_height = max(row.to_height, *each.heights)
        row.blocks += len(each.heights)
        row.transactions += each.transactions
        row.failed += each.failed
        row.senders_due = True
    touched = [rows[key] for key in sums]
    changed = ["from_height", "to_height", "blocks", "transactions", "failed", "senders_due"]
    # Known rows first: to create a row gives it its key.
    LedgerStatistic.objects.bulk_update([row for row in touched if row.pk is not None], changed)
    LedgerStatistic.objects.bulk_create([row for row in touched if row.pk is None])


def _failed_by_height(blockchain_id: int, low: int, high: int) -> dict[int, int]:
    rows = Transaction.objects.filter(
        blockchain=blockchain_id, height__gte=low, height__lte=high, status=TransactionStatus.FAILED
    )
    return dict(rows.order_by().values_list("height").annotate(Count("pk")))


def _note_gaps(blockchain_id: int, mark: int | None, heights: list[int]) -> None:
    """Where one block does not follow the other. What lies below the first of all is history, not a gap."""
    before = [mark if mark is not None else heights[0] - 1, *heights[:-1]]
    LedgerGap.objects.bulk_create(
        (
            LedgerGap(blockchain_id=blockchain_id, from_height=low + 1, to_height=high - 1)
            for low, high in zip(before, heights, strict=True)
            if high > low + 1
        ),
        ignore_conflicts=True,
    )


# --- senders ----------------------------------------------------------------------------------------------------------


def count_senders(number: int, *, now: datetime | None = None) -> int:
    """Tell the senders of some periods apart that are over and have not been touched since; returns how many."""
    now = now or timezone.now()
    over = Q(period=Period.HOUR, start__lt=now - 2 * LENGTH[Period.HOUR])
    over |= Q(period=Period.DAY, start__lt=now - LENGTH[Period.DAY] - LENGTH[Period.HOUR])
    found = list(LedgerStatistic.objects.filter(over, senders_due=True).order_by("pk").values_list("pk", flat=True))
    for pk in found[:number]:
        _count_senders_of(pk)
    return len(found[:number])


@use_case
def _count_senders_of(pk: int) -> None:
    row = LedgerStatistic.objects.filter(pk=pk).first()
    if row is None:
        return
    locked_tally(row.blockchain_id)
    row = LedgerStatistic.objects.filter(pk=pk).first()
    if row is not None:
        row.senders, row.senders_due = _senders_of(row), False
        row.save(update_fields=["senders", "senders_due"])


def _senders_of(row: LedgerStatistic) -> int | None:
    """None where there are too many transactions to look at each, or some are not kept any more."""
    stored = Block.objects.filter(blockchain=row.blockchain_id)
    lowest = stored.order_by("height").values_list("height", flat=True).first()
    if row.transactions > SENDERS_OF or lowest is None or lowest > row.from_height:
        return None
    inside = {"height__gte": row.from_height, "height__lte": row.to_height}
    rows = Transaction.objects.filter(blockchain=row.blockchain_id, **inside).exclude(sender="")
    blocks = _in_period(stored.filter(**inside), row).values("height")
    return rows.filter(height__in=blocks).aggregate(number=Count("sender", distinct=True))["number"]


# --- taking back ------------------------------------------------------------------------------------------------------


@joins_transaction
def forget_from(blockchain_id: int, height: int, *, now: datetime) -> None:
    """Blocks from a height on are not the chain's: they go, with their transactions and what they added to figures.

    That it happened is kept, and which transactions it took along.
    """
    gone = Block.objects.filter(blockchain=blockchain_id, height__gte=height)
    if not gone.exists():
        return
    tally = locked_tally(blockchain_id)
    if tally.counted_to is not None and tally.counted_to >= height:
        _subtract(blockchain_id, height, tally.counted_to)
        tally.counted_to = height - 1 if height else None
        tally.save()
    LedgerGap.objects.filter(blockchain=blockchain_id, from_height__gte=height).delete()
    LedgerGap.objects.filter(blockchain=blockchain_id, to_height__gte=height).update(to_height=height - 1)
    transactions = Transaction.objects.filter(blockchain=blockchain_id, height__gte=height)
    _record(blockchain_id, height, gone, transactions, now)
    transactions.delete()
    gone.delete()


def _subtract(blockchain_id: int, height: int, counted_to: int) -> None:
    """Whole periods that lie above go; of a period that the cut goes through, what is above the cut."""
    rows = LedgerStatistic.objects.filter(blockchain=blockchain_id, to_height__gte=height)
    rows.filter(from_height__gte=height).delete()
    for row in rows:
        blocks = Block.objects.filter(blockchain=blockchain_id, height__gte=height, height__lte=counted_to)
        blocks = _in_period(blocks, row)
        sums = blocks.aggregate(number=Count("pk"), transactions=Sum("transactions_count"))
        failed = Transaction.objects.filter(
            blockchain=blockchain_id, status=TransactionStatus.FAILED, height__in=blocks.values("height")
        )
        row.blocks = max(0, row.blocks - sums["number"])
        row.transactions = max(0, row.transactions - (sums["transactions"] or 0))
        row.failed = max(0, row.failed - failed.count())
        row.to_height, row.senders, row.senders_due = height - 1, None, True
        row.save()
    rows.filter(blocks=0).delete()


def _in_period(blocks: QuerySet[Block], row: LedgerStatistic) -> QuerySet[Block]:
    return blocks.filter(time__gte=row.start, time__lt=row.start + LENGTH[Period(row.period)])


def _record(
    blockchain_id: int, height: int, gone: QuerySet[Block], transactions: QuerySet[Transaction], now: datetime
) -> None:
    about: dict[str, Any] = gone.aggregate(blocks=Count("pk"), to_height=Max("height"))
    head = gone.order_by("-height").values_list("hash", flat=True)[0]
    row = Reorganisation.objects.create(
        blockchain_id=blockchain_id,
        found_at=now,
        from_height=height,
        transactions=transactions.count(),
        old_head=head,
        **about,
    )
    newest: Iterable[tuple[str, int]] = transactions.values_list("hash", "height")[:KEPT_DROPPED]
    DroppedTransaction.objects.bulk_create(
        (
            DroppedTransaction(reorganisation=row, blockchain_id=blockchain_id, hash=each, height=at)
            for each, at in newest
        ),
        batch_size=500,
    )


# --- the periodic door ------------------------------------------------------------------------------------------------


def count(still: Callable[[], bool] = lambda: True, *, chains: int = 200) -> int:
    """Count what is stored and not yet counted, chain by chain in turns, while `still` says so."""
    counted = 0
    waiting = uncounted(chains)
    while waiting and still():
        again = []
        for blockchain_id in waiting:
            if not still():
                break
            number = count_chain(blockchain_id)
            counted += number
            if number == PORTION:
                again.append(blockchain_id)
        waiting = again
    if still():
        count_senders(20)
    return counted


def count_for(seconds: float) -> int:
    """Count for so long."""
    end = time.monotonic() + seconds
    return count(lambda: time.monotonic() < end)
