"""Contracts prepared, deployed, upgraded, stopped, let run again and deleted, each by a proposal and its flow.

Where the rule of the union (or of the chain) demands a vote, those on the chain are asked; otherwise the proposal
carries at once. A version is prepared first, so that it can be examined before it goes anywhere. Rows are locked in
one order: union, chain, contract, proposals, flows, audit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from chains.models import (
    Blockchain,
    BusinessChain,
    Contract,
    ContractRule,
    ContractState,
    ContractVersion,
    UpgradeWay,
    VersionState,
)
from chains.policies import (
    has_contracts,
    may_delete_contract,
    may_deploy_contract,
    may_deploy_prepared,
    may_resume_contract,
    may_stop_contract,
    may_upgrade_contract,
)
from chains.services import contract_requests as requests
from chains.services.contract_gate import refuse_blocked
from chains.services.contract_requests import Draft
from console import audit
from console.errors import Conflict, Invalid, Missing
from console.models import User
from console.policies import require
from console.transactions import joins_transaction, locked_or_missing, use_case
from unions.codes import new_code
from unions.models import Organization, OrganizationState, Proposal, ProposalKind, Union
from unions.names import key_of, read_name
from unions.services import proposals
from unions.services.union_requests import payload_for, require_support

Json = dict[str, Any]
VOTES = {  # what the rule calls it
    ProposalKind.CONTRACT_DEPLOY: "deploy",
    ProposalKind.CONTRACT_UPGRADE: "upgrade",
    ProposalKind.CONTRACT_STOP: "stop",
    ProposalKind.CONTRACT_RESUME: "stop",
    ProposalKind.CONTRACT_DELETE: "delete",
}
ABOUT = ("owner", "blockchain__business_chain__platform", "blockchain__business_chain__union")
OPEN_VERSIONS = (VersionState.PREPARED, VersionState.FAILED)


@dataclass(frozen=True)
class Prepared:
    """A version that is written down, and what the compiler remarked."""

    contract: Contract
    version: ContractVersion
    warnings: tuple[Any, ...] = ()


# --- preparing --------------------------------------------------------------------------------------------------------


def prepare_contract(
    *,
    actor: User,
    blockchain: str,
    name: str,
    source: Any = None,
    artifact: Any = None,
    entry: str = "",
    arguments: Any = None,
    way: str = UpgradeWay.NEW_VERSION,
    orgcode: str = "",
) -> Prepared:
    """Compile a contract and write it down, on no chain yet. One that was prepared, or failed, gets another version.

    Raises Missing, NotAllowed, Conflict, NotSupported, CompilationFailed and Invalid by field, Busy.
    """
    chain = requests.visible_blockchain(actor, blockchain)
    owner = requests.acting_organization(actor, chain, orgcode)
    require(may_deploy_contract(actor, chain, owner))  # before the compiler is bothered
    _require_platform(chain, way)
    name = read_name(name)
    draft = requests.read_program(source=source, artifact=artifact, entry=entry)
    if way not in UpgradeWay.values:
        raise Invalid.field("way", _("There are: %(names)s.") % {"names": ", ".join(UpgradeWay.values)})
    if way == UpgradeWay.PROXY:
        requests.refuse_unfit_for_proxy(draft)
    kept = requests.read_arguments(draft, way, arguments)
    return _write_prepared(actor=actor, chain=chain, owner=owner, name=name, way=way, draft=draft, arguments=kept)


def prepare_version(
    *,
    actor: User,
    uid: str,
    source: Any = None,
    artifact: Any = None,
    entry: str = "",
    arguments: Any = None,
) -> Prepared:
    """Compile what is to follow the version in force. Raises as `prepare_contract` does."""
    contract = visible_contract(actor, uid)
    require(may_upgrade_contract(actor, contract))
    _require_platform(contract.blockchain, contract.way)
    draft = requests.read_program(source=source, artifact=artifact, entry=entry)
    if contract.way == UpgradeWay.PROXY:
        requests.refuse_unfit_for_proxy(draft)
        if contract.version is not None:
            requests.refuse_other_layout(contract.version, draft)
        if arguments:
            raise Invalid.field("arguments", _("Behind a proxy the data stay: a new version takes no arguments."))
        kept: list[Any] = []
    else:
        kept = requests.read_arguments(draft, contract.way, arguments)
    return _write_version(actor=actor, uid=uid, draft=draft, arguments=kept)


@use_case
def _write_prepared(
    *, actor: User, chain: Blockchain, owner: Organization, name: str, way: str, draft: Draft, arguments: list[Any]
) -> Prepared:
    chain = locked_or_missing(Blockchain.objects.visible_to(actor), pk=chain.pk)
    require(may_deploy_contract(actor, chain, owner))
    contract = Contract.objects.there().filter(blockchain=chain, name_key=key_of(name)).first()
    if contract is None:
        contract = Contract(uid=new_code("ct"), blockchain=chain, owner=owner, created_by=actor)
    elif contract.owner_id != owner.pk or contract.state not in (ContractState.PREPARED, ContractState.FAILED):
        text = _("There is a contract of this name on this chain already.")
        raise Conflict(text, errors={"name": [text]}, code="name_taken")
    else:
        require(may_deploy_prepared(actor, contract))
    contract.name, contract.name_key, contract.way = name, key_of(name), way
    contract.save()
    return _add_version(actor, contract, draft, arguments)


@use_case
def _write_version(*, actor: User, uid: str, draft: Draft, arguments: list[Any]) -> Prepared:
    contract = _locked(actor, uid)
    require(may_upgrade_contract(actor, contract))
    return _add_version(actor, contract, draft, arguments)


@joins_transaction
def _add_version(actor: User, contract: Contract, draft: Draft, arguments: list[Any]) -> Prepared:
    before = contract.latest
    version = ContractVersion.objects.create(
        contract=contract,
        number=before.number + 1 if before else 1,
        arguments=arguments,
        created_by=actor,
        **draft.as_fields(),
    )
    audit.record("chains.contract.prepared", actor=actor, target=contract, version=version.number, entry=version.entry)
    return Prepared(contract, version, draft.warnings)


# --- asking -----------------------------------------------------------------------------------------------------------


@use_case
def propose_deployment(*, actor: User, uid: str, comment: str = "") -> Proposal:
    """Bring a prepared contract to its chain. Raises Missing, NotAllowed, Conflict, NotSupported, Blocked."""
    contract = _locked(actor, uid)
    require(may_deploy_prepared(actor, contract))
    _require_platform(contract.blockchain, contract.way)
    version = _open_version(contract)
    refuse_blocked(contract, version)
    contract.begin_creating()
    contract.save()
    return _propose(ProposalKind.CONTRACT_DEPLOY, actor, contract, version=version, comment=comment)


@use_case
def propose_upgrade(*, actor: User, uid: str, comment: str = "") -> Proposal:
    """Put the newest prepared version in force. Raises Missing, NotAllowed, Conflict, NotSupported, Blocked."""
    contract = _locked(actor, uid)
    require(may_upgrade_contract(actor, contract))
    _require_platform(contract.blockchain, contract.way)
    version = _open_version(contract)
    refuse_blocked(contract, version)
    return _propose(ProposalKind.CONTRACT_UPGRADE, actor, contract, version=version, comment=comment)


@use_case
def propose_stop(*, actor: User, uid: str, comment: str = "") -> Proposal:
    """Pause a contract by its own pause(); one that has none is refused by the gateway from then on."""
    contract = _locked(actor, uid)
    require(may_stop_contract(actor, contract))
    return _propose(ProposalKind.CONTRACT_STOP, actor, contract, comment=comment)


@use_case
def propose_resumption(*, actor: User, uid: str, comment: str = "") -> Proposal:
    """Let a stopped contract run again."""
    contract = _locked(actor, uid)
    require(may_resume_contract(actor, contract))
    return _propose(ProposalKind.CONTRACT_RESUME, actor, contract, comment=comment)


@use_case
def propose_deletion(*, actor: User, uid: str, comment: str = "") -> Proposal:
    """Strike a contract from the book; the gateway refuses it from then on. Its code stays on the chain."""
    contract = _locked(actor, uid)
    require(may_delete_contract(actor, contract))
    return _propose(ProposalKind.CONTRACT_DELETE, actor, contract, comment=comment)


@joins_transaction
def _propose(
    kind: ProposalKind, actor: User, contract: Contract, *, version: ContractVersion | None = None, comment: str
) -> Proposal:
    chain, owner = contract.blockchain.business_chain, contract.owner
    if version is not None:
        version.begin_creating()
        version.save()
    on_chain = contract.state in (ContractState.RUNNING, ContractState.STOPPED, ContractState.CREATING)
    asked = on_chain and ContractRule.of(contract.blockchain).demands_vote(VOTES[kind])
    payload = {
        **payload_for(chain.platform, chain.union, owner, contract.name),
        "chain": chain.uid,
        "blockchain": contract.blockchain_id,
        "contract": contract.pk,
        "version": version.pk if version else None,
        "way": contract.way,
        "pauses": pauses(contract),
        "about": [contract._meta.label_lower, str(contract.pk)],
    }
    return proposals.open_proposal(
        actor=actor,
        kind=kind,
        subject_key=contract.subject_key,
        subject_name=contract.name,
        proposer=owner,
        electorate=_electorate(contract) if asked else [],
        payload=payload,
        union=chain.union,
        comment=comment,
        blueprint=f"chains.{kind}",
        answer={"contract": contract.uid},
        by_union_rule=chain.union is not None,
    )


def _electorate(contract: Contract) -> list[Organization]:
    """Everyone on the chain who can answer; the owner first, who has agreed by asking."""
    rows = contract.blockchain.organizations.filter(state=OrganizationState.REGISTERED).order_by("pk")
    return sorted(rows, key=lambda each: each.pk != contract.owner_id)


def pauses(contract: Contract) -> bool:
    """Whether the version in force can be paused, and let run again, by calls without arguments."""
    version = contract.version
    names = ("pause", "unpause")
    own = {each.get("name") for each in (version.abi if version else []) if not each.get("inputs")}
    return all(name in own for name in names)


def _open_version(contract: Contract) -> ContractVersion:
    version = contract.latest
    if version is None or version.state not in OPEN_VERSIONS:
        raise Conflict(_("There is no version that waits to be deployed: prepare one first."), code="nothing_prepared")
    return version


def _require_platform(blockchain: Blockchain, way: str) -> None:
    """NotSupported with the platform's reason."""
    require(has_contracts(blockchain))
    operations = ("deploy_contract", "upgrade_contract") if way == UpgradeWay.PROXY else ("deploy_contract",)
    require_support(blockchain.business_chain.platform, *operations)


def visible_contract(actor: User, uid: str) -> Contract:
    """The contract by its public id, without a lock; Missing when the actor does not see it."""
    row = Contract.objects.visible_to(actor).select_related(*ABOUT).filter(uid=uid).first()
    if row is None:
        raise Missing()
    return row


@joins_transaction
def _locked(actor: User, uid: str) -> Contract:
    """The contract, locked behind its union and chain: what concerns them is decided one after the other."""
    chain = visible_contract(actor, uid).blockchain.business_chain
    if chain.union_id is not None:
        locked_or_missing(Union.objects.all(), pk=chain.union_id)
    locked_or_missing(BusinessChain.objects.all(), pk=chain.pk)
    return locked_or_missing(Contract.objects.visible_to(actor).select_related(*ABOUT), uid=uid)
