"""What the flows of business chains write down: chains that were built, organizations that came and left.

Rows first, the audit log last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from chains.models import Blockchain, BusinessChain, ChainState, Createmode, Node
from chains.services.chains import FoundChain, create_blockchain, describe, locked_blockchains, mark_deleted
from chains.services.nodes import write_nodes
from console import audit
from console.errors import Conflict, PlatformRefused
from console.models import User
from console.sentences import kept
from console.transactions import joins_transaction, locked_or_missing
from platforms import standard
from unions.models import MemberState, Organization, Union
from unions.services.unions import record_business_chain

Json = dict[str, Any]
GONE = kept(gettext_noop("Not members of the union any more: %(names)s."))
NOT_ISOLATED = kept(gettext_noop("The platform has put two chains on one node (%(node)s), which was not to be."))
NOT_SHARED = kept(gettext_noop("The platform has built “%(chain)s” on nodes of its own; it was to share nodes."))


@dataclass(frozen=True)
class Built:
    """One ledger as it was planned and as the platform shows it."""

    found: FoundChain
    orgs: tuple[str, ...]


@joins_transaction
def record_order(*, actor: User | None, payload: Json, network_id: str, built: Sequence[Built]) -> BusinessChain:
    """The business chain as it has been built; PlatformRefused when that is not what its mode promises."""
    union = locked_or_missing(Union.objects.all(), pk=payload["union"]) if payload["union"] is not None else None
    members = {each.orgcode: each for each in Organization.objects.filter(orgcode__in=payload["members"])}
    _still_inside(union, members.values())
    beside = [] if union is None else _nodes_beside(union)
    hold_promise(payload["createmode"], [(each.found.name, each.found.nodes) for each in built], beside)
    chain = BusinessChain.objects.create(
        uid=payload["chain"],
        union=union,
        name=payload["name"],
        platform_id=payload["platform"],
        creator=members[payload["creator"]],
        createmode=payload["createmode"],
        network_id="" if union else network_id,
    )
    chain.organizations.set(members.values())
    for each in built:
        create_blockchain(chain, each.found, [members[orgcode] for orgcode in each.orgs])
    if union is not None and not union.uid:
        record_business_chain(union_id=union.pk, uid=chain.uid)
    audit.record(
        "chains.business_chain.created",
        actor=actor,
        target=chain,
        unionid=union.unionid if union else "",
        createmode=chain.createmode,
    )
    return chain


def hold_promise(
    createmode: str, ledgers: Sequence[tuple[str, Sequence[standard.NodeInfo]]], beside: Collection[str] = ()
) -> None:
    """Whether the platform did what the mode says, as far as it lists nodes; `beside` are those of other chains."""
    places = [{node.node_id for node in nodes} for _name, nodes in ledgers]
    for number, (name, _nodes) in enumerate(ledgers):
        others = set(beside).union(*(nodes for at, nodes in enumerate(places) if at != number))
        if createmode == Createmode.ISOLATED and (twice := places[number] & others):
            raise PlatformRefused(NOT_ISOLATED % {"node": min(twice)})
        alone = len(ledgers) > 1 and places[number] and not places[number] & others
        if createmode == Createmode.MULTI_SUBCHAIN and alone:
            raise PlatformRefused(NOT_SHARED % {"chain": name})


def _still_inside(union: Union | None, members: Iterable[Organization]) -> None:
    if union is None:
        return
    inside = set(union.members.filter(state=MemberState.ACTIVE).values_list("organization_id", flat=True))
    if gone := [each.name for each in members if each.pk not in inside]:
        raise Conflict(GONE % {"names": ", ".join(sorted(gone))})


def _nodes_beside(union: Union) -> list[str]:
    live = Blockchain.objects.live().filter(business_chain__union=union)
    return list(Node.objects.filter(blockchain__in=live).values_list("external_id", flat=True))


@joins_transaction
def drop_order(*, business_chain_id: int) -> None:
    """Take back `record_order`."""
    chain = BusinessChain.objects.select_for_update(of=("self",)).filter(pk=business_chain_id).first()
    if chain is None:
        return
    _free_union(chain)
    BusinessChain.objects.filter(pk=chain.pk).delete()
    audit.record("chains.business_chain.forgotten", actor=None, target=chain)


@joins_transaction
def leave(*, actor: User | None, uid: str, orgcode: str, blockchain_ids: Collection[int]) -> int:
    """An organization is off some ledgers of a chain; off all of them it is out of the chain. Returns its nodes."""
    rows = locked_blockchains(blockchain_ids)
    organization = Organization.objects.get(orgcode=orgcode)
    dropped, _kinds = Node.objects.filter(blockchain__in=rows, organization=organization).delete()
    left = [row for row in rows if row.organizations.filter(pk=organization.pk).exists()]
    for row in left:
        row.organizations.remove(organization)
        describe(row)
    if not Blockchain.objects.live().filter(business_chain__uid=uid, organizations=organization).exists():
        BusinessChain.objects.get(uid=uid).organizations.remove(organization)
    for row in left:
        audit.record("chains.blockchain.quit", actor=actor, target=row, orgcode=orgcode)
    return dropped


@joins_transaction
def rewrite_nodes(
    *, actor: User | None, orgcode: str, found: Mapping[int, Sequence[standard.NodeInfo]]
) -> list[Blockchain]:
    """The nodes of an organization have changed: what the platform lists now is what there is."""
    rows = locked_blockchains(found)
    write_nodes({row.pk: found[row.pk] for row in rows}, at=timezone.now())
    for row in rows:
        own = Node.objects.filter(blockchain=row, organization__orgcode=orgcode)
        own.exclude(external_id__in=[info.node_id for info in found[row.pk]]).delete()
        describe(row)
    for row in rows:
        numbers = {"nodes": row.infraspec["nodes"].get(orgcode, 0), "orgcode": orgcode}
        audit.record("chains.blockchain.scaled", actor=actor, target=row, **numbers)
    return rows


@joins_transaction
def read_again(*, blockchain_ids: Collection[int]) -> None:
    """Nobody knows what became of the nodes: the observers look at once."""
    now = timezone.now()
    Blockchain.objects.live().filter(pk__in=blockchain_ids).update(next_read_at=now, details_read_at=None)


@joins_transaction
def end(*, actor: User | None, uid: str, blockchain_ids: Collection[int]) -> None:
    """The chain is gone from the platform, with all its ledgers; the rows stay as history."""
    chain = locked_or_missing(BusinessChain.objects.select_related("union"), uid=uid)
    _free_union(chain)
    mark_deleted(actor=actor, blockchain_ids=blockchain_ids)
    BusinessChain.objects.filter(pk=chain.pk).update(state=ChainState.DELETED)


def _free_union(chain: BusinessChain) -> None:
    """The union's own chain (table 2, `uid`) is it no longer."""
    if chain.union is not None and chain.union.uid == chain.uid:
        record_business_chain(union_id=chain.union.pk, uid="")
