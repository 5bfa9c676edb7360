"""What a resource space may hold, holds, and has been promised: nodes, and chains that it takes part in.

The floor above counts what is there (`count_with`) and says what a union costs each member (`plan_with`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models import Sum

from platforms.models import Platform
from unions.models import Reservation, ResourceSpace, Union

MAX_QUOTA = 100_000


@dataclass(frozen=True)
class Amount:
    """So many nodes, and so many chains."""

    nodes: int = 0
    chains: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.nodes + other.nodes, self.chains + other.chains)


@dataclass(frozen=True)
class Bar:
    """One figure as a bar: what is used, then what is reserved, of the quota; the parts in percent of it."""

    name: str
    quota: int | None
    used: int
    reserved: int

    @property
    def used_part(self) -> int:
        return 100 if not self.quota else min(100, 100 * self.used // self.quota)

    @property
    def reserved_part(self) -> int:
        return 0 if not self.quota else min(100 - self.used_part, 100 * self.reserved // self.quota)

    @property
    def full(self) -> bool:
        return self.quota is not None and self.used + self.reserved >= self.quota


@dataclass(frozen=True)
class Figures:
    """The figures of one space; a quota of None is no limit."""

    quota_nodes: int | None
    quota_chains: int | None
    used: Amount
    reserved: Amount

    @property
    def bars(self) -> list[Bar]:
        return [
            Bar("nodes", self.quota_nodes, self.used.nodes, self.reserved.nodes),
            Bar("chains", self.quota_chains, self.used.chains, self.reserved.chains),
        ]

    @property
    def free_nodes(self) -> int | None:
        return _free(self.quota_nodes, self.used.nodes + self.reserved.nodes)

    @property
    def free_chains(self) -> int | None:
        return _free(self.quota_chains, self.used.chains + self.reserved.chains)


def _free(quota: int | None, taken: int) -> int | None:
    return None if quota is None else max(0, quota - taken)


Counter = Callable[[list[int]], dict[int, Amount]]
Planner = Callable[[Platform, Union | None], Amount]
_counters: list[Counter] = []
_planners: list[Planner] = []


def count_with(counter: Counter) -> None:
    """An upper floor says what organizations have: ids of organizations in, id -> amount out."""
    _counters.append(counter)


def plan_with(planner: Planner) -> None:
    """An upper floor says what each member of a union to be (None), or who joins one, will need on the platform."""
    _planners.append(planner)


def used_by(organization_ids: Iterable[int]) -> dict[int, Amount]:
    """What organizations have, over all that count it."""
    ids = list(organization_ids)
    total = dict.fromkeys(ids, Amount())
    for counter in _counters:
        for organization_id, amount in counter(ids).items():
            total[organization_id] = total.get(organization_id, Amount()) + amount
    return total


def needed_for(platform: Platform, union: Union | None) -> Amount:
    """What one member needs: a node at least, and what the floor above builds for it."""
    planned = sum((planner(platform, union) for planner in _planners), Amount())
    return Amount(max(1, planned.nodes), planned.chains)


def figures_of(spaces: Iterable[ResourceSpace]) -> dict[int, Figures]:
    """Space id -> its figures, in a fixed number of queries."""
    rows = list(spaces)
    used = used_by(space.organization_id for space in rows)
    held = Reservation.objects.held().filter(space__in=rows).values("space_id").order_by()
    sums = held.annotate(sum_nodes=Sum("nodes"), sum_chains=Sum("chains"))
    reserved = {row["space_id"]: Amount(row["sum_nodes"], row["sum_chains"]) for row in sums}
    return {
        space.pk: Figures(
            space.quota_nodes, space.quota_chains, used[space.organization_id], reserved.get(space.pk, Amount())
        )
        for space in rows
    }
