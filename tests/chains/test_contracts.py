"""Contracts by services and REST: who may do what, what stands in the way, and that a refusal leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from eth_utils import to_checksum_address

from chains.gateway.requests import RpcRequest
from chains.gateway.targets import recipient_of, refuse_stopped
from chains.models import (
    Blockchain,
    Contract,
    ContractRule,
    ContractState,
    ContractVersion,
    Finding,
    ScanReport,
    Transaction,
    VersionState,
)
from chains.services import contract_requests as requests
from chains.services.contract_calls import send_to_contract
from chains.services.contracts import prepare_contract, propose_deletion, propose_deployment, propose_stop
from chains.services.downloads import hand_out_sdk
from console.errors import Blocked, Conflict, Invalid, Missing, NotAllowed, NotSupported
from console.flows import engine
from console.models import AuditEntry, Flow, User
from platforms.models import Kernel, Platform
from platforms.signing import accounts
from tests.chains.ledger_plane import Ledger
from tests.console.races import at_once
from tests.rest import assert_problem, client
from tests.unions.cast import Cast
from unions.models import Proposal, ProposalKind
from unions.services.proposals import cast_vote

pytestmark = pytest.mark.django_db(transaction=True)
MakeChain = Callable[..., tuple[Blockchain, Ledger]]
CONTRACTS = "/api/v1/contracts"
ADDRESS = "0x" + "ab" * 20
ABI: list[dict[str, Any]] = [
    {"type": "constructor", "inputs": [{"name": "first", "type": "uint8"}], "stateMutability": "nonpayable"},
    {"type": "function", "name": "sum", "inputs": [], "outputs": [{"type": "uint8"}], "stateMutability": "view"},
    {"type": "function", "name": "add", "inputs": [{"name": "x", "type": "uint8"}], "stateMutability": "nonpayable"},
]
ARTIFACT = {"abi": ABI, "bytecode": "0x6000", "contractName": "Till"}


@pytest.fixture
def ledger(chain: MakeChain) -> Blockchain:
    """An Ethereum chain of Alice's and Bob's departments."""
    row, _plane = chain()
    Platform.objects.update(kernel=Kernel.ETHEREUM)
    return row


def prepared(actor: User, ledger: Blockchain, **more: Any) -> Contract:
    about = {"actor": actor, "blockchain": ledger.uid, "name": "Till", "artifact": ARTIFACT, "arguments": [5]}
    return prepare_contract(**{**about, **more}).contract


def running(cast: Cast, ledger: Blockchain, **more: Any) -> Contract:
    """As its flow leaves it."""
    contract = prepared(cast.alice, ledger, **more)
    version = contract.versions.get()
    contract.begin_creating()
    contract.run(ADDRESS, ADDRESS)
    contract.save()
    version.begin_creating()
    version.run(address=ADDRESS, transaction="0x1", sender="0x2")
    version.save()
    return contract


def counts() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Contract, ContractVersion, Flow, Proposal, AuditEntry))


# --- preparing --------------------------------------------------------------------------------------------------------


def test_prepared_is_the_owners_alone_and_its_name_is_taken(cast: Cast, ledger: Blockchain) -> None:
    contract = prepared(cast.alice, ledger, name="  Till ")
    assert (contract.name, contract.state, contract.owner) == ("Till", ContractState.PREPARED, cast.tax)
    assert client(cast.bob).get(f"{CONTRACTS}/{contract.uid}").status_code == 404
    with pytest.raises(Conflict) as taken:
        prepared(cast.bob, ledger, name="TILL")
    assert taken.value.code == "name_taken"
    again = prepared(cast.alice, ledger)
    assert again.pk == contract.pk, "before it runs, another version is prepared"
    assert list(contract.versions.values_list("number", flat=True)) == [2, 1]
    assert AuditEntry.objects.filter(action="chains.contract.prepared").count() == 2


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"arguments": [256]}, {"arguments.0"}),
        ({"arguments": []}, {"arguments"}),
        ({"artifact": {"abi": ABI}}, {"artifact"}),
        ({"artifact": "{"}, {"artifact"}),
        ({"artifact": {"abi": ABI, "bytecode": "0x60__$ab$__"}}, {"artifact"}),
        ({"artifact": None}, {"source", "artifact"}),
        ({"name": ""}, {"name"}),
        ({"way": "magic"}, {"way"}),
        ({"way": "proxy"}, {"way"}),
        ({"orgcode": "org-nobody"}, {"orgcode"}),
        ({"source": 5, "artifact": None}, {"source"}),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_kept(
    cast: Cast, ledger: Blockchain, changes: dict[str, Any], fields: set[str]
) -> None:
    before = counts()
    with pytest.raises(Invalid) as refused:
        prepared(cast.alice, ledger, **changes)
    assert set(refused.value.errors) == fields
    assert counts() == before


def test_who_may_not_and_where_not(cast: Cast, ledger: Blockchain) -> None:
    before = counts()
    with pytest.raises(Missing):
        prepared(cast.carol, ledger)  # her department is not on the chain
    with pytest.raises(NotAllowed):
        prepared(cast.bob, ledger, orgcode=cast.tax.orgcode)
    platform = ledger.business_chain.platform
    platform.refresh_from_db()
    platform.capabilities |= {"deploy_contract": {"supported": False, "reason": "not here"}}
    platform.save()
    with pytest.raises(NotSupported, match="not here"):
        prepared(cast.alice, ledger)
    Platform.objects.update(kernel=Kernel.FABRIC)
    with pytest.raises(Conflict, match="Fabric"):
        prepared(cast.alice, ledger)
    assert counts() == before


def test_data_behind_a_proxy_are_to_stay_where_they_are() -> None:
    def kept(*labels: str) -> dict[str, Any]:
        return {
            "storage": [
                {"label": label, "slot": str(at), "offset": 0, "type": f"t_struct(Entry){at + 100}_storage"}
                for at, label in enumerate(labels)
            ]
        }

    def draft(layout: dict[str, Any]) -> requests.Draft:
        return requests.Draft(entry="A", abi=[], bytecode="0x60", storage_layout=layout)

    current = ContractVersion(storage_layout=kept("owner", "sum"))
    requests.refuse_other_layout(current, draft(kept("owner", "sum", "more")))
    requests.refuse_other_layout(current, draft({}))  # an artifact may not say
    for wrong in (kept("sum", "owner"), kept("owner"), kept("keeper", "sum")):
        with pytest.raises(Invalid) as refused:
            requests.refuse_other_layout(current, draft(wrong))
        assert refused.value.code == "storage_layout"


# --- asking -----------------------------------------------------------------------------------------------------------


def test_a_deployment_is_promised_once(cast: Cast, ledger: Blockchain) -> None:
    contract = prepared(cast.alice, ledger)
    proposal = propose_deployment(actor=cast.alice, uid=contract.uid)
    contract.refresh_from_db()
    assert (proposal.kind, proposal.state) == (ProposalKind.CONTRACT_DEPLOY, "carried"), "nobody has to be asked"
    assert (contract.state, contract.versions.get().state) == (ContractState.CREATING, VersionState.CREATING)
    before = counts()
    for again in (propose_deployment, propose_deletion, propose_stop):
        with pytest.raises(Conflict):
            again(actor=cast.alice, uid=contract.uid)
    with pytest.raises(NotAllowed):
        propose_deletion(actor=cast.bob, uid=contract.uid)
    assert counts() == before


def test_where_the_rule_demands_a_vote_a_no_leaves_it_undeployed(cast: Cast, ledger: Blockchain) -> None:
    ContractRule.objects.create(union=ledger.business_chain.union, vote_on_deploy=True)
    contract = prepared(cast.alice, ledger)
    proposal = propose_deployment(actor=cast.alice, uid=contract.uid)
    assert proposal.state == "open"
    for _turn in range(3):
        for step_id in engine.due_steps():
            engine.run_step(step_id)
    assert list(Proposal.objects.waiting_for(cast.bob)) == [proposal]
    assert client(cast.bob).get(f"{CONTRACTS}/{contract.uid}").status_code == 200, "whoever votes sees it"
    vote = {"proposal_id": proposal.pk, "orgcode": cast.housing.orgcode}
    cast_vote(actor=cast.bob, agree=False, comment="not yet", **vote)
    for _turn in range(4):
        for step_id in engine.due_steps():
            engine.run_step(step_id)
    contract.refresh_from_db()
    assert (contract.state, contract.versions.get().state) == (ContractState.FAILED, VersionState.FAILED)
    propose_deployment(actor=cast.alice, uid=contract.uid)  # and can be asked for again


def test_open_findings_stand_in_the_way(cast: Cast, ledger: Blockchain) -> None:
    ContractRule.objects.create(union=ledger.business_chain.union, blocking_severity="medium")
    contract = prepared(cast.alice, ledger)
    with pytest.raises(Blocked) as refused:
        propose_deployment(actor=cast.alice, uid=contract.uid)
    assert refused.value.code == "not_examined"
    assert "nothing has examined this one" in refused.value.blockers[0].text
    proof = ScanReport.objects.create(
        version=contract.versions.get(), application="halmos", title="Halmos", examined=False
    )
    proof.finish()
    proof.save()
    with pytest.raises(Blocked) as refused:
        propose_deployment(actor=cast.alice, uid=contract.uid)
    assert refused.value.code == "not_examined", "who had nothing to prove has proved nothing"
    assert "had nothing to prove" in refused.value.blockers[0].text
    report = ScanReport.objects.create(version=contract.versions.get(), application="slither", title="Slither")
    report.finish()
    report.save()
    about = {"report": report, "rule": "r", "title": "Anybody may take it", "file": "Till.sol", "line": 7}
    Finding.objects.create(number=1, severity="low", **about)
    found = Finding.objects.create(number=2, severity="high", **about)
    answer = client(cast.alice).post(f"{CONTRACTS}/{contract.uid}/deploy", {}, format="json")
    assert_problem(answer, 409)
    assert answer.json()["code"] == "blocked_by_findings"
    (blocker,) = answer.json()["blockers"]
    assert "Anybody may take it (high, Till.sol:7)" in blocker["detail"]
    assert blocker["link"] == f"/contracts/{contract.uid}"
    contract.refresh_from_db()
    assert contract.state == ContractState.PREPARED
    found.accept(cast.alice, "known")
    found.save()
    propose_deployment(actor=cast.alice, uid=contract.uid)


# --- calls ------------------------------------------------------------------------------------------------------------


def test_sending_is_checked_by_the_abi_and_promised(cast: Cast, ledger: Blockchain) -> None:
    contract = running(cast, ledger)

    def send(actor: User, **more: Any) -> Any:
        return send_to_contract(**{"actor": actor, "uid": contract.uid, "function": "add", "arguments": [1], **more})

    before = counts()
    for changes, field in (
        ({"function": "sum", "arguments": []}, "function"),
        ({"function": "nothing"}, "function"),
        ({"arguments": [256]}, "arguments.0"),
    ):
        with pytest.raises(Invalid) as refused:
            send(cast.alice, **changes)
        assert set(refused.value.errors) == {field}
    with pytest.raises(NotAllowed):
        send(cast.bob, orgcode=cast.tax.orgcode)
    assert counts() == before
    flow = send(cast.bob)
    assert (flow.kind, flow.arguments["sender"], flow.arguments["to"]) == (
        "chains.contract_send",
        cast.housing.orgcode,
        ADDRESS,
    )
    assert flow.arguments["data"].endswith(f"{1:064x}")
    assert AuditEntry.objects.filter(action="chains.contract.sending", actor=cast.bob).exists()


def test_the_gateway_reads_where_a_transaction_goes() -> None:
    key, about = "0x" + "11" * 32, {"nonce": 0, "gas": 21000, "value": 0, "chainId": 1, "data": "0x"}
    fees = {"maxFeePerGas": 1, "maxPriorityFeePerGas": 1}
    kinds = ({"gasPrice": 1}, {"gasPrice": 1, "accessList": [], "type": 1}, {**fees, "type": 2})
    for more in kinds:
        for target, wanted in (({"to": to_checksum_address(ADDRESS)}, ADDRESS), ({}, "")):
            signed = accounts().sign_transaction({**about, **more, **target}, key)
            assert recipient_of(f"0x{bytes(signed.raw_transaction).hex()}") == wanted, more
    for nonsense in ("", "0x", "0xzz", "0x02", "0xf8", "0x05c0", "0xc0", "0x" + "c8" * 1000):
        assert recipient_of(nonsense) == ""


def test_what_is_stopped_or_deleted_is_refused_and_everything_else_goes_through(cast: Cast, ledger: Blockchain) -> None:
    contract = running(cast, ledger)
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [{"to": ADDRESS.upper().replace("X", "x")}]}
    other = {**call, "params": [{"to": "0x" + "cd" * 20}]}
    refuse_stopped(ledger, RpcRequest.read(call))
    contract.stop("refused")
    contract.save()
    with pytest.raises(NotAllowed) as refused:
        refuse_stopped(ledger, RpcRequest.read([other, call]))
    assert refused.value.code == "contract_stopped"
    refuse_stopped(ledger, RpcRequest.read(other))
    contract.resume()
    contract.stop("paused")
    contract.save()
    refuse_stopped(ledger, RpcRequest.read(call))  # it says no by itself, and answers who asks why
    contract.delete_for_good()
    contract.save()
    with pytest.raises(NotAllowed) as refused:
        refuse_stopped(ledger, RpcRequest.read(call))
    assert refused.value.code == "contract_deleted"


# --- REST -------------------------------------------------------------------------------------------------------------


def test_rest_deploys_lists_and_repeats(cast: Cast, ledger: Blockchain) -> None:
    body = {"blockchain": ledger.uid, "name": "Till", "artifact": json.dumps(ARTIFACT), "arguments": {"first": 5}}
    first = client(cast.alice).post(CONTRACTS, body, format="json", headers={"Idempotency-Key": "one"})
    assert first.status_code == 202, first.content
    assert first["Location"] == f"/api/v1/flows/{first.json()['flow']}"
    again = client(cast.alice).post(CONTRACTS, body, format="json", headers={"Idempotency-Key": "one"})
    assert (again.status_code, again.json()) == (202, first.json())
    assert Contract.objects.count() == ContractVersion.objects.count() == 1
    listed = client(cast.bob).get(CONTRACTS, {"blockchain": ledger.uid, "state": "creating"}).json()
    assert [each["id"] for each in listed["results"]] == [first.json()["contract"]]
    assert client(cast.carol).get(CONTRACTS).json()["count"] == 0
    shown = client(cast.bob).get(f"{CONTRACTS}/{first.json()['contract']}").json()
    assert shown["abi"] == ABI
    version = client(cast.bob).get(f"{CONTRACTS}/{shown['id']}/versions/1").json()
    assert (version["bytecode"], version["arguments"]) == ("0x6000", [5])
    only = client(cast.alice).post(CONTRACTS, {**body, "name": "Other", "deploy": False}, format="json")
    assert (only.status_code, only.json()["state"]) == (201, "prepared")


def test_rest_proposes_rules_that_all_members_agree_to(cast: Cast, ledger: Blockchain) -> None:
    path = f"/api/v1/chains/{ledger.business_chain.uid}/contract-rule"
    assert client(cast.bob).get(path).json()["blocking_severity"] == "none"
    body = {"orgcode": cast.tax.orgcode, "votes": ["delete", "deploy"], "blocking_severity": "high"}
    asked = client(cast.alice).post(path, body, format="json")
    assert asked.status_code == 202, asked.content
    assert client(cast.bob).get(path).json()["votes"] == []
    cast_vote(actor=cast.bob, proposal_id=int(asked.json()["proposal"]), orgcode=cast.housing.orgcode, agree=True)
    for _turn in range(4):
        for step_id in engine.due_steps():
            engine.run_step(step_id)
    shown = client(cast.bob).get(path).json()
    assert (shown["votes"], shown["blocking_severity"]) == (["deploy", "delete"], "high")
    assert_problem(client(cast.alice).post(path, {**body, "votes": ["magic"]}, format="json"), 422, "votes.0")


@pytest.mark.parametrize("rows", [1, 6])
def test_the_list_asks_the_same_number_of_times_however_long_it_is(
    cast: Cast, ledger: Blockchain, rows: int, django_assert_max_num_queries: Any
) -> None:
    for number in range(rows):
        prepared(cast.alice, ledger, name=f"Till {number}")
    with django_assert_max_num_queries(8):
        assert client(cast.alice).get(CONTRACTS).json()["count"] == rows


def test_the_address_book_has_name_and_abi_of_what_the_console_deployed(cast: Cast, ledger: Blockchain) -> None:
    contract = running(cast, ledger)
    about = {"blockchain": ledger, "sender": "0x2", "status": "committed"}
    Transaction.objects.create(hash="0x1", height=1, contract=ADDRESS.upper().replace("X", "x"), **about)
    Transaction.objects.create(hash="0x3", height=2, contract="0x" + "cd" * 20, **about)
    book = hand_out_sdk(actor=cast.bob, uid=ledger.uid).address_book["contracts"]
    assert [each.get("name") for each in book] == [None, "Till"]
    assert (book[1]["abi"], book[1]["contract"], book[1]["made_in_block"]) == (ABI, contract.uid, 1)
    Transaction.objects.all().delete()
    (alone,) = hand_out_sdk(actor=cast.bob, uid=ledger.uid).address_book["contracts"]
    assert (alone["address"], alone["name"]) == (ADDRESS, "Till")


@pytest.mark.postgres
def test_a_name_and_an_operation_are_given_once(cast: Cast, ledger: Blockchain) -> None:
    names = [lambda: prepared(cast.alice, ledger), *[lambda: prepared(cast.bob, ledger)] * 4]
    endings = at_once(*names)
    assert Contract.objects.count() == 1
    assert set(endings) <= {"done", "conflict", "name_taken"}
    contract = Contract.objects.get()
    owner = cast.alice if contract.owner == cast.tax else cast.bob
    deploy = lambda: propose_deployment(actor=owner, uid=contract.uid)  # noqa: E731
    assert at_once(*[deploy] * 5) == {"done": 1, "conflict": 4}
    assert Proposal.objects.filter(kind="contract_deploy").count() == 1
