"""Who may do what with business chains; a no comes with its sentence."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chains.applications.engine import address
from chains.applications.manifest import Manifest
from chains.models import (
    AccessGrant,
    Blockchain,
    BusinessChain,
    ChainState,
    Contract,
    ContractState,
    ContractVersion,
    Createmode,
    Finding,
    Installation,
    InstallationState,
)
from console.errors import NotSupported
from console.models import User
from console.policies import ALLOWED, Verdict, denied, may_administer, not_now, require
from platforms.models import Kernel
from platforms.observing import ONLY_OBSERVED, Management
from unions.models import MemberState, Organization, Proposal, Union, UnionState
from unions.policies import fits, manages, may_manage_organization, may_speak_for, supports

SPEAK_JSON_RPC = (Kernel.ETHEREUM, Kernel.QUORUM, Kernel.BESU)


def may_propose_chain(actor: User, creator: Organization, union: Union | None) -> Verdict:
    """Whoever speaks for the creator; in a union, for one of its members."""
    allowed = may_speak_for(actor, creator)
    if allowed and union is not None:
        return _active(union) and manages(union.platform, union.network_id) and _inside(union, creator)
    return allowed


def may_propose_chain_join(actor: User, chain: BusinessChain, organization: Organization) -> Verdict:
    """Whoever speaks for an organization that is not on every ledger of the chain; in a union, for a member of it."""
    allowed = may_speak_for(actor, organization) and _going_on(chain) and manages(chain.platform, chain.network)
    return allowed and _outside(chain, organization)


def may_propose_chain_quit(actor: User, chain: BusinessChain, organization: Organization) -> Verdict:
    """Whoever speaks for an organization that is in it; the last one deletes it instead."""
    return may_speak_for(actor, organization) and _going_on(chain) and _may_leave(chain, organization)


def may_propose_chain_delete(actor: User, chain: BusinessChain) -> Verdict:
    """Whoever speaks for its creator, or once that has left for the union; nothing else open."""
    return may_speak_for(actor, chain.speaker()) and _going_on(chain) and _quiet(chain)


def may_propose_scaling(actor: User, blockchain: Blockchain, organization: Organization) -> Verdict:
    """Whoever speaks for an organization with nodes on it; those of a private chain are its creator's."""
    chain = blockchain.business_chain
    allowed = may_speak_for(actor, organization) and _going_on(chain) and manages(chain.platform, chain.network)
    if allowed and not blockchain.nodes.filter(organization=organization).exists():
        return not_now(_("%(name)s has no node on this chain.") % {"name": organization.name})
    return allowed


def may_set_retention(actor: User) -> Verdict:
    """Administrators of the console, whose database it is."""
    return may_administer(actor)


def may_grant_access(actor: User, blockchain: Blockchain, organization: Organization) -> Verdict:
    """Administrators of an organization that is on the chain, and the console's; on chains that the gateway serves."""
    allowed = may_manage_organization(actor, organization)
    if not allowed:
        return allowed
    if not blockchain.organizations.filter(pk=organization.pk).exists():
        return not_now(_("%(name)s is not in this chain.") % {"name": organization.name})
    return _running(blockchain) and gateway_serves(blockchain)


def may_revoke_grant(actor: User, grant: AccessGrant) -> Verdict:
    """The organization's administrators and the console's, also once the organization is closed."""
    allowed = may_manage_organization(actor, grant.organization)
    if not allowed and grant.organization.is_closed and actor.is_administrator:
        return ALLOWED
    return allowed


def may_deploy_contract(actor: User, blockchain: Blockchain, organization: Organization) -> Verdict:
    """Whoever speaks for an organization that is on the chain, while it runs and its kernel has such contracts."""
    allowed = may_speak_for(actor, organization)
    if not allowed:
        return allowed
    if not blockchain.organizations.filter(pk=organization.pk).exists():
        return not_now(_("%(name)s is not in this chain.") % {"name": organization.name})
    return _going_on(blockchain.business_chain) and _running(blockchain) and has_contracts(blockchain)


