"""Unions: proposed here, and written down here by the steps of their flows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.utils.translation import gettext as _

from console import audit
from console.blockers import require_unblocked
from console.errors import Conflict
from console.models import User
from console.policies import require
from console.transactions import joins_transaction, locked_or_missing, use_case
from platforms.models import Platform
from unions.codes import new_code
from unions.matching import SeenMember
from unions.models import (
    LIVE_MEMBER_STATES,
    MemberState,
    Organization,
    Proposal,
    ProposalKind,
    Rule,
    Union,
    UnionMember,
    UnionState,
)
from unions.names import key_of, read_name
from unions.policies import may_propose_delete, may_propose_join, may_propose_quit, may_speak_for
from unions.quotas import Amount, needed_for
from unions.services import existing, proposals, quotas
from unions.services.placeholders import drop_unused
from unions.services.proposals import promised_flow
from unions.services.rules import read_rule
from unions.services.union_requests import (
    locked_union,
    payload_for,
    present_members,
    read_network_id,
    read_union_request,
    require_place,
    require_support,
    union_and_organization,
)

# --- proposing ------------------------------------------------------------------------------------------------------


@use_case
def propose_union(
    *,
    actor: User,
    name: str,
    oemtype: str,
    creatororg: str,
    orgs: Sequence[str],
    comment: str = "",
    rule: str = Rule.EVERYONE,
    threshold: int | None = None,
    network_id: str = "",
) -> Proposal:
    """Invite organizations to a new union; every one of them agrees before anything is built.

    `rule` and `threshold` (percent) are the union's: how many members must agree to what is asked later. `network_id`
    names a network that the creator is in already: then nothing is built.

    Raises Invalid naming the field, NotAllowed when the actor does not speak for the creator, Conflict when the
    name or the network is taken, NotSupported when the platform cannot.
    """
    network_id = read_network_id(network_id)
    creator, invited, platform = read_union_request(name, oemtype, creatororg, orgs, alone=bool(network_id))
    rule, threshold = read_rule(rule, threshold)
    require(may_speak_for(actor, creator))
    name = read_name(name)
    subject_key = f"union:{platform.pk}:{key_of(name)}"
    _refuse_taken_name(platform, name)
    proposals.refuse_beside(subject_key, field="name")
    if network_id:
        existing.refuse_taken_network(platform, network_id)
    require_support(platform, *(["get_network"] if network_id else ["create_network", "join_network"]))
    wanted = _room_wanted(platform, creator, invited, built=not network_id)
    payload = {
        **payload_for(platform, None, creator, name),
        "orgs": [each.orgcode for each in [creator, *invited]],
        "unionid": new_code("union"),
        "rule": rule,
        "threshold": threshold,
        "network_id": network_id,
    }
    proposal = proposals.open_proposal(
        actor=actor,
        kind=ProposalKind.CREATE,
        subject_key=subject_key,
        subject_name=name,
        proposer=creator,
        electorate=invited,
        payload=payload,
        comment=comment,
    )
    quotas.reserve(flow=promised_flow(proposal), wanted=wanted)
    return proposal


def _refuse_taken_name(platform: Platform, name: str) -> None:
    if Union.objects.filter(platform=platform, name_key=key_of(name)).exclude(state=UnionState.DELETED).exists():
        raise Conflict.field("name", _("There is a union of this name on the platform already."))


def _room_wanted(
    platform: Platform, creator: Organization, invited: Sequence[Organization], *, built: bool
) -> dict[Organization, Amount]:
    """What has to be reserved: a place and room for everyone. A network that is there already needs none, for its nodes
    count already. Invalid or Conflict naming whose there is too little of."""
    everyone = [creator, *invited]
    fields = {each.pk: "creatororg" if each == creator else "orgs" for each in everyone}
    for organization in everyone:
        require_place(platform, organization, fields[organization.pk])
    wanted = dict.fromkeys(everyone, needed_for(platform, None)) if built else {}
    quotas.require_room(wanted, fields=fields)
    return wanted


@use_case
def propose_join(*, actor: User, unionid: str, orgcode: str, comment: str = "") -> Proposal:
    """Ask the present members to let an organization in."""
    union, organization = union_and_organization(actor, unionid, orgcode)
    require(may_propose_join(actor, union, organization))
    require_support(union.platform, "join_network")
    require_place(union.platform, organization, "orgcode")
    wanted = {organization: needed_for(union.platform, union)}
    quotas.require_room(wanted)
    proposal = _open_move(ProposalKind.JOIN, actor, union, organization, present_members(union), comment)
    quotas.reserve(flow=promised_flow(proposal), wanted=wanted)
    return proposal


@use_case
def propose_quit(*, actor: User, unionid: str, orgcode: str, comment: str = "") -> Proposal:
    """Leave a union. Nobody is asked: what an organization brought in, it may take out."""
    union, organization = union_and_organization(actor, unionid, orgcode)
    require(may_propose_quit(actor, union, organization))
    require_support(union.platform, "quit_network")
    member = locked_or_missing(union.members.filter(state=MemberState.ACTIVE), organization=organization)
    member.begin_quitting()
    member.save()
    return _open_move(ProposalKind.QUIT, actor, union, organization, [], comment)


def _open_move(
    kind: ProposalKind,
    actor: User,
    union: Union,
    organization: Organization,
    electorate: Collection[Organization],
    comment: str,
) -> Proposal:
    """A proposal that one organization joins or quits."""
    return proposals.open_proposal(
        actor=actor,
        kind=kind,
        subject_key=f"{union.unionid}:{organization.orgcode}",
        subject_name=union.name,
        proposer=organization,
        concerns=organization,
        electorate=electorate,
        payload={
            **payload_for(union.platform, union, union.acting_creator(), union.name),
            "member": organization.orgcode,
        },
        union=union,
        comment=comment,
        by_union_rule=True,
    )


@use_case
def propose_delete(*, actor: User, unionid: str, comment: str = "") -> Proposal:
    """Delete a union, on the creator's word. All members' nodes are reclaimed."""
    union = locked_union(actor, unionid)
    require(may_propose_delete(actor, union))
    require_unblocked("union", union)
    require_support(union.platform, "delete_network")
    creator, members = union.acting_creator(), present_members(union)
    union.begin_deleting()
    union.save()
    return proposals.open_proposal(
        actor=actor,
        kind=ProposalKind.DELETE,
        subject_key=union.unionid,
        subject_name=union.name,
        proposer=creator,
        electorate=[],
        payload={
            **payload_for(union.platform, union, creator, union.name),
            "orgs": [each.orgcode for each in members],
        },
        union=union,
        comment=comment,
    )


# --- writing down what the platform did; called by local steps ------------------------------------------------------


@joins_transaction
def save_union(
    *,
    payload: dict[str, Any],
    network_id: str,
    member_ids: dict[str, str],
    actor: User | None,
    strangers: Collection[SeenMember] = (),
) -> Union:
    """The union as it has been built, with its members; Conflict when the platform gave us what is ours already.

    `strangers` are members of a network that was there before, whom nobody here is known to be.
    """
    live = Union.objects.exclude(state=UnionState.DELETED).filter(platform_id=payload["platform"])
    if live.filter(network_id=network_id).exists():
        raise Conflict(_("The platform answered with the network of another union (%(id)s).") % {"id": network_id})
    if live.filter(name_key=key_of(payload["name"])).exists():
        raise Conflict(_("There is a union of this name on the platform already."))
    union = Union.objects.create(
        unionid=payload["unionid"],
        name=payload["name"],
        platform_id=payload["platform"],
        creator=Organization.objects.get(orgcode=payload["creator"]),
        network_id=network_id,
        rule=payload.get("rule", Rule.EVERYONE),
        threshold=payload.get("threshold"),
    )
    for orgcode in payload["orgs"]:
        UnionMember.objects.create(
            union=union,
            organization=Organization.objects.get(orgcode=orgcode),
            member_id=member_ids.get(orgcode, ""),
            state=MemberState.ACTIVE,
        )
    for member in strangers:
        organization = existing.stand_in(union.platform, union.name, member)
        member_id = (member.member_ids or ("",))[0][:200]
        UnionMember.objects.create(
            union=union, organization=organization, member_id=member_id, state=MemberState.ACTIVE
        )
    Proposal.objects.filter(pk=payload["proposal"]).update(union=union)
    return union


@joins_transaction
def forget_union(*, union_id: int) -> None:
    """Take back `save_union`: the flow failed before the union was opened."""
    Proposal.objects.filter(union_id=union_id).update(union=None)
    members = list(UnionMember.objects.filter(union_id=union_id).values_list("organization_id", flat=True))
    Union.objects.filter(pk=union_id, state=UnionState.BUILDING).delete()
    drop_unused(members)


@joins_transaction
def open_union(*, union_id: int, actor: User | None) -> Union:
    """Everything has been built: the union is there."""
    union = locked_or_missing(Union.objects.all(), pk=union_id)
    union.open()
    union.save()
    audit.record("unions.union.created", actor=actor, target=union, unionid=union.unionid, network=union.network_id)
    return union


@joins_transaction
def record_business_chain(*, union_id: int, uid: str) -> None:
    """The business chain that serves the union (table 2, `uid`)."""
    union = locked_or_missing(Union.objects.all(), pk=union_id)
    union.uid = uid
    union.save(update_fields=["uid"])


@joins_transaction
def admit_member(*, union_id: int, orgcode: str, member_id: str) -> UnionMember:
    """A member whose nodes are being built."""
    union = locked_or_missing(Union.objects.all(), pk=union_id)
    return UnionMember.objects.create(
        union=union,
        organization=Organization.objects.get(orgcode=orgcode),
        member_id=member_id,
        state=MemberState.JOINING,
    )


@joins_transaction
def turn_member_away(*, union_id: int, orgcode: str) -> None:
    """Take back `admit_member`."""
    UnionMember.objects.filter(union_id=union_id, organization__orgcode=orgcode, state=MemberState.JOINING).delete()


@joins_transaction
def settle_member(*, union_id: int, orgcode: str, actor: User | None) -> None:
    """The member's nodes are there; from now on it is asked like everybody else."""
    union = locked_or_missing(Union.objects.all(), pk=union_id)
    joining = union.members.filter(state=MemberState.JOINING).select_related("organization")
    member = locked_or_missing(joining, organization__orgcode=orgcode)
    member.settle_in()
    member.save()
    proposals.member_came(union=union, organization=member.organization)
    audit.record("unions.union.joined", actor=actor, target=union, orgcode=orgcode)


