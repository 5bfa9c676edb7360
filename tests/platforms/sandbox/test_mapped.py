"""The same life through the mapping, with cloud and on-prem credentials: nothing but the registered files is used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from console.errors import Missing, PlatformRefused, PlatformUnavailable
from platforms import standard
from platforms.drivers.base import Credentials, PartyCredential
from platforms.mapping.check import check_files
from platforms.mapping.template import schema
from platforms.sandbox.identities import Authority, ensure_identities
from platforms.services.requests import read_registration
from tests.platforms.sandbox.mapped import Mapped
from tests.platforms.sandbox.running import API, FILES, Json, Running, rpc, until


@pytest.fixture(scope="module")
def mapped(sandbox: Running) -> Iterator[Mapped]:
    made = Mapped(sandbox)
    yield made
    made.driver.close()


@dataclass
class Union:
    """A network of two cloud departments and an on-prem one, with a chain."""

    network_id: str
    chain_id: str
    creator: standard.Party
    member: standard.Party
    third: standard.Party


@pytest.fixture(scope="module")
def union(mapped: Mapped) -> Iterator[Union]:
    creator, member, third = mapped.cloud(1, "org-tax"), mapped.cloud(2, "org-housing"), mapped.on_prem("org-social")
    network = create(mapped, creator, member)
    for each in (member, third):
        joined = mapped.carry("join_network", join(network, each, creator), creator, each)
        assert (joined.network_id, joined.status) == (network, "running")
        assert joined.member_id
    chain = mapped.carry("create_chain", new_chain(network, creator), creator)
    assert chain.status == "running"
    assert json.loads(chain.extrainfo)["evmChainId"] > 0
    for each in (member, third):
        request = standard.JoinChainRequest(network_id=network, chain_id=chain.chain_id, member=each)
        assert mapped.carry("join_chain", request, creator, each).status == "running"
    made = Union(network, chain.chain_id, creator, member, third)
    yield made
    end(mapped, made)


def create(mapped: Mapped, creator: standard.Party, *members: standard.Party, known: Json | None = None) -> str:
    request = standard.CreateNetworkRequest(name="Permits", kernel="ethereum", creator=creator, members=members)
    answer = mapped.carry("create_network", request, creator, known=known)
    assert answer.status == "running"
    assert answer.member_id
    return answer.network_id


def new_chain(network: str, creator: standard.Party) -> standard.CreateChainRequest:
    return standard.CreateChainRequest(network_id=network, name="main", creator=creator)


def join(network: str, member: standard.Party, inviter: standard.Party) -> standard.JoinNetworkRequest:
    return standard.JoinNetworkRequest(network_id=network, member=member, inviter=inviter)


def remove(mapped: Mapped, network: str, creator: standard.Party) -> None:
    request = standard.DeleteNetworkRequest(network_id=network, creator=creator)
    assert mapped.carry("delete_network", request, creator).status == "deleted"


def end(mapped: Mapped, union: Union) -> None:
    """Quit the chain, delete it, quit the network, delete it; each is gone when it is done again."""
    quit_chain = standard.QuitChainRequest(network_id=union.network_id, chain_id=union.chain_id, member=union.third)
    assert mapped.carry("quit_chain", quit_chain, union.creator, union.third).status == "deleted"
    with pytest.raises(Missing):
        mapped.carry("quit_chain", quit_chain, union.creator, union.third)
    delete_chain = standard.DeleteChainRequest(
        network_id=union.network_id, chain_id=union.chain_id, creator=union.creator
    )
    assert mapped.carry("delete_chain", delete_chain, union.creator).status == "deleted"
    with pytest.raises(Missing):
        mapped.carry("delete_chain", delete_chain, union.creator)
    for each in (union.member, union.third):
        request = standard.QuitNetworkRequest(network_id=union.network_id, member=each)
        assert mapped.carry("quit_network", request, union.creator, each).status == "deleted"
        with pytest.raises(Missing):
            mapped.carry("quit_network", request, union.creator, each)
    remove(mapped, union.network_id, union.creator)
    with pytest.raises(Missing):
        mapped.read("get_network", standard.GetNetworkRequest(network_id=union.network_id))


# --- the files --------------------------------------------------------------------------------------------------------


def test_every_operation_is_mapped(mapped: Mapped) -> None:
    assert all(can.supported for can in mapped.driver.capabilities().values())


def test_the_mapping_speaks_to_what_the_api_file_has(mapped: Mapped) -> None:
    assert set(mapped.driver.template.interfaces) <= set(schema()["properties"]["interfaces"]["propertyNames"]["enum"])
    for interface in mapped.driver.template.interfaces.values():
        for step in interface.steps:
            operation = mapped.driver.api.find(step["op"])
            assert operation is not None, step["op"]
            assert operation.path_parameters == set(step.get("path") or {}), step["op"]


def test_no_secret_stands_in_the_files() -> None:
    text = "".join((FILES / name).read_text() for name in ("openapi.yaml", "mapping.yaml", "samples.json"))
    assert "PRIVATE KEY" not in text
    assert "op_" not in text
    assert yaml.safe_load((FILES / "openapi.yaml").read_text()) == API.document


# --- reading ----------------------------------------------------------------------------------------------------------


def test_the_network_and_its_members(mapped: Mapped, union: Union) -> None:
    network = mapped.read("get_network", standard.GetNetworkRequest(network_id=union.network_id))
    assert (network.name, network.kernel, network.status) == ("Permits", "ethereum", "running")
    assert [each.tenantid for each in network.members] == [union.creator.tenantid, union.member.tenantid, ""]
    listed = mapped.read("list_networks", standard.EmptyRequest())
    assert network in listed.items


def test_nodes_lie_in_their_owners_spaces(mapped: Mapped, union: Union) -> None:
    request = standard.ListNodesRequest(network_id=union.network_id, chain_id=union.chain_id)
    nodes = {node.orgcode: node for node in mapped.read("list_nodes", request).items}
    assert nodes["org-tax"].endpoint.startswith("http://127.0.1.1:")
    assert nodes["org-housing"].endpoint.startswith("http://127.0.1.2:")
    assert nodes["org-social"].endpoint.startswith("http://127.0.0.12:9")
    assert {node.state for node in nodes.values()} == {"running"}
    assert [nodes[name].role for name in ("org-tax", "org-housing", "org-social")] == ["sequencer", "peer", "peer"]
    whole = mapped.read("list_nodes", standard.ListNodesRequest(network_id=union.network_id))
    assert len(whole.items) == 3


def test_the_chain(mapped: Mapped, union: Union) -> None:
    request = standard.GetChainRequest(network_id=union.network_id, chain_id=union.chain_id)
    chain = mapped.read("get_chain", request)
    assert (chain.name, chain.status, chain.kernel) == ("main", "running", "ethereum")
    assert len(chain.members) == 3
    listed = mapped.read("list_chains", standard.ListChainsRequest(network_id=union.network_id))
    assert listed.items == (chain,)
    assert chain in mapped.read("list_chains", standard.ListChainsRequest()).items


def test_the_ledger(mapped: Mapped, union: Union) -> None:
    request = standard.ListNodesRequest(network_id=union.network_id, chain_id=union.chain_id)
    endpoint = mapped.read("list_nodes", request).items[0].endpoint
    one, two = rpc(endpoint, "eth_accounts")[:2]
    sent = [rpc(endpoint, "eth_sendTransaction", {"from": one, "to": two, "value": hex(n)}) for n in range(1, 6)]
    until(lambda: rpc(endpoint, "eth_getTransactionReceipt", sent[-1]), bool)
    asked = standard.ChainRequest(chain_id=union.chain_id)
    summary = mapped.read("get_ledger_summary", asked)
    assert (summary.height, summary.transactions, summary.nodes) == (5, 5, 3)
    assert summary.block_time.tzinfo is not None
    blocks = mapped.read("list_blocks", standard.ListBlocksRequest(chain_id=union.chain_id, from_height=2, to_height=4))
    assert [block.height for block in blocks.items] == [4, 3, 2]
    assert (blocks.total, blocks.items[0].transactions) == (3, 1)
    second = mapped.read("list_blocks", standard.ListBlocksRequest(chain_id=union.chain_id, page=2, page_size=4))
    assert [block.height for block in second.items] == [1, 0]
    transactions = mapped.read("list_transactions", standard.ListTransactionsRequest(chain_id=union.chain_id))
    assert [each.tx_id for each in transactions.items] == sent[::-1]
    assert {each.status for each in transactions.items} == {"committed"}
    of_block = standard.ListTransactionsRequest(chain_id=union.chain_id, block_height=3)
    (third,) = mapped.read("list_transactions", of_block).items
    assert (third.block_height, third.value, third.to, third.sender) == (3, "3", two, one)
    single = mapped.read("get_transaction", standard.GetTransactionRequest(chain_id=union.chain_id, tx_id=sent[2]))
    assert single == third
    with pytest.raises(Missing):
        mapped.read("get_transaction", standard.GetTransactionRequest(chain_id=union.chain_id, tx_id=f"0x{0:064x}"))
    figures = {each.name: each.value for each in mapped.read("get_monitoring", asked).figures}
    assert figures["height"] == 5


def test_what_is_gone_is_missing(mapped: Mapped) -> None:
    for operation in ("get_ledger_summary", "get_monitoring"):
        with pytest.raises(Missing):
            mapped.read(operation, standard.ChainRequest(chain_id="chn-no"))
    with pytest.raises(Missing):
        mapped.read("list_nodes", standard.ListNodesRequest(network_id="net-no"))


def test_the_platform_itself(mapped: Mapped) -> None:
    health = mapped.read("get_health", standard.EmptyRequest())
    assert (health.status, health.version) == ("up", "1.0")
    tenants = mapped.read("list_tenants", standard.EmptyRequest()).items
    assert [each.tenantid for each in tenants] == [each["tenantid"] for each in mapped.running.tenants]


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_a_wrong_key_is_a_refused_credential(mapped: Mapped) -> None:
    request = standard.CreateNetworkRequest(name="X", creator=mapped.cloud(1, "org-tax"))
    wrong = Credentials(mapped.platform, PartyCredential(sk="wrong", category="cloud"))
    with pytest.raises(PlatformRefused) as refused:
        mapped.carry("create_network", request, credentials=wrong)
    assert refused.value.code == "credential_refused"


def test_an_expired_certificate_is_a_refused_credential(mapped: Mapped) -> None:
    request = standard.CreateNetworkRequest(name="X", creator=mapped.on_prem("org-x"))
    long_ago = datetime.now(UTC) - timedelta(days=30)
    folder = mapped.running.folder
    bundle = Authority(folder).issue_client("Old", start=long_ago, lifetime=timedelta(days=9))
    expired = PartyCredential(tlscert=bundle + (folder / "onprem/ca.pem").read_text(), category="on_prem")
    with pytest.raises(PlatformRefused, match="client certificate expired on") as refused:
        mapped.carry("create_network", request, credentials=Credentials(mapped.platform, expired))
    assert refused.value.code == "credential_refused"


def test_a_certificate_of_another_ca_leaves_nothing_unsure(mapped: Mapped, tmp_path: Path) -> None:
    """The handshake fails, so it is certain that nothing was done: unavailable, not an unknown outcome."""
    request = standard.CreateNetworkRequest(name="X", creator=mapped.on_prem("org-x"))
    ensure_identities(tmp_path)
    stranger = PartyCredential(tlscert=(tmp_path / "onprem/client.pem").read_text(), category="on_prem")
    with pytest.raises(PlatformUnavailable) as refused:
        mapped.carry("create_network", request, credentials=Credentials(mapped.platform, stranger))
    assert type(refused.value) is PlatformUnavailable


def test_the_platforms_words_reach_the_user(mapped: Mapped, union: Union) -> None:
    with pytest.raises(PlatformRefused, match="Members are left who must quit first: org-housing, org-social") as said:
        remove(mapped, union.network_id, union.creator)
    assert said.value.code == "members_left"


# --- trouble ----------------------------------------------------------------------------------------------------------


def trouble(mapped: Mapped, fault: str) -> None:
    mapped.running.open().post("/sandbox-faults", json={"fault": fault}).raise_for_status()


@pytest.mark.parametrize(
    ("fault", "words"),
    [("fail", "let this job fail half-way"), ("nonsense", "SIDEWAYS")],
)
def test_a_creation_that_goes_wrong_leaves_what_is_known_and_can_be_undone(
    mapped: Mapped, fault: str, words: str
) -> None:
    creator, known = mapped.cloud(3, "org-x"), {}
    trouble(mapped, fault)
    with pytest.raises(PlatformRefused) as problem:
        create(mapped, creator, known=known)
    assert words in (problem.value.note or problem.value.detail)
    assert mapped.read("get_network", standard.GetNetworkRequest(network_id=known["network_id"])).name == "Permits"
    remove(mapped, known["network_id"], creator)
    with pytest.raises(Missing):
        mapped.read("get_network", standard.GetNetworkRequest(network_id=known["network_id"]))


@pytest.mark.parametrize("fault", ["fail", "nonsense"])
def test_chains_and_joins_that_go_wrong_can_be_undone(mapped: Mapped, fault: str) -> None:
    creator, member, known = mapped.cloud(4, "org-x"), mapped.on_prem("org-y", "127.0.0.13"), {}
    network = create(mapped, creator)
    trouble(mapped, fault)
    with pytest.raises(PlatformRefused):
        mapped.carry("join_network", join(network, member, creator), creator, member, known=known)
    assert known["member_id"]
    quitting = standard.QuitNetworkRequest(network_id=network, member=member)
    assert mapped.carry("quit_network", quitting, creator, member).status == "deleted"
    known.clear()
    trouble(mapped, fault)
    with pytest.raises(PlatformRefused):
        mapped.carry("create_chain", new_chain(network, creator), creator, known=known)
    request = standard.DeleteChainRequest(network_id=network, chain_id=known["chain_id"], creator=creator)
    assert mapped.carry("delete_chain", request, creator).status == "deleted"
    remove(mapped, network, creator)


def test_a_hanging_job_stays_pending_and_can_be_undone(mapped: Mapped) -> None:
    creator = mapped.cloud(5, "org-x")
    trouble(mapped, "hang")
    request = standard.CreateNetworkRequest(name="Slow", creator=creator)
    credentials = mapped.credentials(creator)
    position, known = None, {}
    for _ in range(3):
        result = mapped.driver.perform("create_network", request, credentials=credentials, key="h", position=position)
        position, known = result.position, result.known
        assert 0.1 <= result.seconds <= 1
    remove(mapped, known["network_id"], creator)
    with pytest.raises(PlatformRefused, match="was deleted"):
        mapped.driver.perform("create_network", request, credentials=credentials, key="h", position=position)


def test_polls_have_a_limit_of_about_a_minute() -> None:
    mapping = yaml.safe_load((FILES / "mapping.yaml").read_text())
    polls = [step["poll"] for each in mapping["interfaces"].values() for step in each["steps"] if "poll" in step]
    assert len(polls) == 16
    assert all(0.5 <= poll["every"] <= 1 and 45 <= poll["every"] * poll["limit"] <= 75 for poll in polls)


def test_the_same_key_makes_one_network(mapped: Mapped) -> None:
    """A worker that dies behind the call begins again from the start, with the same key."""
    creator = mapped.cloud(6, "org-x")
    request = standard.CreateNetworkRequest(name="Twice", creator=creator)
    credentials = mapped.credentials(creator)
    for _ in range(3):
        mapped.driver.perform("create_network", request, credentials=credentials, key="twice")
    answer = mapped.carry("create_network", request, creator, key="twice")
    named = [each for each in mapped.read("list_networks", standard.EmptyRequest()).items if each.name == "Twice"]
    assert [each.network_id for each in named] == [answer.network_id]
    remove(mapped, answer.network_id, creator)


# --- samples ----------------------------------------------------------------------------------------------------------

SAMPLES: Json = json.loads((FILES / "samples.json").read_text())


def test_samples_are_there_for_every_step() -> None:
    mapping = yaml.safe_load((FILES / "mapping.yaml").read_text())
    assert set(SAMPLES) == set(mapping["interfaces"])
    for name, interface in mapping["interfaces"].items():
        assert set(SAMPLES[name]["answers"]) == {step["id"] for step in interface["steps"]}


@pytest.mark.parametrize("operation", sorted(SAMPLES))
def test_samples_are_what_the_api_file_says(mapped: Mapped, operation: str) -> None:
    for step in mapped.driver.template.interfaces[operation].steps:
        about = mapped.driver.api.find(step["op"])
        recorded = SAMPLES[operation]["answers"][step["id"]]
        for answer in [recorded] if isinstance(recorded, dict) else recorded:
            API.check_body(about.method, about.path, answer["status"], answer["body"])


def test_the_console_finds_nothing_wrong_with_the_registration(mapped: Mapped) -> None:
    files = {name: mapped.registration[name] for name in ("api_file", "mapping")}
    report = check_files(**files, samples=mapped.registration["samples"])
    assert report.errors + report.warnings == []
    assert {name: run.fault for name, run in report.dry_runs.items()} == dict.fromkeys(SAMPLES)
    unhelped = check_files(**files)
    assert unhelped.errors + unhelped.warnings == [], "the API file says everything that the samples show"
    registration = read_registration(mapped.registration)
    assert (registration.oemtype, registration.setup.is_default) == ("sandbox", True)
