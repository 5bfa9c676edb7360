"""Bringing one node to the image of the settings: only while its chain goes on, and back again if it does not come up.

The container is replaced; keys, ledger and ports stay, for they lie in the node's volume and in the book.
"""

from __future__ import annotations

import functools

from console.errors import ConsoleError, Missing, PlatformRefused, PlatformUnavailable
from platforms.drivers.evm import words as say
from platforms.drivers.evm.book import Chain, Node
from platforms.drivers.evm.building import SOON, START_SECONDS, SYNC_SECONDS, Goes, NotYet, Tools, refuse_behind
from platforms.drivers.evm.meeting import meet_when_due
from platforms.drivers.evm.rpc import number

# Beside ten blocks' time: a chain that makes no block for so long stands. Within it, nodes may meet anew twice.
STANDS_SECONDS = 90.0


def upgrade_node(tools: Tools, goes: Goes, node_id: str) -> None:
    """The node on the image of the settings, up to date, and its chain going on. Missing when the node is gone."""
    chain, node = _found(tools, node_id)
    if node.image != tools.settings.image:
        _await_growth(tools, goes, chain, "before")
        _get_image(tools, node)
        # Written down together: whoever goes on after this knows what to go back to.
        tools.book.change_node(node_id, image=tools.settings.image, previous_image=node.previous_image or node.image)
        goes.note(f"{node.image} → {tools.settings.image}")
        chain, node = _found(tools, node_id)
    _run(tools, goes, chain, node)
    refuse_behind(tools, chain, node)
    _await_growth(tools, goes, chain, "after")
    tools.book.change_node(node_id, previous_image="")


def restore(tools: Tools, goes: Goes, node_id: str) -> None:
    """The image that the node had before it was upgraded, for it does not come up with the new one."""
    chain, node = _found(tools, node_id)
    old = node.previous_image
    if not old:
        return
    tools.book.change_node(node_id, image=old)
    chain, node = _found(tools, node_id)
    wish = tools.kernel.running(chain, node, tools.consensus(chain), tools.settings)
    try:
        tools.hosts.of(node).ensure_container(wish)
    except ConsoleError as problem:
        goes.note(f"not back on {old}: {problem.detail}")
        return
    tools.book.change_node(node_id, previous_image="")
    goes.note(f"back on {old}")


def _found(tools: Tools, node_id: str) -> tuple[Chain, Node]:
    for chain in tools.book.chains():
        for node in chain.nodes:
            if node.node_id == node_id:
                return chain, node
    raise Missing(say.NO_NODE % {"id": node_id})


def _get_image(tools: Tools, node: Node) -> None:
    host, settings = tools.hosts.of(node), tools.settings
    if not host.ensure_image(settings.image, archive=settings.archive, registry=settings.registry):
        silent = PlatformUnavailable(say.NOT_UP % {"node": node.node_id, "seconds": round(SYNC_SECONDS)})
        raise NotYet(f"the image on {host.name}", SYNC_SECONDS, silent)


def _run(tools: Tools, goes: Goes, chain: Chain, node: Node) -> None:
    wish = tools.kernel.running(chain, node, tools.consensus(chain), tools.settings)
    with tools.hosts.told_of_a_full_disk(chain, node):
        found = tools.hosts.of(node).ensure_container(wish)
    if tools.rpc.answers(node, chain.number):
        return
    tools.hosts.refuse_dead(chain, node, found, goes.position.setdefault(f"restarts:{node.node_id}", found.restarts))
    silent = functools.partial(tools.hosts.why_silent, chain, node, START_SECONDS)
    raise NotYet(f"the node {node.node_id}", START_SECONDS, silent)


def _await_growth(tools: Tools, goes: Goes, chain: Chain, when: str) -> None:
    """NotYet until there are more blocks, since this was asked for first, than a minority of validators seals alone:
    each of them may add one to a chain that stands already."""
    needed = len(chain.validators()) // 2 + 1
    height = number(tools.rpc.ask(chain, [("eth_blockNumber", [])])[0])
    if height >= goes.position.setdefault(f"height {when}", height) + needed:
        return
    meet_when_due(tools, goes, chain, f"blocks {when}")
    stands = PlatformRefused(say.STANDS % {"chain": chain.name, "height": height}, code="chain_stands")
    raise NotYet(f"blocks {when} the upgrade", STANDS_SECONDS + 10 * chain.period, stands, SOON)
