"""Local steps that write down what became of a business chain, and those that take the writing back."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop

from chains.models import Blockchain, BusinessChain
from chains.services import chains as service
from chains.services import places
from chains.services.chains import FoundChain
from chains.services.places import Built
from console import flows
from console.flows import Done, StepContext
from console.models import Step, StepState
from console.services.notifications import notify
from platforms import standard
from unions.flows.arguments import actor_of, network_id_of, reason_of
from unions.services import proposals, quotas

Json = dict[str, Any]


@flows.step("chains.record_order", local=True)
def record_order(context: StepContext) -> Done:
    arguments = context.flow_arguments
    quotas.turn_into_use(context.flow_id)
    chain = places.record_order(
        actor=actor_of(context),
        payload=arguments,
        network_id=network_id_of(context),
        built=[
            _built(wanted, shown)
            for wanted, shown in zip(arguments["chains"], context.outcome("ledgers")["ledgers"], strict=True)
        ],
    )
    quotas.release(context.flow_id)
    _announce(chain, gettext_noop("The chain %(name)s is ready"))
    return Done({"business_chain": chain.pk, "uid": chain.uid})


@flows.step("chains.drop_order", local=True)
def drop_order(context: StepContext) -> Done:
    if "business_chain" in context.own_outcome:
        places.drop_order(business_chain_id=context.own_outcome["business_chain"])
    return Done()


@flows.step("chains.record_entry", local=True)
def record_entry(context: StepContext) -> Done:
    """The organization is on every chain that it was to come to."""
    arguments, shown = context.flow_arguments, context.outcome("ledgers")["ledgers"]
    entered = [(each["blockchain"], _nodes(each)) for each in shown]
    places.hold_promise(arguments["createmode"], [("", _owned(nodes, arguments["member"])) for _pk, nodes in entered])
    quotas.turn_into_use(context.flow_id)
    joined = service.record_nodes(actor=actor_of(context), orgcode=arguments["member"], found=entered)
    quotas.release(context.flow_id)
    _announce(_chain(context), gettext_noop("A new organization is in the chain %(name)s"))
    return Done({"blockchains": [row.pk for row in joined]})


@flows.step("chains.drop_entry", local=True)
def drop_entry(context: StepContext) -> Done:
    return _leave(context, context.own_outcome.get("blockchains", []))


@flows.step("chains.record_exit", local=True)
def record_exit(context: StepContext) -> Done:
    left = _leave(context, context.flow_arguments["blockchains"])
    _announce(_chain(context), gettext_noop("An organization has left the chain %(name)s"))
    return left


@flows.step("chains.record_left", local=True)
def record_left(context: StepContext) -> Done:
    """The quitting stops half-way: what was left is written down, and the next quitting leaves that alone."""
    through = Step.objects.filter(flow_id=context.flow_id, action="chains.quit_chain", state=StepState.DONE)
    _leave(context, [step.arguments["blockchain"] for step in through])
    return _taken_back(context)


@flows.step("chains.record_nodes", local=True)
def record_nodes(context: StepContext) -> Done:
    found = {each["blockchain"]: _nodes(each) for each in context.outcome("ledgers")["ledgers"]}
    quotas.turn_into_use(context.flow_id)
    rows = places.rewrite_nodes(actor=actor_of(context), orgcode=context.flow_arguments["member"], found=found)
    quotas.release(context.flow_id)
    return Done({"blockchains": [row.uid for row in rows]})


@flows.step("chains.read_again", local=True)
def read_again(context: StepContext) -> Done:
    places.read_again(blockchain_ids=context.flow_arguments["blockchains"])
    return Done()


@flows.step("chains.record_end", local=True)
def record_end(context: StepContext) -> Done:
    arguments = context.flow_arguments
    _announce(_chain(context), gettext_noop("The chain %(name)s was deleted"))
    places.end(actor=actor_of(context), uid=arguments["chain"], blockchain_ids=arguments["blockchains"])
    return Done()


def _leave(context: StepContext, blockchain_ids: list[int]) -> Done:
    arguments = context.flow_arguments
    dropped = places.leave(
        actor=actor_of(context), uid=arguments["chain"], orgcode=arguments["member"], blockchain_ids=blockchain_ids
    )
    return Done({"nodes": dropped})


def _taken_back(context: StepContext) -> Done:
    actor, reason = reason_of(context)
    half_way = context.leaves_lasting_effects()
    proposals.give_up(proposal_id=context.flow_arguments["proposal"], actor=actor, reason=reason, half_way=half_way)
    return Done()


def _chain(context: StepContext) -> BusinessChain:
    return BusinessChain.objects.get(uid=context.flow_arguments["chain"])


def _built(wanted: Json, shown: Json) -> Built:
    blockspec = {**wanted["blockspec"], **shown["blockspec"]}
    found = FoundChain(shown["chain_id"], wanted["name"], shown["extrainfo"], blockspec, _nodes(shown))
    return Built(found, tuple(wanted["orgs"]))


def _nodes(shown: Json) -> tuple[standard.NodeInfo, ...]:
    return tuple(standard.NodeInfo.model_validate(node) for node in shown["nodes"])


def _owned(nodes: tuple[standard.NodeInfo, ...], orgcode: str) -> tuple[standard.NodeInfo, ...]:
    return tuple(node for node in nodes if node.orgcode in ("", orgcode))


def _announce(chain: BusinessChain, title: str) -> None:
    blockchain = Blockchain.objects.filter(business_chain=chain).order_by("pk").first()
    notify(
        proposals.people_of(chain.organizations.all()),
        kind="chain",
        title=title,
        parameters={"name": chain.name},
        link=f"/chains/{blockchain.uid}" if blockchain else "/chains",
        subject=chain,
    )
