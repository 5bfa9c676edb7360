"""What observers have read, written down: readings in bulk, and what is thrown away again."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from operator import itemgetter

from django.utils import timezone

from chains.limits import limit
from chains.models import (
    UNREAD_DETAILS,
    Block,
    Blockchain,
    LedgerGap,
    Node,
    NodeState,
    Reorganisation,
    Sample,
    Transaction,
    TransactionDetails,
)
from chains.observing.reading import KNOWN, Reading, Tip
from chains.observing.sound import text
from chains.reads import spellings
from chains.retention import cut_of, rule_of, with_ends
from chains.services.bulk import AT_ONCE, fill_rows, save_rows, stored_moment, write_rows
from chains.services.claims import note_fresh
from chains.services.history import count_chain, forget_from, locked_tally
from chains.services.nodes import write_nodes
from console.errors import Missing
from console.models import User
from console.transactions import locked_or_missing, use_case

BLOCK_FIELDS = ("blockchain", "height", "hash", "parent_hash", "time", "transactions_count")
TRANSACTION_FIELDS = (
    "blockchain",
    "hash",
    "height",
    "index",
    "time",
    "sender",
    "recipient",
    "value",
    "contract",
    "status",
    "input",
    "extrainfo",
    "details",
)
READ, LATER = TransactionDetails.READ.value, TransactionDetails.LATER.value


def stored_below(blockchain_id: int, height: int) -> tuple[Tip, ...]:
    """The highest stored blocks at and below a height, highest first."""
    rows = Block.objects.filter(blockchain=blockchain_id, height__lte=height).order_by("-height")
    return tuple(Tip(*row) for row in rows.values_list("height", "hash")[:KNOWN])


@use_case
def store_readings(readings: Sequence[Reading]) -> set[int]:
    """Write readings whose claims still hold; returns of which chains. What somebody else has taken over is dropped."""
    by_chain = {reading.target.blockchain: reading for reading in readings}
    now = timezone.now()
    quiet = [(pk, reading.target.reader) for pk, reading in by_chain.items() if reading.quiet]
    kept = note_fresh(sorted(quiet, key=itemgetter(0)), now=now)
    new = {pk: reading for pk, reading in by_chain.items() if not reading.quiet}
    return kept | _store_new(new, now)


def _store_new(readings: dict[int, Reading], now: datetime) -> set[int]:
    if not readings:
        return set()
    held = Blockchain.objects.live().select_for_update().filter(pk__in=readings).order_by("pk")
    mine = {pk: readings[pk] for pk, reader in held.values_list("pk", "reader") if reader == readings[pk].target.reader}
    _store(mine, now)
    return set(mine)


def _store(readings: dict[int, Reading], now: datetime) -> None:
    if not readings:
        return
    rows = list(Blockchain.objects.filter(pk__in=readings).only(*NOTED).order_by("pk"))
    for row in rows:
        reading = readings[row.pk]
        if reading.replace_from is not None:
            forget_from(row.pk, reading.replace_from, now=now)
        _fill(row.pk, reading)
        _note(row, reading, now)
    _write_ledger(readings.values())
    _write_details([(row, readings[row.pk]) for row in rows if _with_details(readings[row.pk])], now)
    gone = [pk for pk, reading in readings.items() if reading.missing]
    if gone:
        Node.objects.filter(blockchain__in=gone).exclude(state=NodeState.MISSING).update(state=NodeState.MISSING)
    save_rows(rows, NOTED)


NOTED = [
    "height",
    "block_hash",
    "block_time",
    "patience",
    "transactions_total",
    "read_at",
    "read_error",
    "read_failures",
    "missing_since",
    "details_read_at",
    "next_read_at",
    "reader",
    "lease_until",
]


def _note(row: Blockchain, reading: Reading, now: datetime) -> None:
    """Head, freshness and when to look again; the claim is given back."""
    summary = reading.summary
    if summary is not None:
        row.height, row.block_hash, row.block_time = summary.height, summary.block_hash, summary.block_time
        row.transactions_total = summary.transactions
        row.patience = None if summary.patience is None else timedelta(seconds=summary.patience)
    if reading.missing:
        row.missing_since = row.missing_since or now
    elif summary is not None:
        row.missing_since = None
    if reading.error:
        row.read_error, row.read_failures = text(reading.error, 500), row.read_failures + 1
        wait = _backoff(row.read_failures, heals=reading.heals)
    else:
        row.read_at, row.read_error, row.read_failures = now, "", 0
        wait = 0.0 if reading.behind else limit("OBSERVE_EVERY_SECONDS")
        if _with_details(reading):
            row.details_read_at = now
    if reading.goes_on:
        row.lease_until = now + timedelta(seconds=limit("OBSERVE_LEASE_SECONDS"))
    else:
        row.next_read_at, row.reader, row.lease_until = now + timedelta(seconds=wait), None, None


def _with_details(reading: Reading) -> bool:
    return reading.target.details and not reading.error and not reading.goes_on


def _backoff(failures: int, *, heals: bool) -> float:
    longest = limit("OBSERVE_MAX_BACKOFF_SECONDS")
    seconds = min(longest, limit("OBSERVE_EVERY_SECONDS") * 2 ** min(failures, 20)) if heals else longest
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311 - spreads the load, hides nothing


def _fill(chain: int, reading: Reading) -> None:
    """Details that were left for later; what the platform does not show any more nobody asks for again."""
    if not reading.fills:
        return
    unread = Transaction.objects.filter(blockchain=chain, details__in=UNREAD_DETAILS)
    unread = unread.filter(height__gte=reading.fills.start, height__lt=reading.fills.stop)
    wanted = {tuple(each) for each in unread.values_list("height", "hash")}
    fill_rows(
        Transaction,
        ("value", "input", "extrainfo", "details"),
        ("blockchain", "hash"),
        [
            (each.value, each.input, each.extrainfo, TransactionDetails.READ.value, chain, each.tx_id)
            for each in reading.filled
            if (each.block_height, each.tx_id) in wanted
        ],
    )
    unread.update(details=TransactionDetails.REFUSED)


def _write_ledger(readings: Iterable[Reading]) -> None:
    stored = stored_moment()
    blocks, transactions = [], {}
    for reading in readings:
        chain = reading.target.blockchain
        blocks += [
            (chain, each.height, each.hash, each.parent_hash, stored(each.time), each.transactions)
            for each in reading.blocks
        ]
        for found in reading.transactions:
            transactions[chain, found.tx_id] = (
                chain,
                found.tx_id,
                found.block_height,
                found.index,
                stored(found.time),
                found.sender,
                found.to,
                found.value,
                found.contract,
                found.status,
                found.input,
                found.extrainfo,
                LATER if found.block_height in reading.lacks else READ,
            )
    write_rows(Block, BLOCK_FIELDS, blocks, unique=2)
    write_rows(Transaction, TRANSACTION_FIELDS, list(transactions.values()), unique=2)


def _write_details(found: list[tuple[Blockchain, Reading]], now: datetime) -> None:
    if not found:
        return
    listed = {row.pk: reading.nodes for row, reading in found if reading.nodes is not None}
    write_nodes(listed, at=now)
    _part_with_missing(listed, now)
    Sample.objects.bulk_create(
        (
            Sample(blockchain=row, name=figure.name[:60], value=figure.value, unit=figure.unit[:20], at=now)
            for row, reading in found
            for figure in reading.figures
        ),
        batch_size=AT_ONCE,
    )


def _part_with_missing(listed: Collection[int], now: datetime) -> None:
    """Nodes that the platform does not list any more: said so at first, dropped after a while."""
    missing = Node.objects.filter(blockchain__in=list(listed), read_at__lt=now)
    missing.filter(read_at__lt=now - timedelta(seconds=limit("KEEP_MISSING_NODES_SECONDS"))).delete()
    missing.exclude(state=NodeState.MISSING).update(state=NodeState.MISSING)


@use_case
def want_details(*, actor: User, uid: str, tx_hash: str) -> Transaction:
    """Have the details of a transaction read next. Asking twice changes nothing, nor does asking for what is there."""
    chain = Blockchain.objects.visible_to(actor).filter(uid=uid).first()
    if chain is None:
        raise Missing()
    row = locked_or_missing(Transaction.objects.filter(blockchain=chain), hash__in=spellings(tx_hash))
    if row.details != TransactionDetails.READ:
        row.details = TransactionDetails.WANTED
        row.save(update_fields=["details"])
        Blockchain.objects.live().filter(pk=chain.pk).update(next_read_at=None)
    return row


@use_case
def prune_chain(blockchain_id: int, *, portion: int = 5000) -> int:
    """Throw away one portion of what is kept no longer, and is in the statistics; returns how much went."""
    gone, cut = 0, _cut_of(blockchain_id)
    if cut is not None:
        old = Block.objects.filter(blockchain=blockchain_id, height__lte=cut).order_by("height")
        heights = list(old.values_list("height", flat=True)[:portion])
        if heights:
            below = {"blockchain": blockchain_id, "height__lte": heights[-1]}
            Transaction.objects.filter(**below).delete()
            gone += Block.objects.filter(**below).delete()[0]
            LedgerGap.objects.filter(blockchain=blockchain_id, to_height__lte=heights[-1]).delete()
    long_ago = timezone.now() - timedelta(days=limit("KEEP_REORGANISATIONS_DAYS"))
    Reorganisation.objects.filter(blockchain=blockchain_id, found_at__lt=long_ago).delete()
    oldest = timezone.now() - timedelta(hours=limit("KEEP_SAMPLES_HOURS"))
    samples = Sample.objects.filter(blockchain=blockchain_id, at__lt=oldest).values_list("pk", flat=True)[:portion]
    return gone + Sample.objects.filter(pk__in=list(samples)).delete()[0]


def _cut_of(blockchain_id: int) -> int | None:
    """The highest block that is kept no longer and has been counted; None when all are kept."""
    counted_to = locked_tally(blockchain_id).counted_to
    row = Blockchain.objects.get(pk=blockchain_id)
    rule = rule_of(row)
    cut = cut_of(with_ends(Blockchain.objects.filter(pk=row.pk), rule.keep_days)[0], rule)
    return None if cut is None or counted_to is None else min(cut, counted_to)


def prune(still: Callable[[], bool] = lambda: True) -> int:
    """Prune every chain, portion by portion, while `still` says so; in no order, so that none is always the last."""
    gone, chains = 0, list(Blockchain.objects.values_list("pk", flat=True))
    random.shuffle(chains)
    for blockchain_id in chains:
        while still() and count_chain(blockchain_id):
            pass
        while still() and (number := prune_chain(blockchain_id)):
            gone += number
    return gone
