"""How many nodes may still be built in the spaces of organizations."""

from __future__ import annotations

from collections.abc import Iterable

from unions.models import Organization, Proposal
from unions.reads import used_nodes


def left_of(organizations: Iterable[Organization]) -> dict[int, int | None]:
    """Organization id → nodes that it may still build: its quota without what stands and what is being built."""
    rows = list(organizations)
    used = used_nodes(each.pk for each in rows)
    coming: dict[str, int] = {}
    for payload in Proposal.objects.under_way().filter(kind__startswith="chain_").values_list("payload", flat=True):
        for orgcode, number in payload.get("new_nodes", {}).items():
            coming[orgcode] = coming.get(orgcode, 0) + number
    return {each.pk: each.space.quota_nodes - used[each.pk] - coming.get(each.orgcode, 0) for each in rows}
