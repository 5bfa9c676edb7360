"""Mending what differs, once those whom it touches have agreed. Each way looks once more before it writes anything."""

from __future__ import annotations

from typing import Any, cast

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from console import flows
from console.errors import Conflict, Missing
from console.flows import Blueprint, Done, Later, StepContext, Task
from console.policies import ALLOWED, Verdict, not_now
from platforms import standard
from platforms.drivers import driver_for
from platforms.drivers.base import read
from unions.drifts.findings import is_place_of
from unions.drifts.ways import Way, add_note, add_way, way_named
from unions.flows.arguments import actor_of, creator_of, network_id_of, organization_named, platform_of, reason_of
from unions.flows.plans import APPROVAL, INVITE, LOOK, STILL_IN
from unions.matching import GONE
from unions.models import Drift, DriftKind, Organization, Proposal, ProposalState, Union, UnionState
from unions.policies import fits, may_write_off, supports
from unions.services import drifts, proposals, unions
from unions.services.union_requests import present_members
from unions.spaces import credentials_for, party_of
from unions.steps import GONE as GONE_ALREADY
from unions.steps import remove

Json = dict[str, Any]
STILL_THERE = gettext_noop("The platform has it again: compare once more.")
NOT_THERE = gettext_noop("The platform does not have it any more: compare once more.")
OURS_NOW = gettext_noop("A union has this network by now.")
RECLAIMED = gettext_noop("What was reclaimed on the platform is not built again.")


def plan_mend(arguments: Json) -> list[Task]:
    """What the chosen way does, between the agreement and the record of it."""
    way = way_named(arguments["kind"], arguments["way"])
    if way is None or way.plan is None:
        raise LookupError(f"{arguments['kind']} is not mended by {arguments['way']}")
    return [
        Task(
            "mark",
            "unions.mark_drift",
            gettext_noop("Mark the difference as being mended"),
            "unions.leave_drift",
            already=True,
        ),
        INVITE,
        APPROVAL,
        *way.plan(arguments),
        Task("mended", "unions.mended", gettext_noop("Write down that it is mended")),
    ]


MEND = flows.register(Blueprint("unions.mend", gettext_noop("Mend a difference: %(name)s"), plan_mend))


# --- steps of every way -----------------------------------------------------------------------------------------------


@flows.step("unions.mark_drift", local=True)
def mark_drift(context: StepContext) -> Done:
    """Begin a mending again that has stopped half-way."""
    drifts.begin_mending(drift_id=context.flow_arguments["drift"], way=context.flow_arguments["way"])
    return Done()


@flows.step("unions.leave_drift", local=True)
def leave_drift(context: StepContext) -> Done:
    """It came to nothing: those who had agreed hear of it, and the difference is open again."""
    proposal = Proposal.objects.get(pk=context.flow_arguments["proposal"])
    if proposal.state == ProposalState.CARRIED:
        actor, reason = reason_of(context)
        half_way = context.leaves_lasting_effects()
        proposals.give_up(proposal_id=proposal.pk, actor=actor, reason=reason, half_way=half_way)
    drifts.leave_drift(drift_id=context.flow_arguments["drift"])
    return Done()


@flows.step("unions.mended", local=True)
def mended(context: StepContext) -> Done:
    drifts.settle_drift(drift_id=context.flow_arguments["drift"], actor=actor_of(context))
    return Done()


# --- the network is gone ----------------------------------------------------------------------------------------------


def plan_write_off(arguments: Json) -> list[Task]:
    return [
        Task("check", "unions.check_network_gone", LOOK),
        Task("write-off", "unions.write_off_union", gettext_noop("Write down that the union is gone")),
    ]


@flows.step("unions.check_network_gone")
def check_network_gone(context: StepContext) -> Done:
    """Conflict when the platform has the network after all."""
    if _network(context) is not None:
        raise Conflict(STILL_THERE)
    return Done()


@flows.step("unions.write_off_union", local=True)
def write_off_union(context: StepContext) -> Done:
    unions.write_off_union(union_id=context.flow_arguments["union"], actor=actor_of(context))
    return Done()


def _network(context: StepContext) -> standard.NetworkInfo | None:
    """The network as the platform shows it now; None when it is gone."""
    platform, creator = platform_of(context), creator_of(context)
    credentials = credentials_for(platform, creator=creator, member=creator)
    try:
        if not platform.capability("get_network")[0]:
            answer = read(driver_for(platform), "list_networks", standard.EmptyRequest(), credentials)
            listed = cast(standard.NetworkList, answer).items
            return next((each for each in listed if each.network_id == network_id_of(context)), None)
        request = standard.GetNetworkRequest(network_id=network_id_of(context))
        network = cast(standard.NetworkInfo, read(driver_for(platform), "get_network", request, credentials))
    except Missing:
        return None
    return None if network.status == "deleted" else network


