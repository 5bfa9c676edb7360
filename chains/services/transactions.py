"""A transaction that somebody looks at: what the readings left out is asked of the platform then, and kept.

Like the gateway this asks while a request waits, so it is outside of any transaction, and few at once in a process.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from chains import reads
from chains.decoding import is_told_whole
from chains.models import Blockchain, ChainState, Transaction
from chains.reading import sound_transaction
from console.errors import Busy, ConsoleError, Missing
from console.models import User
from console.transactions import use_case
from platforms import standard
from platforms.drivers import driver_for
from platforms.drivers.base import read
from unions.spaces import credentials_for

logger = logging.getLogger(__name__)

AT_ONCE = 2  # questions of one process: its other threads stay for everybody else
QUEUE_SECONDS = 2.0
_places = threading.BoundedSemaphore(AT_ONCE)


def may_ask_for_more(transaction: Transaction) -> bool:
    """Whether something of it is not stored, and its platform can be asked."""
    chain = transaction.blockchain
    supported, _reason = chain.business_chain.platform.capability("get_transaction")
    return bool(supported) and chain.state == ChainState.RUNNING and not is_told_whole(transaction)


@dataclass(frozen=True)
class Looked:
    """The transaction, and why the platform did not tell the rest of it; empty when it did, or nobody had to ask."""

    transaction: Transaction
    problem: str = ""


def complete_transaction(*, actor: User, uid: str, tx_hash: str) -> Looked:
    """The stored transaction, with what its platform tells of it when something is missing. Raises Missing."""
    row = found_transaction(actor, uid, tx_hash)
    if not may_ask_for_more(row):
        return Looked(row)
    try:
        told = _asked(row.blockchain, row.hash)
    except ConsoleError as problem:
        logger.warning("transaction %s of chain %s: %s", row.hash, row.blockchain_id, problem.for_operators)
        return Looked(row, problem.detail)
    if (told.tx_id, told.block_height) != (row.hash, row.height):
        return Looked(row, _("The platform has this transaction in another block now; the console will read it there."))
    _keep(row.pk, told)
    row.refresh_from_db(fields=["input", "value", "contract", "extrainfo"])
    return Looked(row)


def found_transaction(actor: User, uid: str, tx_hash: str) -> Transaction:
    """As stored, with its chain and platform; Missing."""
    rows = reads.transactions(actor).select_related(
        "blockchain__business_chain__platform__version", "blockchain__business_chain__creator__space"
    )
    row = rows.filter(blockchain__uid=uid, hash__in=reads.spellings(tx_hash)).first()
    if row is None:
        raise Missing(_("This transaction has not been read, or is kept no longer."))
    return row


def _asked(blockchain: Blockchain, tx_hash: str) -> standard.TransactionInfo:
    if connection.in_atomic_block:
        raise RuntimeError("a platform is asked outside of any transaction")
    chain = blockchain.business_chain
    if not _places.acquire(timeout=QUEUE_SECONDS):
        raise Busy(_("Too many ask the platforms at this moment; try again."))
    try:
        request = standard.GetTransactionRequest(chain_id=blockchain.external_id, tx_id=tx_hash)
        credentials = credentials_for(chain.platform, creator=chain.creator, member=chain.creator)
        answer: Any = read(driver_for(chain.platform), "get_transaction", request, credentials)
        return sound_transaction(answer)
    finally:
        _places.release()


@use_case
def _keep(pk: int, told: standard.TransactionInfo) -> None:
    """Only what was empty is filled in: what an observer has read stays."""
    row = Transaction.objects.select_for_update().filter(pk=pk, hash=told.tx_id, height=told.block_height).first()
    if row is None:
        return  # it went with its branch, or is kept no longer
    row.input, row.value = row.input or told.input, row.value or told.value
    row.contract = row.contract or told.contract
    row.extrainfo = told.extrainfo or row.extrainfo
    row.save(update_fields=["input", "value", "contract", "extrainfo"])
