"""Unions: proposed here, and written down here by the steps of their flows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from console import audit
from console.errors import Conflict, Invalid, NotSupported
from console.models import User
from console.policies import require
from console.transactions import joins_transaction, locked_or_missing, use_case
from platforms.models import Platform
from unions.codes import new_code
from unions.models import (
    MemberState,
    Organization,
    Proposal,
    ProposalKind,
    ProposalState,
    Union,
    UnionMember,
    UnionState,
)
from unions.policies import may_propose_delete, may_propose_join, may_propose_quit, may_speak_for
from unions.services.proposals import open_proposal

# --- proposing ------------------------------------------------------------------------------------------------------


@use_case
def propose_union(
    *, actor: User, name: str, oemtype: str, creatororg: str, orgs: Sequence[str], comment: str = ""
) -> Proposal:
    """Invite organizations to a new union; every one of them agrees before anything is built.

    Raises Invalid naming the field, NotAllowed when the actor does not speak for the creator, Conflict when the
    name is taken, NotSupported when the platform cannot.
    """
    creator, invited, platform = _read_union_request(name, oemtype, creatororg, orgs)
    require(may_speak_for(actor, creator))
    name = name.strip()
    if Union.objects.filter(platform=platform, name__iexact=name).exclude(state=UnionState.DELETED).exists():
        raise Conflict.field("name", _("There is a union of this name on the platform already."))
    _require_capability(platform, "create_network")
    for organization in [creator, *invited]:
        _require_place(platform, organization, "creatororg" if organization == creator else "orgs")
    payload = {
        **_payload(platform, None, creator, name),
        "orgs": [each.orgcode for each in [creator, *invited]],
        "unionid": new_code("union"),
    }
    return open_proposal(
        actor=actor,
        kind=ProposalKind.CREATE,
        subject_key=f"union:{platform.pk}:{name.lower()}",
        subject_name=name,
        proposer=creator,
        electorate=invited,
        payload=payload,
        comment=comment,
    )


@use_case
def propose_join(*, actor: User, unionid: str, orgcode: str, comment: str = "") -> Proposal:
    """Ask the present members to let an organization in."""
    union, organization = _union_and_organization(actor, unionid, orgcode)
    require(may_propose_join(actor, union, organization))
    _require_capability(union.platform, "join_network")
    _require_place(union.platform, organization, "orgcode")
    return open_proposal(
        actor=actor,
        kind=ProposalKind.JOIN,
        subject_key=f"{union.unionid}:{orgcode}",
        subject_name=union.name,
        proposer=organization,
        concerns=organization,
        electorate=_members(union),
        payload={**_payload(union.platform, union, union.creator, union.name), "member": orgcode},
        union=union,
        comment=comment,
    )


@use_case
def propose_quit(*, actor: User, unionid: str, orgcode: str, comment: str = "") -> Proposal:
    """Leave a union. Nobody is asked: what an organization brought in, it may take out."""
    union, organization = _union_and_organization(actor, unionid, orgcode)
    require(may_propose_quit(actor, union, organization))
    _require_capability(union.platform, "quit_network")
    member = locked_or_missing(union.members.filter(state=MemberState.ACTIVE), organization=organization)
    member.begin_quitting()
    member.save()
    return open_proposal(
        actor=actor,
        kind=ProposalKind.QUIT,
        subject_key=f"{union.unionid}:{orgcode}",
        subject_name=union.name,
        proposer=organization,
        concerns=organization,
        electorate=[],
        payload={**_payload(union.platform, union, union.creator, union.name), "member": orgcode},
        union=union,
        comment=comment,
    )


@use_case
def propose_delete(*, actor: User, unionid: str, comment: str = "") -> Proposal:
    """Delete a union, on the creator's word. All members' nodes are reclaimed."""
    union = locked_or_missing(Union.objects.visible_to(actor), unionid=unionid)
    require(may_propose_delete(actor, union))
    _require_capability(union.platform, "delete_network")
    busy = Proposal.objects.filter(union=union, state=ProposalState.OPEN).first()
    if busy is not None:
        raise Conflict(
            _("A proposal on this union is open (%(proposal)s); decide or withdraw it first.") % {"proposal": busy}
        )
    if union.members.filter(state__in=[MemberState.JOINING, MemberState.QUITTING]).exists():
        raise Conflict(_("A member is joining or quitting right now; wait until that has ended."))
    union.begin_deleting()
    union.save()
    return open_proposal(
        actor=actor,
        kind=ProposalKind.DELETE,
        subject_key=union.unionid,
        subject_name=union.name,
        proposer=union.creator,
        electorate=[],
        payload={
            **_payload(union.platform, union, union.creator, union.name),
            "orgs": [each.orgcode for each in _members(union)],
        },
        union=union,
        comment=comment,
    )


# --- writing down what the platform did; called by local steps ------------------------------------------------------


@joins_transaction
def save_union(*, payload: dict[str, Any], network_id: str, member_ids: dict[str, str], actor: User | None) -> Union:
    """The union as it has been built, with its members."""
    union = Union.objects.create(
        unionid=payload["unionid"],
        name=payload["name"],
        platform_id=payload["platform"],
        creator=Organization.objects.get(orgcode=payload["creator"]),
        network_id=network_id,
    )
    for orgcode in payload["orgs"]:
        UnionMember.objects.create(
            union=union,
            organization=Organization.objects.get(orgcode=orgcode),
            member_id=member_ids.get(orgcode, ""),
            state=MemberState.ACTIVE,
        )
    Proposal.objects.filter(pk=payload["proposal"]).update(union=union)
    return union


@joins_transaction
def forget_union(*, union_id: int) -> None:
    """Take back `save_union`: the flow failed before the union was opened."""
    Proposal.objects.filter(union_id=union_id).update(union=None)
    Union.objects.filter(pk=union_id, state=UnionState.BUILDING).delete()


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
    """The member's nodes are there."""
    member = locked_or_missing(
        UnionMember.objects.filter(state=MemberState.JOINING), union_id=union_id, organization__orgcode=orgcode
    )
    member.settle_in()
    member.save()
    audit.record("unions.union.joined", actor=actor, target=member.union, orgcode=orgcode)


