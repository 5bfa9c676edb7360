"""Room in resource spaces: what the planner may count on, and places reserved for what is planned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from unions.models import Organization, ResourceSpace
from unions.quotas import Amount, figures_of


def left_of(organizations: Iterable[Organization]) -> dict[int, int | None]:
    """Organization id → nodes that it may still build; None: as many as it likes."""
    spaces = ResourceSpace.objects.filter(organization__in=list(organizations))
    rows = {space.pk: space.organization_id for space in spaces}
    return {rows[pk]: figures.free_nodes for pk, figures in figures_of(spaces).items()}


def needed(
    organizations: Sequence[Organization], new_nodes: Mapping[str, int], chains: Mapping[str, int]
) -> dict[Organization, Amount]:
    """What a plan takes of each space: nodes that are built there, and ledgers that its owner comes to."""
    amounts = {
        each: Amount(nodes=new_nodes.get(each.orgcode, 0), chains=chains.get(each.orgcode, 0)) for each in organizations
    }
    return {each: amount for each, amount in amounts.items() if amount != Amount()}
