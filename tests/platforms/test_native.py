"""Platforms without a management plane: registered without files, refused by field, their book kept in rows."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from console.errors import Conflict, Invalid, Missing, NotAllowed, PlatformRefused
from console.models import AuditEntry, Flow, User
from platforms.drivers import credentials_of, driver_for
from platforms.drivers.evm.book import Chain, Network
from platforms.drivers.evm.driver import EvmDriver
from platforms.hosts.spaces import Space
from platforms.models import NativeNode, Platform, PlatformState
from platforms.services import platforms as service
from platforms.services.native import book_of
from platforms.services.upgrades import upgrade_nodes
from tests.platforms.conftest import carry_through

pytestmark = pytest.mark.django_db(transaction=True)
OWN = {"oemtype": "own", "name": "Own machines", "kind": "evm", "kernel": "ethereum"}


def registered(root: User, **changes: Any) -> Platform:
    started = service.register_platform(actor=root, **{**OWN, **changes})
    flow = carry_through(started.flow)
    assert flow.state == "done", flow.error
    started.platform.refresh_from_db()
    return started.platform


def test_a_native_platform_needs_no_files_and_says_what_it_can_do(root: User) -> None:
    platform = registered(root, credentials={"username": "puller", "password": "pull-secret"})
    assert (platform.state, platform.cloudtype, platform.version) == (PlatformState.OFFICIAL, "on_prem", None)
    assert platform.capability("join_chain") == (True, "")
    for operation in ("delete_contract", "create_subchain", "list_tenants"):
        supported, reason = platform.capability(operation)
        assert not supported
        assert len(reason) > 20
    driver = driver_for(platform)
    assert isinstance(driver, EvmDriver)
    assert driver.settings.registry.password == "pull-secret"
    assert "pull-secret" not in repr(driver.settings)

    changed = service.update_platform(actor=root, oemtype="own", name="Machines of the offices")
    assert (changed.name, changed.version) == ("Machines of the offices", None)
    with pytest.raises(Invalid) as refused:
        service.update_platform(actor=root, oemtype="own", base_url="http://127.0.0.1:1", mapping="mapping: 1")
    assert set(refused.value.errors) == {"base_url", "mapping"}


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"kernel": ""}, {"kernel"}),
        ({"kernel": "fabric"}, {"kernel"}),
        ({"cloudtype": "cloud"}, {"cloudtype"}),
        ({"network_ids": ["net-1"]}, {"network_ids"}),
        ({"network_ids": ["7@10.0.0.1:8545,"]}, {"network_ids"}),
        ({"api_file": "openapi: 3.0.3", "base_url": "http://10.0.0.1"}, {"api_file", "base_url"}),
        ({"name": "", "credentials": {"colour": "blue"}}, {"name", "credentials.colour"}),
    ],
)
def test_what_does_not_fit_is_named(root: User, changes: dict[str, Any], fields: set[str]) -> None:
    with pytest.raises(Invalid) as refused:
        service.register_platform(actor=root, **{**OWN, **changes})
    assert set(refused.value.errors) == fields
    assert not Platform.objects.exists()


def test_the_book_writes_everything_down_once(root: User) -> None:
    book = book_of(registered(root))
    net = Network("net-1", "Permits", {"org-1": "Tax"})
    book.open_network(net)
    book.open_network(net)
    book.add_member("net-1", "org-2", "Housing")
    book.add_member("net-1", "org-2", "Housing")
    assert book.network("net-1").members == {"org-1": "Tax", "org-2": "Housing"}
    chain = book.open_chain(Chain("chain-1", "net-1", "Permits", "clique", 7, 2))
    assert book.open_chain(Chain("chain-1", "net-1", "Other", "clique", 8, 9)) == chain

    two = Space("org-1", (("10.0.0.1", 2376), ("10.0.0.2", 2376)), "")
    first = book.open_node(chain, two, image="geth:1")
    assert book.open_node(chain, two, image="geth:2") == first
    reader = book.open_node(chain, two, image="geth:1", validator=False, name="aa")
    third = book.open_node(chain, two, image="geth:1", validator=False, name="bb")
    assert [(node.ip, node.rpc_port) for node in (first, reader, third)] == [
        ("10.0.0.1", 8545),
        ("10.0.0.2", 8545),
        ("10.0.0.1", 8546),
    ]
    assert book.chain("chain-1").node_of("org-1") == first
    with pytest.raises(PlatformRefused):
        book.open_node(chain, Space("org-3", (), ""), image="geth:1")

    other = book_of(registered(root, oemtype="other", name="Others"))
    with pytest.raises(Missing):
        other.chain("chain-1")
    book.drop_chain("chain-1")
    book.drop_network("net-1")
    assert (book.networks(), book.chains(), NativeNode.objects.count()) == ([], [], 0)


def test_an_administrator_registers_and_changes_one_in_a_browser(root: User, client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/platforms/new/native").status_code == 403
    client.force_login(root)
    assert "/platforms/new/native" in client.get("/platforms/new").content.decode()
    page = client.get("/platforms/new/native").content.decode()
    assert settings.EVM_IMAGES["quorum"] in page
    wrong = client.post("/platforms/new/native", {"oemtype": "Own!", "name": "Own machines", "kernel": "quorum"})
    assert wrong.status_code == 422
    assert not Platform.objects.exists()
    right = {
        "oemtype": "own",
        "name": "Own machines",
        "kernel": "quorum",
        "username": "puller",
        "password": "pull-secret",
    }
    assert client.post("/platforms/new/native", right).headers["Location"] == "/platforms/own"
    carry_through(Flow.objects.get())
    shown = client.get("/platforms/own").content.decode()
    assert settings.EVM_IMAGES["quorum"] in shown
    assert "pull-secret" not in shown

    assert "pull-secret" not in client.get("/platforms/own/change").content.decode()
    assert client.post("/platforms/own/change", {"name": "Machines"}).status_code == 302
    platform = Platform.objects.get()
    assert (platform.name, platform.kernel) == ("Machines", "quorum")
    assert credentials_of(platform).password == "pull-secret"


def test_nodes_are_upgraded_by_a_flow_of_one_step_each(root: User, client: Client, alice: User) -> None:
    platform = registered(root)
    book = book_of(platform)
    book.open_network(Network("net-1", "Permits", {"org-1": "Tax"}))
    chain = book.open_chain(Chain("chain-1", "net-1", "Permits", "clique", 7, 2))
    space = Space("org-1", (("10.0.0.1", 2376),), "")
    node = book.open_node(chain, space, image="geth:old")
    reader = book.open_node(chain, space, image="geth:old", validator=False, name="aa")
    newest = book.open_node(chain, space, image=settings.EVM_IMAGES["ethereum"], validator=False, name="bb")
    for each in (node, reader, newest):
        book.change_node(each.node_id, built=True)

    with pytest.raises(NotAllowed):
        upgrade_nodes(actor=alice, oemtype="own")
    client.force_login(root)
    assert "2 nodes run another image." in client.get("/platforms/own").content.decode()
    assert client.post("/platforms/own/upgrade").status_code == 302
    flow = Flow.objects.get(kind="platforms.upgrade")
    steps = list(flow.steps.order_by("number").values_list("name", "needs"))
    assert steps == [(f"node:{reader.node_id}", []), (f"node:{node.node_id}", [f"node:{reader.node_id}"])]
    assert AuditEntry.objects.get(action="platforms.platform.upgrading").data["nodes"] == [
        reader.node_id,
        node.node_id,
    ]
    with pytest.raises(Conflict, match="already"):
        upgrade_nodes(actor=root, oemtype="own")
    for each in (node, reader):
        book.drop_node(each.node_id)
    assert carry_through(flow).state == "done"  # what is gone meanwhile needs no upgrade
    with pytest.raises(Conflict, match="All nodes run"):
        upgrade_nodes(actor=root, oemtype="own")
