"""Steps that have the platform do what the plan of a business chain says, and those that take it back.

A second attempt looks first: a ledger of our name that was not there before, a node that was not there before, or our
organization on the chain, was made by the first one. A driver that resumes is asked again instead.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, cast

from django.utils.translation import gettext_noop

from chains.flows.arguments import has_to_look, look_again, unsure, waiting
from chains.flows.building import CHAIN_GONE, CHAIN_SEVERAL, CHAIN_UNKNOWN, NODE_UNKNOWN, SEVERAL_LEFT
from chains.flows.reading import described
from chains.models import Blockchain
from chains.services.nodes import nodes_of_chain
from console import flows
from console.errors import PlatformRefused
from console.flows import Ask, Done, Later, StepContext
from platforms import standard
from platforms.drivers import driver_for
from platforms.drivers.base import Credentials, read, repeatable
from platforms.models import Platform
from unions.flows.arguments import creator_of, network_id_of, organization_named, platform_of
from unions.models import LIVE_MEMBER_STATES, Organization, Union
from unions.spaces import credentials_for, party_of
from unions.steps import perform, remove

Json = dict[str, Any]
FAILED = gettext_noop("The platform began and says now that it has failed.")
NEVER_DONE = gettext_noop("The platform does not get done with what it has begun.")
NO_NODES = gettext_noop("The platform shows no node that could serve the chain, too.")
FOUND = gettext_noop("found what an earlier attempt has made")
NOTHING = Done({"skipped": "nothing was made"})

# --- looking --------------------------------------------------------------------------------------------------------


@flows.step("chains.look_for_ledgers")
def look_for_ledgers(context: StepContext) -> Done:
    """Which chains the network has before anything is built; None when the platform cannot say."""
    platform = platform_of(context)
    found = _chains(context, platform, credentials_for(platform, creator=creator_of(context)))
    return Done({"ledgers": None if found is None else [each.chain_id for each in found]})


@flows.step("chains.read_ledgers")
def read_ledgers(context: StepContext) -> Done:
    """What the platform says of every chain of the plan: its configuration and its nodes."""
    platform = platform_of(context)
    credentials = credentials_for(platform, creator=speaker_of(context))
    return Done(
        {"ledgers": [{**each, **described(context, platform, credentials, each)} for each in ledgers_of(context)]}
    )


def ledgers_of(context: StepContext) -> list[Json]:
    """The flow's chains in the order in which its steps count them."""
    ids = context.flow_arguments.get("blockchains")
    if ids is None:
        outcomes = [context.outcome(f"chain:{at}") for at in range(len(context.flow_arguments["chains"]))]
        return [{name: each[name] for name in ("chain_id", "name", "extrainfo")} for each in outcomes]
    live = {row.pk: row for row in Blockchain.objects.live().filter(pk__in=ids)}
    return [{"blockchain": pk, "chain_id": live[pk].external_id} for pk in ids if pk in live]


def speaker_of(context: StepContext) -> Organization:
    """Who speaks for the chain: its creator, or whoever speaks for the union when that has left it."""
    union_id, orgcode = context.flow_arguments["union"], context.flow_arguments["creator"]
    if union_id is None:
        return organization_named(orgcode)
    union = Union.objects.get(pk=union_id)
    present = union.members.filter(organization__orgcode=orgcode, state__in=LIVE_MEMBER_STATES)
    return organization_named(orgcode) if present.exists() else union.acting_creator()


def _chains(context: StepContext, platform: Platform, credentials: Credentials) -> list[standard.ChainInfo] | None:
    if not platform.capability("list_chains")[0]:
        return None
    request = standard.ListChainsRequest(network_id=network_id_of(context))
    listed = cast(standard.ChainList, read(driver_for(platform), "list_chains", request, credentials))
    gone = ("deleted", "deleting")
    return [each for each in listed.items if each.network_id in ("", request.network_id) and each.status not in gone]


def _own_ledgers(context: StepContext, platform: Platform, credentials: Credentials) -> list[standard.ChainInfo] | None:
    """The chains of the step's name that were not there before; None when the platform cannot say."""
    before = context.outcome("look").get("ledgers", [])  # a network that was built for it had none
    found = None if before is None else _chains(context, platform, credentials)
    if found is None:
        return None
    named, others = _wanted(context)["name"], {*before, *context.not_ours}
    return [each for each in found if each.name == named and each.chain_id not in others]


