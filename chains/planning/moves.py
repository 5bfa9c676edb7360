"""What happens to a business chain that exists: a member joins it, or changes the number of its nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from chains.planning.values import (
    ISOLATED,
    MAX_NODES,
    MULTI_SUBCHAIN,
    PRIVATE,
    PlanStep,
    Space,
    further_nodes,
    require_abilities,
    short_of,
)
from console.errors import Conflict, Invalid


@dataclass(frozen=True)
class Running:
    """A business chain as it stands.

    `nodes`: for each of its chains, in their order, the ids of the nodes of the organization that the move is about,
    the one that is given back first at the front; None where the organization is not on the chain.
    """

    createmode: str
    nodes: tuple[tuple[str, ...] | None, ...]
    refusals: Mapping[str, str] = field(default_factory=dict)


def plan_joining(running: Running, space: Space) -> tuple[PlanStep, ...]:
    """The steps by which an organization gets its place on every chain that it is not on yet.

    Where chains share nodes, its nodes on one of them serve the others. Nothing is built for a private chain: its
    nodes stand in its creator's space.
    """
    if running.createmode == PRIVATE:
        return ()
    missing = [number for number, nodes in enumerate(running.nodes) if nodes is None]
    standing = next((nodes for nodes in running.nodes if nodes), ())
    steps: list[PlanStep] = []
    for chain in missing:
        key = f"chain:{chain}:{space.orgcode}"
        if running.createmode == ISOLATED or not (standing or steps):
            steps.append(PlanStep(key, "join_chain", space.orgcode, chain))
        elif standing:
            steps.append(PlanStep(key, "join_subchain", space.orgcode, chain, nodes=standing))
        else:
            source = steps[0]
            steps.append(PlanStep(key, "join_subchain", space.orgcode, chain, source=source.chain, needs=(source.key,)))
    if short := short_of(space, sum(step.operation == "join_chain" for step in steps)):
        raise Invalid.field("orgcode", short)
    require_abilities(steps, running.refusals)
    return tuple(steps)


def plan_scaling(running: Running, space: Space, *, chain: int, nodes: int) -> tuple[PlanStep, ...]:
    """The steps after which the organization has so many nodes on the chain, and on those that share its nodes.

    Raises Invalid for a number that cannot be, Conflict when the organization has so many already.
    """
    present = running.nodes[chain]
    if present is None:
        raise Invalid.field("orgcode", _("%(name)s has no node on this chain.") % {"name": space.name})
    if not 1 <= nodes <= MAX_NODES:
        text = _("An organization has 1 to %(number)s nodes on a chain.") % {"number": MAX_NODES}
        raise Invalid.field("nodes", text)
    if nodes == len(present):
        raise Conflict.field("nodes", _("It has so many nodes already."))
    others = [
        number
        for number, own in enumerate(running.nodes)
        if running.createmode == MULTI_SUBCHAIN and number != chain and own is not None
    ]
    if nodes > len(present):
        steps = _out(space.orgcode, chain, others, nodes - len(present))
        if short := short_of(space, nodes - len(present)):
            raise Invalid.field("nodes", short)
    else:
        steps = _in(running, space.orgcode, chain, others, present[: len(present) - nodes])
    require_abilities(steps, running.refusals)
    return steps


def _out(orgcode: str, chain: int, others: list[int], number: int) -> tuple[PlanStep, ...]:
    """New nodes on the chain, which then serve the others, too."""
    added = further_nodes(orgcode, chain, number)
    shared = [
        PlanStep(f"node:{other}:{orgcode}:{at}", "join_subchain", orgcode, other, made_by=step.key, needs=(step.key,))
        for at, step in enumerate(added, 1)
        for other in others
    ]
    return (*added, *shared)


def _in(running: Running, orgcode: str, chain: int, others: list[int], gone: tuple[str, ...]) -> tuple[PlanStep, ...]:
    """The nodes leave the chain, and the others that they serve."""
    steps = []
    for at in (chain, *others):
        served = [node for node in gone if node in (running.nodes[at] or ())]
        steps += [
            PlanStep(f"node:{at}:{orgcode}:{number}", "remove_node", orgcode, at, nodes=(node,))
            for number, node in enumerate(served, 1)
        ]
    return tuple(steps)
