"""What this floor puts into the flows of unions: the chain and its nodes.

A union that is created gets a chain, built by its creator; every other member then builds its node in its own space,
all at the same time. Who joins a union joins its chains, who quits leaves them, and a union that is deleted takes
them with it. On a platform that builds no chains the ones it reports for the network are adopted.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop

from chains import plans
from chains.models import Blockchain
from chains.services import chains as service
from chains.services.chains import FoundChain
from chains.services.nodes import nodes_of_chain
from console import flows
from console.errors import Missing, PlatformRefused
from console.flows import Done, Later, StepContext
from console.models import User
from platforms import standard
from platforms.drivers import driver_for
from platforms.drivers.base import Credentials, read
from platforms.models import Platform
from unions import flows as unions_flows  # noqa: F401 - the blueprints must be there before they are extended
from unions.models import Organization, Union
from unions.spaces import credentials_for, party_of
from unions.steps import perform

Json = dict[str, Any]

flows.extend("unions.create", after="save", plan=plans.plan_create)
flows.extend("unions.join", after="admit", plan=plans.plan_join)
flows.extend("unions.quit", after="approval", plan=plans.plan_quit)
flows.extend("unions.quit", after="network", plan=plans.plan_left)
flows.extend("unions.delete", after="approval", plan=plans.plan_delete)
flows.extend("unions.delete", after="network", plan=plans.plan_deleted)

# --- the platform's side --------------------------------------------------------------------------------------------


@flows.step("chains.create_chain")
def create_chain(context: StepContext) -> Done | Later:
    """The chain and the creator's node, made by the creator in its own space."""
    arguments, platform = context.flow_arguments, _platform(context)
    creator = _organization(arguments["creator"])
    others = [_organization(code) for code in arguments["orgs"] if code != arguments["creator"]]
    request = standard.CreateChainRequest(
        network_id=_network_id(context),
        name=arguments["name"],
        creator=party_of(creator),
        members=tuple(party_of(each) for each in others),
    )
    answer, wait = perform(context, platform, "create_chain", request, credentials_for(platform, creator=creator))
    if answer is None:
        return _waiting(wait)
    _require_success(answer)
    return Done({"chains": [{"chain_id": answer.chain_id, "name": arguments["name"], "extrainfo": answer.extrainfo}]})


@flows.step("chains.take_back_chain")
def take_back_chain(context: StepContext) -> Done | Later:
    """Delete what `create_chain` has made, also when it failed half-way and only the platform knows what it made."""
    platform, creator = _platform(context), _organization(context.flow_arguments["creator"])
    credentials = credentials_for(platform, creator=creator)
    made = context.own_outcome.get("chains") or [context.known]
    chain_id = made[0].get("chain_id") or _look_up(context, platform, credentials)
    if not chain_id:
        return Done({"skipped": "no chain was made"})
    request = standard.DeleteChainRequest(network_id=_network_id(context), chain_id=chain_id, creator=party_of(creator))
    return _carry(context, platform, "delete_chain", request, credentials)


@flows.step("chains.adopt_chains")
def adopt_chains(context: StepContext) -> Done:
    """The chains that the platform has built with the network."""
    platform, creator = _platform(context), _organization(context.flow_arguments["creator"])
    request = standard.ListChainsRequest(network_id=_network_id(context))
    found = read(driver_for(platform), "list_chains", request, credentials_for(platform, creator=creator))
    chains = [
        {"chain_id": chain.chain_id, "name": chain.name, "extrainfo": chain.extrainfo}
        for chain in found.items  # type: ignore[attr-defined]
        if chain.network_id in ("", request.network_id)
    ]
    return Done({"chains": chains})


@flows.step("chains.join_chain")
def join_chain(context: StepContext) -> Done | Later:
    """One member's node on one chain, made with its own credential in its own space."""
    chain_id = _chain_id(context)
    if not chain_id:
        return Done({"skipped": "the chain was deleted meanwhile"})
    platform, member, credentials = _member(context)
    request = standard.JoinChainRequest(network_id=_network_id(context), chain_id=chain_id, member=party_of(member))
    answer, wait = perform(context, platform, "join_chain", request, credentials)
    if answer is None:
        return _waiting(wait)
    _require_success(answer)
    return Done({"orgcode": member.orgcode, "status": answer.status})