def _nodes(
    context: StepContext, platform: Platform, credentials: Credentials, chain_id: str, owner: Organization
) -> list[standard.NodeInfo] | None:
    """The organization's nodes on the chain; None when the platform cannot say."""
    if not platform.capability("list_nodes")[0]:
        return None
    request = standard.ListNodesRequest(network_id=network_id_of(context), chain_id=chain_id)
    listed = cast(standard.NodeList, read(driver_for(platform), "list_nodes", request, credentials))
    names = {owner.orgcode, owner.space.tenantid} - {""}
    return [each for each in nodes_of_chain(listed.items, chain_id) if {each.orgcode, each.tenantid} & names]


# --- a step of the plan ---------------------------------------------------------------------------------------------


def _step(context: StepContext) -> Json:
    return context.arguments["step"]


def _wanted(context: StepContext) -> Json:
    return context.flow_arguments["chains"][_step(context)["chain"]]


def _chain_id(context: StepContext, number: int) -> str:
    """The platform's id of the chain that the steps count so; empty when it is gone, or was never made."""
    ids = context.flow_arguments.get("blockchains")
    if ids is None:
        return context.outcome(f"chain:{number}").get("chain_id", "")
    live = Blockchain.objects.live().filter(pk=ids[number])
    return live.values_list("external_id", flat=True).first() or ""


def _parties(context: StepContext) -> tuple[Platform, Organization, Credentials]:
    """The platform, whose space the step works in, and what opens it."""
    platform, owner = platform_of(context), organization_named(_step(context)["orgcode"])
    return platform, owner, credentials_for(platform, creator=speaker_of(context), member=owner)


def _shared(context: StepContext, platform: Platform, credentials: Credentials, owner: Organization) -> tuple[str, ...]:
    """The nodes that are to serve the step's chain, too: those of the plan, and those on the chain it names."""
    step = _step(context)
    made = context.outcome(step["made_by"]).get("node_id") if step["made_by"] else None
    nodes = [*step["nodes"], *([made] if made else [])]
    if step["source"] is not None:
        chain_id = _chain_id(context, step["source"])
        nodes += [each.node_id for each in _nodes(context, platform, credentials, chain_id, owner) or ()]
    if not nodes:
        raise PlatformRefused(NO_NODES)
    return tuple(sorted(dict.fromkeys(nodes)))


def _again(context: StepContext, state: str, outcome: Json) -> Done | Later:
    """What an earlier attempt has made: wait until it runs, then it is the answer."""
    if state == "failed":
        raise PlatformRefused(FAILED, code="platform_failed")
    if state != "creating":
        context.log(FOUND)
        return Done(outcome)
    wait = look_again(context)
    if wait is None:
        raise PlatformRefused(NEVER_DONE, code="poll_limit")
    return wait


# --- building -------------------------------------------------------------------------------------------------------


@flows.step("chains.build_ledger", asks=CHAIN_UNKNOWN)
def build_ledger(context: StepContext) -> Done | Later | Ask:
    """A chain, on a first node of its builder or on nodes that run already."""
    wanted, step = _wanted(context), _step(context)
    platform, builder = platform_of(context), organization_named(step["orgcode"])
    credentials = credentials_for(platform, creator=builder, member=builder)
    found = _ledger_of_earlier_attempt(context, platform, credentials)
    if isinstance(found, Ask):
        return found
    if found is not None:
        return _again(context, found.status, _made(found.chain_id, wanted["name"], found.extrainfo))
    fields: Json = {
        "network_id": network_id_of(context),
        "name": wanted["name"],
        "creator": party_of(builder),
        "members": tuple(party_of(organization_named(code)) for code in _joiners(context)),
        **_spec(wanted["blockspec"]),
    }
    request: standard.Request = standard.CreateChainRequest(**fields)
    if step["operation"] == "create_subchain":
        nodes = _shared(context, platform, credentials, builder)
        request = standard.CreateSubchainRequest(**fields, nodes=nodes)
    answer, wait = perform(context, platform, step["operation"], request, credentials)
    if answer is None:
        return waiting(wait)
    return _again(context, _settled(answer.status), _made(answer.chain_id, wanted["name"], answer.extrainfo))


