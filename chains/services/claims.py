"""Claims on chains: which are due, whose reading each is, what a reading has to know, and that one found nothing new.

Each is one statement for as many chains as there are. Observers send them many times a second, so the text stays the
same from call to call and Django has nothing to compile; what they change stands in no index, so PostgreSQL writes the
new row beside the old one and touches no index at all.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone

from chains.limits import limit
from chains.models import Block, Blockchain, BusinessChain, ChainState, RetentionRule, Transaction, TransactionDetails
from console.transactions import joins_transaction
from unions.models import Union

CHAIN, ORDERED, UNION = (model._meta.db_table for model in (Blockchain, BusinessChain, Union))
BLOCK, TRANSACTION, RULE = (model._meta.db_table for model in (Block, Transaction, RetentionRule))
RUNNING, LATER, WANTED = ChainState.RUNNING.value, TransactionDetails.LATER.value, TransactionDetails.WANTED.value

DUE = f"""chain.state = '{RUNNING}' AND (chain.next_read_at IS NULL OR chain.next_read_at <= %s)
    AND (chain.lease_until IS NULL OR chain.lease_until <= %s)"""

DUE_CHAINS = f"""
    SELECT chain.id, ordered.platform_id
    FROM {CHAIN} chain JOIN {ORDERED} ordered ON ordered.id = chain.business_chain_id
    WHERE {DUE} AND NOT (ordered.platform_id {{among}})
    ORDER BY chain.next_read_at NULLS FIRST LIMIT %s
"""  # noqa: S608 - all of these are built from names of our own

TAKE = f"UPDATE {CHAIN} AS chain SET reader = %s, lease_until = %s WHERE chain.id {{among}} AND {DUE}"  # noqa: S608

# The highest stored block, and the transactions whose details are still to be read: who is waited for comes first.
UNREAD = f"""FROM {TRANSACTION} unread
    WHERE unread.blockchain_id = chain.id AND unread.details IN ('{LATER}', '{WANTED}')
    ORDER BY unread.details DESC, unread.height DESC LIMIT 1"""
TAKEN = f"""
    SELECT chain.id, chain.external_id, ordered.platform_id, ordered.creator_id,
        coalesce(nullif(its_union.network_id, ''), ordered.network_id),
        chain.height, chain.block_hash, chain.block_time, coalesce(chain.transactions_total, 0),
        chain.height IS NOT NULL AND chain.read_failures = 0 AND chain.missing_since IS NULL,
        chain.details_read_at IS NULL OR chain.details_read_at <= %s,
        tip.height, tip.hash, (SELECT unread.height {UNREAD}), (SELECT unread.details {UNREAD}),
        coalesce((SELECT rule.keep_blocks FROM {RULE} rule WHERE rule.blockchain_id = chain.id),
            (SELECT rule.keep_blocks FROM {RULE} rule WHERE rule.blockchain_id IS NULL), %s)
    FROM {CHAIN} chain JOIN {ORDERED} ordered ON ordered.id = chain.business_chain_id
    LEFT JOIN {UNION} its_union ON its_union.id = ordered.union_id
    LEFT JOIN {BLOCK} tip ON tip.blockchain_id = chain.id
        AND tip.height = (SELECT max(stored.height) FROM {BLOCK} stored WHERE stored.blockchain_id = chain.id)
    WHERE chain.id {{among}} AND chain.reader = %s
    ORDER BY chain.id
"""  # noqa: S608

FRESH = f"""
    UPDATE {CHAIN} AS chain
    SET read_at = %s, read_error = '', next_read_at = %s, reader = NULL, lease_until = NULL
    {{held}} AND chain.state = '{RUNNING}' RETURNING id
"""  # noqa: S608

# A list is one parameter: the text does not grow with it.
AMONG = {"postgresql": "= ANY(%s::bigint[])", "sqlite": "IN (SELECT value FROM json_each(%s))"}
HELD = {
    "postgresql": "FROM unnest(%s::bigint[], %s::uuid[]) AS held(held_chain, held_reader)"
    " WHERE chain.id = held_chain AND chain.reader = held_reader",
    "sqlite": "WHERE (chain.id, chain.reader) IN"
    " (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(%s))",
}


class Claim(NamedTuple):
    """Taken in one go. Which of the chains it is on, and still is, only the rows say."""

    reader: UUID
    chains: tuple[int, ...]


class Claimed(NamedTuple):
    """A chain that is claimed, with everything that a reading has to know."""

    chain: int
    external_id: str
    platform: int
    creator: int
    network_id: str
    height: int | None
    block_hash: str
    block_time: datetime | None
    transactions: int
    went_well: bool  # the last reading
    details_due: bool
    tip_height: int | None
    tip_hash: str
    lacking: int | None
    lacking_as: str
    keep_blocks: int


def due_chains(full_platforms: Collection[int], number: int) -> list[tuple[int, int]]:
    """Chains that should be read now and are in nobody's hands, longest due first: `(blockchain, platform)`."""
    now = _stored(timezone.now())
    return _rows(DUE_CHAINS.format(among=AMONG[connection.vendor]), (now, now, _list(full_platforms), number))


def claim_chains(blockchain_ids: Iterable[int]) -> Claim:
    """Take chains for reading by one conditional UPDATE: of two workers each chain is given to one."""
    claim, now = Claim(uuid4(), tuple(blockchain_ids)), timezone.now()
    until = now + timedelta(seconds=limit("OBSERVE_LEASE_SECONDS"))
    values = (_reader(claim.reader), _stored(until), _list(claim.chains), _stored(now), _stored(now))
    with connection.cursor() as cursor:
        cursor.execute(TAKE.format(among=AMONG[connection.vendor]), values)
    return claim


def claimed(claim: Claim) -> list[Claimed]:
    """What `claim_chains` has taken, as it stands now."""
    details_due = timezone.now() - timedelta(seconds=limit("OBSERVE_DETAILS_SECONDS"))
    values = (_stored(details_due), limit("KEEP_BLOCKS"), _list(claim.chains), _reader(claim.reader))
    return [Claimed._make(row) for row in _rows(TAKEN.format(among=AMONG[connection.vendor]), values)]


@joins_transaction
def note_fresh(claims: Sequence[tuple[int, UUID]], *, now: datetime) -> set[int]:
    """Of chains, each with the claim that it was read under: nothing is new on these, and they are free again.

    Returns those whose claim still held; the others stay as they are.
    """
    if not claims:
        return set()
    due_again = now + timedelta(seconds=limit("OBSERVE_EVERY_SECONDS"))
    values = (_stored(now), _stored(due_again), *_held(claims))
    return {chain for (chain,) in _rows(FRESH.format(held=HELD[connection.vendor]), values)}


def moment(stored: datetime | None) -> datetime | None:
    """A time as a plain query gives it: SQLite does not say that it is UTC."""
    return stored if stored is None or stored.tzinfo is not None else stored.replace(tzinfo=UTC)


def _rows(statement: str, values: Sequence[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()  # type: ignore[no-any-return]


def _stored(at: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)


def _reader(reader: UUID) -> Any:
    return reader if connection.features.has_native_uuid_field else reader.hex


def _list(numbers: Iterable[int]) -> Any:
    return list(numbers) if connection.vendor == "postgresql" else json.dumps(list(numbers))


def _held(claims: Sequence[tuple[int, UUID]]) -> tuple[Any, ...]:
    if connection.vendor == "postgresql":
        return [chain for chain, _reader in claims], [reader for _chain, reader in claims]
    return (json.dumps([(chain, reader.hex) for chain, reader in claims]),)
