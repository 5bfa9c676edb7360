"""Bringing one union's nodes to the image of the settings, where the console runs them itself."""

from __future__ import annotations

from console.models import Flow, User
from platforms.services.upgrades import upgrade_nodes
from unions import reads


def upgrade_nodes_of_union(*, actor: User, unionid: str) -> Flow:
    """Promise it for the nodes of this union's network only; other unions on the platform keep theirs.

    Raises as `upgrade_nodes` does.
    """
    union = reads.found(reads.unions(actor), unionid=unionid)
    return upgrade_nodes(actor=actor, oemtype=union.platform.oemtype, network_id=union.network_id, name=union.name)