def _ledger_of_earlier_attempt(
    context: StepContext, platform: Platform, credentials: Credentials
) -> standard.ChainInfo | Ask | None:
    """What an earlier attempt has made, as the platform shows or an operator chose; None: there is nothing."""
    if not has_to_look(context, platform):
        return None
    found = _own_ledgers(context, platform, credentials)
    candidates = tuple(
        {"id": each.chain_id, "name": each.name, "status": each.status, "created": ""} for each in found or ()
    )
    if context.chosen:
        return next((each for each in found or () if each.chain_id == context.chosen), None) or Ask(
            CHAIN_GONE, candidates
        )
    if found is None:
        return Ask(CHAIN_UNKNOWN) if _may_be_there_twice(context, platform) else None
    if len(found) > 1:
        return Ask(CHAIN_SEVERAL, candidates)
    return found[0] if found else None


def _may_be_there_twice(context: StepContext, platform: Platform) -> bool:
    """Whether asking once more might make a second one, where the platform cannot say what is there."""
    sure = not context.unsure or context.told_to_try_again
    return not sure and not repeatable(driver_for(platform), _step(context)["operation"])


def _made(chain_id: str, name: str, extrainfo: str) -> Json:
    return {"chain_id": chain_id, "name": name, "extrainfo": extrainfo}


def _settled(status: str) -> str:
    """An answer that has come to its end is no more waited for."""
    return "failed" if status == "failed" else "running"


def _joiners(context: StepContext) -> Iterable[str]:
    """Who brings nodes of its own to the step's chain besides its builder."""
    chain = _step(context)["chain"]
    joins = (each for each in context.flow_arguments["steps"] if each["operation"].startswith("join_"))
    return [each["orgcode"] for each in joins if each["chain"] == chain]


def _spec(blockspec: Json) -> Json:
    """The configuration in the standard's words: the consensus by itself, the rest is special to the kernel."""
    rest = {name: value for name, value in blockspec.items() if name != "consensus"}
    return {
        "consensus": str(blockspec.get("consensus") or ""),
        "extrainfo": json.dumps(rest, sort_keys=True) if rest else "",
    }


@flows.step("chains.enter_ledger", asks=NODE_UNKNOWN)
def enter_ledger(context: StepContext) -> Done | Later | Ask:
    """One organization's place on one chain: a node of its own, or nodes of it that serve other chains already."""
    step = _step(context)
    chain_id = _chain_id(context, step["chain"])
    if not chain_id:
        return Done({"skipped": "the chain was deleted meanwhile"})
    platform, owner, credentials = _parties(context)
    if unsure(context, platform):
        own = _nodes(context, platform, credentials, chain_id, owner)
        if own is None and _may_be_there_twice(context, platform):
            return Ask(NODE_UNKNOWN)
        if own:
            return _again(context, own[0].state, {"orgcode": owner.orgcode})
    fields: Json = {"network_id": network_id_of(context), "chain_id": chain_id, "member": party_of(owner)}
    request: standard.Request = standard.JoinChainRequest(**fields)
    if step["operation"] == "join_subchain":
        request = standard.JoinSubchainRequest(**fields, nodes=_shared(context, platform, credentials, owner))
    answer, wait = perform(context, platform, step["operation"], request, credentials)
    if answer is None:
        return waiting(wait)
    return _again(context, _settled(answer.status), {"orgcode": owner.orgcode, "status": answer.status})


@flows.step("chains.build_node", asks=NODE_UNKNOWN)
def build_node(context: StepContext) -> Done | Later | Ask:
    """One further node. Nodes of an organization are built one after the other, so what is new is this step's."""
    chain_id = _chain_id(context, _step(context)["chain"])
    if not chain_id:
        return Done({"skipped": "the chain was deleted meanwhile"})
    platform, owner, credentials = _parties(context)
    if "before" not in context.known:
        listed = _nodes(context, platform, credentials, chain_id, owner)
        context.remember(before=None if listed is None else [each.node_id for each in listed])
    elif (new := _made_before(context, platform, credentials, chain_id, owner)) is not None:
        return _again(context, new.state, {"node_id": new.node_id})
    elif context.known["before"] is None and _may_be_there_twice(context, platform):
        return Ask(NODE_UNKNOWN)
    request = standard.AddNodeRequest(network_id=network_id_of(context), chain_id=chain_id, member=party_of(owner))
    answer, wait = perform(context, platform, "add_node", request, credentials)
    if answer is None:
        return waiting(wait)
    return _again(context, _settled(answer.status), {"node_id": answer.node_id})


