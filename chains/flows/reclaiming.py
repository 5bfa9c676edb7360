"""Steps that have the platform take chains and nodes down, because somebody asked, or because a flow is undone."""

from __future__ import annotations

from typing import cast

from chains.flows.arguments import chain_id_of, member_of
from chains.flows.building import SEVERAL_LEFT, chains_of_our_name
from chains.flows.carrying import speaker_of
from chains.models import Blockchain
from chains.services import chains as service
from console import flows
from console.errors import ConsoleError, Missing, PlatformRefused
from console.flows import Done, Later, StepContext
from console.models import Step, StepState
from console.transactions import whole
from platforms import standard
from platforms.drivers import driver_for
from platforms.drivers.base import read
from unions.flows.arguments import actor_of, creator_of, network_id_of, platform_of
from unions.spaces import credentials_for, party_of
from unions.steps import remove


@flows.step("chains.take_back_chain")
def take_back_chain(context: StepContext) -> Done | Later:
    """Delete what `create_chain` has made, also when it failed half-way and only the platform knows what it made."""
    platform = platform_of(context)
    credentials = credentials_for(platform, creator=creator_of(context))
    made = context.own_outcome.get("chains") or [{**context.known, **(context.position or {}).get("known", {})}]
    chain_id = made[0].get("chain_id", "") or context.chosen
    if not chain_id:
        found = chains_of_our_name(context, platform, credentials) or []
        if len(found) > 1:
            raise PlatformRefused(SEVERAL_LEFT % {"ids": ", ".join(each.chain_id for each in found)})
        chain_id = found[0].chain_id if found else ""
    return _delete(context, chain_id)


@flows.step("chains.delete_chain")
def delete_chain(context: StepContext) -> Done | Later:
    """One chain with all its nodes is deleted by whoever speaks for the union, or for the chain alone."""
    return _delete(context, chain_id_of(context))


def _delete(context: StepContext, chain_id: str) -> Done | Later:
    if not chain_id:
        return Done({"skipped": "there is no chain"})
    platform = platform_of(context)
    creator = speaker_of(context) if "chain" in context.flow_arguments else creator_of(context)
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


@flows.step("chains.watch", local=True)
def watch(context: StepContext) -> Done:
    """Nothing to do going forward: see what takes it back."""
    return Done()


@flows.step("chains.mark_gone")
def mark_gone(context: StepContext) -> Done:
    """The deletion stops half-way: chains that are gone from the platform are gone here, with their nodes.

    A chain whose deletion failed is looked for. Where the platform cannot say, the chain stays as it is: the observer
    reads it, and the next deletion finds out.
    """
    steps = Step.objects.filter(flow_id=context.flow_id, action="chains.delete_chain", attempts__gt=0)
    all_gone = bool(context.outcome("network"))
    asked = [(all_gone or step.state == StepState.DONE, step.arguments["blockchain"]) for step in steps]
    gone = [pk for done, pk in asked if done or _is_gone(context, pk)]
    whole(lambda: service.mark_deleted(actor=actor_of(context), blockchain_ids=gone))
    return Done()


def _is_gone(context: StepContext, blockchain_id: int) -> bool:
    chain_id = Blockchain.objects.values_list("external_id", flat=True).get(pk=blockchain_id)
    platform = platform_of(context)
    request = standard.ListChainsRequest(network_id=network_id_of(context))
    try:
        if not platform.capability("list_chains")[0]:
            return False
        credentials = credentials_for(platform, creator=creator_of(context))
        listed = cast(standard.ChainList, read(driver_for(platform), "list_chains", request, credentials))
    except Missing:
        return True  # the whole network is gone
    except ConsoleError as problem:
        context.log(problem.for_operators)
        return False
    return all(chain.chain_id != chain_id or chain.status == "deleted" for chain in listed.items)


@flows.step("chains.drop_quit_nodes", local=True)
def drop_quit_nodes(context: StepContext) -> Done:
    """The quitting stops half-way: nodes that were reclaimed are gone, and the next quitting leaves them alone."""
    arguments = context.flow_arguments
    through = Step.objects.filter(flow_id=context.flow_id, action="chains.quit_chain", state=StepState.DONE)
    service.drop_nodes(
        actor=actor_of(context),
        union_id=arguments["union"],
        orgcode=arguments["member"],
        blockchain_ids=None if context.outcome("network") else [step.arguments["blockchain"] for step in through],
    )
    return Done()
