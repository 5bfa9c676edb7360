"""Steps that have the platform build or reclaim networks and members' places in them.

Creating is the delicate half. A platform may have made something although its answer never arrived, or said nonsense,
or its job failed half-way. So "look" writes down what was there before; whatever carries our name and was not there
before is ours, to go on with or to take back. A driver that resumes is asked again instead.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django.utils.translation import gettext_noop

from console import flows
from console.errors import Missing, NotSupported, PlatformRefused
from console.flows import Ask, Done, Later, StepContext
from console.sentences import kept
from platforms import standard
from platforms.drivers import driver_for
from platforms.drivers.base import read, repeatable
from platforms.models import Platform
from unions.flows.arguments import creator_of, network_id_of, organization_named, platform_of
from unions.models import Organization, Union, UnionMember, UnionState
from unions.spaces import credentials_for, party_of
from unions.steps import GONE, perform, remove

LOOK_AGAIN_SECONDS = 5.0
MAX_LOOKS = 240  # 20 minutes

NOT_LISTED = kept(gettext_noop("the platform does not list its networks: %(problem)s"))
NOT_SHOWN = kept(gettext_noop("the platform does not show the network: %(problem)s"))
OTHERS = kept(gettext_noop("The platform answered with the network of another union (%(id)s)."))
FOUND = gettext_noop("found the network that an earlier attempt has made")
NOBODY_KNOWS = gettext_noop(
    "Nobody knows whether the network was made, and the platform does not list its networks. "
    "Look for it on the platform, delete it there, then skip this step."
)
SEVERAL_LEFT = kept(
    gettext_noop(
        "Several networks of this name may have been made (%(ids)s). "
        "Delete what belongs to nobody on the platform, then skip this step."
    )
)
NETWORK_UNKNOWN = gettext_noop(
    "The platform did not answer whether it has made the network, and looking for it came to nothing. Is it there?"
)
NETWORK_SEVERAL = gettext_noop(
    "The platform did not answer whether it has made the network. "
    "Several of this name are there now that were not there before: which one is it?"
)
NETWORK_GONE = gettext_noop("The network that was chosen is not there any more, or belongs to another union.")
PLACE_UNKNOWN = gettext_noop(
    "The platform did not answer whether it has brought the member in, and looking for it came to nothing. Is it in?"
)
PLACE_SEVERAL = gettext_noop(
    "The platform did not answer whether it has brought the member in. "
    "It shows several places for this member: which one is it?"
)
PLACE_GONE = gettext_noop("The place that was chosen is not there any more.")

# --- looking --------------------------------------------------------------------------------------------------------


@flows.step("unions.look_for_networks")
def look_for_networks(context: StepContext) -> Done:
    """Which networks of this name the platform has before anything is built; None when it cannot say."""
    found = _networks_named(context, creator_of(context))
    return Done({"before": None if found is None else [each.network_id for each in found]})


@flows.step("unions.look_for_member")
def look_for_member(context: StepContext) -> Done:
    """Whether the platform counts the organization among the network's members already; None when it cannot say."""
    member = organization_named(context.arguments["member"])
    network = _network(context, member)
    return Done({"before": None if network is None else bool(_places_of(member, network))})


def _networks_named(context: StepContext, creator: Organization) -> list[standard.NetworkInfo] | None:
    platform, name = platform_of(context), context.flow_arguments["name"]
    if not platform.capability("list_networks")[0]:
        return None
    credentials = credentials_for(platform, creator=creator)
    try:
        answer = read(driver_for(platform), "list_networks", standard.EmptyRequest(), credentials)
    except (PlatformRefused, NotSupported) as problem:
        context.log(NOT_LISTED % {"problem": problem.for_operators})
        return None
    listed = cast(standard.NetworkList, answer)
    return [each for each in listed.items if each.name == name and each.status != "deleted"]


def _network(context: StepContext, member: Organization) -> standard.NetworkInfo | None:
    """The network as the platform sees it; None when it cannot or will not say. Missing when there is none."""
    platform = platform_of(context)
    if not platform.capability("get_network")[0]:
        return None
    credentials = credentials_for(platform, creator=creator_of(context), member=member)
    request = standard.GetNetworkRequest(network_id=network_id_of(context))
    try:
        return cast(standard.NetworkInfo, read(driver_for(platform), "get_network", request, credentials))
    except (PlatformRefused, NotSupported) as problem:
        context.log(NOT_SHOWN % {"problem": problem.for_operators})
        return None


def _places_of(member: Organization, network: standard.NetworkInfo) -> list[standard.MemberInfo]:
    """The member's places in the network, told by its tenant or else by its name; those it has left do not count."""
    names = {member.name, member.orgcode}
    return [
        each
        for each in network.members
        if each.status not in ("deleted", "deleting")
        and (each.tenantid == member.space.tenantid if each.tenantid else each.name in names)
    ]


# --- building -------------------------------------------------------------------------------------------------------


