"""Nodes that serve several chains: each at a port of its own, kept while one chain is left, back after a restart."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from tests.platforms.sandbox.running import Json, Running, cloud, done, ended, rpc


def nodes_on(client: httpx.Client, chain: str) -> dict[str, Json]:
    """The chain's nodes by the member's own name for itself."""
    items = client.get("/v1/nodes", params={"chainId": chain}).json()["items"]
    assert all(each["chainId"] == chain for each in items)
    return {each["externalId"]: each for each in items}


def built(sandbox: Running) -> tuple[httpx.Client, httpx.Client, str, str, str]:
    """Two tenants in a network; a chain with a node of each; a second one on the same nodes."""
    one, two = sandbox.tenant(1), sandbox.tenant(2)
    body = {"name": "Shared", "member": cloud(sandbox.tenants[0], "a"), "invite": [cloud(sandbox.tenants[1], "b")]}
    network = done(one, one.post("/v1/networks", json=body))["networkId"]
    done(two, two.post(f"/v1/networks/{network}/members", json={"member": cloud(sandbox.tenants[1], "b")}))
    first = done(one, one.post(f"/v1/networks/{network}/chains", json={"name": "first"}))["chainId"]
    done(two, two.post(f"/v1/chains/{first}/nodes", json={}))
    own = {name: node["nodeId"] for name, node in nodes_on(one, first).items()}
    body = {"name": "second", "nodeIds": [own["a"]], "requestId": "twice"}
    asked = [one.post(f"/v1/networks/{network}/chains", json=body) for _ in range(2)]
    second = done(one, asked[0])["chainId"]
    assert asked[1].json()["chainId"] == second, "one effect for one key"
    done(two, two.post(f"/v1/chains/{second}/shared-nodes", json={"nodeIds": [own["b"]]}))
    return one, two, network, first, second


def test_two_chains_on_the_same_nodes(fresh: Callable[..., Running]) -> None:
    sandbox = fresh()
    one, two, network, first, second = built(sandbox)
    on_first, on_second = nodes_on(one, first), nodes_on(two, second)
    assert {name: node["nodeId"] for name, node in on_first.items()} == {
        name: node["nodeId"] for name, node in on_second.items()
    }
    assert all(node["chainIds"] == [first, second] for node in [*on_first.values(), *on_second.values()])
    assert rpc(on_first["b"]["endpoint"], "eth_chainId") == rpc(on_first["a"]["endpoint"], "eth_chainId")
    assert rpc(on_second["b"]["endpoint"], "eth_chainId") == rpc(on_second["a"]["endpoint"], "eth_chainId")
    assert rpc(on_first["b"]["endpoint"], "eth_chainId") != rpc(on_second["b"]["endpoint"], "eth_chainId")

    # Killed and started again: the same endpoints for both.
    sandbox.kill()
    sandbox.start()
    one, two = sandbox.tenant(1), sandbox.tenant(2)
    assert {name: node["endpoint"] for name, node in nodes_on(one, second).items()} == {
        name: node["endpoint"] for name, node in on_second.items()
    }
    assert {node["state"] for node in nodes_on(one, first).values()} == {"RUNNING"}

    # Who leaves one chain stays on the other; the first chain's end leaves the nodes to the second.
    done(two, two.delete(f"/v1/chains/{first}/nodes"))
    assert set(nodes_on(one, first)) == {"a"}
    assert nodes_on(one, second)["b"]["chainIds"] == [second]
    done(one, one.delete(f"/v1/chains/{first}"))
    left = nodes_on(one, second)
    assert {node["nodeId"] for node in left.values()} == {node["nodeId"] for node in on_first.values()}
    assert rpc(left["a"]["endpoint"], "eth_blockNumber") is not None
    done(one, one.delete(f"/v1/chains/{second}"))
    assert one.get("/v1/nodes", params={"networkId": network}).json()["items"] == []


def test_nodes_that_cannot_be_shared_are_named(fresh: Callable[..., Running]) -> None:
    sandbox = fresh()
    one, _two, network, first, second = built(sandbox)
    own = nodes_on(one, first)
    for body, status, code in (
        ({"nodeIds": [own["b"]["nodeId"]]}, 404, "NODE_NOT_FOUND"),
        ({"nodeIds": ["nod-no"]}, 404, "NODE_NOT_FOUND"),
        ({"nodeIds": []}, 400, "INVALID_REQUEST"),
        ({}, 400, "INVALID_REQUEST"),
    ):
        answer = one.post(f"/v1/chains/{second}/shared-nodes", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), body
    assert one.post(f"/v1/networks/{network}/chains", json={"name": "x", "nodeIds": ["nod-no"]}).status_code == 404
    assert len(one.get("/v1/chains").json()["items"]) == 2, "nothing was begun"


def test_a_sharing_that_fails_leaves_the_node_where_it_was(fresh: Callable[..., Running]) -> None:
    sandbox = fresh()
    one, two, network, first, second = built(sandbox)
    own = nodes_on(two, first)["b"]["nodeId"]
    third = done(one, one.post(f"/v1/networks/{network}/chains", json={"name": "third"}))["chainId"]
    sandbox.open().post("/sandbox-faults", json={"fault": "fail", "on": ["shareNodes"]}).raise_for_status()
    body = {"nodeIds": [own], "requestId": "again"}
    assert ended(two, two.post(f"/v1/chains/{third}/shared-nodes", json=body))["state"] == "FAILED"
    assert nodes_on(two, first)["b"]["state"] == "RUNNING"
    assert nodes_on(two, third)["b"]["state"] == "CREATING"
    done(two, two.post(f"/v1/chains/{third}/shared-nodes", json=body))
    assert nodes_on(two, third)["b"]["state"] == "RUNNING"
    done(two, two.delete(f"/v1/chains/{third}/nodes"))
    assert nodes_on(two, first)["b"]["chainIds"] == [first, second]
