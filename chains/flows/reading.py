"""Steps that ask a platform what chains and nodes there are, so that a local step can write it down."""

from __future__ import annotations

from typing import Any, cast

from chains.models import Blockchain
from chains.services.nodes import nodes_of_chain
from console import flows
from console.flows import Done, StepContext
from platforms import standard
from platforms.drivers import driver_for
from platforms.drivers.base import Credentials, read
from platforms.models import Platform
from unions.flows.arguments import creator_of, network_id_of, platform_of
from unions.spaces import credentials_for

Json = dict[str, Any]


@flows.step("chains.adopt_chains")
def adopt_chains(context: StepContext) -> Done:
    """The chains that the platform has built with the network."""
    platform = platform_of(context)
    request = standard.ListChainsRequest(network_id=network_id_of(context))
    credentials = credentials_for(platform, creator=creator_of(context))
    listed = cast(standard.ChainList, read(driver_for(platform), "list_chains", request, credentials))
    chains = [
        {"chain_id": chain.chain_id, "name": chain.name, "extrainfo": chain.extrainfo}
        for chain in listed.items
        if chain.network_id in ("", request.network_id) and chain.status not in ("deleted", "deleting", "failed")
    ]
    return Done({"chains": chains})


@flows.step("chains.read_chains")
def read_chains(context: StepContext) -> Done:
    """What the platform says of the chains: their configuration and their nodes."""
    platform = platform_of(context)
    credentials = credentials_for(platform, creator=creator_of(context))
    if "blockchains" in context.arguments:
        live = Blockchain.objects.live().filter(pk__in=context.arguments["blockchains"])
        chains = [{"blockchain": row.pk, "chain_id": row.external_id} for row in live]
    else:
        chains = context.outcome("chain")["chains"]
    return Done({"chains": [{**chain, **described(context, platform, credentials, chain)} for chain in chains]})


def described(context: StepContext, platform: Platform, credentials: Credentials, chain: Json) -> Json:
    driver, network_id, chain_id = driver_for(platform), network_id_of(context), chain["chain_id"]
    described: Json = {"nodes": [], "blockspec": {}}
    if platform.capability("list_nodes")[0]:
        request = standard.ListNodesRequest(network_id=network_id, chain_id=chain_id)
        listed = cast(standard.NodeList, read(driver, "list_nodes", request, credentials))
        described["nodes"] = [node.model_dump(mode="json") for node in nodes_of_chain(listed.items, chain_id)]
    if platform.capability("get_chain")[0]:
        about = standard.GetChainRequest(network_id=network_id, chain_id=chain_id)
        info = cast(standard.ChainInfo, read(driver, "get_chain", about, credentials))
        spec = {"consensus": info.consensus, "kernel": info.kernel or platform.kernel}
        described["blockspec"] = {name: value for name, value in spec.items() if value}
    return described
