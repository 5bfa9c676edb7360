"""Business chains and blockchains, written down here by the steps of the unions' flows.

Rows first, the audit log last: whoever writes an entry holds the log's head until the transaction ends.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count
from django.utils import timezone

from chains.models import Blockchain, BusinessChain, ChainState, Createmode, Node
from chains.services.nodes import write_nodes
from console import audit
from console.models import AuditEntry, User
from console.policies import may_administer, require
from console.transactions import joins_transaction, locked_or_missing, use_case
from platforms import standard
from platforms.models import Cloudtype, Platform
from unions.codes import new_code
from unions.models import LIVE_MEMBER_STATES, Organization, Union
from unions.services.unions import record_business_chain


@dataclass(frozen=True)
class FoundChain:
    """A chain as the platform reports it, with its nodes."""

    external_id: str
    name: str
    extrainfo: str = ""
    blockspec: dict[str, Any] = field(default_factory=dict)
    nodes: tuple[standard.NodeInfo, ...] = ()
    orgcodes: tuple[str, ...] = ()  # who of the union is in it; none are named: everyone


@use_case
def read_soon(*, actor: User, blockchain_ids: Collection[int]) -> int:
    """Have the observers read chains at once, whatever they were put off for; returns how many there are."""
    require(may_administer(actor))
    rows = locked_blockchains(blockchain_ids)
    now = timezone.now()
    for blockchain in rows:
        blockchain.next_read_at, blockchain.details_read_at = now, None
        blockchain.save(update_fields=["next_read_at", "details_read_at"])
    for blockchain in rows:
        audit.record("chains.blockchain.reading_asked", actor=actor, target=blockchain)
    return len(rows)


@joins_transaction
def record_chain(*, actor: User | None, union_id: int, found: Iterable[FoundChain]) -> BusinessChain:
    """The business chain of a union, with the blockchains and nodes that were found on the platform."""
    union = locked_or_missing(Union.objects.select_related("platform", "creator"), pk=union_id)
    members = [
        each.organization for each in union.members.filter(state__in=LIVE_MEMBER_STATES).select_related("organization")
    ]
    business_chain = BusinessChain.objects.create(
        uid=new_code("bc"),
        union=union,
        name=union.name,
        platform=union.platform,
        creator=union.creator,
        createmode=_own_mode(union.platform),
    )
    business_chain.organizations.set(members)
    for chain in found:
        inside = [each for each in members if each.orgcode in chain.orgcodes] if chain.orgcodes else members
        create_blockchain(business_chain, chain, inside)
    record_business_chain(union_id=union.pk, uid=business_chain.uid)
    audit.record("chains.business_chain.created", actor=actor, target=business_chain, unionid=union.unionid)
    return business_chain


def _own_mode(platform: Platform) -> Createmode:
    """Of a union's own chain: further chains may use its nodes, unless a node serves one chain there."""
    shares = platform.capability("create_subchain")[0]
    return Createmode.MULTI_SUBCHAIN if shares else Createmode.ISOLATED


@joins_transaction
def forget_chain(*, business_chain_id: int) -> None:
    """Take back `record_chain`: the flow failed before the union was opened."""
    business_chain = BusinessChain.objects.select_for_update(of=("self",)).filter(pk=business_chain_id).first()
    if business_chain is None:
        return
    if business_chain.union_id is not None:
        record_business_chain(union_id=business_chain.union_id, uid="")
    BusinessChain.objects.filter(pk=business_chain.pk).delete()
    audit.record("chains.business_chain.forgotten", actor=None, target=business_chain)


@joins_transaction
def record_nodes(
    *, actor: User | None, orgcode: str, found: Iterable[tuple[int, Iterable[standard.NodeInfo]]]
) -> list[Blockchain]:
    """An organization has joined blockchains (id and nodes of each); blockchains deleted meanwhile are left out."""
    nodes = {blockchain_id: list(infos) for blockchain_id, infos in found}
    joined = locked_blockchains(nodes)
    organization = Organization.objects.get(orgcode=orgcode)
    for blockchain in joined:
        blockchain.organizations.add(organization)
        blockchain.business_chain.organizations.add(organization)
    write_nodes({blockchain.pk: nodes[blockchain.pk] for blockchain in joined}, at=timezone.now())
    for blockchain in joined:
        describe(blockchain)
    for blockchain in joined:
        audit.record("chains.blockchain.joined", actor=actor, target=blockchain, orgcode=orgcode)
    return joined


@joins_transaction
def drop_nodes(
    *, actor: User | None, union_id: int, orgcode: str, blockchain_ids: Collection[int] | None = None
) -> int:
    """An organization is out of the union's chains, or of some: its nodes are gone; returns how many there were."""
    ids = Blockchain.objects.filter(business_chain__union_id=union_id, organizations__orgcode=orgcode)
    if blockchain_ids is not None:
        ids = ids.filter(pk__in=blockchain_ids)
    left = locked_blockchains(ids.values_list("pk", flat=True))
    organization = Organization.objects.get(orgcode=orgcode)
    dropped, _kinds = Node.objects.filter(blockchain__in=left, organization=organization).delete()
    for blockchain in left:
        blockchain.organizations.remove(organization)
        describe(blockchain)
    still_in = Blockchain.objects.live().filter(organizations=organization).values("business_chain")
    out = BusinessChain.objects.filter(union_id=union_id, organizations=organization).exclude(pk__in=still_in)
    for business_chain in out:
        business_chain.organizations.remove(organization)
    for blockchain in left:
        audit.record("chains.blockchain.quit", actor=actor, target=blockchain, orgcode=orgcode)
    return dropped