@joins_transaction
def keep_member(*, union_id: int, orgcode: str) -> None:
    """Take back `propose_quit`: the platform did not let the member go."""
    member = UnionMember.objects.select_for_update(of=("self",)).filter(
        union_id=union_id, organization__orgcode=orgcode, state=MemberState.QUITTING
    )
    for row in member:
        row.stay()
        row.save()


@joins_transaction
def release_member(*, union_id: int, orgcode: str, actor: User | None) -> None:
    """The member has left, its nodes are reclaimed."""
    member = locked_or_missing(
        UnionMember.objects.filter(state=MemberState.QUITTING), union_id=union_id, organization__orgcode=orgcode
    )
    member.leave()
    member.save()
    audit.record("unions.union.quit", actor=actor, target=member.union, orgcode=orgcode)


@joins_transaction
def keep_union(*, union_id: int) -> None:
    """Take back `propose_delete`: the platform did not delete it."""
    for union in Union.objects.select_for_update(of=("self",)).filter(pk=union_id, state=UnionState.DELETING):
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


# --- reading requests -----------------------------------------------------------------------------------------------


def _read_union_request(
    name: str, oemtype: str, creatororg: str, orgs: Sequence[str]
) -> tuple[Organization, list[Organization], Platform]:
    errors: dict[str, list[str]] = {}
    if not name.strip() or len(name) > 200:
        errors["name"] = [_("A name of 1 to 200 characters is needed.")]
    official = Platform.objects.official()
    platform = official.filter(oemtype=oemtype).first() if oemtype else official.filter(is_default=True).first()
    if platform is None:
        errors["oemtype"] = [_("No platform is registered under “%(oemtype)s”.") % {"oemtype": oemtype}]
    creator = Organization.objects.select_related("space").filter(orgcode=creatororg).first()
    if creator is None:
        errors["creatororg"] = [_("There is no organization of this code.")]
    invited_codes = [code for code in dict.fromkeys(orgs) if code != creatororg]
    found = {
        each.orgcode: each for each in Organization.objects.select_related("space").filter(orgcode__in=invited_codes)
    }
    unknown = [code for code in invited_codes if code not in found]
    if unknown:
        errors["orgs"] = [_("Unknown organizations: %(codes)s.") % {"codes": ", ".join(map(str, unknown))}]
    elif not invited_codes:
        errors["orgs"] = [_("A union needs somebody else: invite at least one other organization.")]
    if errors or creator is None or platform is None:
        raise Invalid(_("The union has errors."), errors=errors)
    return creator, [found[code] for code in invited_codes], platform


def _union_and_organization(actor: User, unionid: str, orgcode: str) -> tuple[Union, Organization]:
    union = locked_or_missing(Union.objects.visible_to(actor), unionid=unionid)
    organization = Organization.objects.select_related("space").filter(orgcode=orgcode).first()
    if organization is None:
        raise Invalid.field("orgcode", _("There is no organization of this code."))
    return union, organization


def _require_capability(platform: Platform, operation: str) -> None:
    supported, reason = platform.capability(operation)
    if not supported:
        raise NotSupported(reason)


def _require_place(platform: Platform, organization: Organization, field: str) -> None:
    """Nodes can be built where the resource space is: the tenant's platform, or one that takes machines."""
    space = organization.space
    if space.platform_id not in (None, platform.pk):
        text = _("The resource space of %(name)s is on another platform.") % {"name": organization.name}
        raise Invalid.field(field, text)
    if platform.cloudtype not in ("both", organization.category):
        text = _("%(platform)s takes no organizations of the category of %(name)s.")
        raise Invalid.field(field, text % {"platform": platform.name, "name": organization.name})


def _members(union: Union) -> list[Organization]:
    members = union.members.filter(state__in=[MemberState.ACTIVE, MemberState.QUITTING]).select_related("organization")
    return [member.organization for member in members]


def _payload(platform: Platform, union: Union | None, creator: Organization, name: str) -> dict[str, Any]:
    """What every flow of this floor is given; `docs/architecture.md` lists the keys."""
    return {
        "platform": platform.pk,
        "union": union.pk if union else None,
        "unionid": union.unionid if union else "",
        "creator": creator.orgcode,
        "orgs": [],
        "member": "",
        "name": name,
    }
