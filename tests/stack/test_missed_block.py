"""Two real validators of which one misses the other's block for good: both run, are connected, and wait for ever.

That happens by chance where a block is made while two nodes shake hands. Here it is made to happen: the handshake waits
on its way until the block is there.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from chains.observing.observer import Observer
from chains.observing.rousing import rouse_chains
from console.models import AuditEntry, FlowState, User
from platforms.drivers import driver_for
from platforms.drivers.evm.book import Node
from platforms.services.native import book_of
from platforms.services.upgrades import upgrade_nodes
from tests.stack.estate import Estate, ended, estate, told, use_image
from tests.tools.engines import missing_for_engines
from tests.tools.images import missing_for, named
from tests.tools.slow_call import slow_call
from tests.tools.waiting import until
from tests.unions.conftest import root  # noqa: F401 - a fixture
from unions.models import Union

REASON = missing_for_engines() or missing_for("ethereum")
pytestmark = [
    pytest.mark.stack,
    pytest.mark.timeout(600),  # a machine that does other things as well is slow
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(REASON), reason=REASON),
]
REDIAL_SECONDS = 60.0  # geth calls the same peer every 35 seconds at most
NEXT = "localhost/concord-ethereum:next"


def test_they_meet_anew_when_the_console_sees_that_the_chain_stands(root: User, settings: Any) -> None:  # noqa: F811
    settings.OBSERVE_EVERY_SECONDS = 1.0
    with estate(root, settings, "Tax", "Library", ips=("127.0.54.1", "127.0.54.2")) as made:
        union = made.unite()
        stood = miss_a_block(made, union)
        until(lambda: observed(made, union).stands_since is not None, 90, "the console sees that it stands")
        assert set(heights(made, union)) == {stood, stood + 1}
        behind, ahead = validators(made, union)
        (out_of_reach,) = [office.host for office in made.offices if office.host.ip == behind.ip]
        out_of_reach.terminator.close()  # its node runs on; then the other one has to hang up
        rouse_chains()
        entry = AuditEntry.objects.get(action="chains.blockchain.roused", target_id=str(made.chain(union).pk))
        failed, done = entry.data["done"]
        assert failed.startswith(f"{behind.node_id} could not be told")
        assert done == f"{ahead.node_id} meets anew with {behind.node_id}"
        until(lambda: min(heights(made, union)) > stood + 3, REDIAL_SECONDS, "both go on")
        until(lambda: observed(made, union).stands_since is None, 30, "the console sees that it goes on")
        out_of_reach.terminator.open()


def test_an_upgrade_that_meets_with_it_goes_on(root: User, settings: Any) -> None:  # noqa: F811
    with estate(root, settings, "Tax", "Library", ips=("127.0.54.3", "127.0.54.4")) as made:
        union = made.unite()
        for office in made.offices:
            office.host.podman("tag", named("ethereum").tag, NEXT)
        use_image(settings, "ethereum", NEXT)
        stood = miss_a_block(made, union)
        flow = ended(upgrade_nodes(actor=root, oemtype=made.platform.oemtype).pk)
        assert flow.state == FlowState.DONE, told(flow)
        assert min(heights(made, union)) > stood + 1


def miss_a_block(made: Estate, union: Union) -> int:
    """Have the first validator miss a block that the second one has made; the height at which the first one stays."""
    behind, ahead = validators(made, union)
    ask(made, ahead, "miner.stop()")
    until(lambda: _stays(made, union), 30, "the chain to wait for the second validator")
    for node, peer in ((behind, ahead), (ahead, behind)):
        assert ask(made, node, f"admin.removePeer({json.dumps(peer.enode)})")
    until(lambda: ask(made, ahead, "net.peerCount") == 0, 10, "the two to part")
    stood = heights(made, union)[0]
    with slow_call(behind.ip, (ahead.ip, ahead.p2p_port)) as call:
        who = ahead.enode.rpartition("@")[0]
        assert ask(made, behind, f"admin.addPeer({json.dumps(f'{who}@{behind.ip}:{call.port}')})")
        assert call.waits.wait(REDIAL_SECONDS), "the first validator does not call"
        ask(made, ahead, "miner.start()")
        until(lambda: heights(made, union)[1] == stood + 1, 3, "the second validator's block", every=0.05)
        call.go.set()
        until(lambda: ask(made, behind, "net.peerCount") == ask(made, ahead, "net.peerCount") == 1, 10, "they meet")
        with pytest.raises(AssertionError):
            until(lambda: heights(made, union) != [stood, stood + 1], 8, "one of them goes on")
    return stood


def validators(made: Estate, union: Union) -> list[Node]:
    return list(book_of(made.platform).chain(made.chain(union).external_id).validators())


def ask(made: Estate, node: Node, question: str) -> Any:
    driver: Any = driver_for(made.platform)
    return driver._hosts.ask(node, question)


def heights(made: Estate, union: Union) -> list[int]:
    """As each validator says itself."""
    driver: Any = driver_for(made.platform)
    return [int(driver._rpc.ask_node(node, [("eth_blockNumber", [])])[0], 16) for node in validators(made, union)]


def _stays(made: Estate, union: Union) -> bool:
    """Both are at the same block, and still are two seconds later."""
    before = heights(made, union)
    time.sleep(2)
    return len(set(before)) == 1 and heights(made, union) == before


def observed(made: Estate, union: Union) -> Any:
    """The chain's row after a look at it."""
    Observer().tick(patience=2.0)
    return made.chain(union)
