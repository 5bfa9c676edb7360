"""Business chains proposed: built, joined, quit, deleted, with more nodes or fewer.

Whoever gets into a chain, or lets somebody in, is asked first; what an organization has brought, it takes out without
asking, and the creator deletes. Rows are locked in one order: union, business chain, proposals, flows, audit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _

from chains.models import Blockchain, BusinessChain, Node
from chains.planning import MAX_CHAINS, Plan, PlanStep, Running, plan_joining, plan_scaling
from chains.policies import (
    may_propose_chain,
    may_propose_chain_delete,
    may_propose_chain_join,
    may_propose_chain_quit,
    may_propose_scaling,
)
from chains.services import chain_requests, room
from chains.services.chain_requests import refusals_of, spaces_of, visible_chain
from console.errors import Conflict, Invalid
from console.models import User
from console.policies import require
from console.transactions import joins_transaction, locked_or_missing, use_case
from unions.codes import new_code
from unions.models import Organization, Proposal, ProposalKind, Union
from unions.names import key_of
from unions.quotas import Amount
from unions.services import proposals, quotas
from unions.services.union_requests import payload_for, require_support

Json = dict[str, Any]


def plan_chain(*, actor: User, **wish: Any) -> Plan:
    """What `propose_chain` would build, and why so; nothing is written."""
    read = chain_requests.read_wish(actor=actor, **wish)
    require(may_propose_chain(actor, read.creator, read.union))
    return read.plan


@use_case
def propose_chain(*, actor: User, comment: str = "", **wish: Any) -> Proposal:
    """Plan a business chain and ask everybody in it; then it is built.

    Raises Invalid naming the field, NotAllowed when the actor does not speak for the creator, Conflict when the name
    is being used right now, NotSupported with the platform's reason.
    """
    if wish.get("unionid"):
        Union.objects.select_for_update(of=("self",)).filter(unionid=wish["unionid"]).first()
    read = chain_requests.read_wish(actor=actor, **wish)
    require(may_propose_chain(actor, read.creator, read.union))
    uid = new_code("bc")
    subject_key = f"chain:{read.union.unionid if read.union else read.platform.pk}:{key_of(read.name)}"
    proposals.refuse_beside(subject_key, field="name")
    plan = read.plan
    entered = {each.orgcode: sum(each.orgcode in chain.orgs for chain in plan.chains) for each in read.members}
    wanted = room.needed(read.members, plan.new_nodes, entered)
    fields = {each.pk: "orgs" for each in read.members[1:]} | {read.creator.pk: "creatororg"}
    quotas.require_room(wanted, fields=fields)
    payload = {
        **payload_for(read.platform, read.union, read.creator, read.name),
        "orgs": [read.creator.orgcode],
        "chain": uid,
        "createmode": plan.createmode,
        "members": [each.orgcode for each in read.members],
        "chains": [asdict(each) for each in plan.chains],
        **_promised(plan.steps, plan.new_nodes),
    }
    proposal = proposals.open_proposal(
        actor=actor,
        kind=ProposalKind.CHAIN_CREATE,
        subject_key=subject_key,
        subject_name=read.name,
        proposer=read.creator,
        electorate=read.members[1:],
        payload=payload,
        union=read.union,
        comment=comment,
        blueprint="chains.create",
        answer={"chain": uid},
    )
    quotas.reserve(flow=proposals.promised_flow(proposal), wanted=wanted)
    return proposal


@use_case
def propose_chain_join(*, actor: User, uid: str, orgcode: str, comment: str = "") -> Proposal:
    """Ask those in the chain to let an organization in; in a union, one of its members."""
    chain, organization = _chain_and_organization(actor, uid, orgcode)
    require(may_propose_chain_join(actor, chain, organization))
    (space,) = spaces_of([organization])
    rows = _ledgers(chain)
    steps = plan_joining(_running(chain, rows, organization), space)
    built = sum(step.operation == "join_chain" for step in steps)
    return _open_move(
        ProposalKind.CHAIN_JOIN,
        actor,
        chain,
        organization,
        electorate=[each for each in chain.organizations.order_by("pk") if each.pk != organization.pk],
        blueprint="chains.join",
        comment=comment,
        more=_promised(steps, {orgcode: built} if built else {}),
        wanted=room.needed([organization], {orgcode: built}, {orgcode: len(steps)}),
    )


@use_case
def propose_chain_quit(*, actor: User, uid: str, orgcode: str, comment: str = "") -> Proposal:
    """Leave a chain; nobody is asked."""
    chain, organization = _chain_and_organization(actor, uid, orgcode)
    require(may_propose_chain_quit(actor, chain, organization))
    if Node.objects.filter(blockchain__business_chain=chain, organization=organization).exists():
        require_support(chain.platform, "quit_chain")
    return _open_move(ProposalKind.CHAIN_QUIT, actor, chain, organization, blueprint="chains.quit", comment=comment)


@use_case
def propose_chain_delete(*, actor: User, uid: str, comment: str = "") -> Proposal:
    """Delete a chain with its ledgers, on the creator's word."""
    chain = _locked_chain(actor, uid)
    require(may_propose_chain_delete(actor, chain))
    require_support(chain.platform, "delete_chain", *(() if chain.union else ("delete_network",)))
    speaker = chain.speaker()
    return proposals.open_proposal(
        actor=actor,
        kind=ProposalKind.CHAIN_DELETE,
        subject_key=chain.uid,
        subject_name=chain.name,
        proposer=speaker,
        electorate=[],
        payload=_payload(chain, speaker, ""),
        union=chain.union,
        comment=comment,
        blueprint="chains.delete",
        answer={"chain": chain.uid},
    )


