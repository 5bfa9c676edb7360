"""Behind a native driver nobody goes on with what was begun: a step asks it again until all of it is there.

The machine is silent in these tests, and everything on this side of it is real: flows, driver, and its book.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from chains.models import Blockchain, BusinessChain
from console import flows
from console.flows import Blueprint, Task
from console.models import Flow, FlowState, Step, StepLog, User
from platforms import standard
from platforms.drivers import driver_for, forget_drivers
from platforms.drivers.base import Credentials, read
from platforms.drivers.evm.book import Book, Chain, Network, Node
from platforms.hosts.spaces import space_of
from platforms.models import NativeChain, NativeNode, Platform
from platforms.services.native import book_of
from platforms.services.platforms import register_platform
from tests.platforms.conftest import carry_through
from tests.tools.engines import Authority
from tests.unions.cast import registered
from unions.models import Organization

pytestmark = pytest.mark.django_db(transaction=True)
IP, ATTEMPTS = "127.0.98.1", 3
IN_PLAN: dict[str, Any] = {"chain": 0, "nodes": [], "source": None, "made_by": ""}


@pytest.fixture(autouse=True)
def _patience(settings: Any) -> Iterator[None]:
    settings.FLOW_MAX_ATTEMPTS = ATTEMPTS
    forget_drivers()
    yield
    forget_drivers()


@pytest.fixture
def own(root: User) -> Platform:
    started = register_platform(actor=root, oemtype="own", name="Own machines", kind="evm", kernel="ethereum")
    assert carry_through(started.flow).state == FlowState.DONE
    return Platform.objects.get(oemtype="own")


@pytest.fixture
def tax(root: User) -> Iterator[Organization]:
    """Its one machine refuses every connection."""
    with socket.socket() as nobody:
        nobody.bind((IP, 0))
        machines = {"nodelist": [{"ip": IP, "port": nobody.getsockname()[1]}], "tlscert": Authority().bundle("tax")}
        yield registered(root, "tessa", {"name": "Tax", "category": "on_prem", **machines})[1]


@pytest.fixture
def book(own: Platform, tax: Organization) -> Book:
    made = book_of(own)
    made.open_network(Network("net-1", "Permits", {tax.orgcode: "Tax"}))
    return made


def begun(book: Book, tax: Organization, **changes: Any) -> tuple[Chain, Node]:
    """A chain that runs, and the organization's node on it as an earlier attempt has left it."""
    chain = book.open_chain(Chain("chain-1", "net-1", "Permits", "clique", 7, 2))
    book.change_chain(chain.chain_id, built=True)
    node = book.open_node(chain, space_of(tax.orgcode), image="geth:1")
    book.change_node(node.node_id, **changes)
    return chain, node


ENODE = {"address": "0x" + "1a" * 20, "enode": f"enode://1a@{IP}:30303"}


def row_of(chain: Chain, own: Platform, tax: Organization) -> Blockchain:
    business = BusinessChain.objects.create(uid="bc-1", name="Permits", platform=own, creator=tax, network_id="net-1")
    row = Blockchain.objects.create(uid="c-1", business_chain=business, external_id=chain.chain_id, name="Permits")
    row.organizations.set([tax])
    return row


def carried(own: Platform, tax: Organization, task: Task, **arguments: Any) -> Flow:
    """A flow of this one step, to its end."""
    about = {"platform": own.pk, "creator": tax.orgcode, "orgs": [tax.orgcode], "union": None, "network_id": "net-1"}
    blueprint = Blueprint("tests.resuming", "Build it", lambda _arguments: [task])
    started = {**about, "name": "Permits", "chains": [{"name": "Permits", "blockspec": {}}], **arguments}
    with transaction.atomic():
        flow = flows.start(blueprint, subject=None, requested_by=None, arguments=started)
    return carry_through(flow)


def assert_asked_each_time(flow: Flow) -> Step:
    """It is no success and no waiting for somebody else: every attempt has asked the driver, and met the machine."""
    step = flow.steps.get()
    assert (flow.error or {}).get("code") == "platform_unavailable", (flow.state, step.position)
    assert "looks" not in (step.position or {})
    failures = StepLog.objects.filter(step=step, undoing=False, data__code="platform_unavailable")
    assert [IP in str(each.data) for each in failures] == [True] * ATTEMPTS
    return step


@pytest.mark.parametrize("action", ["chains.create_chain", "chains.build_ledger"])
def test_a_chain_that_was_only_written_down_is_not_waited_for(
    own: Platform, tax: Organization, book: Book, action: str
) -> None:
    step = {**IN_PLAN, "operation": "create_chain", "orgcode": tax.orgcode}
    task = Task("chain", action, "Build the chain", arguments={"step": step})
    assert_asked_each_time(carried(own, tax, task, steps=[step]))
    assert [(row.built, row.nodes.count()) for row in NativeChain.objects.all()] == [(False, 1)]


@pytest.mark.parametrize("action", ["chains.join_chain", "chains.enter_ledger"])
def test_a_node_that_nobody_has_voted_for_is_no_member(
    own: Platform, tax: Organization, book: Book, action: str
) -> None:
    chain, _node = begun(book, tax, **ENODE)
    row = row_of(chain, own, tax)
    step = {**IN_PLAN, "operation": "join_chain", "orgcode": tax.orgcode}
    about = {"step": step, "member": tax.orgcode, "blockchain": row.pk}
    flow = carried(own, tax, Task("join", action, "Build the node", arguments=about), blockchains=[row.pk])
    assert_asked_each_time(flow)
    assert not NativeNode.objects.get().built


def test_a_further_node_that_was_only_begun_is_gone_on_with_and_given_back(
    own: Platform, tax: Organization, book: Book
) -> None:
    """Also where its host has not even made its keys: what is written down may be there."""
    chain, first = begun(book, tax, **ENODE, built=True)
    row = row_of(chain, own, tax)
    step = {**IN_PLAN, "operation": "add_node", "orgcode": tax.orgcode}
    undo = "chains.unbuild_node"
    task = Task("node", "chains.build_node", "Build a further node", undo=undo, arguments={"step": step})
    flow = carried(own, tax, task, blockchains=[row.pk])
    done = assert_asked_each_time(flow)
    assert flow.state == FlowState.FAILED, "its removal waits for the machine"
    assert IP in str(done.undo_error)
    assert NativeNode.objects.exclude(node_id=first.node_id).get().enode == ""


@pytest.mark.parametrize(
    ("left", "state"),
    [({}, "creating"), (ENODE, "creating"), ({**ENODE, "built": True}, "unknown")],
    ids=["written down", "without a vote", "built"],
)
def test_a_node_is_being_created_until_it_is_whole(
    own: Platform, tax: Organization, book: Book, left: dict[str, Any], state: str
) -> None:
    begun(book, tax, **left)
    request = standard.ListNodesRequest(network_id="net-1", chain_id="chain-1")
    listed: Any = read(driver_for(own), "list_nodes", request, Credentials())
    assert [each.state for each in listed.items] == [state]
