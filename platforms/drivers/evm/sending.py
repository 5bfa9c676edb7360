"""Contracts and transactions on chains of this driver: signed here, with a key that the console keeps for each
organization and chain, and handed to whichever node answers.

What is signed is written down before it is sent, under the operation's key. So whoever goes on after a crash sends the
same transaction once more, which a chain takes once only. An account's transactions go in the order of their numbers
(nonces): one that was written down and never sent is sent before the next is signed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from console.errors import NotSupported, PlatformRefused, PlatformUnavailable
from platforms import standard
from platforms.drivers.evm import words as say
from platforms.drivers.evm.book import Chain, Sending
from platforms.drivers.evm.building import SOON, Goes, NotYet, Tools
from platforms.drivers.evm.consensus import machine_of
from platforms.drivers.evm.observed import observed
from platforms.drivers.evm.rpc import number as whole
from platforms.signing import account_of, sign, upgrade_call

RECEIPT_SECONDS = 300.0
GAS_PRICE = 0  # these chains have no base fee, and their nodes take anything
MOST_GAS = 25_000_000
Json = dict[str, Any]
_INVALID = re.compile(r"invalid opcode: ([^.]+)")


def deploy_contract(
    tools: Tools, goes: Goes, request: standard.DeployContractRequest, key: str
) -> standard.ContractAnswer:
    receipt = _sent(tools, goes, request.chain_id, _orgcode(request.sender), key, 0, lambda: ("", request.data))
    address = _made(receipt)
    return standard.ContractAnswer(
        contract_id=address,
        address=address,
        transaction=receipt["transactionHash"],
        sender=receipt["from"],
        status="running",
    )


def upgrade_contract(
    tools: Tools, goes: Goes, request: standard.UpgradeContractRequest, key: str
) -> standard.ContractAnswer:
    """New code, and the proxy told to run it: two transactions."""
    chain_id, orgcode = request.chain_id, _orgcode(request.sender)
    first = _sent(tools, goes, chain_id, orgcode, key, 0, lambda: ("", request.data))
    address = _made(first)
    receipt = _sent(tools, goes, chain_id, orgcode, key, 1, lambda: (request.contract_id, upgrade_call(address)))
    return standard.ContractAnswer(
        contract_id=request.contract_id,
        address=address,
        transaction=receipt["transactionHash"],
        sender=receipt["from"],
        status="running",
    )


def send_transaction(
    tools: Tools, goes: Goes, request: standard.SendTransactionRequest, key: str
) -> standard.SentAnswer:
    receipt = _sent(tools, goes, request.chain_id, request.sender.orgcode, key, 0, lambda: (request.to, request.data))
    return standard.SentAnswer(transaction=receipt["transactionHash"], sender=receipt["from"], status="committed")


def _orgcode(party: standard.Party | None) -> str:
    if party is None:
        raise PlatformRefused(say.NO_SENDER)
    return party.orgcode


def _sent(
    tools: Tools, goes: Goes, chain_id: str, orgcode: str, key: str, number: int, wanted: Callable[[], tuple[str, str]]
) -> Json:
    """The receipt of the operation's transaction of this number; NotYet until it is in a block."""
    if observed(chain_id) is not None:
        raise NotSupported(say.ONLY_OBSERVED)
    chain = tools.book.chain(chain_id)
    sending = tools.book.sending(key, number)
    if sending is None:
        sending = _signed(tools, chain, orgcode, key, number, *wanted())
        goes.note("signed a transaction", hash=sending.hash, nonce=sending.nonce)
    receipt, found = tools.rpc.ask(
        chain, [("eth_getTransactionReceipt", [sending.hash]), ("eth_getTransactionByHash", [sending.hash])]
    )
    if receipt is None:
        if found is None:
            _hand_in(tools, chain, sending)
        silent = PlatformUnavailable(say.NO_RECEIPT % {"id": sending.hash, "seconds": round(RECEIPT_SECONDS)})
        raise NotYet(f"the receipt of {sending.hash}", RECEIPT_SECONDS, silent, SOON)
    tools.book.close_sending(key, number)
    if whole(receipt["status"]) == 0:
        raise PlatformRefused(say.REVERTED % {"id": sending.hash}, code="reverted")
    return receipt


def _signed(tools: Tools, chain: Chain, orgcode: str, key: str, number: int, to: str, data: str) -> Sending:
    """Signed under the account's next number, and written down."""
    secret = tools.book.signing_key(chain.chain_id, orgcode)
    account = account_of(secret)
    waiting = tools.book.open_sendings(chain.chain_id, orgcode)
    for each in waiting:
        _hand_in(tools, chain, each)
    asked = {"from": account, "data": data, "gasPrice": hex(GAS_PRICE), **({"to": to} if to else {})}
    try:
        count, gas = tools.rpc.ask(
            chain, [("eth_getTransactionCount", [account, "latest"]), ("eth_estimateGas", [asked])]
        )
    except PlatformRefused as problem:
        raise in_words(chain, problem) from problem
    nonce = max([whole(count), *(each.nonce + 1 for each in waiting)])
    most = min(MOST_GAS, whole(gas) + whole(gas) // 4)
    made = sign(secret, number=chain.number, nonce=nonce, to=to, data=data, gas=most, gas_price=GAS_PRICE)
    kept = tools.book.open_sending(chain.chain_id, orgcode, key, number, Sending(made.hash, made.raw, made.nonce))
    if kept is None:  # another transaction of this account has taken the number at the same moment
        busy = PlatformUnavailable(say.ACCOUNT_BUSY % {"account": account})
        raise NotYet(f"its turn at the account {account}", RECEIPT_SECONDS, busy, SOON)
    return kept


def in_words(chain: Chain, problem: PlatformRefused) -> PlatformRefused:
    """What a node says to an instruction that its EVM does not know, so that it can be helped.

    0xfe is one that nobody knows: older compilers wrote it where an assertion fails.
    """
    said = _INVALID.search(problem.detail)
    if said is None or "0xfe" in said[1] or said[1].startswith("INVALID"):
        return problem
    words = {"machine": machine_of(chain.genesis), "problem": said[1]}
    return PlatformRefused(say.UNKNOWN_INSTRUCTION % words, code="unknown_instruction")


def _hand_in(tools: Tools, chain: Chain, sending: Sending) -> None:
    """To a node; one that has it already says so, which is as good."""
    try:
        tools.rpc.ask(chain, [("eth_sendRawTransaction", [sending.raw])])
    except PlatformRefused as problem:
        if not any(
            words in problem.detail.lower() for words in ("already known", "known transaction", "nonce too low")
        ):
            raise


def _made(receipt: Json) -> str:
    address = receipt.get("contractAddress")
    if not address:
        raise PlatformRefused(say.NO_CONTRACT_MADE % {"id": receipt.get("transactionHash", "")})
    return str(address).lower()
