"""Nodes as a platform lists them, written into rows. Flows and observers both come through here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from chains.models import Blockchain, Node
from chains.observing.sound import text
from console.transactions import joins_transaction
from platforms import standard
from unions.models import MemberState, UnionMember

Owners = dict[str, int]  # what a platform may call a member -> organization


@joins_transaction
def write_nodes(found: Mapping[int, Iterable[standard.NodeInfo]], *, at: datetime) -> int:
    """Insert or refresh the nodes of blockchains (id -> nodes); returns how many rows were written.

    The blockchains are locked by the caller. A node whose owner is not in the chain is left out: it belongs to a
    member that is joining, or has quit, and the flow of that member decides about it.
    """
    owners = _owners(found)
    rows = {
        (blockchain_id, info.node_id): Node(
            blockchain_id=blockchain_id,
            organization_id=owner,
            external_id=info.node_id,
            role=text(info.role, 40),
            endpoint=text(info.endpoint, 300),
            state=info.state,
            version=text(info.version, 100),
            read_at=at,
        )
        for blockchain_id, infos in found.items()
        for info in infos
        for known, owner in [_owner(info, owners.get(blockchain_id, {}))]
        if known and 0 < len(info.node_id) <= 200 and "\x00" not in info.node_id
    }
    Node.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["blockchain", "external_id"],
        update_fields=["organization", "role", "endpoint", "state", "version", "read_at"],
    )
    return len(rows)


def nodes_of_chain(nodes: Iterable[standard.NodeInfo], chain_id: str) -> list[standard.NodeInfo]:
    """The nodes that belong to the chain: some platforms list those of the whole network."""
    return [node for node in nodes if node.chain_id in ("", chain_id)]


def _owner(info: standard.NodeInfo, owners: Owners) -> tuple[bool, int | None]:
    """Whether the node is to be written, and whose it is; nobody's are the platform's own."""
    names = [name for name in (info.orgcode, info.tenantid, info.member_id) if name]
    if not names:
        return True, None
    owner = next((owners[name] for name in names if name in owners), None)
    return owner is not None, owner


def _owners(blockchain_ids: Collection[int]) -> dict[int, Owners]:
    """For each blockchain, its organizations by every name under which a platform may list them."""
    owners: dict[int, Owners] = defaultdict(dict)
    members = Blockchain.organizations.through.objects.filter(blockchain_id__in=list(blockchain_ids)).values_list(
        "blockchain_id", "organization_id", "organization__orgcode", "organization__space__tenantid"
    )
    for blockchain_id, organization_id, orgcode, tenantid in members:
        owners[blockchain_id][orgcode] = organization_id
        if tenantid:
            owners[blockchain_id][tenantid] = organization_id
    named = UnionMember.objects.filter(union__business_chains__blockchains__in=list(blockchain_ids))
    for blockchain_id, organization_id, member_id in (
        named.exclude(state=MemberState.LEFT)
        .exclude(member_id="")
        .values_list("union__business_chains__blockchains", "organization_id", "member_id")
    ):
        if organization_id in owners[blockchain_id].values():
            owners[blockchain_id].setdefault(member_id, organization_id)
    return owners
