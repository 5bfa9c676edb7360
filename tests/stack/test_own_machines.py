"""On-prem for real: three departments, three machines with container engines, geth validators, the whole product.

Everything is asked by REST and looked at from outside: on the engines, and on the nodes' own ports.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.stack import contract_life
from tests.stack.caller import Caller
from tests.stack.departments import Department, Office, chain_of, nodes_of, propose_union
from tests.stack.product import Product, running, until
from tests.tools.engines import Authority, Host, missing_for_engines, running_hosts
from tests.tools.images import TARGET, missing_for, named
from tests.tools.ports import taken

REASON = missing_for_engines() or missing_for("ethereum")
NO_QUORUM = missing_for("quorum")
pytestmark = [
    pytest.mark.stack,
    pytest.mark.timeout(900),  # a machine that does other things as well is slow
    pytest.mark.skipif(bool(REASON), reason=REASON),
]
IPS = ("127.0.41.1", "127.0.41.2", "127.0.41.3")
SOMEBODY = "0x00000000000000000000000000000000000000aa"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    environment = {
        "EVM_IMAGE_ETHEREUM": named("ethereum").tag,
        "EVM_IMAGE_QUORUM": named("quorum").tag,
        "EVM_IMAGE_ARCHIVES": str(TARGET),
        "EVM_BLOCK_SECONDS": "1",
        "EVM_NODE_MEMORY_MB": "512",
        "OBSERVE_DETAILS_SECONDS": "2",
    }
    with running(tmp_path_factory.mktemp("product"), environment=environment) as started:
        yield started


@pytest.fixture(scope="module")
def office(product: Product) -> Office:
    """Its administrator has registered the native platform."""
    made = Office(product)
    _register_platform(made.administrator)
    return made


@pytest.mark.skipif(bool(NO_QUORUM), reason=NO_QUORUM)
def test_contracts_on_quorum(office: Office) -> None:
    """Two members of a real GoQuorum network: the same life of contracts as on geth."""
    _register_platform(office.administrator, oemtype="own-quorum", kernel="quorum")
    with running_hosts("127.0.41.7", "127.0.41.8") as hosts:
        roads, water = (
            office.on_prem(name, ip=host.ip, port=host.port, certificate=host.tlscert)
            for name, host in zip(("Roads", "Water"), hosts, strict=True)
        )
        union = office.union("Concessions", roads, water, oemtype="own-quorum")
        chain = chain_of(roads, union["unionid"])
        contract_life.live(roads, water, chain["id"], node=f"http://{hosts[0].ip}:8545", machine="istanbul")
        ending = roads.caller.delete(f"unions/{union['unionid']}", expect=202)
        assert roads.caller.flow(ending["flow"])["state"] == "done"
        assert [host.left() for host in hosts] == [[], []]


def test_three_departments_on_their_own_machines(office: Office) -> None:
    with running_hosts(*IPS) as hosts:
        _live_through(office, hosts)


def _live_through(office: Office, hosts: list[Host]) -> None:
    """Two create, a third joins, one is cut off and comes back, then two are, one quits, all is deleted."""
    tax, housing, social = (
        office.on_prem(name, ip=host.ip, port=host.port, certificate=host.tlscert)
        for name, host in zip(("Tax Office", "Housing Authority", "Social Security"), hosts, strict=True)
    )

    union = office.union("Permits", tax, housing, oemtype="own-machines")
    chain = chain_of(tax, union["unionid"])
    nodes = {node["orgcode"]: node for node in nodes_of(tax, chain["id"])}
    assert set(nodes) == {tax.orgcode, housing.orgcode}
    assert nodes[housing.orgcode]["endpoint"] == f"http://{IPS[1]}:8545"
    assert [len(host.podman("ps", "--format", "{{.Names}}").split()) for host in hosts] == [1, 1, 0]
    _transactions_flow(tax.caller, chain["id"])
    contract_life.live(tax, housing, chain["id"], node=f"http://{IPS[0]}:8545", machine="berlin")

    joining = social.caller.post(f"unions/{union['unionid']}/join", {"orgcode": social.orgcode}, expect=202)
    for each in (tax, housing):
        social.caller.flow(joining["flow"], until=("waiting",))
        each.agree(joining["proposal"])
    assert social.caller.flow(joining["flow"])["state"] == "done"
    assert len(nodes_of(social, chain["id"])) == 3
    until(lambda: _sealed(hosts[2]) > 0, seconds=20, what="the third member seals a block")

    _a_host_is_cut_off_and_comes_back(hosts[0], tax, housing, chain["id"])
    _the_chain_stands_while_too_many_are_cut_off(office, hosts, social, chain["id"])

    quitting = housing.caller.post(f"unions/{union['unionid']}/quit", {"orgcode": housing.orgcode}, expect=202)
    assert housing.caller.flow(quitting["flow"])["state"] == "done"
    assert hosts[1].left() == []
    before = _height(IPS[2])
    until(lambda: _height(IPS[2]) > before + 2, seconds=20, what="the others seal on")

    ending = tax.caller.delete(f"unions/{union['unionid']}", expect=202)
    assert tax.caller.flow(ending["flow"])["state"] == "done"
    assert [host.left() for host in hosts] == [[], [], []]
    assert office.administrator.get("audit/verify")["ok"]


def test_what_cannot_be_built_is_taken_back(office: Office) -> None:
    """A host that refuses the certificate, and one whose port is taken: told in words, and nothing is left."""
    with running_hosts("127.0.41.4", "127.0.41.5") as hosts:
        health = office.on_prem("Health", ip=hosts[0].ip, port=hosts[0].port, certificate=hosts[0].tlscert)
        strange = Authority("Strangers").issue("stranger") + hosts[1].authority.pem
        library = office.on_prem("Library", ip=hosts[1].ip, port=hosts[1].port, certificate=strange)
        refused = _undone(health, library)
        assert refused["error"]["code"] == "credential_refused"
        assert hosts[1].ip in refused["error"]["detail"]

        right = {"tlscert": hosts[1].tlscert}
        library.caller.patch(f"organizations/{library.orgcode}", right)
        with taken(hosts[1].ip, 8545):
            crowded = _undone(health, library)
        assert crowded["error"]["code"] == "port_taken"
        assert [host.left() for host in hosts] == [[], []]


def test_one_department_has_a_private_chain_that_grows_and_shrinks(office: Office) -> None:
    with running_hosts("127.0.41.6") as (host,):
        parks = office.on_prem("Parks", ip=host.ip, port=host.port, certificate=host.tlscert)
        body = {"name": "Trees", "oemtype": "own-machines", "creatororg": parks.orgcode, "orgs": [parks.orgcode]}
        ordered = parks.caller.post("chains", {**body, "createmode": "private", "infraspec": {"nodes": 2}}, expect=202)
        assert parks.caller.flow(ordered["flow"])["state"] == "done"
        (chain,) = parks.caller.all("chains")
        (ledger,) = chain["blockchain"]
        assert sorted(node["role"] for node in nodes_of(parks, ledger["id"])) == ["peer", "validator"]
        assert _height(host.ip, 8546) >= 0

        _taken_over_by_its_address(office, parks, host)
        fewer = parks.caller.post(
            f"blockchains/{ledger['id']}/scale", {"orgcode": parks.orgcode, "nodes": 1}, expect=202
        )
        assert parks.caller.flow(fewer["flow"])["state"] == "done"
        assert [node["role"] for node in nodes_of(parks, ledger["id"])] == ["validator"]
        assert len(host.left()) == 2  # one container, one volume
        ending = parks.caller.delete(f"chains/{chain['id']}", expect=202)
        assert parks.caller.flow(ending["flow"])["state"] == "done"
        assert host.left() == []


def _taken_over_by_its_address(office: Office, owner: Department, host: Host) -> None:
    """The department's chain once more, as if somebody else had built it: read, and let go without harm."""
    network = f"{int(_rpc(host.ip, 'eth_chainId'), 16)}@{host.ip}:8545"
    started = office.administrator.post("platforms/own-machines/take-over", {"network_ids": [network]}, expect=202)
    assert office.administrator.flow(started["flow"])["state"] == "done"
    (seen,) = office.administrator.get(f"take-overs/{started['take_over']}")["networks"]
    assert seen["verdict"] == "created", seen
    (union,) = [each for each in owner.caller.all("unions") if each["name"].startswith("Chain ")]
    assert union["orgs"] == [owner.orgcode]  # known by its machine
    ledger = chain_of(owner, union["unionid"])
    until(
        lambda: (owner.caller.get(f"blockchains/{ledger['id']}/ledger")["height"] or 0) > 0,
        seconds=60,
        what="the ledger of the chain that was taken over is read",
    )
    ending = owner.caller.delete(f"unions/{union['unionid']}", expect=202)
    assert owner.caller.flow(ending["flow"])["state"] == "done"
    assert _height(host.ip) > 0  # its nodes know nothing of that


