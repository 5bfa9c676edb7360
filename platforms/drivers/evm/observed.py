"""Chains that run already, known by nothing but their nodes' JSON-RPC addresses: they are read, and no more.

Such a network's id says all there is to know: `1337@10.0.0.5:8545,10.0.0.6:8545` is the chain 1337 (in the EVM's
sense) with two nodes. It is the chain's id as well. Nothing is kept of it here.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from console.errors import ConsoleError, PlatformRefused
from platforms.drivers.evm import words as say
from platforms.drivers.evm.book import Book, Chain, Network, Node
from platforms.drivers.evm.rpc import BAD_ANSWER, Call, Rpc, number

_PLACE = r"(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):\d{1,5}"
_ID = re.compile(rf"(\d{{1,18}})@({_PLACE}(?:,{_PLACE})*)")
# Who validates, where a node tells everybody: consensus → method and its parameters.
_VALIDATORS: tuple[tuple[str, Call], ...] = (
    ("clique", ("clique_getSigners", ["latest"])),
    ("qbft", ("istanbul_getValidators", ["latest"])),  # GoQuorum
    ("qbft", ("qbft_getValidatorsByBlockNumber", ["latest"])),  # Besu
    ("ibft2", ("ibft_getValidatorsByBlockNumber", ["latest"])),  # Besu
)


@functools.lru_cache(maxsize=4096)
def observed(chain_id: str) -> Chain | None:
    """The chain that an id of this form stands for; None for an id of another form."""
    match = _ID.fullmatch(chain_id)
    if match is None:
        return None
    nodes = tuple(_node(chain_id, address) for address in dict.fromkeys(match[2].split(",")))
    name = f"Chain {match[1]}"
    return Chain(chain_id, chain_id, name, "", int(match[1]), 0, genesis={"observed": True}, built=True, nodes=nodes)


def is_observed(node: Node) -> bool:
    return not node.engine_port


def _node(chain_id: str, address: str) -> Node:
    host, _colon, port = address.rpartition(":")
    return Node(
        node_id=address,
        chain_id=chain_id,
        orgcode="",
        validator=False,
        ip=host.strip("[]"),
        engine_port=0,
        p2p_port=0,
        rpc_port=int(port),
        image="",
        enode=address,
        built=True,
    )


def refuse_strangers(rpc: Rpc, chain: Chain) -> None:
    """PlatformRefused unless every node answers, in due form, for this chain, with one and the same first block."""
    firsts: dict[str, str] = {}
    for node in chain.nodes:
        try:
            told, first = rpc.ask_node(node, [("eth_chainId", []), ("eth_getBlockByNumber", ["0x0", False])])
        except ConsoleError as problem:
            if problem.code == BAD_ANSWER:
                raise
            raise PlatformRefused(problem.detail, code="node_silent") from problem
        if number(told) != chain.number:
            words = {"node": node.node_id, "found": number(told), "wanted": chain.number}
            raise PlatformRefused(say.OTHER_CHAIN % words, code="other_chain")
        firsts[node.node_id] = first["hash"]
    if len(set(firsts.values())) > 1:
        raise PlatformRefused(say.OTHER_FIRST % {"nodes": ", ".join(firsts)}, code="other_chain")


def consensus_seen(rpc: Rpc, chain: Chain) -> tuple[str, list[str]]:
    """The consensus and its validators, as far as a node tells them to everybody."""
    for consensus, call in _VALIDATORS:
        try:
            (told,) = rpc.ask(chain, [call])
        except ConsoleError:
            continue
        return consensus, told or []
    return "", []


class ObservingBook:
    """A book that also knows the networks whose ids say it all. Nothing of these is ever written down."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def __getattr__(self, name: str) -> Any:
        return getattr(self._book, name)

    def network(self, network_id: str) -> Network:
        chain = observed(network_id)
        if chain is None:
            return self._book.network(network_id)
        return Network(network_id, chain.name, {node.node_id: f"Node {node.node_id}" for node in chain.nodes})

    def chains(self, network_id: str = "") -> list[Chain]:
        chain = observed(network_id)
        return [chain] if chain is not None else self._book.chains(network_id)

    def chain(self, chain_id: str) -> Chain:
        return observed(chain_id) or self._book.chain(chain_id)

    def change_chain(self, chain_id: str, **changes: Any) -> None:
        if observed(chain_id) is None:
            self._book.change_chain(chain_id, **changes)
