"""Having nodes meet anew: one of them can miss a block for good, and a chain that needs both of them stands then.

Two nodes tell each other how far they are when they meet, and of new blocks afterwards. A block that one of them makes
while they shake hands is told to nobody: on geth, the status is sent before the peer is listed among those that new
blocks go to (`runEthPeer` in eth/handler.go). As a rule the next block mends that. Where the next one needs the very
node that misses this one, as with two validators, there is none: both are up and connected, and wait for ever. Once
they hang up and call again they tell each other how far they are.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from console.errors import ConsoleError
from platforms.drivers.evm import programs
from platforms.drivers.evm.book import Chain, Node
from platforms.drivers.evm.building import Goes, Tools, introduce
from platforms.drivers.evm.hosts import at_once
from platforms.drivers.evm.rpc import number

STILL_SECONDS = 15.0  # beside three blocks' time: after so long without a block they are to meet anew
AGAIN_SECONDS = 40.0  # and again: geth calls the same peer every 35 seconds at most (`dialHistoryExpiration`)


def meet_when_due(tools: Tools, goes: Goes, chain: Chain, what: str) -> None:
    """While blocks are waited for, see to it now and then; each new `what` begins anew."""
    still = STILL_SECONDS + 3 * chain.period
    if goes.position.get("meet", {}).get("for") != what:
        goes.position["meet"] = {"for": what, "at": time.time() + still}
    if time.time() < goes.position["meet"]["at"]:
        return
    meet_anew(tools, goes, chain)
    goes.position["meet"]["at"] = time.time() + max(AGAIN_SECONDS, still)


def meet_anew(tools: Tools, goes: Goes, chain: Chain) -> None:
    """Each node that lacks blocks hangs up on those that have them all, and calls them again; or these on it, where its
    host cannot be reached."""
    heights = _heights(tools, chain)
    newest = max((height for _node, height in heights), default=0)
    ahead = [node for node, height in heights if height == newest]
    behind = [node for node, height in heights if height < newest]
    for node in behind:
        if not _calls_anew(tools, goes, node, ahead):
            for each in ahead:
                _calls_anew(tools, goes, each, [node])
    if behind:
        _part_with_those_gone(tools, goes, tools.book.chain(chain.chain_id), [*ahead, *behind])


def _calls_anew(tools: Tools, goes: Goes, node: Node, peers: Sequence[Node]) -> bool:
    try:
        tools.hosts.call_anew(node, [peer.enode for peer in peers])
    except ConsoleError as problem:
        goes.note(f"{node.node_id} could not be told to meet its peers anew: {problem.detail}")
        return False
    goes.note(f"{node.node_id} meets anew with {', '.join(peer.node_id for peer in peers)}")
    return True


def _part_with_those_gone(tools: Tools, goes: Goes, chain: Chain, called: Sequence[Node]) -> None:
    """Whoever has quit meanwhile was called once more, perhaps after its peers had parted with it."""
    there = programs.enodes(chain)
    gone = [node.enode for node in called if node.enode not in there]
    if gone:
        introduce(tools, goes, chain, [node for node in chain.nodes if node.enode], without=gone)


def _heights(tools: Tools, chain: Chain) -> list[tuple[Node, int]]:
    """Of the nodes that answer, and are of this chain."""

    def height(node: Node) -> int:
        return number(tools.rpc.ask_own(chain, node, [("eth_blockNumber", [])])[0])

    nodes = [node for node in chain.nodes if node.enode]
    answers = zip(nodes, at_once(height, nodes), strict=True)
    return [(node, found) for node, found in answers if not isinstance(found, ConsoleError)]