# --- a member is not in the network -----------------------------------------------------------------------------------


def plan_release(arguments: Json) -> list[Task]:
    return [
        Task("check", "unions.check_place_gone", LOOK),
        Task("leave", "unions.write_off_member", gettext_noop("Write down that the member has left")),
    ]


@flows.step("unions.check_place_gone")
def check_place_gone(context: StepContext) -> Done:
    """Conflict when the member is in the network after all, or the network itself is gone."""
    network = _network(context)
    if network is None:
        raise Conflict(NOT_THERE)
    member = _member_row(context)
    if any(is_place_of(member, place) for place in network.members if place.status.lower() not in GONE):
        raise Conflict(STILL_THERE)
    return Done()


def _member_row(context: StepContext) -> Any:
    arguments = context.flow_arguments
    rows = Union.objects.get(pk=arguments["union"]).members.select_related("organization__space")
    row = rows.filter(organization__orgcode=arguments["member"], left_at=None).first()
    if row is None:
        raise Conflict(gettext_noop("It is not a member any more; there is nothing left to mend."))
    return row


@flows.step("unions.write_off_member", local=True)
def write_off_member(context: StepContext) -> Done:
    arguments = context.flow_arguments
    unions.write_off_member(union_id=arguments["union"], orgcode=arguments["member"], actor=actor_of(context))
    return Done()


def plan_rebuild(arguments: Json) -> list[Task]:
    member = {"member": arguments["member"]}
    return [
        Task("look", "unions.look_for_member", LOOK, arguments=member),
        Task(
            "network",
            "unions.join_network",
            gettext_noop("Join the network"),
            "unions.quit_network",
            arguments=member,
        ),
        Task("place", "unions.record_place", gettext_noop("Write down the member's place")),
    ]


@flows.step("unions.record_place", local=True)
def record_place(context: StepContext) -> Done:
    arguments = context.flow_arguments
    member_id = context.outcome("network").get("member_id", "")
    unions.record_place(union_id=arguments["union"], orgcode=arguments["member"], member_id=member_id)
    return Done()


# --- a member that the union does not have ----------------------------------------------------------------------------


def plan_adopt_member(arguments: Json) -> list[Task]:
    return [
        Task("check", "unions.check_place", LOOK),
        Task("place", "unions.adopt_member", gettext_noop("Write down the member")),
    ]


@flows.step("unions.check_place")
def check_place(context: StepContext) -> Done:
    """Conflict when the place that was found is not there any more."""
    found, network = context.flow_arguments["theirs"], _network(context)
    for place in network.members if network else ():
        same = place.member_id == found["member_id"] if found["member_id"] else place.name == found["name"]
        if same and place.status.lower() not in GONE:
            return Done({"member_id": place.member_id})
    raise Conflict(NOT_THERE)


@flows.step("unions.adopt_member", local=True)
def adopt_member(context: StepContext) -> Done:
    arguments = context.flow_arguments
    unions.admit_member(
        union_id=arguments["union"],
        orgcode=arguments["member"],
        member_id=context.outcome("check").get("member_id", ""),
    )
    unions.settle_member(union_id=arguments["union"], orgcode=arguments["member"], actor=actor_of(context))
    return Done()


def plan_expel(arguments: Json) -> list[Task]:
    return [
        Task(
            "expel",
            "unions.reclaim_place",
            gettext_noop("Reclaim what it has in the network"),
            lasting=STILL_IN,
        )
    ]


@flows.step("unions.reclaim_place")
def reclaim_place(context: StepContext) -> Done | Later:
    """The place of a member that the union does not have; nothing to do when it is gone already."""
    platform, member = platform_of(context), organization_named(context.flow_arguments["member"])
    rows = Union.objects.get(pk=context.flow_arguments["union"]).members.filter(organization=member, left_at=None)
    if rows.exists():
        raise Conflict(gettext_noop("It is a member of the union by now."))
    member_id = context.flow_arguments["theirs"].get("member_id", "")
    request = standard.QuitNetworkRequest(
        network_id=network_id_of(context), member=party_of(member), member_id=member_id
    )
    credentials = credentials_for(platform, creator=creator_of(context), member=member)
    try:
        return remove(context, platform, "quit_network", request, credentials, known={"member_id": member_id})
    except Missing:
        return GONE_ALREADY


