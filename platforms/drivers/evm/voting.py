"""The validators' votes: whom they let in, and whom they vote out."""

from __future__ import annotations

from console.errors import ConsoleError, PlatformRefused, PlatformUnavailable
from platforms.drivers.evm import words as say
from platforms.drivers.evm.book import Chain, Node
from platforms.drivers.evm.building import SOON, Goes, NotYet, Tools
from platforms.drivers.evm.hosts import at_once
from platforms.drivers.evm.meeting import meet_when_due
from platforms.drivers.evm.rpc import number

VOTE_SECONDS = 120.0  # without a new block for so long a vote comes to nothing
CAST_ANEW = 50  # blocks


def vote(tools: Tools, goes: Goes, chain: Chain, node: Node, *, into: bool) -> None:
    """Have every validator that can be reached vote until the node is in, or out.

    NotYet until then; a chain that goes on gets its votes through, if enough can be asked. They are cast anew now and
    then: a validator forgets its own when it is started again.
    """
    sealing = validators_of(tools, chain)
    if (node.address in sealing) == into:
        withdraw_votes(tools, goes, chain, node, sealing)
        return
    height = number(tools.rpc.ask(chain, [("eth_blockNumber", [])])[0])
    _cast_votes(tools, goes, chain, node, sealing, mark=f"{into} since {height // CAST_ANEW}", into=into)
    voted = [each for each in chain.validators() if each.address in sealing and f"vote:{each.node_id}" in goes.position]
    needed = tools.consensus(chain).needed_to_change(len(sealing))
    if len(voted) < needed:
        words = say.NO_MAJORITY % {"node": node.node_id, "voted": len(voted), "all": len(sealing), "needed": needed}
        raise NotYet("the votes of more validators", VOTE_SECONDS, PlatformRefused(words, code="no_majority"), 5.0)
    meet_when_due(tools, goes, chain, f"the block after {height}")
    stands = PlatformRefused(say.NO_VOTE % {"node": node.node_id, "height": height}, code="chain_stands")
    raise NotYet(f"the vote at block {height}", VOTE_SECONDS, stands, max(SOON, float(min(chain.period, 5))))


def _cast_votes(
    tools: Tools, goes: Goes, chain: Chain, node: Node, sealing: set[str], *, mark: str, into: bool
) -> None:
    question = tools.consensus(chain).vote(node.address, into=into)
    asked = [each for each in chain.validators() if each.address in sealing and goes.once(f"vote:{each.node_id}", mark)]
    for each, said in zip(asked, at_once(lambda one: tools.hosts.ask(one, question), asked), strict=True):
        if isinstance(said, ConsoleError):
            goes.note(f"no vote of {each.node_id}: {said.detail}")
            continue
        goes.done(f"vote:{each.node_id}", mark)
        goes.note(f"{each.node_id} votes {'for' if into else 'against'} {node.address}")


def validators_of(tools: Tools, chain: Chain) -> set[str]:
    """Who seals blocks, as the chain itself says; asked at the first validator that can be reached."""
    problem: ConsoleError = PlatformUnavailable()
    for node in chain.validators():
        try:
            said = tools.hosts.ask(node, tools.consensus(chain).validators)
        except ConsoleError as silent:
            problem = silent
            continue
        return {str(address).lower() for address in said}
    raise problem


def withdraw_votes(tools: Tools, goes: Goes, chain: Chain, node: Node, sealing: set[str]) -> None:
    """Of all who seal and can be reached, whoever had them vote: no later vote on the same node is met by an earlier
    one."""
    question = tools.consensus(chain).forget_vote(node.address)
    asked = [each for each in chain.validators() if each.address in sealing]
    for each, said in zip(asked, at_once(lambda one: tools.hosts.ask(one, question), asked), strict=True):
        if isinstance(said, ConsoleError):
            goes.note(f"{each.node_id} may still vote on {node.address}: {said.detail}")
