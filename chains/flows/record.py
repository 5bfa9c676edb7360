"""Local steps that write down what the platform has built or taken down, and those that take the writing back."""

from __future__ import annotations

from typing import Any

from chains.services import chains as service
from chains.services.chains import FoundChain
from console import flows
from console.flows import Done, StepContext
from platforms import standard
from unions.flows.arguments import actor_of
from unions.services import quotas


@flows.step("chains.record", local=True)
def record(context: StepContext) -> Done:
    chains = context.outcome("chain-nodes")["chains"]
    if not chains:
        return Done({"skipped": "the platform reports no chain"})
    found = [
        FoundChain(chain["chain_id"], chain["name"], chain["extrainfo"], chain["blockspec"], _nodes(chain))
        for chain in chains
    ]
    quotas.turn_into_use(context.flow_id)
    row = service.record_chain(actor=actor_of(context), union_id=context.outcome("save")["union"], found=found)
    return Done({"business_chain": row.pk, "uid": row.uid})


@flows.step("chains.forget", local=True)
def forget(context: StepContext) -> Done:
    quotas.hold_again(context.flow_id)
    if "business_chain" in context.own_outcome:
        service.forget_chain(business_chain_id=context.own_outcome["business_chain"])
    return Done()


@flows.step("chains.record_member", local=True)
def record_member(context: StepContext) -> Done:
    quotas.turn_into_use(context.flow_id)
    found = [(chain["blockchain"], _nodes(chain)) for chain in context.outcome("chain-nodes")["chains"]]
    joined = service.record_nodes(actor=actor_of(context), orgcode=context.flow_arguments["member"], found=found)
    return Done({"blockchains": [blockchain.uid for blockchain in joined]})


@flows.step("chains.drop_member", local=True)
def drop_member(context: StepContext) -> Done:
    arguments = context.flow_arguments
    if context.undoing:
        quotas.hold_again(context.flow_id)
    dropped = service.drop_nodes(actor=actor_of(context), union_id=arguments["union"], orgcode=arguments["member"])
    return Done({"nodes": dropped})


@flows.step("chains.mark_deleted", local=True)
def mark_deleted(context: StepContext) -> Done:
    service.mark_deleted(actor=actor_of(context), blockchain_ids=context.arguments["blockchains"])
    return Done()


def _nodes(chain: dict[str, Any]) -> tuple[standard.NodeInfo, ...]:
    return tuple(standard.NodeInfo.model_validate(node) for node in chain["nodes"])