# --- a network that no union has --------------------------------------------------------------------------------------


def plan_reclaim(arguments: Json) -> list[Task]:
    return [
        Task(
            "reclaim",
            "unions.reclaim_network",
            gettext_noop("Delete the network"),
            lasting=RECLAIMED,
        )
    ]


@flows.step("unions.reclaim_network")
def reclaim_network(context: StepContext) -> Done | Later:
    """Delete a network that no union has, in the name of the organization in whose space it is."""
    platform, owner, network_id = platform_of(context), creator_of(context), context.flow_arguments["key"]
    live = Union.objects.filter(platform=platform, network_id=network_id).exclude(state=UnionState.DELETED)
    if live.exists():
        raise Conflict(OURS_NOW)
    request = standard.DeleteNetworkRequest(network_id=network_id, creator=party_of(owner))
    credentials = credentials_for(platform, creator=owner, member=owner)
    return remove(context, platform, "delete_network", request, credentials, known={"network_id": network_id})


# --- who is asked, and what is open -----------------------------------------------------------------------------------


def members_of(drift: Drift) -> list[Organization]:
    return present_members(drift.union) if drift.union is not None else []


def owner_of(drift: Drift) -> list[Organization]:
    return [drift.organization] if drift.organization is not None and not drift.organization.is_placeholder else []


def _known(drift: Drift) -> Verdict:
    if owner_of(drift):
        return ALLOWED
    return not_now(_("Which organization of this console it belongs to is not known."))


def _may_release(drift: Drift) -> Verdict:
    if drift.union is not None and len(drift.union.present) > 1:
        return ALLOWED
    return not_now(_("It is the last member; delete the union instead."))


def _may_rebuild(drift: Drift) -> Verdict:
    if drift.organization is None:
        return _known(drift)
    return _known(drift) and supports(drift.platform, "join_network") and fits(drift.platform, drift.organization)


def _may_expel(drift: Drift) -> Verdict:
    return _known(drift) and supports(drift.platform, "quit_network")


def _may_reclaim(drift: Drift) -> Verdict:
    return _known(drift) and supports(drift.platform, "delete_network")


add_way(
    DriftKind.NETWORK_MISSING,
    Way(
        "write_off",
        _("Write the union off"),
        _("Union, chains and nodes are recorded as gone. Nothing is done on the platform."),
        asked=members_of,
        plan=plan_write_off,
        may=may_write_off,
        destroys=True,
    ),
)
add_note(
    DriftKind.NETWORK_MISSING,
    _("Building it again is not offered: no ledger comes back. Write the union off and create a new one."),
)
add_way(
    DriftKind.MEMBER_MISSING,
    Way(
        "write_off",
        _("Record that it has left"),
        _("The member and its nodes are recorded as gone. Nothing is done on the platform."),
        asked=members_of,
        plan=plan_release,
        may=_may_release,
        destroys=True,
    ),
)
add_way(
    DriftKind.MEMBER_MISSING,
    Way(
        "rebuild",
        _("Bring it in again"),
        _("Its place and its nodes are built again on the platform, with its own credential."),
        asked=members_of,
        plan=plan_rebuild,
        may=_may_rebuild,
    ),
)
add_way(
    DriftKind.MEMBER_UNKNOWN,
    Way(
        "adopt",
        _("Make it a member of the union"),
        _("It is recorded as a member, with the nodes that it has. Nothing is done on the platform."),
        asked=members_of,
        plan=plan_adopt_member,
        may=_known,
    ),
)
add_way(
    DriftKind.MEMBER_UNKNOWN,
    Way(
        "reclaim",
        _("Take it out of the network"),
        _("What it has in the network is reclaimed on the platform."),
        asked=members_of,
        plan=plan_expel,
        may=_may_expel,
        destroys=True,
    ),
)
add_note(
    DriftKind.MEMBER_UNKNOWN,
    _("A member whose tenant belongs to no organization here cannot be adopted: have its organization register first."),
)
add_way(
    DriftKind.NETWORK_UNKNOWN,
    Way(
        "take_over",
        _("Take it over"),
        _("It becomes a union here, with its members, chains and nodes."),
        page=lambda drift: f"/platforms/{drift.platform.oemtype}/take-over",
    ),
)
add_way(
    DriftKind.NETWORK_UNKNOWN,
    Way(
        "reclaim",
        _("Delete it on the platform"),
        _("The network is deleted with everything in it, once the organization in whose space it is agrees."),
        asked=owner_of,
        plan=plan_reclaim,
        may=_may_reclaim,
        destroys=True,
    ),
)