def has_contracts(blockchain: Blockchain) -> Verdict:
    """Chains of Ethereum's kind that the console does more to than read, by what their platform says of them."""
    if blockchain.business_chain.management == Management.OBSERVED:
        return not_now(_(ONLY_OBSERVED))
    kernel = kernel_of(blockchain)
    if kernel in SPEAK_JSON_RPC:
        return ALLOWED
    words = {"kernel": Kernel(kernel).label if kernel in Kernel.values else kernel or "?"}
    return not_now(_("Contracts are deployed on Ethereum, Quorum and Besu chains; this one is %(kernel)s.") % words)


def may_upgrade_contract(actor: User, contract: Contract) -> Verdict:
    """Whoever speaks for its owner, while it runs."""
    return _may_change(actor, contract, ContractState.RUNNING)


def may_stop_contract(actor: User, contract: Contract) -> Verdict:
    """Whoever speaks for its owner, while it runs."""
    return _may_change(actor, contract, ContractState.RUNNING)


def may_resume_contract(actor: User, contract: Contract) -> Verdict:
    """Whoever speaks for its owner, when it is stopped."""
    return _may_change(actor, contract, ContractState.STOPPED)


def may_deploy_prepared(actor: User, contract: Contract) -> Verdict:
    """Whoever speaks for its owner, before it runs."""
    states = (ContractState.PREPARED, ContractState.FAILED)
    return _may_change(actor, contract, *states) and may_deploy_contract(actor, contract.blockchain, contract.owner)


def may_delete_contract(actor: User, contract: Contract) -> Verdict:
    """Whoever speaks for its owner, unless it is being deployed."""
    states = (ContractState.PREPARED, ContractState.FAILED, ContractState.RUNNING, ContractState.STOPPED)
    return _may_change(actor, contract, *states)


def may_send_to_contract(actor: User, contract: Contract, organization: Organization) -> Verdict:
    """Whoever speaks for an organization that is on the chain, while the contract runs."""
    if contract.state != ContractState.RUNNING:
        return not_now(_("The contract is %(state)s.") % {"state": contract.get_state_display().lower()})
    return may_deploy_contract(actor, contract.blockchain, organization)


def may_call_contract(actor: User, contract: Contract, organization: Organization) -> Verdict:
    """Members of an organization that is on the chain, and the console's administrators; reading changes nothing."""
    if not contract.address or contract.state == ContractState.DELETED:
        return not_now(_("The contract is %(state)s.") % {"state": contract.get_state_display().lower()})
    if not actor.is_administrator and not organization.members.filter(pk=actor.pk).exists():
        return denied(_("You do not speak for %(name)s.") % {"name": organization.name})
    if not contract.blockchain.organizations.filter(pk=organization.pk).exists():
        return not_now(_("%(name)s is not in this chain.") % {"name": organization.name})
    return _running(contract.blockchain)


def may_propose_contract_rule(actor: User, chain: BusinessChain, organization: Organization) -> Verdict:
    """Whoever speaks for an organization in the union, or on the chain where it has none."""
    allowed = may_speak_for(actor, organization) and _going_on(chain)
    if not allowed:
        return allowed
    if chain.union is not None:
        return _inside(chain.union, organization)
    if chain.organizations.filter(pk=organization.pk).exists():
        return ALLOWED
    return not_now(_("%(name)s is not in this chain.") % {"name": organization.name})


def _may_change(actor: User, contract: Contract, *states: ContractState) -> Verdict:
    """Whoever speaks for its owner, in one of the states, while nothing else is asked or done about it."""
    allowed = may_speak_for(actor, contract.owner)
    if not allowed:
        return allowed
    if contract.state not in states:
        return not_now(_("The contract is %(state)s.") % {"state": contract.get_state_display().lower()})
    if Proposal.objects.under_way().filter(subject_key=contract.subject_key).exists():
        return not_now(_("Something about this contract is being asked or carried out; wait until that has ended."))
    return _going_on(contract.blockchain.business_chain) and _running(contract.blockchain)


