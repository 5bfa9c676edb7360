"""Steps that have the platform build chains and nodes.

A platform may have made something although its answer never arrived. So a second attempt looks first: what carries
our name in our network, or our organization on our chain, was made by the first one. A driver that resumes is asked
again instead: nobody else goes on with what it has begun.
"""

from __future__ import annotations

from typing import cast

from django.utils.translation import gettext_noop

from chains.flows.arguments import chain_id_of, has_to_look, look_again, member_of, unsure, waiting
from chains.services.nodes import nodes_of_chain
from console import flows
from console.errors import PlatformRefused
from console.flows import Ask, Done, Later, StepContext
from console.sentences import kept
from platforms import standard
from platforms.drivers import driver_for
from platforms.drivers.base import Credentials, read, repeatable
from platforms.models import Platform
from unions.flows.arguments import creator_of, network_id_of, organization_named, platform_of
from unions.models import Organization
from unions.spaces import credentials_for, party_of
from unions.steps import perform

NOT_LISTED = gettext_noop("the platform cannot list its chains, so nobody knows whether one of this name is there")
CHAIN_UNKNOWN = gettext_noop(
    "The platform did not answer whether it has built the chain, and looking for it came to nothing. Is it there?"
)
CHAIN_SEVERAL = gettext_noop(
    "The platform did not answer whether it has built the chain. Several of this name are in the network: which one?"
)
CHAIN_GONE = gettext_noop("The chain that was chosen is not there any more.")
NODE_UNKNOWN = gettext_noop(
    "The platform did not answer whether it has built the node, and looking for it came to nothing. Is it there?"
)
SEVERAL_LEFT = kept(
    gettext_noop(
        "Several chains of this name may have been built (%(ids)s). "
        "Delete what belongs to nobody on the platform, then skip this step."
    )
)
FOUND = gettext_noop("found the chain that an earlier attempt has made")


@flows.step("chains.create_chain", asks=CHAIN_UNKNOWN)
def create_chain(context: StepContext) -> Done | Later | Ask:
    """The chain and the creator's node, made by the creator in its own space."""
    arguments, platform, creator = context.flow_arguments, platform_of(context), creator_of(context)
    credentials = credentials_for(platform, creator=creator)
    if has_to_look(context, platform):
        chain = _chain_to_go_on_with(context, platform, credentials)
        if chain is not None:
            return chain if isinstance(chain, Ask) else _go_on_with(context, chain)
    request = standard.CreateChainRequest(
        network_id=network_id_of(context),
        name=arguments["name"],
        creator=party_of(creator),
        members=tuple(party_of(organization_named(code)) for code in arguments["orgs"] if code != creator.orgcode),
    )
    answer, wait = perform(context, platform, "create_chain", request, credentials)
    if answer is None:
        return waiting(wait)
    _refuse_failed(answer.status)
    return _made(answer.chain_id, arguments["name"], answer.extrainfo)


def _chain_to_go_on_with(
    context: StepContext, platform: Platform, credentials: Credentials
) -> standard.ChainInfo | Ask | None:
    """The chain that an earlier attempt has made, as the platform shows or an operator chose; None: there is none."""
    found = chains_of_our_name(context, platform, credentials)
    candidates = tuple(
        {"id": each.chain_id, "name": each.name, "status": each.status, "created": ""} for each in found or ()
    )
    if context.chosen:
        chosen = next((each for each in found or () if each.chain_id == context.chosen), None)
        return chosen or Ask(CHAIN_GONE, candidates)
    if found is None:
        sure = not context.unsure or context.told_to_try_again
        return None if sure or repeatable(driver_for(platform), "create_chain") else Ask(CHAIN_UNKNOWN)
    if len(found) > 1:
        return Ask(CHAIN_SEVERAL, candidates)
    return found[0] if found else None


def chains_of_our_name(
    context: StepContext, platform: Platform, credentials: Credentials
) -> list[standard.ChainInfo] | None:
    """The chains of the flow's name in its own network, without those that an operator has said not to be ours.

    None when the platform cannot say.
    """
    if not platform.capability("list_chains")[0]:
        context.log(NOT_LISTED)
        return None
    request = standard.ListChainsRequest(network_id=network_id_of(context))
    listed = cast(standard.ChainList, read(driver_for(platform), "list_chains", request, credentials))
    return [
        chain
        for chain in listed.items
        if chain.name == context.flow_arguments["name"]
        and chain.network_id in ("", request.network_id)
        and chain.status not in ("deleted", "deleting")
        and chain.chain_id not in context.not_ours
    ]


def _go_on_with(context: StepContext, chain: standard.ChainInfo) -> Done | Later:
    """An earlier attempt has made it: wait until it runs, then it is the answer."""
    _refuse_failed(chain.status)
    if chain.status == "creating":
        return _or_give_up(look_again(context))
    context.log(FOUND, chain_id=chain.chain_id)
    return _made(chain.chain_id, chain.name, chain.extrainfo)


def _made(chain_id: str, name: str, extrainfo: str) -> Done:
    return Done({"chains": [{"chain_id": chain_id, "name": name, "extrainfo": extrainfo}]})


@flows.step("chains.join_chain", asks=NODE_UNKNOWN)
def join_chain(context: StepContext) -> Done | Later | Ask:
    """One member's node on one chain, made with its own credential in its own space."""
    chain_id = chain_id_of(context)
    if not chain_id:
        return Done({"skipped": "the chain was deleted meanwhile"})
    platform, member, credentials = member_of(context)
    if unsure(context, platform) and _nobody_can_say(context, platform):
        return Ask(NODE_UNKNOWN)
    if unsure(context, platform) and (node := _node_of(context, platform, member, chain_id, credentials)) is not None:
        _refuse_failed(node.state)
        return _or_give_up(look_again(context)) if node.state == "creating" else Done({"orgcode": member.orgcode})
    request = standard.JoinChainRequest(network_id=network_id_of(context), chain_id=chain_id, member=party_of(member))
    answer, wait = perform(context, platform, "join_chain", request, credentials)
    if answer is None:
        return waiting(wait)
    _refuse_failed(answer.status)
    return Done({"orgcode": member.orgcode, "status": answer.status})


def _nobody_can_say(context: StepContext, platform: Platform) -> bool:
    """Whether asking once more might build a second node."""
    sure = not context.unsure or context.told_to_try_again or platform.capability("list_nodes")[0]
    return not sure and not repeatable(driver_for(platform), "join_chain")


def _node_of(
    context: StepContext, platform: Platform, member: Organization, chain_id: str, credentials: Credentials
) -> standard.NodeInfo | None:
    """The member's node on the chain; None when it has none, or the platform cannot say."""
    if not platform.capability("list_nodes")[0]:
        return None
    request = standard.ListNodesRequest(network_id=network_id_of(context), chain_id=chain_id)
    listed = cast(standard.NodeList, read(driver_for(platform), "list_nodes", request, credentials))
    names = {member.orgcode, member.space.tenantid} - {""}
    own = (node for node in nodes_of_chain(listed.items, chain_id) if {node.orgcode, node.tenantid} & names)
    return next(own, None)


def _refuse_failed(status: str) -> None:
    if status == "failed":
        raise PlatformRefused(
            gettext_noop("The platform began and says now that it has failed."), code="platform_failed"
        )


def _or_give_up(wait: Later | None) -> Later:
    if wait is None:
        raise PlatformRefused(gettext_noop("The platform does not get done with what it has begun."), code="poll_limit")
    return wait