def _undone(creator: Department, other: Department) -> Any:
    started = propose_union("Loans", creator, other, oemtype="own-machines")
    other.agree(started["proposal"])
    flow = creator.caller.flow(started["flow"])
    assert flow["state"] == "undone", flow
    return flow


def _register_platform(administrator: Caller, *, oemtype: str = "own-machines", kernel: str = "ethereum") -> None:
    body = {"oemtype": oemtype, "name": f"Own machines, {kernel}", "kind": "evm", "kernel": kernel}
    started = administrator.post("platforms", body, expect=202)
    flow = administrator.flow(started["flow"])
    assert flow["state"] == "done", flow
    platform = administrator.get(f"platforms/{oemtype}")
    assert (platform["state"], platform["cloudtype"], platform["health"]) == ("official", "on_prem", "up")
    assert platform["capabilities"]["join_chain"]["supported"]
    assert platform["capabilities"]["create_subchain"]["reason"]


def _transactions_flow(caller: Caller, blockchain: str) -> None:
    """What is sent to a node becomes a block, and the observers read it."""
    (account,) = _rpc(IPS[0], "eth_accounts")
    sent = _rpc(IPS[0], "eth_sendTransaction", {"from": account, "to": SOMEBODY, "value": "0x64"})

    def read() -> Any:
        rows = caller.all(f"blockchains/{blockchain}/transactions")
        return next((row for row in rows if row["hash"] == sent), None)

    until(lambda: read() is not None, seconds=30, what="the transaction is read")
    assert (read()["status"], read()["to"], read()["value"]) == ("committed", SOMEBODY, "100")
    assert int(_rpc(IPS[1], "eth_getBalance", SOMEBODY, "latest"), 16) == 100
    assert caller.get(f"blockchains/{blockchain}/ledger")["transactions"] == 1