def kernel_of(blockchain: Blockchain) -> str:
    """What the chain, or else its platform, says of its kernel; empty where neither does."""
    return str(blockchain.blockspec.get("kernel") or blockchain.business_chain.platform.kernel or "").lower()


def gateway_serves(blockchain: Blockchain) -> Verdict:
    """Chains that speak Ethereum's JSON-RPC, by what their platform says of them."""
    kernel = kernel_of(blockchain)
    if kernel in SPEAK_JSON_RPC:
        return ALLOWED
    if not kernel:
        return not_now(
            _("The gateway serves Ethereum, Quorum and Besu chains; the platform does not say what this one is.")
        )
    words = {"kernel": Kernel(kernel).label if kernel in Kernel.values else kernel}
    return not_now(_("The gateway serves Ethereum, Quorum and Besu chains; this one is %(kernel)s.") % words)


def require_gateway(blockchain: Blockchain) -> None:
    """NotSupported, with the reason, where the gateway does not serve the chain; Conflict when it does not run."""
    if not (verdict := gateway_serves(blockchain)):
        raise NotSupported(verdict.reason)
    require(_running(blockchain))


def may_download_sdk(actor: User, blockchain: Blockchain, organization: Organization) -> Verdict:
    """Members of the organization, where it is on the chain; nobody on behalf of another."""
    if not organization.members.filter(pk=actor.pk).exists():
        return denied(_("Only members of the organization get its connection files."))
    if not blockchain.organizations.filter(pk=organization.pk).exists():
        return not_now(_("%(name)s is not in this chain.") % {"name": organization.name})
    return ALLOWED


def chains_support(chain: BusinessChain, *operations: str) -> Verdict:
    """What the platform declared, with its reason for the first of the operations that it cannot do."""
    for operation in operations:
        if not (verdict := supports(chain.platform, operation)):
            return verdict
    return ALLOWED


def _running(blockchain: Blockchain) -> Verdict:
    if blockchain.state == ChainState.RUNNING:
        return ALLOWED
    return not_now(_("The chain is %(state)s.") % {"state": blockchain.get_state_display().lower()})


def _going_on(chain: BusinessChain) -> Verdict:
    """It runs, its union does, and nobody deletes it."""
    if chain.state != ChainState.RUNNING:
        return not_now(_("The chain is %(state)s.") % {"state": chain.get_state_display().lower()})
    if chain.union is not None and not (verdict := _active(chain.union)):
        return verdict
    if Proposal.objects.under_way().filter(subject_key=chain.uid).exists():
        return not_now(_("The chain is being deleted."))
    return ALLOWED


def _quiet(chain: BusinessChain) -> Verdict:
    """Nothing on the chain is being asked or carried out."""
    busy = Proposal.objects.under_way().filter(subject_key__startswith=f"{chain.uid}:").first()
    if busy is None:
        return ALLOWED
    text = _("Something on this chain is being asked or carried out (%(proposal)s); wait until that has ended.")
    return not_now(text % {"proposal": busy.get_kind_display()})


def _active(union: Union) -> Verdict:
    if union.state == UnionState.ACTIVE:
        return ALLOWED
    return not_now(_("The union is %(state)s.") % {"state": union.get_state_display().lower()})


def _inside(union: Union, organization: Organization) -> Verdict:
    if union.members.filter(organization=organization, state=MemberState.ACTIVE).exists():
        return ALLOWED
    return not_now(_("%(name)s is not a member of this union.") % {"name": organization.name})


def _outside(chain: BusinessChain, organization: Organization) -> Verdict:
    if chain.union is not None and not (verdict := _inside(chain.union, organization)):
        return verdict
    missing = chain.blockchains.live().exclude(organizations=organization)  # type: ignore[attr-defined]
    if not missing.exists():
        return not_now(_("%(name)s is in this chain already.") % {"name": organization.name})
    if chain.createmode == Createmode.PRIVATE:
        return ALLOWED
    return fits(chain.platform, organization)


