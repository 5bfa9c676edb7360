"""A plan as a drawing: a box for every space, the nodes in it, and on every node the chains that it serves.

It is a list of lists, so it reads the same aloud as it looks; colours only repeat what the letters say.
"""

from __future__ import annotations

from dataclasses import dataclass

from chains.planning import Plan, PlannedNode, PlanStep, Space

TONES = ("blue", "green", "orange", "purple", "teal", "pink", "indigo", "yellow", "cyan", "red")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Ledger:
    """A chain of the plan: its letter and colour, and who is in it."""

    letter: str
    tone: str
    name: str
    organizations: list[str]


@dataclass(frozen=True)
class Spot:
    """A node: its number in the box, whether it is built, and the chains that it serves."""

    number: int
    new: bool
    node_id: str
    ledgers: list[Ledger]


@dataclass(frozen=True)
class Box:
    """A resource space with its nodes; one without nodes takes part all the same."""

    space: Space
    spots: list[Spot]
    new: int


@dataclass(frozen=True)
class Stage:
    """What the platform is asked to do, in words."""

    operation: str
    organization: str
    ledger: Ledger | None


@dataclass(frozen=True)
class Drawing:
    """All of it."""

    ledgers: list[Ledger]
    boxes: list[Box]
    stages: list[Stage]

    @property
    def new_nodes(self) -> int:
        return sum(box.new for box in self.boxes)


def drawn(plan: Plan) -> Drawing:
    """The plan, ready for the template."""
    names = {space.orgcode: space.name for space in plan.spaces}
    ledgers = [
        Ledger(LETTERS[number], TONES[number % len(TONES)], chain.name, [names[orgcode] for orgcode in chain.orgs])
        for number, chain in enumerate(plan.chains)
    ]
    boxes = [
        _box(space, [node for node in plan.nodes if node.orgcode == space.orgcode], ledgers) for space in plan.spaces
    ]
    return Drawing(ledgers, boxes, [_stage(step, names, ledgers) for step in plan.steps])


def _box(space: Space, nodes: list[PlannedNode], ledgers: list[Ledger]) -> Box:
    spots = [
        Spot(number, node.new, node.node_id, [ledgers[chain] for chain in node.chains])
        for number, node in enumerate(nodes, 1)
    ]
    return Box(space, spots, sum(spot.new for spot in spots))


def _stage(step: PlanStep, names: dict[str, str], ledgers: list[Ledger]) -> Stage:
    return Stage(step.operation, names[step.orgcode], None if step.chain is None else ledgers[step.chain])