@flows.step("chains.quit_chain")
def quit_chain(context: StepContext) -> Done | Later:
    """One member's node on one chain is reclaimed. Nothing to do when it is gone already."""
    chain_id = _chain_id(context)
    if not chain_id:
        return Done({"skipped": "the chain is gone"})
    platform, member, credentials = _member(context)
    request = standard.QuitChainRequest(network_id=_network_id(context), chain_id=chain_id, member=party_of(member))
    return _carry(context, platform, "quit_chain", request, credentials)


@flows.step("chains.rejoin_chain")
def rejoin_chain(context: StepContext) -> Done | Later:
    """Take back `quit_chain`: the member stays, so it gets a node again. The observer finds it."""
    return join_chain(context)


@flows.step("chains.delete_chain")
def delete_chain(context: StepContext) -> Done | Later:
    """One chain with all its nodes is deleted by the union's creator."""
    chain_id = _chain_id(context)
    if not chain_id:
        return Done({"skipped": "the chain is gone"})
    platform, creator = _platform(context), _organization(context.flow_arguments["creator"])
    request = standard.DeleteChainRequest(network_id=_network_id(context), chain_id=chain_id, creator=party_of(creator))
    return _carry(context, platform, "delete_chain", request, credentials_for(platform, creator=creator))


@flows.step("chains.read_chains")
def read_chains(context: StepContext) -> Done:
    """What the platform says of the chains: their configuration and their nodes."""
    platform, creator = _platform(context), _organization(context.flow_arguments["creator"])
    credentials = credentials_for(platform, creator=creator)
    if "blockchains" in context.arguments:
        live = Blockchain.objects.live().filter(pk__in=context.arguments["blockchains"])
        chains = [{"blockchain": row.pk, "chain_id": row.external_id} for row in live]
    else:
        chains = context.outcome("chain")["chains"]
    return Done({"chains": [{**chain, **_described(context, platform, credentials, chain)} for chain in chains]})


def _described(context: StepContext, platform: Platform, credentials: Credentials, chain: Json) -> Json:
    driver, network_id, chain_id = driver_for(platform), _network_id(context), chain["chain_id"]
    described: Json = {"nodes": [], "blockspec": {}}
    if platform.capability("list_nodes")[0]:
        request = standard.ListNodesRequest(network_id=network_id, chain_id=chain_id)
        found = read(driver, "list_nodes", request, credentials)
        nodes = nodes_of_chain(found.items, chain_id)  # type: ignore[attr-defined]
        described["nodes"] = [node.model_dump(mode="json") for node in nodes]
    if platform.capability("get_chain")[0]:
        about = standard.GetChainRequest(network_id=network_id, chain_id=chain_id)
        info = read(driver, "get_chain", about, credentials)
        spec = {"consensus": info.consensus, "kernel": info.kernel or platform.kernel}  # type: ignore[attr-defined]
        described["blockspec"] = {name: value for name, value in spec.items() if value}
    return described


# --- the record -----------------------------------------------------------------------------------------------------


@flows.step("chains.record", local=True)
def record(context: StepContext) -> Done:
    chains = context.outcome("chain-nodes")["chains"]
    if not chains:
        return Done({"skipped": "the platform reports no chain"})
    found = [
        FoundChain(chain["chain_id"], chain["name"], chain["extrainfo"], chain["blockspec"], _nodes(chain))
        for chain in chains
    ]
    row = service.record_chain(actor=_actor(context), union_id=context.outcome("save")["union"], found=found)
    return Done({"business_chain": row.pk, "uid": row.uid})


@flows.step("chains.forget", local=True)
def forget(context: StepContext) -> Done:
    if "business_chain" in context.own_outcome:
        service.forget_chain(business_chain_id=context.own_outcome["business_chain"])
    return Done()


