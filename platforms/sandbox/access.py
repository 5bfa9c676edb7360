"""Who sees what: a member, someone invited, the creator, the operator. Everybody else is told that it is not there."""

from __future__ import annotations

from platforms.sandbox.errors import BadRequest, Forbidden, NotFound
from platforms.sandbox.principals import Principal
from platforms.sandbox.store import Json, Store


def sees_network(principal: Principal, network: Json) -> bool:
    if principal.is_operator or network["creator"] == principal.id:
        return True
    if any(member["principal"] == principal.id for member in network["members"].values()):
        return True
    return any(_is_for(principal, invitation) for invitation in network["invitations"].values())


def find_network(store: Store, principal: Principal, network_id: str) -> Json:
    network = store.networks.get(network_id)
    if network is None or not sees_network(principal, network):
        raise NotFound(f"There is no network {network_id}.", code="NETWORK_NOT_FOUND")
    return network


def find_chain(store: Store, principal: Principal, chain_id: str) -> Json:
    """A chain of a network that the caller is a member of; an invitation alone does not show it."""
    chain = store.chains.get(chain_id)
    network = store.networks.get(chain["networkId"]) if chain else None
    if chain is None or network is None or not _belongs(principal, network):
        raise NotFound(f"There is no chain {chain_id}.", code="CHAIN_NOT_FOUND")
    return chain


def find_member(network: Json, reference: str) -> Json:
    """By member id or by the external id that the member gave."""
    for member in network["members"].values():
        if reference in (member["memberId"], member["externalId"]):
            return member
    raise NotFound(f"{network['networkId']} has no member {reference}.", code="MEMBER_NOT_FOUND")


def own_member(network: Json, principal: Principal, external_id: str | None) -> Json:
    """The member that the caller is in this network."""
    principal.must_be_member()
    own = [member for member in network["members"].values() if member["principal"] == principal.id]
    if external_id:
        own = [member for member in own if member["externalId"] == external_id]
    if not own:
        raise Forbidden(f"You are not a member of {network['networkId']}.", code="NOT_A_MEMBER")
    if len(own) > 1:
        raise BadRequest("externalId: say which of your members this is for.")
    return own[0]


def invitation_for(network: Json, principal: Principal, external_id: str) -> Json:
    invitation = network["invitations"].get(external_id)
    if invitation is None or not _is_for(principal, invitation):
        raise Forbidden(f"{external_id} is not invited into {network['networkId']}.", code="NOT_INVITED")
    return invitation


def _is_for(principal: Principal, invitation: Json) -> bool:
    """An invitation with a tenant is that tenant's; one without is for an on-prem organization."""
    if invitation["tenantId"]:
        return principal.tenant_id == invitation["tenantId"]
    return principal.kind == "ON_PREM"


def _belongs(principal: Principal, network: Json) -> bool:
    if principal.is_operator or network["creator"] == principal.id:
        return True
    return any(member["principal"] == principal.id for member in network["members"].values())
