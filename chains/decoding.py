"""What a transaction says, in the words of the contracts that are known on its chain; raw where none is.

Logs travel in a transaction's `extrainfo` as `logs`: a list of `{address, topics, data}`, whatever else a platform puts
beside it. None of it there: nobody knows whether there were any.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models.functions import Lower

from chains.abi import Abi, Decoded, decode_input, decode_log
from chains.models import Contract, ContractVersion, Transaction
from console.models import User
from platforms.models import PlatformKind

Json = dict[str, Any]
MAX_LOGS = 200  # of one transaction that are shown
LOGGING_KINDS = (PlatformKind.EVM,)  # what these drivers leave out of a receipt was not in it


@dataclass(frozen=True)
class Log:
    """One event, told by a contract; `event` and `contract` where the contract is known."""

    address: str
    topics: tuple[str, ...]
    data: str
    contract: Contract | None = None
    event: Decoded | None = None


@dataclass(frozen=True)
class Explained:
    """`logs` is None where the platform has not told of any; `more` counts those that are not shown."""

    contract: Contract | None
    call: Decoded | None
    created: ContractVersion | None
    logs: tuple[Log, ...] | None
    more: int
    extra: Json


class _Book:
    """The contracts at some addresses of a chain that a user sees, with the ABIs of their versions, newest first."""

    def __init__(self, user: User, blockchain_id: int, addresses: Iterable[str]) -> None:
        wanted = {each.lower() for each in addresses if each}
        rows = Contract.objects.visible_to(user).filter(blockchain=blockchain_id).exclude(address="")
        found = rows.annotate(lower=Lower("address")).filter(lower__in=wanted).prefetch_related("versions")
        self._by_address: dict[str, list[Contract]] = defaultdict(list)
        for row in found.order_by("-pk"):
            self._by_address[row.address.lower()].append(row)

    def contract(self, address: str) -> Contract | None:
        return next(iter(self._by_address.get(address.lower(), ())), None)

    def abis(self, address: str) -> list[Abi]:
        """An address may have had several programs one after the other: behind a proxy, or once deleted."""
        contracts = self._by_address.get(address.lower(), ())
        versions = [version for each in contracts for version in each.versions.all()]
        return [version.abi for version in sorted(versions, key=lambda each: -each.number)]


def explain(user: User, transaction: Transaction) -> Explained:
    """Two queries for contracts and versions, one for the version that the transaction deployed."""
    extra = _object(transaction.extrainfo)
    logs = logs_of(transaction, extra)
    shown = (logs or [])[:MAX_LOGS]
    book = _Book(user, transaction.blockchain_id, [transaction.recipient, *(each.address for each in shown)])
    return Explained(
        contract=book.contract(transaction.recipient),
        call=_first(decode_input(abi, transaction.input) for abi in book.abis(transaction.recipient)),
        created=_created(user, transaction),
        logs=None if logs is None else tuple(_in_words(book, each) for each in shown),
        more=len(logs or ()) - len(shown),
        extra={name: value for name, value in extra.items() if name != "logs"},
    )


def logs_of(transaction: Transaction, extra: Json | None = None) -> list[Log] | None:
    """As the platform gave them; None when it did not say."""
    extra = _object(transaction.extrainfo) if extra is None else extra
    given = extra.get("logs")
    if isinstance(given, list):
        return [_log(each) for each in given if isinstance(each, dict)]
    kind = transaction.blockchain.business_chain.platform.kind
    return [] if kind in LOGGING_KINDS and "gasUsed" in extra else None


def _in_words(book: _Book, log: Log) -> Log:
    event = _first(decode_log(abi, log.topics, log.data) for abi in book.abis(log.address))
    return Log(log.address, log.topics, log.data, book.contract(log.address), event)


def _created(user: User, transaction: Transaction) -> ContractVersion | None:
    if not transaction.contract:
        return None
    seen = Contract.objects.visible_to(user).filter(blockchain=transaction.blockchain_id)
    rows = ContractVersion.objects.filter(contract__in=seen, transaction__iexact=transaction.hash)
    return rows.select_related("contract").first()


def _first(found: Iterable[Decoded | None]) -> Decoded | None:
    return next((each for each in found if each is not None), None)


def _log(given: Json) -> Log:
    topics: Sequence[Any] = given.get("topics") if isinstance(given.get("topics"), list) else ()  # type: ignore[assignment]
    return Log(str(given.get("address") or ""), tuple(str(each) for each in topics[:4]), str(given.get("data") or ""))


def _object(text: str) -> Json:
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else ({"extrainfo": text} if text else {})