@joins_transaction
def mark_quitting(*, union_id: int, orgcode: str, proposal_id: int) -> None:
    """A quitting that has stopped half-way goes on; not for a member that came back, nor beside other work."""
    union = _locked_for_going_on(union_id, proposal_id)
    opened = Proposal.objects.values_list("opened_at", flat=True).get(pk=proposal_id)
    here = union.members.filter(state=MemberState.ACTIVE, organization__orgcode=orgcode, joined_at__lte=opened)
    member = here.select_for_update(of=("self",)).first()
    if member is None:
        raise Conflict(_("It is not a member any more; there is nothing left to quit."))
    member.begin_quitting()
    member.save()


@joins_transaction
def mark_deleting(*, union_id: int, proposal_id: int) -> None:
    """A deletion that has stopped half-way goes on."""
    union = _locked_for_going_on(union_id, proposal_id)
    union.begin_deleting()
    union.save()


def _locked_for_going_on(union_id: int, proposal_id: int) -> Union:
    union = locked_or_missing(Union.objects.all(), pk=union_id)
    others = Proposal.objects.under_way().filter(union=union).exclude(pk=proposal_id)
    if union.state != UnionState.ACTIVE or others.exists():
        raise Conflict(_("Something else is going on with this union, or has ended it; ask anew if it is wanted."))
    return union


