"""Real GoQuorum on several machines: voted in, one cut off, voted out, gone; and who may connect at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from platforms.drivers.evm import programs
from tests.stack.site import Site, site
from tests.stack.stranger import CALLS_AGAIN_SECONDS, stranger
from tests.tools.engines import missing_for_engines
from tests.tools.images import missing_for
from tests.tools.waiting import until

REASON = missing_for_engines() or missing_for("quorum")
pytestmark = [
    pytest.mark.stack,
    pytest.mark.timeout(600),  # a machine that does other things as well is slow
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(REASON), reason=REASON),
]
SLOW = 180.0  # seconds of one operation


@pytest.mark.parametrize(("consensus", "network"), [("qbft", "45"), ("ibft", "46")])
def test_four_members_seal_and_one_may_fail(consensus: str, network: str) -> None:
    with site("quorum", network, 4) as made:
        ours = _founded(made, consensus)
        for number in range(1, 4):
            made.do("join_chain", **ours, member=made.party(number), seconds=SLOW)
            assert len(_validators(made, ours)) == number + 1
        assert _sealers(made, ours) == _validators(made, ours), "everybody seals"

        made.hosts[3].cut()
        before = _height(made, ours)
        until(lambda: _height(made, ours) > before + 3, 120, "three of four go on")
        assert made.do("get_chain", **ours).status == "running"
        states = {node.orgcode: node.state for node in made.do("list_nodes", **ours).items}
        assert states["org-3"] == "unknown"
        assert {states[f"org-{number}"] for number in range(3)} == {"running"}

        made.hosts[2].cut()
        stood = _height(made, ours) + 1  # one may have been on its way
        with pytest.raises(AssertionError):
            until(lambda: _height(made, ours) > stood, 10, "two of four are not enough")
        made.hosts[2].mend()
        made.hosts[3].mend()
        until(lambda: _height(made, ours) > stood + 3, 150, "the chain goes on when they are back")

        made.do("quit_chain", **ours, member=made.party(1), seconds=SLOW)
        assert made.hosts[1].left() == []
        assert len(_validators(made, ours)) == 3
        before = _height(made, ours)
        until(lambda: _height(made, ours) > before + 3, 90, "the other three go on")
        made.do("delete_network", network_id=ours["network_id"], creator=made.party(0))
        assert [host.left() for host in made.hosts] == [[], [], [], []]


def test_who_is_not_on_the_list_is_kept_out_and_the_creator_may_go() -> None:
    """The list of who may connect, nodes that only read, limits; and a chain that outlives its creator."""
    with site("quorum", "47", 2) as made:
        network_id = made.do("create_network", name="Permits", creator=made.party(0), seconds=SLOW).network_id
        made.do("join_network", network_id=network_id, member=made.party(1), seconds=SLOW)
        wanted = {"network_id": network_id, "name": "Permits", "creator": made.party(0)}
        chain_id = made.do("create_chain", **wanted, seconds=SLOW).chain_id
        ours: dict[str, Any] = {"network_id": network_id, "chain_id": chain_id}
        _a_stranger_is_kept_out(made, chain_id)
        _limited(made, chain_id)
        _one_that_reads_comes_and_goes(made, ours)
        made.do("join_chain", **ours, member=made.party(1), seconds=SLOW)
        assert len(_validators(made, ours)) == 2

        made.do("quit_chain", **ours, member=made.party(0), seconds=SLOW)
        assert made.hosts[0].left() == []
        (left,) = made.book.chain(chain_id).nodes
        assert (left.orgcode, _validators(made, ours)) == ("org-1", {left.address})
        before = _height(made, ours)
        until(lambda: _height(made, ours) > before + 3, 90, "whoever is left goes on")
        made.do("delete_network", network_id=network_id, creator=made.party(0))
        assert [host.left() for host in made.hosts] == [[], []]


def _a_stranger_is_kept_out(made: Site, chain_id: str) -> None:
    """It has the chain's first block, and is trusted by the node that it calls; only the list is between them."""
    chain = made.book.chain(chain_id)
    (node,) = chain.nodes
    host, name = made.hosts[0], programs.container_name(node)

    def peers() -> int:
        return int(made.driver._hosts.ask(node, "net.peerCount"))

    with stranger("quorum", chain, node) as enode:
        assert made.driver._hosts.ask(node, f"admin.addTrustedPeer({json.dumps(enode)})")
        with pytest.raises(AssertionError):
            until(lambda: peers() > 0, CALLS_AGAIN_SECONDS + 5, "the stranger to be let in")
        assert enode not in host.podman("exec", name, "cat", programs.PERMITTED)
        made.driver._hosts.of(node).put_file(name, programs.PERMITTED, json.dumps([node.enode, enode]))
        until(lambda: peers() == 1, 90, "whoever is on the list to be let in")
    made.driver._hosts.of(node).put_file(name, programs.PERMITTED, programs.permitted(chain))
    assert made.driver._hosts.ask(node, f"admin.removeTrustedPeer({json.dumps(enode)})")
    until(lambda: peers() == 0, 60, "the stranger is gone")


