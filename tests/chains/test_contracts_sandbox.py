"""Contracts on the real sandbox, with the real compiler and real EVM chains, from deployment to deletion.

What the rows say is held against the chain.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from chains import abi
from chains.models import Blockchain, Contract, ContractState, ContractVersion, VersionState
from chains.services.contract_calls import Reverted, call_contract, send_to_contract
from chains.services.contract_rules import propose_contract_rule
from chains.services.contracts import (
    prepare_contract,
    prepare_version,
    propose_deletion,
    propose_deployment,
    propose_resumption,
    propose_stop,
    propose_upgrade,
)
from chains.services.gateway import pass_on
from chains.services.grants import create_grant
from console.errors import ConsoleError, Invalid, NotAllowed
from console.models import AuditEntry, Flow, FlowState, User
from platforms.drivers import credentials_of
from platforms.models import Platform
from platforms.sandbox.anvil import find_anvil
from platforms.services.platforms import register_platform
from tests.chains.contract_sources import MOVED, PAUSABLE, REGISTER, SECOND
from tests.chains.test_sandbox_scenario import Departments, done, ended, rpc, sandbox, until  # noqa: F401 - a fixture
from tests.platforms.sandbox.running import Running
from unions.models import Proposal
from unions.services.proposals import cast_vote
from unions.services.unions import propose_union

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(find_anvil() is None, reason="needs anvil: `make setup` installs it, or name it in ANVIL"),
]
KEY = "0x" + "11" * 32
SLOT = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc"


@pytest.fixture
def cast(root: User, sandbox: Running) -> Departments:  # noqa: F811
    """Tax and housing with a union and its chain."""
    flow = ended(register_platform(actor=root, **sandbox.registration).flow.pk)
    assert flow.state == FlowState.DONE, flow.error
    made = Departments(root, sandbox)
    asked = {"actor": made.tax_clerk, "name": "Permits", "oemtype": "", "creatororg": made.tax.orgcode}
    made.agree(propose_union(**asked, orgs=[made.housing.orgcode]))
    return made


def prepare(cast: Departments, source: str = REGISTER, **more: Any) -> Contract:
    about = {"actor": cast.tax_clerk, "blockchain": Blockchain.objects.get().uid, "name": "Register"}
    return prepare_contract(**{**about, "source": source, **more}).contract


def deploy(cast: Departments, source: str = REGISTER, **more: Any) -> Contract:
    contract = prepare(cast, source, **more)
    done(propose_deployment(actor=cast.tax_clerk, uid=contract.uid))
    contract.refresh_from_db()
    assert contract.state == ContractState.RUNNING
    return contract


def call(cast: Departments, contract: Contract, function: str, *arguments: Any) -> list[Any]:
    found = call_contract(actor=cast.housing_clerk, uid=contract.uid, function=function, arguments=list(arguments))
    return [each.value for each in found.results]


def send(cast: Departments, contract: Contract, function: str, *arguments: Any, by: str = "tax") -> Flow:
    clerk = getattr(cast, f"{by}_clerk")
    return ended(send_to_contract(actor=clerk, uid=contract.uid, function=function, arguments=list(arguments)).pk)


def on_chain(method: str, *params: Any) -> Any:
    return rpc(Blockchain.objects.get().nodes.first().endpoint, method, *params)


def entry(cast: Departments) -> dict[str, Any]:
    return {"holder": "0x" + "22" * 20, "terms": ["2026", 2027], "note": "营业执照"}


def test_the_whole_life_of_contracts(cast: Departments) -> None:
    an_upgrade_behind_a_proxy_keeps_the_address_and_the_data(cast)
    a_new_version_has_another_address_and_no_data(cast)
    stopped_by_its_own_pause_or_refused_by_the_gateway(cast)


def an_upgrade_behind_a_proxy_keeps_the_address_and_the_data(cast: Departments) -> None:
    with pytest.raises(Invalid) as refused:
        prepare(cast, way="proxy", arguments=["many"])
    assert set(refused.value.errors) == {"arguments.0"}
    contract = deploy(cast, way="proxy", arguments=[7])
    first = contract.version
    assert first is not None
    assert contract.address != first.address
    assert on_chain("eth_getStorageAt", contract.address, SLOT, "latest")[-40:] == first.address[2:]
    assert call(cast, contract, "number") == ["7"]
    assert call(cast, contract, "keeper") == [abi.to_checksum_address(first.sender)]

    sent = send(cast, contract, "write", KEY, entry(cast), by="housing")
    assert sent.state == FlowState.DONE, sent.error
    hash_of = Flow.objects.get(pk=sent.pk).steps.get(name="send").outcome["transaction"]
    receipt = on_chain("eth_getTransactionReceipt", hash_of)
    assert receipt["from"] != first.sender.lower(), "each organization has an account of its own"
    event = abi.decode_log(first.abi, receipt["logs"][0]["topics"], receipt["logs"][0]["data"])
    assert event is not None
    assert [each.value for each in event.arguments][2] == "8"
    assert call(cast, contract, "read", KEY) == [
        {"holder": "0x" + "22" * 20, "terms": ["2026", "2027"], "note": "营业执照"}
    ]
    again = send(cast, contract, "write", KEY, entry(cast))
    assert again.state != FlowState.DONE, "the contract refuses a key that is taken"
    with pytest.raises(Reverted, match="no such entry"):
        call(cast, contract, "read", "0x" + "33" * 32)

    with pytest.raises(Invalid) as moved:
        prepare_version(actor=cast.tax_clerk, uid=contract.uid, source=MOVED)
    assert moved.value.code == "storage_layout"
    prepare_version(actor=cast.tax_clerk, uid=contract.uid, source=SECOND)
    done(propose_upgrade(actor=cast.tax_clerk, uid=contract.uid))
    before = contract.address
    contract.refresh_from_db()
    second = contract.version
    assert second is not None
    assert (contract.address, second.number) == (before, 2)
    assert on_chain("eth_getStorageAt", contract.address, SLOT, "latest")[-40:] == second.address[2:]
    assert call(cast, contract, "number") == ["8"], "the data stayed"
    assert call(cast, contract, "read", KEY)[0]["note"] == "营业执照 (2)", "and the new code runs"
    assert contract.versions.get(number=1).state == VersionState.REPLACED


def a_new_version_has_another_address_and_no_data(cast: Departments) -> None:
    contract = deploy(cast, PAUSABLE, name="Till", arguments={"first": 5})
    old = contract.address
    assert send(cast, contract, "add", 3).state == FlowState.DONE
    assert call(cast, contract, "sum") == ["8"]
    prepare_version(actor=cast.tax_clerk, uid=contract.uid, source=PAUSABLE, arguments=[1])
    done(propose_upgrade(actor=cast.tax_clerk, uid=contract.uid))
    contract.refresh_from_db()
    assert contract.address != old
    assert call(cast, contract, "sum") == ["1"]


def stopped_by_its_own_pause_or_refused_by_the_gateway(cast: Departments) -> None:
    till = deploy(cast, PAUSABLE, name="Other till", arguments=[5])
    done(propose_stop(actor=cast.tax_clerk, uid=till.uid))
    till.refresh_from_db()
    assert (till.state, till.stop_way) == (ContractState.STOPPED, "paused")
    assert call(cast, till, "paused") == [True]
    with pytest.raises(ConsoleError, match="stopped"):
        send_to_contract(actor=cast.tax_clerk, uid=till.uid, function="add", arguments=[1])
    done(propose_resumption(actor=cast.tax_clerk, uid=till.uid))
    till.refresh_from_db()
    assert till.state == ContractState.RUNNING
    assert call(cast, till, "paused") == [False]

    plain = deploy(cast, name="Plain")
    chain = Blockchain.objects.get()
    create_grant(actor=cast.tax_clerk, blockchain=chain.uid, orgcode=cast.tax.orgcode)

    def ask() -> Any:
        body = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "eth_call",
            "params": [{"to": plain.address, "data": data}, "latest"],
        }
        return pass_on(actor=cast.tax_clerk, uid=chain.uid, body=body)

    version = plain.version
    assert version is not None
    function = abi.function_of(version.abi, "number")
    assert function is not None
    data = abi.encode_call(function, [])
    assert int(ask()["result"], 16) == 0
    done(propose_stop(actor=cast.tax_clerk, uid=plain.uid))
    plain.refresh_from_db()
    assert (plain.state, plain.stop_way) == (ContractState.STOPPED, "refused")
    with pytest.raises(NotAllowed) as refused:
        ask()
    assert refused.value.code == "contract_stopped"
    done(propose_deletion(actor=cast.tax_clerk, uid=plain.uid))
    plain.refresh_from_db()
    assert plain.state == ContractState.DELETED
    with pytest.raises(NotAllowed) as refused:
        ask()
    assert refused.value.code == "contract_deleted"
    assert on_chain("eth_getCode", plain.address, "latest") != "0x", "a chain cannot forget"
    assert plain.address not in in_the_book(chain)
    assert till.address in in_the_book(chain)


def in_the_book(chain: Blockchain) -> set[str]:
    """What the sandbox itself has in its book."""
    platform = Platform.objects.get()
    answer = httpx.get(
        f"{platform.base_url}/v1/chains/{chain.external_id}/contracts",
        headers={"Authorization": f"Bearer {credentials_of(platform).token}"},
        trust_env=False,
    )
    return {each["contractId"] for each in answer.json()["items"]}


def test_what_the_union_votes_on_waits_for_the_vote_and_what_fails_is_taken_back(
    cast: Departments,
    sandbox: Running,  # noqa: F811
) -> None:
    rule = propose_contract_rule(
        actor=cast.tax_clerk,
        chain=Blockchain.objects.get().business_chain.uid,
        orgcode=cast.tax.orgcode,
        votes=["deploy"],
        blocking_severity="none",
    )
    cast_vote(actor=cast.housing_clerk, proposal_id=rule.pk, orgcode=cast.housing.orgcode, agree=True)
    done(rule)
    contract = prepare(cast, way="proxy", arguments=[1])
    asked = propose_deployment(actor=cast.tax_clerk, uid=contract.uid)
    until(lambda: Flow.objects.get(pk=asked.flow_id).steps.get(name="approval").state == "asleep", "the vote")
    assert Proposal.objects.waiting_for(cast.housing_clerk).get() == asked
    answer = sandbox.open().post("/sandbox-faults", json={"fault": "fail", "times": 1, "on": ["createContract"]})
    assert answer.status_code == 201
    cast_vote(actor=cast.housing_clerk, proposal_id=asked.pk, orgcode=cast.housing.orgcode, agree=True)
    flow = ended(asked.flow_id)
    assert flow.state == FlowState.UNDONE, flow.error
    contract.refresh_from_db()
    assert contract.state == ContractState.FAILED
    assert ContractVersion.objects.get().state == VersionState.FAILED
    assert AuditEntry.objects.filter(action="unions.proposal.taken_back").exists()

    again = propose_deployment(actor=cast.tax_clerk, uid=contract.uid)
    cast_vote(actor=cast.housing_clerk, proposal_id=again.pk, orgcode=cast.housing.orgcode, agree=True)
    done(again)
    contract.refresh_from_db()
    assert contract.state == ContractState.RUNNING
    assert call(cast, contract, "number") == ["1"]
