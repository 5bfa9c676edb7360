"""What became of contracts, written down by the local steps of their flows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop

from chains.models import Contract, ContractState, ContractVersion, StopWay, VersionState
from chains.services.contract_gate import refuse_blocked
from console import audit
from console.models import User
from console.services.notifications import notify
from console.transactions import joins_transaction, locked_or_missing
from unions.services.proposals import people_of

Json = dict[str, Any]


@joins_transaction
def judge_again(*, contract_id: int, version_id: int) -> None:
    """While others voted, an application may have found something."""
    contract = Contract.objects.select_related("blockchain__business_chain__union").get(pk=contract_id)
    refuse_blocked(contract, ContractVersion.objects.get(pk=version_id))


@joins_transaction
def record_deployed(
    *, actor: User | None, contract_id: int, version_id: int, code: Mapping[str, Any], proxy: Mapping[str, Any]
) -> Contract:
    """The first version is in force; behind its proxy, where there is one."""
    contract, version = _both(contract_id, version_id)
    at = proxy or code
    version.run(address=code["address"], transaction=at["transaction"], sender=at["sender"])
    contract.run(at["address"], at["contract_id"])
    version.save()
    contract.save()
    announce(contract, TITLES["deployed"])
    audit.record("chains.contract.deployed", actor=actor, target=contract, **_about(contract, version))
    return contract


@joins_transaction
def record_upgraded(*, actor: User | None, contract_id: int, version_id: int, code: Mapping[str, Any]) -> Contract:
    """Another version is in force. One that is not behind a proxy has another address from now on."""
    contract, version = _both(contract_id, version_id)
    current = contract.versions.select_for_update().filter(state=VersionState.RUNNING).first()
    if current is not None:
        current.replace()
        current.save()
    version.run(address=code["address"], transaction=code["transaction"], sender=code["sender"])
    version.save()
    if code["contract_id"] != contract.contract_id:
        contract.address, contract.contract_id = code["address"], code["contract_id"]
        contract.save()
    announce(contract, TITLES["upgraded"])
    audit.record("chains.contract.upgraded", actor=actor, target=contract, **_about(contract, version))
    return contract


@joins_transaction
def record_failed(*, contract_id: int, version_id: int) -> None:
    """Nothing of it is in force. A contract that ran before still runs what it ran."""
    contract, version = _both(contract_id, version_id)
    if version.state == VersionState.CREATING:
        version.fail()
        version.save()
    if contract.state == ContractState.CREATING:
        contract.fail()
        contract.save()


@joins_transaction
def record_stopped(*, actor: User | None, contract_id: int, paused: bool) -> Contract:
    contract = _locked(contract_id)
    contract.stop(StopWay.PAUSED if paused else StopWay.REFUSED)
    contract.save()
    announce(contract, TITLES["stopped"])
    audit.record(
        "chains.contract.stopped", actor=actor, target=contract, **_about(contract), way=str(contract.stop_way)
    )
    return contract


@joins_transaction
def record_resumed(*, actor: User | None, contract_id: int) -> Contract:
    contract = _locked(contract_id)
    contract.resume()
    contract.save()
    announce(contract, TITLES["resumed"])
    audit.record("chains.contract.resumed", actor=actor, target=contract, **_about(contract))
    return contract


@joins_transaction
def record_deleted(*, actor: User | None, contract_id: int) -> Contract:
    contract = _locked(contract_id)
    contract.delete_for_good()
    contract.save()
    announce(contract, TITLES["deleted"])
    audit.record("chains.contract.deleted", actor=actor, target=contract, **_about(contract))
    return contract


@joins_transaction
def record_sent(*, actor: User | None, contract_id: int, function: str, orgcode: str, transaction: str) -> None:
    contract = Contract.objects.get(pk=contract_id)
    about = {"function": function, "orgcode": orgcode, "transaction": transaction}
    audit.record("chains.contract.sent", actor=actor, target=contract, **about)


def announce(contract: Contract, title: str) -> None:
    """Everyone on the chain hears of it."""
    notify(
        people_of(contract.blockchain.organizations.all()),
        kind="chain",
        title=title,
        parameters={"name": contract.name, "chain": contract.blockchain.name},
        link=f"/contracts/{contract.uid}",
        subject=contract,
    )


TITLES = {
    "deployed": gettext_noop("The contract %(name)s runs on %(chain)s"),
    "upgraded": gettext_noop("The contract %(name)s on %(chain)s has another version"),
    "stopped": gettext_noop("The contract %(name)s on %(chain)s was stopped"),
    "resumed": gettext_noop("The contract %(name)s on %(chain)s runs again"),
    "deleted": gettext_noop("The contract %(name)s on %(chain)s was deleted"),
}


def _about(contract: Contract, version: ContractVersion | None = None) -> Json:
    """For the audit log: where it is, and which version."""
    if version is None:
        return {"address": contract.address}
    return {"address": contract.address, "version": version.number, "transaction": version.transaction}


def _both(contract_id: int, version_id: int) -> tuple[Contract, ContractVersion]:
    return _locked(contract_id), locked_or_missing(ContractVersion.objects.all(), pk=version_id)


def _locked(contract_id: int) -> Contract:
    return locked_or_missing(Contract.objects.select_related("blockchain"), pk=contract_id)