@flows.step("chains.record_member", local=True)
def record_member(context: StepContext) -> Done:
    found = [(chain["blockchain"], _nodes(chain)) for chain in context.outcome("chain-nodes")["chains"]]
    joined = service.record_nodes(actor=_actor(context), orgcode=context.flow_arguments["member"], found=found)
    return Done({"blockchains": [blockchain.uid for blockchain in joined]})


@flows.step("chains.drop_member", local=True)
def drop_member(context: StepContext) -> Done:
    arguments = context.flow_arguments
    dropped = service.drop_nodes(actor=_actor(context), union_id=arguments["union"], orgcode=arguments["member"])
    return Done({"nodes": dropped})


@flows.step("chains.mark_deleted", local=True)
def mark_deleted(context: StepContext) -> Done:
    service.mark_deleted(actor=_actor(context), blockchain_ids=context.arguments["blockchains"])
    return Done()


@flows.step("chains.say_chain_is_gone", local=True)
def say_chain_is_gone(context: StepContext) -> Done:
    context.log(gettext_noop("This cannot be taken back: the chain and its ledger are gone from the platform."))
    return Done()


# --- small things ---------------------------------------------------------------------------------------------------


def _carry(context: StepContext, platform: Platform, operation: str, request: Any, credentials: Credentials) -> Any:
    """A removal: what is gone already counts as removed."""
    try:
        answer, wait = perform(context, platform, operation, request, credentials)
    except Missing:
        return Done({"skipped": "it was gone already"})
    return _waiting(wait) if answer is None else Done({"status": answer.status})


def _waiting(wait: Later | None) -> Later:
    if wait is None:
        raise RuntimeError("a platform call neither finished nor waits")
    return wait


def _require_success(answer: Any) -> None:
    if answer.status == "failed":
        raise PlatformRefused("the platform took the request and then failed", code="platform_failed")


def _look_up(context: StepContext, platform: Platform, credentials: Credentials) -> str:
    """The id of a chain of the flow's name; empty when there is none, or when the platform cannot list chains."""
    if not platform.capability("list_chains")[0]:
        context.log("the platform cannot list its chains, so a chain that nobody knows of may be left")
        return ""
    request = standard.ListChainsRequest(network_id=_network_id(context))
    found = read(driver_for(platform), "list_chains", request, credentials)
    named = (chain for chain in found.items if chain.name == context.flow_arguments["name"])  # type: ignore[attr-defined]
    return next((chain.chain_id for chain in named if chain.network_id in ("", request.network_id)), "")


def _chain_id(context: StepContext) -> str:
    """The platform's id of the step's chain; empty when it was deleted here."""
    if "blockchain" in context.arguments:
        live = Blockchain.objects.live().filter(pk=context.arguments["blockchain"])
        return live.values_list("external_id", flat=True).first() or ""
    return context.outcome("chain")["chains"][0]["chain_id"]


def _member(context: StepContext) -> tuple[Platform, Organization, Credentials]:
    platform, member = _platform(context), _organization(context.arguments["member"])
    creator = _organization(context.flow_arguments["creator"])
    return platform, member, credentials_for(platform, creator=creator, member=member)


def _nodes(chain: Json) -> tuple[standard.NodeInfo, ...]:
    return tuple(standard.NodeInfo.model_validate(node) for node in chain["nodes"])


def _platform(context: StepContext) -> Platform:
    return Platform.objects.select_related("version").get(pk=context.flow_arguments["platform"])


def _organization(orgcode: str) -> Organization:
    return Organization.objects.select_related("space").get(orgcode=orgcode)


def _actor(context: StepContext) -> User | None:
    return User.objects.filter(pk=context.requested_by_id).first()


def _network_id(context: StepContext) -> str:
    union = context.flow_arguments.get("union")
    if union is not None:
        return Union.objects.values_list("network_id", flat=True).get(pk=union)
    return context.outcome("network").get("network_id", "")