def _asked_anew(union_id: int, proposal_id: int) -> bool:
    """Whether the same was proposed again since and is under way: what is marked is marked for that proposal."""
    if not Union.objects.select_for_update(of=("self",)).filter(pk=union_id).exists():
        return False
    subject = Proposal.objects.values_list("subject_key", flat=True).get(pk=proposal_id)
    return Proposal.objects.under_way().filter(subject_key=subject).exclude(pk=proposal_id).exists()


@joins_transaction
def keep_member(*, union_id: int, orgcode: str, proposal_id: int) -> None:
    """Take back `propose_quit`: the platform did not let the member go."""
    if _asked_anew(union_id, proposal_id):
        return
    member = UnionMember.objects.select_for_update(of=("self",)).filter(
        union_id=union_id, organization__orgcode=orgcode, state=MemberState.QUITTING
    )
    for row in member:
        row.stay()
        row.save()


@joins_transaction
def release_member(*, union_id: int, orgcode: str, actor: User | None) -> None:
    """The member has left, its nodes are reclaimed; its say in who comes in is gone with it."""
    union = locked_or_missing(Union.objects.all(), pk=union_id)
    quitting = union.members.filter(state=MemberState.QUITTING).select_related("organization")
    member = locked_or_missing(quitting, organization__orgcode=orgcode)
    member.leave()
    member.save()
    proposals.member_left(union=union, organization=member.organization)
    audit.record("unions.union.quit", actor=actor, target=union, orgcode=orgcode)