@flows.step("unions.create_network", asks=NETWORK_UNKNOWN)
def create_network(context: StepContext) -> Done | Later | Ask:
    """The network, made by the creator in its own space."""
    arguments = context.flow_arguments
    platform, creator = platform_of(context), creator_of(context)
    if _has_to_look(context, platform):
        found = _network_to_go_on_with(context, platform, creator)
        if found is not None:
            return found if isinstance(found, Ask) else _go_on_with(context, found, creator)
    request = standard.CreateNetworkRequest(
        name=arguments["name"],
        kernel=platform.kernel,
        creator=party_of(creator),
        members=tuple(party_of(organization_named(code)) for code in arguments["orgs"] if code != creator.orgcode),
    )
    answer, wait = perform(context, platform, "create_network", request, credentials_for(platform, creator=creator))
    if answer is None:
        return _waiting(wait)
    if _taken(platform, answer.network_id):
        raise PlatformRefused(OTHERS % {"id": answer.network_id})
    return Done({"network_id": answer.network_id, "member_id": answer.member_id, "status": answer.status})


@flows.step("unions.join_network", asks=PLACE_UNKNOWN)
def join_network(context: StepContext) -> Done | Later | Ask:
    """One member's place and nodes, made with its own credential in its own space."""
    platform, member = platform_of(context), organization_named(context.arguments["member"])
    creator = creator_of(context)
    if _has_to_look(context, platform):
        place = _place_to_go_on_with(context, platform, member)
        if isinstance(place, Ask):
            return place
        if place is not None:
            return Done({"member_id": place.member_id, "orgcode": member.orgcode, "status": place.status})
    request = standard.JoinNetworkRequest(
        network_id=network_id_of(context), member=party_of(member), inviter=party_of(creator)
    )
    credentials = credentials_for(platform, creator=creator, member=member)
    answer, wait = perform(context, platform, "join_network", request, credentials)
    if answer is None:
        return _waiting(wait)
    return Done({"member_id": answer.member_id, "orgcode": member.orgcode, "status": answer.status})


def _unsure(context: StepContext) -> bool:
    """An earlier attempt ended without telling us what it has made: its answer was lost, or its worker.

    A platform that was merely unavailable has made nothing, or takes our key for what it is: that is asked again.
    """
    if context.known:
        return False
    return context.unsure or _looks(context) > 0


def _has_to_look(context: StepContext, platform: Platform) -> bool:
    """Whether what is to be made may be there already, or an operator said which one it is."""
    if driver_for(platform).resumes:
        return False
    return _unsure(context) or context.told_to_try_again or bool(context.chosen)


def _network_to_go_on_with(
    context: StepContext, platform: Platform, creator: Organization
) -> standard.NetworkInfo | Ask | None:
    """What an earlier attempt has made, as the platform shows or an operator chose; None: there is nothing."""
    found, certain = _found_networks(context, creator)
    candidates = tuple(_candidate(each.network_id, each.name, each.status, each.created) for each in found)
    if context.chosen:
        chosen = next((each for each in found if each.network_id == context.chosen), None)
        return chosen or Ask(NETWORK_GONE, candidates)
    if not certain and repeatable(driver_for(platform), "create_network"):
        return None
    if len(found) > 1:
        return Ask(NETWORK_SEVERAL, candidates)
    if certain:
        return found[0] if found else None
    return None if context.told_to_try_again and not found else Ask(NETWORK_UNKNOWN, candidates)


def _place_to_go_on_with(
    context: StepContext, platform: Platform, member: Organization
) -> standard.MemberInfo | Ask | None:
    """The place that an earlier attempt has made, as the platform shows or an operator chose; None: there is none."""
    found, certain = _found_places(context, member)
    candidates = tuple(_candidate(each.member_id, each.name, each.status) for each in found)
    if context.chosen:
        chosen = next((each for each in found if each.member_id == context.chosen), None)
        return chosen or Ask(PLACE_GONE, candidates)
    if len(found) > 1:
        return Ask(PLACE_SEVERAL, candidates)
    if found:
        return found[0]
    may_ask_again = certain or context.told_to_try_again or repeatable(driver_for(platform), "join_network")
    return None if may_ask_again else Ask(PLACE_UNKNOWN)


def _candidate(of: str, name: str, status: str, created: datetime | None = None) -> dict[str, str]:
    """A thing on the platform as an operator is shown it."""
    return {"id": of, "name": name, "status": status, "created": created.isoformat() if created else ""}


def _known(context: StepContext) -> dict[str, Any]:
    """What the forward run knew of the thing, and what the taking back has found out since."""
    return {**context.known, **(context.position or {}).get("known", {})}


def _looks(context: StepContext) -> int:
    """How often this step has looked already at what an earlier attempt has made."""
    return int((context.position or {}).get("looks", 0))


def _found_networks(context: StepContext, creator: Organization) -> tuple[list[standard.NetworkInfo], bool]:
    """The networks of our name that may be ours, and whether it is certain: the platform could say, then and now.

    Left out is what was there before, what another union has, and what an operator has said not to be ours.
    """
    before = context.outcome("look").get("before")
    listed = _networks_named(context, creator)
    platform = platform_of(context)
    others = {*(before or ()), *context.not_ours}
    found = [each for each in listed or () if each.network_id not in others and not _taken(platform, each.network_id)]
    return found, before is not None and listed is not None


