"""Networks that a platform has already, written down as unions. Nothing is built or changed on the platform."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from console import audit
from console.errors import Conflict
from console.models import Flow, Step, User
from console.models.flows import OPEN_FLOW_STATES
from console.services.notifications import notify
from console.transactions import joins_transaction
from platforms.models import Platform
from unions.codes import new_code
from unions.matching import SeenMember
from unions.models import (
    MemberState,
    Organization,
    Proposal,
    ProposalKind,
    Union,
    UnionMember,
    UnionState,
)
from unions.names import MAX_NAME, key_of, plain_name
from unions.services import placeholders, proposals

BUILDS = "unions.create"  # the kind of flow that makes a network


def union_of(platform: Platform, network_id: str) -> Union | None:
    """The union that has the network, if one has."""
    live = Union.objects.filter(platform=platform, network_id=network_id).exclude(state=UnionState.DELETED)
    return live.first()


def being_built(platform: Platform) -> tuple[set[str], set[str]]:
    """Ids and names (as `key_of` gives them) of networks that flows of this console are about to make into unions."""
    flows = Flow.objects.filter(kind=BUILDS, state__in=OPEN_FLOW_STATES, arguments__platform=platform.pk)
    arguments = list(flows.values_list("arguments", flat=True))
    names = {key_of(str(each.get("name", ""))) for each in arguments}
    ids: set[str] = {str(each.get("network_id", "")) for each in arguments}
    steps = Step.objects.filter(flow__in=flows, name="network")
    for outcome, position in steps.values_list("outcome", "position"):
        ids |= {(outcome or {}).get("network_id", ""), ((position or {}).get("known") or {}).get("network_id", "")}
    return ids - {""}, names


def free_name(platform: Platform, name: str, network_id: str, beside: Collection[str] = ()) -> str:
    """The network's name, or with its id behind it where a union of the platform, or of `beside`, is called so."""
    base = plain_name(name) or plain_name(network_id)
    taken = {key_of(each) for each in beside}
    live = Union.objects.filter(platform=platform).exclude(state=UnionState.DELETED)
    for mark in ("", f" ({network_id[:60]})", f" ({new_code('net')})"):
        wanted = base[: MAX_NAME - len(mark)] + mark
        if key_of(wanted) not in taken and not live.filter(name_key=key_of(wanted)).exists():
            return wanted
    raise RuntimeError("a random name is taken")


def refuse_taken_network(platform: Platform, network_id: str) -> None:
    """Conflict while a union has the network, or a proposal asks for it."""
    if (union := union_of(platform, network_id)) is not None:
        raise Conflict.field("network_id", _("The union “%(name)s” has this network already.") % {"name": union.name})
    asked = Proposal.objects.under_way().filter(kind=ProposalKind.CREATE, payload__platform=platform.pk)
    if asked.filter(payload__network_id=network_id).exists():
        raise Conflict.field("network_id", _("A union of this network is being asked for already."))


@joins_transaction
def write_union(
    *, actor: User | None, platform: Platform, network_id: str, name: str, members: Sequence[SeenMember]
) -> Union:
    """The union of a network with the members that the platform has named; unknown ones get a placeholder.

    The creator is the first that the platform names; while it is a placeholder, others speak for the union
    (`acting_creator`). The caller has judged, and holds the platform.
    """
    organizations = [(member, _organization(platform, name, member)) for member in members or [SeenMember(name=name)]]
    union = Union.objects.create(
        unionid=new_code("union"),
        name=name,
        platform=platform,
        creator=organizations[0][1],
        network_id=network_id,
    )
    for member, organization in organizations:
        member_id = (member.member_ids or ("",))[0][:200]
        UnionMember.objects.create(
            union=union, organization=organization, member_id=member_id, state=MemberState.ACTIVE
        )
    union.open()
    union.save()
    return union


def _organization(platform: Platform, network: str, member: SeenMember) -> Organization:
    if member.orgcode:
        return Organization.objects.get(orgcode=member.orgcode)
    return stand_in(platform, network, member)


@joins_transaction
def stand_in(platform: Platform, network: str, member: SeenMember) -> Organization:
    """The placeholder of a member that nobody here is known to be."""
    key = (member.member_ids or ("",))[0] or network
    return placeholders.placeholder_for(
        platform=platform, name=member.name, tenantid=member.tenantid[:100], key=plain_name(key)
    )


@joins_transaction
def announce(union: Union, *, actor: User | None) -> None:
    """The record of a network that was taken over, and a word to those of its members that are known."""
    members = [each.organization for each in union.members.select_related("organization")]
    orgs, network_id = [each.orgcode for each in members], union.network_id
    audit.record(
        "unions.union.taken_over", actor=actor, target=union, unionid=union.unionid, network=network_id, orgs=orgs
    )
    notify(
        proposals.people_of(members),
        kind="union",
        title=gettext_noop("The network %(name)s was taken over; your organization is a member of its union"),
        parameters={"name": union.name},
        link=f"/unions/{union.unionid}",
        subject=union,
    )


@joins_transaction
def take_back_union(*, union_id: int, actor: User | None) -> bool:
    """Forget a union that was taken over; the network stays. False when something has happened with it since."""
    union = Union.objects.select_for_update(of=("self",)).filter(pk=union_id).first()
    if union is None:
        return True
    if union.state != UnionState.ACTIVE or union.proposals.exists():
        return False
    members = list(union.members.values_list("organization_id", flat=True))
    Union.objects.filter(pk=union.pk).delete()
    placeholders.drop_unused(members)
    audit.record("unions.union.taken_back", actor=actor, target=union, unionid=union.unionid, network=union.network_id)
    return True
