"""What a plan is made from, and what it says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from console.errors import NotSupported

MULTI_SUBCHAIN, ISOLATED, PRIVATE = "multi_subchain", "isolated", "private"  # createmode, as table 3 has it
MAX_CHAINS = 20  # of one business chain
MAX_NODES = 10  # of one organization on one chain

# --- what goes in ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Space:
    """An organization that takes part, its resource space, and how many nodes may still be built there."""

    orgcode: str
    name: str
    label: str = ""
    left: int | None = None  # None: as many as wanted
    standing: tuple[str, ...] = ()  # its nodes on the chain that is the base, by their ids on the platform


@dataclass(frozen=True)
class Wanted:
    """One ledger as it is asked for."""

    name: str
    orgs: tuple[str, ...]
    blockspec: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ask:
    """A business chain as it is asked for.

    `nodes`: how many each organization shall have on a chain (orgcode → number; in a private chain they all stand in
    the creator's space). `network` is the union's on the platform; without one a network is built for the creator.
    `base` names the chain whose nodes are to be shared. `refusals`: why the platform cannot do an operation; what it
    can do is not in it.
    """

    name: str
    createmode: str
    creator: str
    spaces: tuple[Space, ...]
    wanted: tuple[Wanted, ...]
    nodes: Mapping[str, int] = field(default_factory=dict)
    network: str = ""
    base: str = ""
    refusals: Mapping[str, str] = field(default_factory=dict)

    def space(self, orgcode: str) -> Space:
        return next(each for each in self.spaces if each.orgcode == orgcode)


# --- what comes out -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PlannedNode:
    """A node with the chains that it will serve, by their number in the plan; `node_id` when it stands already."""

    key: str
    orgcode: str  # whose space it stands in
    chains: tuple[int, ...]
    node_id: str = ""

    @property
    def new(self) -> bool:
        return not self.node_id


@dataclass(frozen=True)
class PlannedChain:
    """A ledger: who is in it, and who builds it."""

    name: str
    orgs: tuple[str, ...]
    builder: str
    blockspec: Mapping[str, Any]


@dataclass(frozen=True)
class PlanStep:
    """One thing that the platform is asked to do, and which steps come before it.

    `nodes` are to serve the chain, too; or all that the organization then has on the chain `source`; or the one that
    the step `made_by` has built.
    """

    key: str
    operation: str
    orgcode: str
    chain: int | None = None
    nodes: tuple[str, ...] = ()
    source: int | None = None
    made_by: str = ""
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What will be built, in which order, and why so."""

    name: str
    createmode: str
    creator: str
    network: str  # empty: one is built
    spaces: tuple[Space, ...]
    nodes: tuple[PlannedNode, ...]
    chains: tuple[PlannedChain, ...]
    steps: tuple[PlanStep, ...]
    reasons: tuple[str, ...] = ()

    @property
    def new_nodes(self) -> dict[str, int]:
        """How many nodes are built in which space."""
        return count_by_space(self.nodes)


def count_by_space(nodes: Iterable[PlannedNode]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for node in nodes:
        if node.new:
            counted[node.orgcode] = counted.get(node.orgcode, 0) + 1
    return counted


def further_nodes(orgcode: str, chain: int, number: int, *, after: tuple[str, ...] = ()) -> list[PlanStep]:
    """Nodes built one after the other: so that whoever looks at the chain knows which of them a step has made."""
    steps: list[PlanStep] = []
    for at in range(number):
        needs = (steps[-1].key,) if steps else after
        steps.append(PlanStep(f"node:{chain}:{orgcode}:{at + 1}", "add_node", orgcode, chain, needs=needs))
    return steps


def short_of(space: Space, needed: int) -> str:
    """Why the space has no room for so many nodes; empty when it has."""
    if space.left is None or needed <= space.left:
        return ""
    words = {"name": space.name, "left": max(space.left, 0), "needed": needed}
    return _("%(name)s may build %(left)s more nodes in its space; this needs %(needed)s.") % words


def require_abilities(steps: Iterable[PlanStep], refusals: Mapping[str, str]) -> None:
    """NotSupported with the platform's own reason, for the first step that it cannot do."""
    for step in steps:
        needed = (step.operation, *(["list_nodes"] if step.source is not None else []))
        for operation in needed:
            if operation in refusals:
                raise NotSupported(refusals[operation])