def _taken(platform: Platform, network_id: str) -> bool:
    """Whether a union other than one that is still being built has the network."""
    states = [UnionState.BUILDING, UnionState.DELETED]
    return Union.objects.filter(platform=platform, network_id=network_id).exclude(state__in=states).exists()


def _go_on_with(context: StepContext, network: standard.NetworkInfo, creator: Organization) -> Done | Later:
    """An earlier attempt has made it: wait until it runs, then it is the answer."""
    if network.status == "creating" and _looks(context) < MAX_LOOKS:
        return Later(LOOK_AGAIN_SECONDS, {**(context.position or {}), "looks": _looks(context) + 1})
    if network.status == "creating":
        raise PlatformRefused(
            gettext_noop("The platform does not get done with building the network."), code="poll_limit"
        )
    if network.status == "failed":
        raise PlatformRefused(gettext_noop("The platform says that building the network has failed."))
    context.log(FOUND, network_id=network.network_id)
    places = _places_of(creator, network)
    member_id = places[0].member_id if places else ""
    return Done({"network_id": network.network_id, "member_id": member_id, "status": network.status})


def _found_places(context: StepContext, member: Organization) -> tuple[list[standard.MemberInfo], bool]:
    """The member's places that were not there before, and whether the platform can say so."""
    if context.outcome("look").get("before"):
        return [], True
    network = _network(context, member)
    if network is None:
        return [], False
    return [each for each in _places_of(member, network) if each.member_id not in context.not_ours], True


# --- reclaiming, and taking back what was built ---------------------------------------------------------------------


@flows.step("unions.delete_network")
def delete_network(context: StepContext) -> Done | Later:
    """The network's deletion; nothing to do when it is gone or never came to be."""
    platform, creator = platform_of(context), creator_of(context)
    network_id = _network_to_take_back(context, creator) if context.undoing else network_id_of(context)
    if not network_id:
        return Done({"skipped": "no network was made"})
    if context.undoing and _taken(platform, network_id):
        return Done({"skipped": "the network belongs to another union"})
    request = standard.DeleteNetworkRequest(network_id=network_id, creator=party_of(creator))
    credentials = credentials_for(platform, creator=creator)
    return remove(context, platform, "delete_network", request, credentials, known={"network_id": network_id})


def _network_to_take_back(context: StepContext, creator: Organization) -> str:
    """What the forward run has made: as it said, as far as it knew, or as the platform shows."""
    known = context.own_outcome.get("network_id") or _known(context).get("network_id") or context.chosen
    if known:
        return str(known)
    found, certain = _found_networks(context, creator)
    if certain and len(found) < 2:
        return found[0].network_id if found else ""
    if context.given_up or not (certain or context.unsure):
        return ""
    if found:
        raise PlatformRefused(SEVERAL_LEFT % {"ids": ", ".join(each.network_id for each in found)})
    raise PlatformRefused(NOBODY_KNOWS)


@flows.step("unions.quit_network")
def quit_network(context: StepContext) -> Done | Later:
    """One member's leaving; its nodes are reclaimed. Nothing to do when it is out already, or never came in."""
    platform, member = platform_of(context), organization_named(context.arguments["member"])
    try:
        member_id = _place_to_take_back(context, member) if context.undoing else _recorded_place(context, member)
    except Missing:
        return GONE
    if member_id is None:
        return Done({"skipped": "no place was made"})
    request = standard.QuitNetworkRequest(
        network_id=network_id_of(context), member=party_of(member), member_id=member_id
    )
    credentials = credentials_for(platform, creator=creator_of(context), member=member)
    try:
        return remove(context, platform, "quit_network", request, credentials, known={"member_id": member_id})
    except PlatformRefused as problem:
        if member_id or context.flow_arguments.get("union") is not None:
            raise
        # Nobody knows of a place, and the whole network is deleted next.
        return Done({"skipped": problem.detail})


def _recorded_place(context: StepContext, member: Organization) -> str:
    rows = UnionMember.objects.filter(union_id=context.flow_arguments.get("union"), organization=member)
    return rows.order_by("-id").values_list("member_id", flat=True).first() or ""


def _place_to_take_back(context: StepContext, member: Organization) -> str | None:
    """The place that the forward run has made; None when the platform shows that there is none."""
    known = _known(context)
    if context.own_outcome or "member_id" in known:
        return str(context.own_outcome.get("member_id") or known.get("member_id") or "")
    if context.chosen:
        return context.chosen
    if context.outcome("look").get("before"):
        return None  # it was in before us: not ours to take back
    network = _network(context, member)
    if network is None:
        return ""
    places = [each for each in _places_of(member, network) if each.member_id not in context.not_ours]
    return places[0].member_id if places else None


def _waiting(wait: Later | None) -> Later:
    if wait is None:
        raise RuntimeError("a platform call neither finished nor waits")
    return wait
