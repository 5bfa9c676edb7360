"""Reclaiming: a member is voted out before its node is removed; a chain goes with all its nodes and their data."""

from __future__ import annotations

from console.errors import PlatformRefused
from platforms.drivers.evm import programs
from platforms.drivers.evm import words as say
from platforms.drivers.evm.book import Chain, Node
from platforms.drivers.evm.building import Goes, Tools, introduce, validators_of, vote


def leave(tools: Tools, goes: Goes, chain: Chain, orgcode: str) -> None:
    """All nodes of one member: out of the validators first, then off its machines."""
    for node in [each for each in chain.nodes if each.orgcode == orgcode]:
        if node.validator and node.enode and goes.once(f"out:{node.node_id}"):
            _vote_out(tools, goes, chain, node)
            goes.done(f"out:{node.node_id}")
        remove_node(tools, goes, node)
    tell_those_left(tools, goes, chain.chain_id)


def tell_those_left(tools: Tools, goes: Goes, chain_id: str) -> None:
    """They forget the peers that are gone."""
    left = tools.book.chain(chain_id)
    introduce(tools, goes, left, [node for node in left.nodes if node.enode])


def _vote_out(tools: Tools, goes: Goes, chain: Chain, node: Node) -> None:
    sealing = validators_of(tools, chain)
    if node.address in sealing and len(sealing) == 1:
        raise PlatformRefused(say.LAST_ONE % {"node": node.node_id}, code="last_validator")
    vote(tools, goes, chain, node, into=False)


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
