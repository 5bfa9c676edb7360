"""The whole life of a network by HTTP: founded, joined, a chain with nodes, read, left, ended."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from platforms.sandbox.counter import CODE, GET, INCREMENT
from tests.platforms.sandbox.running import Json, Running, cloud, done, ended, machine, rpc, until


@dataclass
class Life:
    """A network of two cloud tenants and an on-prem organization, each with a node on one chain."""

    sandbox: Running
    network: str
    chain: str

    def nodes(self) -> dict[str, Json]:
        found = self.sandbox.operator().get("/v1/nodes", params={"chainId": self.chain}).json()["items"]
        return {node["externalId"]: node for node in found}

    def get(self, path: str, **query: Any) -> Json:
        answer = self.sandbox.operator().get(f"/v1/chains/{self.chain}/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


def build(sandbox: Running) -> Life:
    first, second, third = sandbox.tenant(4), sandbox.tenant(5), sandbox.on_prem()
    tenants = sandbox.tenants
    invite = [cloud(tenants[4], "org-2")]
    founded = first.post(
        "/v1/networks", json={"name": "Permits", "member": cloud(tenants[3], "org-1"), "invite": invite}
    )
    network = done(first, founded)["networkId"]
    members = f"/v1/networks/{network}/members"
    done(second, second.post(members, json={"member": cloud(tenants[4], "org-2")}))
    first.put(f"/v1/networks/{network}/invitations/org-3", json={"displayName": "Third"}).raise_for_status()
    done(third, third.post(members, json={"member": machine("org-3")}))
    chain = done(first, first.post(f"/v1/networks/{network}/chains", json={"name": "main"}))["chainId"]
    done(second, second.post(f"/v1/chains/{chain}/nodes", json={}))
    done(third, third.post(f"/v1/chains/{chain}/nodes", json={"externalId": "org-3"}))
    return Life(sandbox, network, chain)


def tear_down(life: Life) -> None:
    first, second, third = life.sandbox.tenant(4), life.sandbox.tenant(5), life.sandbox.on_prem()
    for client, name in ((second, "org-2"), (third, "org-3")):
        answer = client.delete(f"/v1/networks/{life.network}/members/{name}")
        if answer.status_code != 404:
            done(client, answer)
    done(first, first.delete(f"/v1/networks/{life.network}"))


@pytest.fixture(scope="module")
def life(sandbox: Running) -> Iterator[Life]:
    built = build(sandbox)
    endpoint = built.nodes()["org-1"]["endpoint"]
    one, two = rpc(endpoint, "eth_accounts")[:2]
    sent = rpc(endpoint, "eth_sendTransaction", {"from": one, "data": CODE})
    contract = until(lambda: rpc(endpoint, "eth_getTransactionReceipt", sent), bool)["contractAddress"]
    for transaction in (
        {"from": one, "to": two, "value": hex(5 * 10**17)},
        {"from": two, "to": contract, "data": INCREMENT},
        {"from": two, "to": contract, "data": "0xdeadbeef", "gas": hex(200_000)},
    ):
        sent = rpc(endpoint, "eth_sendTransaction", transaction)
        until(lambda sent=sent: rpc(endpoint, "eth_getTransactionReceipt", sent), bool)
    assert int(rpc(endpoint, "eth_call", {"to": contract, "data": GET}, "latest"), 16) == 1
    yield built
    tear_down(built)


def test_every_member_has_a_node_in_its_own_space(life: Life) -> None:
    nodes = life.nodes()
    assert set(nodes) == {"org-1", "org-2", "org-3"}
    assert nodes["org-1"]["endpoint"].startswith("http://127.0.1.4:")
    assert nodes["org-2"]["endpoint"].startswith("http://127.0.1.5:")
    assert nodes["org-3"]["endpoint"].startswith("http://127.0.0.11:9")
    assert {node["state"] for node in nodes.values()} == {"RUNNING"}
    assert [nodes[name]["role"] for name in ("org-1", "org-2", "org-3")] == ["SEQUENCER", "ENDPOINT", "ENDPOINT"]
    assert all(node["version"].startswith("anvil/") for node in nodes.values())
    heads = {rpc(node["endpoint"], "eth_getBlockByNumber", "latest", False)["hash"] for node in nodes.values()}
    assert len(heads) == 1


def test_the_ledger_at_a_glance(life: Life) -> None:
    ledger = life.get("ledger")
    assert (ledger["height"], ledger["transactionCount"], ledger["nodeCount"]) == ("0x4", 4, 3)
    head = rpc(life.nodes()["org-2"]["endpoint"], "eth_getBlockByNumber", "latest", False)
    assert ledger["headHash"] == head["hash"]
    assert abs(ledger["headTime"] - time.time() * 1000) < 600_000


def test_blocks_come_newest_first_and_in_pages(life: Life) -> None:
    whole = life.get("blocks")
    assert [block["number"] for block in whole["items"]] == ["0x4", "0x3", "0x2", "0x1", "0x0"]
    assert (whole["total"], whole["nextCursor"]) == (5, None)
    assert all(a["parentHash"] == b["hash"] for a, b in zip(whole["items"], whole["items"][1:], strict=False))
    first = life.get("blocks", limit=2)
    second = life.get("blocks", limit=2, cursor=first["nextCursor"])
    last = life.get("blocks", limit=2, cursor=second["nextCursor"])
    assert first["items"] + second["items"] + last["items"] == whole["items"]
    assert last["nextCursor"] is None
    assert life.get("blocks", limit=2, cursor="page:2")["items"] == second["items"]
    assert life.get("blocks", limit=2, cursor="page:99")["items"] == []
    some = life.get("blocks", fromHeight="1", toHeight="0x3")
    assert ([block["number"] for block in some["items"]], some["total"]) == (["0x3", "0x2", "0x1"], 3)
    assert life.get("blocks", fromHeight="7")["items"] == []
    assert life.get("blocks/2") == life.get("blocks/0x2") == whole["items"][2]


def test_transactions_of_every_kind(life: Life) -> None:
    whole = life.get("transactions")
    failed, called, moved, deployed = whole["items"]
    assert whole["total"] == 4
    assert [each["outcome"] for each in whole["items"]] == ["REVERTED", "SUCCESS", "SUCCESS", "SUCCESS"]
    assert deployed["to"] is None
    assert deployed["contractAddress"] == called["to"] == failed["to"]
    assert (called["input"], called["logCount"], moved["valueWei"]) == (INCREMENT, 1, str(5 * 10**17))
    (log,) = called["receipt"]["logs"]
    assert (log["address"], called["receipt"]["gasUsed"]) == (called["to"], int(called["gasUsed"], 16))
    assert moved["receipt"]["logs"] == []
    for transaction in whole["items"]:
        assert life.get(f"transactions/{transaction['hash']}") == transaction
        of_block = life.get("transactions", blockNumber=transaction["blockNumber"])
        assert of_block["items"] == [transaction]
    pages = [life.get("transactions", limit=3), life.get("transactions", limit=3, cursor="page:2")]
    assert [each for page in pages for each in page["items"]] == whole["items"]
    assert life.get("transactions", limit=3, cursor=pages[0]["nextCursor"])["items"] == [deployed]
    assert life.get("transactions", blockNumber="0")["items"] == []


def test_what_is_not_there_is_said(life: Life) -> None:
    member = life.sandbox.tenant(5)
    base = f"/v1/chains/{life.chain}"
    for path, status, code in (
        (f"{base}/blocks/99", 404, "BLOCK_NOT_FOUND"),
        (f"{base}/blocks/zz", 400, "INVALID_REQUEST"),
        (f"{base}/transactions?blockNumber=99", 404, "BLOCK_NOT_FOUND"),
        (f"{base}/transactions/0x{'ab' * 32}", 404, "TRANSACTION_NOT_FOUND"),
        (f"{base}/transactions/0x12", 400, "INVALID_REQUEST"),
        (f"{base}/blocks?limit=0", 400, "INVALID_REQUEST"),
        (f"{base}/blocks?limit=501", 400, "INVALID_REQUEST"),
        (f"{base}/blocks?cursor=nowhere", 400, "INVALID_REQUEST"),
        (f"{base}/blocks?cursor=page:0", 400, "INVALID_REQUEST"),
        (f"{base}/blocks?fromHeight=-1", 400, "INVALID_REQUEST"),
        ("/v1/chains/chn-no", 404, "CHAIN_NOT_FOUND"),
        ("/v1/chains?networkId=net-no", 404, "NETWORK_NOT_FOUND"),
        ("/v1/nodes?chainId=chn-no", 404, "CHAIN_NOT_FOUND"),
        ("/v1/jobs/job-no", 404, "JOB_NOT_FOUND"),
        ("/v1/nothing", 404, "NOT_FOUND"),
    ):
        answer = member.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), path


def test_a_stranger_sees_neither_chain_nor_nodes(life: Life) -> None:
    stranger = life.sandbox.tenant(6)
    for path in ("", "/ledger", "/blocks", "/transactions", "/metrics"):
        assert stranger.get(f"/v1/chains/{life.chain}{path}").status_code == 404
    assert stranger.post(f"/v1/chains/{life.chain}/nodes", json={}).status_code == 404
    assert stranger.delete(f"/v1/chains/{life.chain}").status_code == 404
    assert stranger.get("/v1/chains").json()["total"] == stranger.get("/v1/nodes").json()["total"] == 0


def test_metrics_and_health(life: Life) -> None:
    values = {each["metric"]: each["value"] for each in life.get("metrics")["values"]}
    assert (values["height"], values["transactionCount"]) == (4, 4)
    assert values["memoryBytes"] > 1_000_000
    assert values["uptime"] > 0
    health = life.sandbox.operator().get("/v1/health").json()
    assert health["status"] == "UP"
    assert health["chains"]["running"] >= 1
    assert life.sandbox.open().get("/healthz").json() == {"status": "UP"}


def test_only_the_creator_deletes_a_chain(life: Life) -> None:
    answer = life.sandbox.tenant(5).delete(f"/v1/chains/{life.chain}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "NOT_CREATOR")


def test_nodes_are_reclaimed_by_their_member_only(life: Life) -> None:
    second = life.sandbox.tenant(5)
    path = f"/v1/chains/{life.chain}/nodes"
    extra = done(second, second.post(path, json={}))["nodeId"]
    endpoint = next(node["endpoint"] for node in second.get("/v1/nodes").json()["items"] if node["nodeId"] == extra)
    assert int(rpc(endpoint, "eth_blockNumber"), 16) == 4
    assert life.sandbox.tenant(4).delete(f"{path}/{extra}").status_code == 404
    done(second, second.delete(f"{path}/{extra}"))
    assert not listening(endpoint)
    assert second.delete(f"{path}/{extra}").json()["error"]["code"] == "NODE_NOT_FOUND"


def test_quitting_reclaims_and_ending_leaves_nothing(sandbox: Running) -> None:
    built = build(sandbox)
    nodes = built.nodes()
    folder = sandbox.folder / "chains" / built.chain
    third = sandbox.on_prem()
    done(third, third.delete(f"/v1/networks/{built.network}/members/org-3"))
    assert set(built.nodes()) == {"org-1", "org-2"}
    assert not listening(nodes["org-3"]["endpoint"])
    assert folder.exists()
    tear_down(built)
    assert not any(listening(node["endpoint"]) for node in nodes.values())
    assert not folder.exists()
    operator = sandbox.operator()
    assert operator.get(f"/v1/networks/{built.network}").status_code == 404
    assert operator.get(f"/v1/chains/{built.chain}").status_code == 404


def test_a_chain_goes_before_its_network(sandbox: Running) -> None:
    built = build(sandbox)
    first = sandbox.tenant(4)
    done(first, first.delete(f"/v1/chains/{built.chain}"))
    assert first.get("/v1/nodes", params={"networkId": built.network}).json()["items"] == []
    assert first.get(f"/v1/networks/{built.network}").json()["state"] == "ACTIVE"
    tear_down(built)


def test_several_chains_live_side_by_side(sandbox: Running, life: Life) -> None:
    second = sandbox.tenant(5)
    chain = done(second, second.post(f"/v1/networks/{life.network}/chains", json={"name": "side"}))["chainId"]
    (node,) = second.get("/v1/nodes", params={"chainId": chain}).json()["items"]
    taken = {each["endpoint"] for each in life.nodes().values()}
    assert node["endpoint"] not in taken
    assert int(rpc(node["endpoint"], "eth_blockNumber"), 16) == 0
    assert rpc(node["endpoint"], "eth_chainId") != rpc(life.nodes()["org-1"]["endpoint"], "eth_chainId")
    done(second, second.delete(f"/v1/chains/{chain}"))


def test_an_address_that_is_not_this_computers_is_refused(sandbox: Running) -> None:
    third = sandbox.on_prem()
    before = third.get("/v1/networks").json()["total"]
    for ip, port, field in (
        ("10.1.2.3", 9001, "member.hosts.0.ip"),
        ("0.0.0.0", 9001, "member.hosts.0.ip"),
        ("127.0.1.1", 9001, "member.hosts.0.ip"),
        ("not an address", 9001, "member.hosts.0.ip"),
        ("127.0.0.11", 0, "member.hosts.0.port"),
        ("127.0.0.11", 65536, "member.hosts.0.port"),
    ):
        answer = third.post("/v1/networks", json={"name": "X", "member": machine("org-3", ip, port)})
        assert answer.status_code == 400
        assert [each["field"] for each in answer.json()["error"]["details"]] == [field]
    assert third.get("/v1/networks").json()["total"] == before


def test_a_full_port_makes_way_for_the_next(sandbox: Running) -> None:
    third = sandbox.on_prem()
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.77", 0))
        occupied.listen()
        port = occupied.getsockname()[1]
        body = {"name": "Alone", "member": machine("org-7", "127.0.0.77", port)}
        network = done(third, third.post("/v1/networks", json=body))["networkId"]
        chain = done(third, third.post(f"/v1/networks/{network}/chains", json={"name": "main"}))["chainId"]
        (node,) = third.get("/v1/nodes", params={"chainId": chain}).json()["items"]
    assert node["endpoint"].startswith("http://127.0.0.77:")
    assert not node["endpoint"].endswith(f":{port}")
    done(third, third.delete(f"/v1/networks/{network}"))


def test_one_certificate_may_be_several_members(sandbox: Running) -> None:
    third = sandbox.on_prem()
    founded = third.post(
        "/v1/networks",
        json={
            "name": "Both",
            "member": machine("org-a", "127.0.0.21"),
            "invite": [{"externalId": "org-b", "displayName": "B"}],
        },
    )
    network = done(third, founded)["networkId"]
    done(third, third.post(f"/v1/networks/{network}/members", json={"member": machine("org-b", "127.0.0.22")}))
    unsaid = third.post(f"/v1/networks/{network}/chains", json={"name": "main"})
    assert (unsaid.status_code, unsaid.json()["error"]["code"]) == (400, "INVALID_REQUEST")
    created = third.post(f"/v1/networks/{network}/chains", json={"name": "main", "externalId": "org-a"})
    chain = done(third, created)["chainId"]
    done(third, third.post(f"/v1/chains/{chain}/nodes", json={"externalId": "org-b"}))
    ended(third, third.delete(f"/v1/chains/{chain}/nodes", params={"externalId": "org-b"}))
    (left,) = third.get("/v1/nodes", params={"chainId": chain}).json()["items"]
    assert left["externalId"] == "org-a"
    done(third, third.delete(f"/v1/networks/{network}/members/org-b"))
    done(third, third.delete(f"/v1/networks/{network}"))


def listening(endpoint: str) -> bool:
    ip, _, port = endpoint.removeprefix("http://").partition(":")
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((ip, int(port))) == 0