@joins_transaction
def forget_nodes(*, actor: User | None, node_ids: Collection[int]) -> None:
    """Nodes that the platform does not have are taken out of the records."""
    chains = locked_blockchains(Node.objects.filter(pk__in=list(node_ids)).values_list("blockchain_id", flat=True))
    gone = list(Node.objects.filter(pk__in=list(node_ids)).values_list("external_id", flat=True))
    Node.objects.filter(pk__in=list(node_ids)).delete()
    for blockchain in chains:
        describe(blockchain)
    for blockchain in chains:
        audit.record("chains.node.forgotten", actor=actor, target=blockchain, nodes=gone)


@joins_transaction
def mark_deleted(*, actor: User | None, blockchain_ids: Collection[int]) -> None:
    """Blockchains are gone from the platform, with their nodes; the rows stay as history."""
    gone = locked_blockchains(blockchain_ids)
    Node.objects.filter(blockchain__in=gone).delete()
    for blockchain in gone:
        blockchain.state = ChainState.DELETED
        blockchain.save(update_fields=["state"])
    touched = BusinessChain.objects.filter(pk__in={blockchain.business_chain_id for blockchain in gone})
    empty = list(touched.exclude(blockchains__state__in=[ChainState.CREATING, ChainState.RUNNING]).order_by("pk"))
    for business_chain in empty:
        business_chain.state = ChainState.DELETED
        business_chain.save(update_fields=["state"])
    for blockchain in gone:
        audit.record("chains.blockchain.deleted", actor=actor, target=blockchain)
    for business_chain in empty:
        audit.record("chains.business_chain.deleted", actor=actor, target=business_chain)


@use_case
def record_roused(*, blockchain_id: int, done: list[str]) -> None:
    """What was done about a chain that stands. The same for the same standing is written down once, however often it
    is tried."""
    row = Blockchain.objects.filter(pk=blockchain_id).first()
    if row is None or row.block_time is None:
        return
    since = row.block_time.isoformat()
    said = AuditEntry.objects.filter(target_type=row._meta.label_lower, target_id=str(row.pk))
    last = said.filter(action="chains.blockchain.roused").order_by("-number").first()
    if last is None or (last.data.get("since"), last.data.get("done")) != (since, done):
        audit.record("chains.blockchain.roused", actor=None, target=row, since=since, done=done)


@joins_transaction
def hand_over(old: Organization, new: Organization) -> None:
    """What a placeholder has on chains is its claimant's."""
    blockchains = list(Blockchain.objects.filter(organizations=old).select_for_update(of=("self",)).order_by("pk"))
    Node.objects.filter(organization=old).update(organization=new)
    BusinessChain.objects.filter(creator=old).update(creator=new)
    for business_chain in BusinessChain.objects.filter(organizations=old):
        business_chain.organizations.add(new)
        business_chain.organizations.remove(old)
    for blockchain in blockchains:
        blockchain.organizations.add(new)
        blockchain.organizations.remove(old)
        describe(blockchain)


def create_blockchain(business_chain: BusinessChain, found: FoundChain, members: list[Organization]) -> Blockchain:
    blockchain = Blockchain.objects.create(
        uid=new_code("chain"),
        business_chain=business_chain,
        external_id=found.external_id,
        name=found.name[:200],
        extrainfo=found.extrainfo,
        cloudtype=_cloudtype(members),
        blockspec=found.blockspec,
        next_read_at=timezone.now(),
    )
    blockchain.organizations.set(members)
    write_nodes({blockchain.pk: found.nodes}, at=timezone.now())
    describe(blockchain)
    return blockchain


def describe(blockchain: Blockchain) -> None:
    """Where the chain runs and on how much, as its members and nodes say."""
    members = list(blockchain.organizations.all())
    by_owner = Node.objects.filter(blockchain=blockchain).values_list("organization__orgcode").annotate(Count("pk"))
    blockchain.cloudtype = _cloudtype(members)
    blockchain.infraspec = {"nodes": {orgcode or "": number for orgcode, number in by_owner.order_by()}}
    blockchain.save(update_fields=["cloudtype", "infraspec"])


def _cloudtype(members: Iterable[Organization]) -> str:
    categories = {member.category for member in members}
    return categories.pop() if len(categories) == 1 else Cloudtype.BOTH


def locked_blockchains(blockchain_ids: Iterable[int]) -> list[Blockchain]:
    """Live blockchains, locked in one order: observers write nodes under the same lock.

    Readings of them that are under way lose their claim: they may tell what was before the change of who locks.
    """
    live = Blockchain.objects.live().select_for_update(of=("self",)).select_related("business_chain")
    rows = list(live.filter(pk__in=list(blockchain_ids)).order_by("pk"))
    if being_read := [row for row in rows if row.reader is not None]:
        Blockchain.objects.filter(pk__in=[row.pk for row in being_read]).update(reader=None, lease_until=None)
    for row in being_read:
        row.reader = row.lease_until = None
    return rows
