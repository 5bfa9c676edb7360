"""From a wish and its `createmode` to the plan. The mode alone decides what is built:

- *multi_subchain*: an organization's nodes are built on the first chain that it is in, or stand already, and serve
  every further chain of the plan that it is in;
- *isolated*: every chain gets nodes of its own, and no node serves two chains;
- *private*: one chain, all nodes in the creator's space; the others are its organizations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from chains.planning.values import (
    ISOLATED,
    MAX_CHAINS,
    MAX_NODES,
    MULTI_SUBCHAIN,
    PRIVATE,
    Ask,
    Plan,
    PlannedChain,
    PlannedNode,
    PlanStep,
    Wanted,
    further_nodes,
    require_abilities,
    short_of,
)
from console.errors import Invalid

NETWORK = "network"  # key of the step that builds one
Errors = dict[str, list[str]]


def plan_chains(ask: Ask) -> Plan:
    """The plan; Invalid names every field that does not fit, NotSupported says what the platform cannot do."""
    ask = _creator_first(ask)
    errors = _faults_of(ask)
    if errors:
        raise Invalid(_("The chain cannot be planned like this."), errors=errors)
    chains = tuple(PlannedChain(each.name, each.orgs, each.orgs[0], each.blockspec) for each in ask.wanted)
    nodes = _NODES[ask.createmode](ask)
    plan = Plan(
        name=ask.name,
        createmode=ask.createmode,
        creator=ask.creator,
        network=ask.network,
        spaces=ask.spaces,
        nodes=nodes,
        chains=chains,
        steps=_steps(ask, nodes),
    )
    if short := _shortages(plan):
        raise Invalid(_("There is not enough room for the nodes."), errors={"infraspec": short})
    require_abilities(plan.steps, ask.refusals)
    return replace(plan, reasons=_reasons(ask, plan))


def _creator_first(ask: Ask) -> Ask:
    """Whoever wishes for the chain builds it, where it is in it; otherwise the first that is named."""

    def ordered(orgs: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(dict.fromkeys(orgs), key=lambda orgcode: orgcode != ask.creator))

    wanted = tuple(replace(each, orgs=ordered(each.orgs)) for each in ask.wanted)
    spaces = tuple(sorted(ask.spaces, key=lambda space: space.orgcode != ask.creator))
    return replace(ask, wanted=wanted, spaces=spaces)


# --- what does not fit ----------------------------------------------------------------------------------------------


def _faults_of(ask: Ask) -> Errors:
    errors: Errors = {}
    if ask.createmode not in _NODES:
        return {"createmode": [_("One of multi_subchain, isolated and private.")]}
    known = {space.orgcode for space in ask.spaces}
    if ask.creator not in known:
        errors["creatororg"] = [_("The creator takes part itself: name it among the organizations.")]
    if problem := _fault_of_chains(ask, known):
        errors["blockchains"] = [problem]
    if problem := _fault_of_nodes(ask, known):
        errors["infraspec"] = [problem]
    if ask.createmode != PRIVATE and not ask.network and len(known) > 1:
        text = _("Organizations with spaces of their own need a union: name one, or create it first.")
        errors["unionid"] = [text]
    if ask.createmode != MULTI_SUBCHAIN and ask.base:
        errors["infraspec"] = [_("Only chains that share nodes are built on the nodes of another chain.")]
    return errors


def _fault_of_chains(ask: Ask, known: set[str]) -> str:
    names = [each.name for each in ask.wanted]
    if not names:
        return _("At least one blockchain is needed.")
    if len(names) > MAX_CHAINS:
        return _("At most %(number)s blockchains at once.") % {"number": MAX_CHAINS}
    if twice := next((name for name in names if names.count(name) > 1), ""):
        return _("Two blockchains are called “%(name)s”.") % {"name": twice}
    for each in ask.wanted:
        if not each.orgs:
            return _("“%(name)s” has no organization.") % {"name": each.name}
        if stranger := next((orgcode for orgcode in each.orgs if orgcode not in known), ""):
            words = {"name": each.name, "orgcode": stranger}
            return _("%(orgcode)s is in “%(name)s”, but not in the chain's organizations.") % words
    if idle := known - {orgcode for each in ask.wanted for orgcode in each.orgs}:
        return _("%(orgcode)s is in none of the blockchains.") % {"orgcode": min(idle)}
    return _fault_of_mode(ask)


def _fault_of_mode(ask: Ask) -> str:
    if ask.createmode == PRIVATE and len(ask.wanted) > 1:
        return _("A private chain is one chain; for several choose another mode.")
    if ask.createmode == MULTI_SUBCHAIN and (alone := _alone(ask)):
        text = _("“%(name)s” has no organization in common with the others, so it cannot share nodes with them.")
        return text % {"name": alone.name}
    return ""


def _alone(ask: Ask) -> Wanted | None:
    """A chain that would share no node: neither with another one of the plan, nor with the base."""
    if len(ask.wanted) == 1 and not ask.base:
        return None
    standing = {space.orgcode for space in ask.spaces if space.standing}
    for number, each in enumerate(ask.wanted):
        others = {orgcode for at, other in enumerate(ask.wanted) if at != number for orgcode in other.orgs}
        if not (others | standing) & set(each.orgs):
            return each
    return None


def _fault_of_nodes(ask: Ask, known: set[str]) -> str:
    for orgcode, number in ask.nodes.items():
        if orgcode not in known:
            return _("%(orgcode)s gets nodes, but is not in the chain's organizations.") % {"orgcode": orgcode}
        if not 1 <= number <= MAX_NODES:
            return _("An organization has 1 to %(number)s nodes on a chain.") % {"number": MAX_NODES}
    if ask.createmode == PRIVATE and sum(ask.nodes.values()) > MAX_NODES:
        return _("An organization has 1 to %(number)s nodes on a chain.") % {"number": MAX_NODES}
    return ""


def _shortages(plan: Plan) -> list[str]:
    needed = plan.new_nodes
    texts = [short_of(space, needed.get(space.orgcode, 0)) for space in plan.spaces]
    return [text for text in texts if text]


# --- nodes: here the modes differ -----------------------------------------------------------------------------------


def _shared_nodes(ask: Ask) -> tuple[PlannedNode, ...]:
    nodes: list[PlannedNode] = []
    for space in ask.spaces:
        chains = tuple(number for number, each in enumerate(ask.wanted) if space.orgcode in each.orgs)
        standing = space.standing[: ask.nodes.get(space.orgcode, MAX_NODES)]
        number = ask.nodes.get(space.orgcode, len(standing) or 1)
        ids = [*standing, *[""] * (number - len(standing))]
        nodes += [
            PlannedNode(f"{space.orgcode}/{at}", space.orgcode, chains, node_id) for at, node_id in enumerate(ids, 1)
        ]
    return tuple(nodes)


def _separate_nodes(ask: Ask) -> tuple[PlannedNode, ...]:
    return tuple(
        PlannedNode(f"{orgcode}/{chain + 1}.{at + 1}", orgcode, (chain,))
        for chain, each in enumerate(ask.wanted)
        for orgcode in each.orgs
        for at in range(ask.nodes.get(orgcode, 1))
    )


def _private_nodes(ask: Ask) -> tuple[PlannedNode, ...]:
    number = sum(ask.nodes.values()) or 1
    return tuple(PlannedNode(f"{ask.creator}/{at + 1}", ask.creator, (0,)) for at in range(number))


_NODES: dict[str, Callable[[Ask], tuple[PlannedNode, ...]]] = {
    MULTI_SUBCHAIN: _shared_nodes,
    ISOLATED: _separate_nodes,
    PRIVATE: _private_nodes,
}


# --- steps ----------------------------------------------------------------------------------------------------------


def _steps(ask: Ask, nodes: tuple[PlannedNode, ...]) -> tuple[PlanStep, ...]:
    """The chains one after the other as far as they need each other, each: its builder, then everybody else."""
    steps: list[PlanStep] = []
    first: tuple[str, ...] = ()
    if not ask.network:
        steps.append(PlanStep(NETWORK, "create_network", ask.creator))
        first = (NETWORK,)
    for chain, each in enumerate(ask.wanted):
        spaces = [ask.creator] if ask.createmode == PRIVATE else each.orgs
        for orgcode in spaces:
            share = _Share.of(orgcode, chain, nodes)
            before = first if orgcode == spaces[0] else (f"chain:{chain}",)
            steps += _steps_of(share, before, builds=orgcode == spaces[0], done=steps)
    return tuple(steps)


@dataclass(frozen=True)
class _Share:
    """What one organization brings to one chain: nodes that stand, nodes built for an earlier chain, new ones."""

    orgcode: str
    chain: int
    standing: tuple[str, ...]
    source: int | None
    new: int

    @classmethod
    def of(cls, orgcode: str, chain: int, nodes: tuple[PlannedNode, ...]) -> _Share:
        own = [node for node in nodes if node.orgcode == orgcode and chain in node.chains]
        built = [node for node in own if node.new]
        earlier = next((node.chains[0] for node in built if node.chains[0] != chain), None)
        standing = tuple(node.node_id for node in own if not node.new)
        return cls(orgcode, chain, standing, earlier, 0 if earlier is not None else len(built))


def _steps_of(share: _Share, before: tuple[str, ...], *, builds: bool, done: list[PlanStep]) -> list[PlanStep]:
    key = f"chain:{share.chain}" if builds else f"chain:{share.chain}:{share.orgcode}"
    verb = "create" if builds else "join"
    shares = bool(share.standing) or share.source is not None
    sources = (each.key for each in done if (each.orgcode, each.chain) == (share.orgcode, share.source))
    needs = before if share.source is None else (*before, *sources)
    steps = [
        PlanStep(
            key,
            f"{verb}_subchain" if shares else f"{verb}_chain",
            share.orgcode,
            share.chain,
            share.standing,
            share.source,
            needs=tuple(dict.fromkeys(needs)),
        )
    ]
    further = share.new if shares else share.new - 1
    return steps + further_nodes(share.orgcode, share.chain, further, after=(key,))


# --- why ------------------------------------------------------------------------------------------------------------


def _reasons(ask: Ask, plan: Plan) -> tuple[str, ...]:
    creator = ask.space(ask.creator).name
    return tuple(
        text for text in (_reason_of_mode(plan, creator), _reason_of_network(plan, creator), _reuse(plan)) if text
    )


def _reason_of_mode(plan: Plan, creator: str) -> str:
    figures = {"chains": len(plan.chains), "nodes": len(plan.nodes), "name": creator}
    if plan.createmode == PRIVATE:
        return _("One chain in the space of %(name)s; the other organizations use it there.") % figures
    if plan.createmode == ISOLATED:
        return _("No node serves two chains: who runs a node of one sees nothing of another.")
    if len(plan.chains) == 1:
        return _("One chain for now; chains that are added later can share its nodes.")
    apart = sum(len(node.chains) for node in plan.nodes)
    text = _("%(chains)s chains run on the same %(nodes)s nodes; apart they would need %(apart)s.")
    return text % {**figures, "apart": apart}


def _reason_of_network(plan: Plan, creator: str) -> str:
    if plan.network:
        return _("It is built in the network that the union has already.")
    return _("A network is built for it first, in the space of %(name)s.") % {"name": creator}


def _reuse(plan: Plan) -> str:
    standing = sum(not node.new for node in plan.nodes)
    if not standing:
        return ""
    if standing == len(plan.nodes):
        return _("All its nodes run already: no node is built.")
    words = {"standing": standing, "new": len(plan.nodes) - standing}
    return _("%(standing)s nodes that run already are used, %(new)s are built.") % words