@use_case
def propose_scaling(*, actor: User, blockchain_uid: str, orgcode: str, nodes: int, comment: str = "") -> Proposal:
    """Have so many nodes of an organization on a ledger, and on those that share its nodes; nobody is asked."""
    row = Blockchain.objects.visible_to(actor).filter(uid=blockchain_uid).select_related("business_chain").first()
    chain, organization = _chain_and_organization(actor, row.business_chain.uid if row else "", orgcode)
    rows = _ledgers(chain)
    blockchain = next((each for each in rows if each.uid == blockchain_uid), None)
    if blockchain is None:
        raise Conflict(_("This ledger is not running any more."))
    require(may_propose_scaling(actor, blockchain, organization))
    (space,) = spaces_of([organization])
    running = _running(chain, rows, organization)
    steps = plan_scaling(running, space, chain=rows.index(blockchain), nodes=nodes)
    built = sum(step.operation == "add_node" for step in steps)
    return _open_move(
        ProposalKind.CHAIN_SCALE,
        actor,
        chain,
        organization,
        blueprint="chains.scale",
        comment=comment,
        more=_promised(steps, {orgcode: built} if built else {}),
        wanted=room.needed([organization], {orgcode: built}, {}),
    )


# --- what the above share -------------------------------------------------------------------------------------------


def _open_move(
    kind: ProposalKind,
    actor: User,
    chain: BusinessChain,
    organization: Organization,
    *,
    blueprint: str,
    comment: str,
    electorate: Collection[Organization] = (),
    more: Json | None = None,
    wanted: Mapping[Organization, Amount] | None = None,
) -> Proposal:
    """A proposal about one organization in a chain; one at a time for each. `wanted` is reserved in its space."""
    if wanted:
        quotas.require_room(wanted)
    proposal = proposals.open_proposal(
        actor=actor,
        kind=kind,
        subject_key=f"{chain.uid}:{organization.orgcode}",
        subject_name=chain.name,
        proposer=organization,
        concerns=organization,
        electorate=electorate,
        payload={**_payload(chain, chain.speaker(), organization.orgcode), **(more or {})},
        union=chain.union,
        comment=comment,
        blueprint=blueprint,
        answer={"chain": chain.uid},
    )
    if wanted:
        quotas.reserve(flow=proposals.promised_flow(proposal), wanted=wanted)
    return proposal


def _payload(chain: BusinessChain, speaker: Organization, member: str) -> Json:
    return {
        **payload_for(chain.platform, chain.union, speaker, chain.name),
        "member": member,
        "chain": chain.uid,
        "network_id": chain.network_id,
        "blockchains": [each.pk for each in _ledgers(chain)],
        "createmode": chain.createmode,
    }


def _promised(steps: Collection[PlanStep], new_nodes: Json) -> Json:
    return {"steps": [asdict(step) for step in steps], "new_nodes": new_nodes}


def _running(chain: BusinessChain, rows: list[Blockchain], organization: Organization) -> Running:
    """The chain as the planner sees it, for one organization; what came last, and is no sequencer, goes first."""
    nodes: dict[int, list[str]] = {each.pk: [] for each in rows if organization in each.organizations.all()}
    own = Node.objects.filter(blockchain__in=rows, organization=organization).order_by("-pk")
    for node in sorted(own, key=lambda each: each.role != "peer"):
        nodes.setdefault(node.blockchain_id, []).append(node.external_id)
    standing = tuple(tuple(nodes[each.pk]) if each.pk in nodes else None for each in rows)
    return Running(chain.createmode, standing, refusals_of(chain.platform))


def _ledgers(chain: BusinessChain) -> list[Blockchain]:
    """The chain's live ledgers in their order."""
    rows = Blockchain.objects.live().filter(business_chain=chain).prefetch_related("organizations")
    return list(rows.order_by("pk")[:MAX_CHAINS])


@joins_transaction
def _chain_and_organization(actor: User, uid: str, orgcode: str) -> tuple[BusinessChain, Organization]:
    chain = _locked_chain(actor, uid)
    organization = Organization.objects.select_related("space").filter(orgcode=orgcode).first()
    if organization is None:
        raise Invalid.field("orgcode", _("There is no organization of this code."))
    return chain, organization


@joins_transaction
def _locked_chain(actor: User, uid: str) -> BusinessChain:
    """The chain, locked behind its union: what concerns both is decided one after the other."""
    seen = visible_chain(actor, uid)
    if seen.union_id is not None:
        locked_or_missing(Union.objects.all(), pk=seen.union_id)
    return locked_or_missing(BusinessChain.objects.select_related("platform", "union", "creator"), pk=seen.pk)