@joins_transaction
def keep_union(*, union_id: int, proposal_id: int, gone: Collection[str] = ()) -> None:
    """Take back `propose_delete`: the platform did not delete it. Members that are `gone` from it already stay so."""
    if _asked_anew(union_id, proposal_id):
        return
    union = Union.objects.select_for_update(of=("self",)).filter(pk=union_id, state=UnionState.DELETING).first()
    if union is None:
        return
    for member in union.members.filter(state__in=LIVE_MEMBER_STATES, organization__orgcode__in=gone):
        member.leave()
        member.save()
        audit.record("unions.union.quit", actor=None, target=union, orgcode=member.organization.orgcode)
    union.keep()
    union.save()


@joins_transaction
def delete_union(*, union_id: int, actor: User | None) -> None:
    """The union is gone from the platform; its row stays as history."""
    union = locked_or_missing(Union.objects.all(), pk=union_id)
    for member in union.members.exclude(state=MemberState.LEFT):
        member.leave()
        member.save()
    union.delete_for_good()
    union.save()
    audit.record("unions.union.deleted", actor=actor, target=union, unionid=union.unionid)


# --- writing down what was seen on the platform; called by the steps that mend differences ---------------------------


@joins_transaction
def write_off_union(*, union_id: int, actor: User | None) -> None:
    """The network is gone, and the members have agreed that so is the union."""
    union = locked_or_missing(Union.objects.all(), pk=union_id)
    union.begin_deleting()
    union.save()
    delete_union(union_id=union_id, actor=actor)


@joins_transaction
def write_off_member(*, union_id: int, orgcode: str, actor: User | None) -> None:
    """The member is out of the network, and the members have agreed that it is out of the union."""
    mark = locked_or_missing(Union.objects.all(), pk=union_id).members.filter(state=MemberState.ACTIVE)
    member = locked_or_missing(mark, organization__orgcode=orgcode)
    member.begin_quitting()
    member.save()
    release_member(union_id=union_id, orgcode=orgcode, actor=actor)


@joins_transaction
def record_place(*, union_id: int, orgcode: str, member_id: str) -> None:
    """A member's place in the network was built again."""
    union = locked_or_missing(Union.objects.all(), pk=union_id)
    member = locked_or_missing(union.members.filter(state=MemberState.ACTIVE), organization__orgcode=orgcode)
    member.member_id = member_id
    member.save(update_fields=["member_id"])
