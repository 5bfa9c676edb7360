"""Steps that have the platform take chains and nodes down, because somebody asked, or because a flow is undone."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from chains.flows.arguments import chain_id_of, member_of
from chains.flows.building import chain_of_our_name
from console import flows
from console.flows import Done, Later, StepContext
from platforms import standard
from unions.flows.arguments import creator_of, network_id_of, platform_of
from unions.spaces import credentials_for, party_of
from unions.steps import remove


@flows.step("chains.take_back_chain")
def take_back_chain(context: StepContext) -> Done | Later:
    """Delete what `create_chain` has made, also when it failed half-way and only the platform knows what it made."""
    platform = platform_of(context)
    credentials = credentials_for(platform, creator=creator_of(context))
    made = context.own_outcome.get("chains") or [{**context.known, **(context.position or {}).get("known", {})}]
    chain_id = made[0].get("chain_id", "")
    if not chain_id:
        found = chain_of_our_name(context, platform, credentials)
        chain_id = found.chain_id if found is not None else ""
    return _delete(context, chain_id)


@flows.step("chains.delete_chain")
def delete_chain(context: StepContext) -> Done | Later:
    """One chain with all its nodes is deleted by the union's creator."""
    return _delete(context, chain_id_of(context))


def _delete(context: StepContext, chain_id: str) -> Done | Later:
    if not chain_id:
        return Done({"skipped": "there is no chain"})
    platform, creator = platform_of(context), creator_of(context)
    request = standard.DeleteChainRequest(
        network_id=network_id_of(context), chain_id=chain_id, creator=party_of(creator)
    )
    known = {"chain_id": chain_id}
    return remove(context, platform, "delete_chain", request, credentials_for(platform, creator=creator), known=known)


@flows.step("chains.quit_chain")
def quit_chain(context: StepContext) -> Done | Later:
    """One member's node on one chain is reclaimed. Nothing to do when it is gone already."""
    chain_id = chain_id_of(context)
    if not chain_id:
        return Done({"skipped": "there is no chain"})
    platform, member, credentials = member_of(context)
    request = standard.QuitChainRequest(network_id=network_id_of(context), chain_id=chain_id, member=party_of(member))
    return remove(context, platform, "quit_chain", request, credentials, known={})


@flows.step("chains.say_chain_is_gone", local=True)
def say_chain_is_gone(context: StepContext) -> Done:
    context.log(gettext_noop("This cannot be taken back: the chain and its ledger are gone from the platform."))
    return Done()
