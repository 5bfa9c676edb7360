"""Which contracts a JSON-RPC request is for, as far as it says; and which of them are refused here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import rlp
from django.db.models import Q
from django.utils.translation import gettext as _
from rlp.exceptions import RLPException

from chains.gateway.methods import SEND
from chains.gateway.requests import Call, RpcRequest
from chains.models import Blockchain, Contract, ContractState, StopWay
from console.errors import NotAllowed

WITH_TARGET = ("eth_call", "eth_estimateGas", "eth_createAccessList")
PLACE_OF_TO = {1: 4, 2: 5, 3: 5, 4: 5}  # in a typed transaction; a plain one has it third
MAX_RAW = 300_000


def refuse_stopped(blockchain: Blockchain, request: RpcRequest) -> None:
    """NotAllowed where a call is for a contract that was stopped, and cannot be paused by itself, or was deleted."""
    wanted = {address for call in request.calls for address in _targets(call)}
    if not wanted:
        return
    of_chain = Contract.objects.filter(blockchain=blockchain)
    refused = Q(state=ContractState.DELETED) | Q(state=ContractState.STOPPED, stop_way=StopWay.REFUSED)
    rows = {row.address.lower(): row for row in of_chain.filter(refused).exclude(address="")}
    for address in sorted(wanted & set(rows)):
        row = rows[address]
        words = {"name": row.name, "address": row.address}
        if row.state == ContractState.STOPPED:
            text = _("The contract %(name)s (%(address)s) is stopped: the gateway passes on nothing to it.")
            raise NotAllowed(text % words, code="contract_stopped")
        if not of_chain.there().filter(address__iexact=address).exists():
            text = _("The contract %(name)s (%(address)s) was deleted: the gateway passes on nothing to it.")
            raise NotAllowed(text % words, code="contract_deleted")


def _targets(call: Call) -> Iterator[str]:
    first = call.params[0] if isinstance(call.params, list) and call.params else None
    if call.method in WITH_TARGET and isinstance(first, dict) and isinstance(first.get("to"), str):
        yield first["to"].lower()
    if call.method == SEND and isinstance(first, str) and (found := recipient_of(first)):
        yield found


def recipient_of(raw: str) -> str:
    """Where a signed transaction goes; empty where it creates a contract, or is none: then the node says so."""
    if len(raw) > MAX_RAW:
        return ""
    try:
        data = bytes.fromhex(raw.removeprefix("0x"))
        typed = data[:1] and data[0] < 0x80
        fields: Any = rlp.decode(data[1:] if typed else data, strict=False)
        to = fields[PLACE_OF_TO[data[0]] if typed else 3]
    except (ValueError, LookupError, TypeError, RLPException, RecursionError):
        return ""
    return f"0x{to.hex()}" if isinstance(to, bytes) and len(to) == 20 else ""
