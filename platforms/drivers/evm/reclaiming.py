"""Reclaiming: a member is voted out before its node is removed; a chain goes with all its nodes and their data."""

from __future__ import annotations

import time
from collections.abc import Sequence

from console.errors import PlatformRefused
from platforms.drivers.evm import programs
from platforms.drivers.evm import words as say
from platforms.drivers.evm.book import Chain, Node
from platforms.drivers.evm.building import Goes, NotYet, Tools, introduce
from platforms.drivers.evm.rpc import number
from platforms.drivers.evm.voting import VOTE_SECONDS, validators_of, vote, withdraw_votes

SETTLING_BLOCKS = 2
SETTLING_SECONDS = 60.0


def leave(tools: Tools, goes: Goes, chain: Chain, orgcode: str) -> None:
    """All nodes of one member: out of the validators first, then off its machines."""
    theirs = [each for each in chain.nodes if each.orgcode == orgcode]
    gone = goes.position.setdefault("gone", [each.enode for each in theirs if each.enode])
    for node in theirs:
        if node.validator and node.enode and goes.once(f"out:{node.node_id}"):
            _vote_out(tools, goes, chain, node)
            goes.done(f"out:{node.node_id}")
        remove_node(tools, goes, node)
    tell_those_left(tools, goes, chain.chain_id, gone)


def tell_those_left(tools: Tools, goes: Goes, chain_id: str, gone: Sequence[str]) -> None:
    """They part with the peers that are gone, and trust them no more."""
    left = tools.book.chain(chain_id)
    introduce(tools, goes, left, [node for node in left.nodes if node.enode], without=gone)


def _vote_out(tools: Tools, goes: Goes, chain: Chain, node: Node) -> None:
    sealing = validators_of(tools, chain)
    if node.address in sealing and len(sealing) == 1:
        raise PlatformRefused(say.LAST_ONE % {"node": node.node_id}, code="last_validator")
    if node.address in sealing:
        goes.done(f"out:{node.node_id}", "settled")  # votes against it take the place of those for it
    elif goes.once(f"out:{node.node_id}", "settled"):
        _settle(tools, goes, chain, node, sealing)
    vote(tools, goes, chain, node, into=False)


def _settle(tools: Tools, goes: Goes, chain: Chain, node: Node, sealing: set[str]) -> None:
    """NotYet while votes under way could still bring it in, as when what is undone was a joining: a validator that
    nobody runs any more would count for ever."""
    height = number(tools.rpc.ask(chain, [("eth_blockNumber", [])])[0])
    begun = goes.position.get("settling")
    if begun is None:
        withdraw_votes(tools, goes, chain, node, sealing)
        begun = goes.position["settling"] = {"height": height, "at": time.time()}
    # A chain that stands counts no votes.
    if height < begun["height"] + SETTLING_BLOCKS and time.time() < begun["at"] + SETTLING_SECONDS:
        stands = PlatformRefused(say.NO_VOTE % {"node": node.node_id, "height": height}, code="chain_stands")
        raise NotYet("the votes that are under way", VOTE_SECONDS, stands)
    goes.done(f"out:{node.node_id}", "settled")


def remove_chain(tools: Tools, goes: Goes, chain: Chain) -> None:
    """Every node, then the chain. What could not be reached stays written down, and is removed at the next go."""
    for node in chain.nodes:
        remove_node(tools, goes, node)
    tools.book.drop_chain(chain.chain_id)


def remove_node(tools: Tools, goes: Goes, node: Node) -> None:
    """Container and data. What is gone already is no matter."""
    host, name = tools.hosts.of(node), programs.container_name(node)
    for each in (name, *(f"{name}-{what}" for what in programs.ONCE)):
        host.remove_container(each)
    host.remove_volume(programs.volume_name(node))
    tools.book.drop_node(node.node_id)
    goes.note(f"removed {node.node_id} from {host.name}")
