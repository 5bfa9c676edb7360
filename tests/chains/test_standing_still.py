"""A chain that makes no block although its time has come: the console says so everywhere, until there is one again."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from chains.models import Blockchain, BusinessChain
from chains.observing.rousing import rouse_chains
from chains.reads import blockchains
from chains.services.chains import record_roused
from console.models import AuditEntry
from platforms.models import NativeChain, NativeNetwork, Platform
from platforms.sandbox.anvil import find_anvil
from platforms.standard import OPERATIONS
from tests.chains import plane_files
from tests.chains.conftest import speak_to
from tests.chains.ledger_plane import Ledger, Plane
from tests.chains.test_pages import page, words
from tests.rest import client
from tests.tools.services import free_port
from tests.unions.cast import Cast

ANVIL = find_anvil()
pytestmark = pytest.mark.django_db(transaction=True)
needs_anvil = pytest.mark.skipif(ANVIL is None, reason="needs anvil: `make setup` installs it, or name it in ANVIL")
MakeChain = Callable[..., tuple[Blockchain, Ledger]]
Observe = Callable[..., int]
LONG = 3600  # seconds


class Node:
    """An anvil that makes a block when it is told to. Its first one is old."""

    def __init__(self, port: int) -> None:
        self.port = port

    def call(self, method: str, *parameters: Any) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        answer = httpx.post(f"http://127.0.0.1:{self.port}", json=body, trust_env=False).json()
        assert "error" not in answer, answer
        return answer["result"]

    def mine(self, *, ago: float = 0.0) -> None:
        self.call("evm_setNextBlockTimestamp", int(time.time() - ago))
        self.call("evm_mine")


@contextmanager
def anvil() -> Iterator[Node]:
    port = free_port()
    first = str(int(time.time()) - 2 * LONG)
    command = [str(ANVIL), "--port", str(port), "--no-mining", "--silent", "--timestamp", first]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        made, deadline = Node(port), time.monotonic() + 30
        while True:
            try:
                made.call("eth_chainId")
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline, "the node does not come up"
                time.sleep(0.05)
        yield made
        process.kill()


@pytest.fixture
def nodes() -> Iterator[list[Node]]:
    with ExitStack() as stack:
        yield [stack.enter_context(anvil()) for _number in range(2)]


@pytest.fixture
def row(nodes: list[Node], cast: Cast, settings: Any) -> Blockchain:
    """The chain of both nodes, as the native driver has built it: a block each second."""
    settings.OBSERVE_EVERY_SECONDS, settings.OBSERVE_DETAILS_SECONDS = 3600.0, 3600.0
    able = {name: {"supported": name not in ("get_monitoring", "list_nodes"), "reason": ""} for name in OPERATIONS}
    platform = Platform.objects.create(
        oemtype="own", name="Own machines", kind="evm", kernel="ethereum", cloudtype="on_prem", capabilities=able
    )
    network = NativeNetwork.objects.create(platform=platform, network_id="net-own", name="Own")
    kept = NativeChain.objects.create(
        network=network, chain_id="chain-own", name="Own", consensus="clique", number=31337, period=1, built=True
    )
    for number, node in enumerate(nodes):
        kept.nodes.create(
            node_id=f"node-{number}",
            orgcode=cast.tax.orgcode,
            ip="127.0.0.1",
            engine_port=2376,
            slot=number,
            p2p_port=node.port,
            rpc_port=node.port,
            image="geth",
            enode=f"enode://{number}",
            built=True,
        )
    chain = BusinessChain.objects.create(
        uid="bc-own", name="Own", platform=platform, creator=cast.tax, network_id="net-own"
    )
    chain.organizations.set([cast.tax])
    made = Blockchain.objects.create(uid="own", business_chain=chain, external_id="chain-own", name="Own")
    made.organizations.set([cast.tax])
    return made


def says_when_it_stands(cast: Cast, plane: Plane, patience: float) -> None:
    """The platform tells after how many seconds without a block its chains stand. Their blocks are old."""
    summary = plane_files.interfaces()["get_ledger_summary"]
    summary["result"]["patience"] = patience
    speak_to(cast.platform, plane, get_ledger_summary=summary)


def said(cast: Cast, uid: str) -> str | None:
    """What REST says, in each place the same."""
    whole, ledger = (client(cast.alice).get(f"/api/v1/blockchains/{uid}{part}").json() for part in ("", "/ledger"))
    assert whole["stands_since"] == ledger["stands_since"]
    assert whole["stands_since"] in (None, whole["block_time"])
    since: str | None = whole["stands_since"]
    return since


@needs_anvil
def test_it_is_said_everywhere_and_goes_away_with_the_next_block(
    nodes: list[Node], row: Blockchain, cast: Cast, observe: Observe
) -> None:
    for node in nodes:
        node.mine(ago=LONG)
    observe(row)
    assert (row.read_error, row.height, row.stands_since) == ("", 1, row.block_time)
    assert said(cast, "own") is not None
    assert list(blockchains(cast.alice).that_stand()) == [row]
    assert "The chain stands still: its newest block was made" in words(page(cast.alice, "/chains/own"))
    assert 'href="#nodes"' in page(cast.alice, "/chains/own", live=True)
    for path in ("/", "/chains", "/chains?freshness=stands"):
        assert "No new blocks" in words(page(cast.alice, path)), path
    assert "Without new blocks: Own" in words(page(cast.alice, "/"))

    observe(row)
    assert row.stands_since == row.block_time, "nothing new is no news of a block"
    nodes[0].mine()
    observe(row)
    assert (row.height, row.stands_since, said(cast, "own")) == (2, None, None)
    assert list(blockchains(cast.alice).that_stand()) == []
    assert "stands still" not in words(page(cast.alice, "/chains/own"))
    assert "Without new blocks" not in words(page(cast.alice, "/"))


@needs_anvil
def test_a_node_that_lost_the_others_does_not_speak_for_the_chain(
    nodes: list[Node], row: Blockchain, observe: Observe
) -> None:
    alone, among_others = sorted(nodes, key=lambda node: f"http://127.0.0.1:{node.port}")  # as they are asked
    alone.mine(ago=LONG)
    among_others.mine(ago=LONG)
    among_others.mine()
    observe(row)
    assert (row.height, row.stands_since) == (2, None)
    among_others.mine()
    observe(row)
    assert (row.read_error, row.height) == ("", 3), "the ledger is read where it goes on"


@needs_anvil
def test_of_a_chain_that_stands_the_node_that_lacks_a_block_is_told_to_meet_its_peers_anew(
    nodes: list[Node], row: Blockchain, observe: Observe
) -> None:
    """Its machine cannot be reached here; that it is tried is written down once for each time that the chain stands."""
    for node in nodes:
        node.mine(ago=LONG)
    observe(row)
    assert row.stands_since is not None
    rouse_chains()
    assert roused(row) == [], "both have all blocks: meeting anew would mend nothing"

    nodes[1].mine(ago=LONG / 2)
    observe(row)
    for _again in range(2):
        rouse_chains()
    ((behind, ahead),) = roused(row)
    assert behind.startswith("node-0 could not be told to meet its peers anew: ")
    assert ahead.startswith("node-1 could not be told to meet its peers anew: ")
    record_roused(blockchain_id=row.pk, done=["node-0 meets anew with node-1"])
    assert roused(row) == [[behind, ahead], ["node-0 meets anew with node-1"]], "what is done at last is told as well"

    nodes[1].mine(ago=LONG / 4)
    observe(row)
    rouse_chains()
    assert len(roused(row)) == 3

    nodes[1].mine()
    rouse_chains()
    assert len(roused(row)) == 3, "the driver looks itself: the chain has gone on since it was read"


def roused(row: Blockchain) -> list[list[str]]:
    entries = AuditEntry.objects.filter(action="chains.blockchain.roused", target_id=str(row.pk)).order_by("number")
    return [entry.data["done"] for entry in entries]


def test_a_chain_whose_platform_sees_to_it_itself_is_left_to_it(
    chain: MakeChain, observe: Observe, plane: Plane, cast: Cast
) -> None:
    says_when_it_stands(cast, plane, 60)
    row, _ledger = chain()
    observe(row)
    assert row.stands_since is not None
    rouse_chains()
    assert roused(row) == []


def test_a_chain_that_waits_for_something_to_do_is_never_said_to_stand(
    chain: MakeChain, observe: Observe, cast: Cast
) -> None:
    row, ledger = chain()
    ledger.mine(3)
    observe(row)
    assert row.block_time is not None
    assert row.block_time < timezone.now() - timedelta(hours=1)
    assert (row.patience, row.stands_since, said(cast, row.uid)) == (None, None, None)
    assert "Fresh" in words(page(cast.alice, f"/chains/{row.uid}"))


@pytest.mark.parametrize(("patience", "stands"), [(60, True), (0, False), (-5, False), (1e12, False)])
def test_any_platform_may_say_how_long_is_too_long(
    chain: MakeChain, observe: Observe, plane: Plane, cast: Cast, patience: float, stands: bool
) -> None:
    says_when_it_stands(cast, plane, patience)
    row, _ledger = chain()
    observe(row)
    assert row.read_error == ""
    assert (row.stands_since is not None) == stands
    union = row.business_chain.union
    assert union is not None
    assert ("Stands still" in words(page(cast.alice, f"/unions/{union.unionid}"))) == stands


def test_what_is_old_or_gone_is_not_said_to_stand(chain: MakeChain, observe: Observe, plane: Plane, cast: Cast) -> None:
    says_when_it_stands(cast, plane, 60)
    row, _ledger = chain()
    observe(row)
    assert row.stands_since is not None
    for change in (
        {"read_at": timezone.now() - timedelta(hours=1)},
        {"missing_since": timezone.now()},
        {"state": "deleted"},
        {"block_time": None},
    ):
        before = {name: getattr(row, name) for name in change}
        Blockchain.objects.filter(pk=row.pk).update(**change)
        row.refresh_from_db()
        assert row.stands_since is None, change
        assert not Blockchain.objects.filter(pk=row.pk).that_stand().exists(), change
        Blockchain.objects.filter(pk=row.pk).update(**before)