def _a_host_is_cut_off_and_comes_back(host: Host, cut: Department, other: Department, blockchain: str) -> None:
    """Two of three validators go on; the console says which node does not answer, and reads at the others."""

    def state() -> str:
        return next(node["state"] for node in nodes_of(other, blockchain) if node["orgcode"] == cut.orgcode)

    host.cut()
    before = _height(IPS[1])
    until(lambda: _height(IPS[1]) > before + 2, seconds=20, what="the others seal on")
    until(lambda: state() == "unknown", seconds=60, what="the console says that the node does not answer")
    until(
        lambda: (other.caller.get(f"blockchains/{blockchain}/ledger")["height"] or 0) > before,
        seconds=30,
        what="the ledger is read at another node",
    )
    assert other.caller.get(f"blockchains/{blockchain}")["stands_since"] is None
    host.mend()
    until(lambda: state() == "running", seconds=60, what="the console says that it is back")
    until(lambda: _height(host.ip) >= _height(IPS[1]) - 1, seconds=30, what="it catches up")


def _the_chain_stands_while_too_many_are_cut_off(
    office: Office, hosts: list[Host], left: Department, blockchain: str
) -> None:
    """One of three validators makes no block alone: the console says so, by REST and on the page, until it goes on."""

    def row() -> Any:
        return left.caller.get(f"blockchains/{blockchain}")

    seen = _signed_in(office)
    for host in hosts[:2]:
        host.cut()
    until(lambda: row()["stands_since"] is not None, seconds=120, what="the console says that the chain stands")
    said, height = row(), _height(IPS[2])
    assert (said["stands_since"], said["state"], said["stale"]) == (said["block_time"], "running", False)
    assert left.caller.get(f"blockchains/{blockchain}/ledger")["stands_since"] == said["stands_since"]
    assert "The chain stands still" in seen.get(f"/chains/{blockchain}").text
    assert "No new blocks" in seen.get("/chains").text
    assert _height(IPS[2]) == height, "it does stand"

    for host in hosts[:2]:
        host.mend()
    until(lambda: row()["stands_since"] is None, seconds=120, what="the console says that the chain goes on")
    assert "The chain stands still" not in seen.get(f"/chains/{blockchain}").text
    until(lambda: _height(IPS[2]) > height + 2, seconds=30, what="all of them seal again")


def _signed_in(office: Office) -> httpx.Client:
    """The administrator in a browser without scripts."""
    seen = httpx.Client(base_url=office.product.address, follow_redirects=True, timeout=30)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', seen.get("/login").text)
    assert token is not None
    username, password = office.product.login
    body = {"csrfmiddlewaretoken": token[1], "username": username, "password": password}
    answer = seen.post("/login", data=body, headers={"Referer": f"{office.product.address}/login"})
    assert (answer.status_code, "/login" in answer.url.path) == (200, False), answer.url
    return seen


def _sealed(host: Host) -> int:
    """How many of the newest blocks the host's node has made, as the node says in its own console."""
    (account,) = _rpc(host.ip, "eth_accounts")
    (name,) = host.podman("ps", "--format", "{{.Names}}").split()
    script = "console.log(JSON.stringify(clique.status().sealerActivity))"
    said = host.podman("exec", name, "geth", "attach", "--exec", script, "/data/geth.ipc")
    return int(json.loads(said.splitlines()[0]).get(account, 0))


def _height(ip: str, port: int = 8545) -> int:
    return int(_rpc(ip, "eth_blockNumber", port=port), 16)


def _rpc(ip: str, method: str, *parameters: Any, port: int = 8545) -> Any:
    question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
    answer = httpx.post(f"http://{ip}:{port}", json=question, timeout=10).json()
    assert "result" in answer, answer
    return answer["result"]