def _may_leave(chain: BusinessChain, organization: Organization) -> Verdict:
    present = set(chain.organizations.values_list("pk", flat=True))
    if organization.pk not in present:
        return not_now(_("%(name)s is not in this chain.") % {"name": organization.name})
    if len(present) == 1:
        return not_now(_("The last one cannot quit; delete the chain instead."))
    if chain.createmode == Createmode.PRIVATE and organization.pk == chain.creator_id:
        return not_now(_("The chain stands in the space of its creator, which cannot quit; it can delete the chain."))
    alone = chain.blockchains.live().filter(organizations=organization)  # type: ignore[attr-defined]
    for blockchain in alone:
        if blockchain.organizations.count() == 1:
            words = {"name": organization.name, "chain": blockchain.name}
            return not_now(_("%(name)s is the only one in “%(chain)s”; that would be left without anybody.") % words)
    return ALLOWED


# --- applications -----------------------------------------------------------------------------------------------------


def may_install(actor: User, manifest: Manifest | None, installation: Installation | None) -> Verdict:
    """The console's administrators, what the warehouse has and is not there yet."""
    if not (allowed := may_administer(actor)):
        return allowed
    if installation is not None and installation.state != InstallationState.ABSENT:
        return not_now(_("It is %(state)s.") % {"state": installation.get_state_display().lower()})
    return _has_ground(manifest) if manifest is not None else not_now(NOT_OFFERED)


def may_upgrade(actor: User, manifest: Manifest | None, installation: Installation) -> Verdict:
    """The console's administrators, when the warehouse has another than is installed."""
    if not (allowed := may_administer(actor) and _at_rest(installation)):
        return allowed
    if manifest is None:
        return not_now(NOT_OFFERED)
    if manifest.digest == installation.digest:
        return not_now(_("The warehouse has nothing newer."))
    return _has_ground(manifest)


def may_uninstall(actor: User, installation: Installation) -> Verdict:
    """The console's administrators, when nothing else is being done with it."""
    return may_administer(actor) and _at_rest(installation)


def may_try(actor: User, installation: Installation) -> Verdict:
    """The console's administrators; an image where there is an engine."""
    return may_uninstall(actor, installation) and _can_run(installation.is_image)


def may_scan(actor: User, version: ContractVersion | None, contract: Contract) -> Verdict:
    """Whoever speaks for the contract's owner; versions whose sources are here."""
    if not (allowed := may_speak_for(actor, contract.owner)):
        return allowed
    if contract.state == ContractState.DELETED:
        return not_now(_("The contract is deleted."))
    if version is None:
        return not_now(_("The contract has no version yet."))
    if not version.sources:
        return not_now(_("Only its bytecode is here, not its sources; there is nothing to examine."))
    return ALLOWED


def may_accept_finding(actor: User, finding: Finding) -> Verdict:
    """The owner's administrators and the console's: it may be what keeps the contract from being deployed."""
    return may_manage_organization(actor, finding.report.version.contract.owner)


def may_see_engine(actor: User) -> Verdict:
    """The console's administrators and auditors: where it is concerns nobody else."""
    if actor.is_administrator or actor.is_auditor:
        return ALLOWED
    return denied(_("Only administrators and auditors see the container engine for applications."))


NO_ENGINE = gettext_lazy(
    "It is a container image, and no container engine is named for applications (APPLICATIONS_ENGINE)."
)
NOT_OFFERED = gettext_lazy("The warehouse does not have it.")


def _has_ground(manifest: Manifest) -> Verdict:
    return _can_run(manifest.image is not None)


def _can_run(is_image: bool) -> Verdict:
    """An image needs a container engine; whether that answers is another question."""
    return ALLOWED if address() or not is_image else not_now(NO_ENGINE)


def _at_rest(installation: Installation) -> Verdict:
    if installation.state == InstallationState.INSTALLED:
        return ALLOWED
    return not_now(_("It is %(state)s.") % {"state": installation.get_state_display().lower()})