def _made_before(context: StepContext, platform: Platform, *where: Any) -> standard.NodeInfo | None:
    """The node that an earlier attempt has made without telling us; a driver that resumes goes on with it itself."""
    in_hand = bool((context.position or {}).get("driver")) or driver_for(platform).resumes
    return None if in_hand or context.attempt == 1 else _new_node(context, platform, *where)


def _new_node(
    context: StepContext, platform: Platform, credentials: Credentials, chain_id: str, owner: Organization
) -> standard.NodeInfo | None:
    before = context.known.get("before")
    listed = None if before is None else _nodes(context, platform, credentials, chain_id, owner)
    return next((each for each in listed or () if each.node_id not in (before or ())), None)


# --- giving back, and taking back what was built --------------------------------------------------------------------


@flows.step("chains.unbuild_ledger")
def unbuild_ledger(context: StepContext) -> Done | Later:
    """Delete what `build_ledger` has made, also when only the platform knows what that is."""
    platform, builder = platform_of(context), organization_named(_step(context)["orgcode"])
    credentials = credentials_for(platform, creator=builder, member=builder)
    chain_id = context.own_outcome.get("chain_id") or _found_out(context).get("chain_id", "") or context.chosen
    if not chain_id:
        found = _own_ledgers(context, platform, credentials) or []
        if len(found) > 1:
            raise PlatformRefused(SEVERAL_LEFT % {"ids": ", ".join(each.chain_id for each in found)})
        chain_id = found[0].chain_id if found else ""
    if not chain_id:
        return NOTHING
    request = standard.DeleteChainRequest(
        network_id=network_id_of(context), chain_id=chain_id, creator=party_of(builder)
    )
    return remove(context, platform, "delete_chain", request, credentials, known={"chain_id": chain_id})


@flows.step("chains.leave_ledger")
def leave_ledger(context: StepContext) -> Done | Later:
    """Take back `enter_ledger`: the organization was not on the chain before, or only the one new node was not."""
    step = _step(context)
    chain_id = _chain_id(context, step["chain"])
    if not chain_id or "skipped" in context.own_outcome:
        return NOTHING
    if step["made_by"]:
        node_id = context.outcome(step["made_by"]).get("node_id", "")
        return _give_back(context, chain_id, node_id) if node_id else NOTHING
    platform, owner, credentials = _parties(context)
    request = standard.QuitChainRequest(network_id=network_id_of(context), chain_id=chain_id, member=party_of(owner))
    return remove(context, platform, "quit_chain", request, credentials, known={})


@flows.step("chains.unbuild_node")
def unbuild_node(context: StepContext) -> Done | Later:
    """Give back the node that `build_node` has made; the end of a chain that was built with it takes it along."""
    chain_id = _chain_id(context, _step(context)["chain"])
    platform, owner, credentials = _parties(context)
    node_id = context.own_outcome.get("node_id") or _found_out(context).get("node_id", "")
    if chain_id and not node_id:
        new = _new_node(context, platform, credentials, chain_id, owner)
        node_id = new.node_id if new is not None else ""
    built_here = "chains" in context.flow_arguments
    if not chain_id or not node_id or (built_here and not platform.capability("remove_node")[0]):
        return NOTHING
    return _give_back(context, chain_id, node_id)


@flows.step("chains.give_back_node")
def give_back_node(context: StepContext) -> Done | Later:
    """One node leaves the chain; where it serves no other it is reclaimed."""
    step = _step(context)
    chain_id = _chain_id(context, step["chain"])
    return _give_back(context, chain_id, step["nodes"][0]) if chain_id else NOTHING


def _give_back(context: StepContext, chain_id: str, node_id: str) -> Done | Later:
    platform, owner, credentials = _parties(context)
    request = standard.RemoveNodeRequest(
        network_id=network_id_of(context), chain_id=chain_id, member=party_of(owner), node_id=node_id
    )
    return remove(context, platform, "remove_node", request, credentials, known={"node_id": node_id})


def _found_out(context: StepContext) -> Json:
    """What the forward run knew of the thing, and what the taking back has found out since."""
    return {**context.known, **(context.position or {}).get("known", {})}