def _limited(made: Site, chain_id: str) -> None:
    (node,) = made.book.chain(chain_id).nodes
    memory = made.hosts[0].podman("inspect", programs.container_name(node), "--format", "{{.HostConfig.Memory}}")
    assert int(memory) == made.driver.settings.limits.memory > 0


def _one_that_reads_comes_and_goes(made: Site, ours: dict[str, Any]) -> None:
    """It is let in by the validator's list, has the blocks, and seals none."""
    more = made.do("add_node", **ours, member=made.party(0), seconds=SLOW).node_id
    nodes = {node.node_id: node for node in made.do("list_nodes", **ours).items}
    assert (nodes[more].role, nodes[more].state) == ("peer", "running")
    assert len(_validators(made, ours)) == 1
    height = _height(made, ours)
    reading = next(node for node in made.book.chain(ours["chain_id"]).nodes if node.node_id == more)
    until(lambda: int(made.driver._hosts.ask(reading, "eth.blockNumber")) > height, 60, "it follows the chain")
    made.do("remove_node", **ours, member=made.party(0), node_id=more)
    assert more not in {node.node_id for node in made.book.chain(ours["chain_id"]).nodes}


def _founded(made: Site, consensus: str) -> dict[str, str]:
    """A network of all four, and a chain with its creator's validator."""
    network_id = made.do("create_network", name="Permits", creator=made.party(0), seconds=SLOW).network_id
    for number in range(1, 4):
        made.do("join_network", network_id=network_id, member=made.party(number), seconds=SLOW)
    chain: Any = made.do(
        "create_chain",
        network_id=network_id,
        name="Permits",
        creator=made.party(0),
        extrainfo=json.dumps({"consensus": consensus}),
        seconds=SLOW,
    )
    assert json.loads(chain.extrainfo)["consensus"] == consensus
    return {"network_id": network_id, "chain_id": chain.chain_id}


def _validators(made: Site, ours: dict[str, str]) -> set[str]:
    """As every node says that can be reached, in its own console; they have to say the same."""
    chain = made.book.chain(ours["chain_id"])
    told = {tuple(sorted(made.driver._hosts.ask(node, "istanbul.getValidators()"))) for node in chain.validators()}
    (validators,) = told
    return {address.lower() for address in validators}


def _sealers(made: Site, ours: dict[str, str]) -> set[str]:
    """Who has made blocks since four of them seal; each has its turn."""
    found: set[str] = set()
    node = made.book.chain(ours["chain_id"]).validators()[0]

    def all_seen() -> bool:
        found.add(made.driver._hosts.ask(node, "istanbul.getSignersFromBlock()")["Author"].lower())
        return len(found) == 4

    until(all_seen, 90, "each has made a block")
    return found


def _height(made: Site, ours: dict[str, str]) -> int:
    return int(made.do("get_ledger_summary", chain_id=ours["chain_id"]).height)
