"""The step that looks at a network which is there already, with the creator's own credential and nothing else.

What a platform shows to that credential is the creator's to speak of; still it must be a member of the network.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import cast

from django.utils.translation import gettext_noop

from console import flows
from console.errors import Conflict, ConsoleError, Missing, PlatformUnavailable
from console.flows import Done, StepContext
from console.sentences import kept
from platforms import standard
from platforms.drivers import driver_for
from platforms.drivers.base import read
from platforms.models import Platform
from unions.flows.arguments import organization_named, platform_of
from unions.matching import SeenMember, members_seen
from unions.models import Organization
from unions.spaces import own_credentials

NOT_SHOWN = kept(gettext_noop("The platform shows no network %(id)s to %(name)s."))
NOT_RUNNING = kept(gettext_noop("The platform says that the network is not running (%(state)s)."))
NOT_IN_IT = kept(gettext_noop("The platform does not name these as members of the network: %(names)s."))
NOT_ASKED = kept(gettext_noop("These are members of the network, too; invite them as well: %(names)s."))


@flows.step("unions.find_network")
def find_network(context: StepContext) -> Done:
    """The network with its members: everyone of the union is in it, and everyone in it who is known here is asked."""
    platform, creator = platform_of(context), organization_named(context.flow_arguments["creator"])
    network = _network(context, platform, creator)
    if network.status not in ("running", "stopped", "unknown"):
        raise Conflict(NOT_RUNNING % {"state": network.status})
    orgs = [organization_named(orgcode) for orgcode in context.flow_arguments["orgs"]]
    members = _named(members_seen(platform, network, _nodes(context, platform, creator)), orgs)
    known = {each.orgcode: each for each in members if each.orgcode and not _is_placeholder(each.orgcode)}
    if absent := [each.name for each in orgs if each.orgcode not in known]:
        raise Conflict(NOT_IN_IT % {"names": ", ".join(absent)})
    if unasked := sorted(set(known) - {each.orgcode for each in orgs}):
        raise Conflict(NOT_ASKED % {"names": ", ".join(organization_named(code).name for code in unasked)})
    return Done(
        {
            "network_id": network.network_id,
            "status": network.status,
            "member_id": (known[creator.orgcode].member_ids or ("",))[0],
            "member_ids": {code: (each.member_ids or ("",))[0][:200] for code, each in known.items()},
            "strangers": [asdict(each) for each in members if each.orgcode not in known],
        }
    )


def _network(context: StepContext, platform: Platform, creator: Organization) -> standard.NetworkInfo:
    network_id = context.flow_arguments["network_id"]
    request = standard.GetNetworkRequest(network_id=network_id)
    try:
        answer = read(driver_for(platform), "get_network", request, own_credentials(creator))
    except Missing as problem:
        raise Missing(NOT_SHOWN % {"id": network_id, "name": creator.name}) from problem
    return cast(standard.NetworkInfo, answer)


def _nodes(context: StepContext, platform: Platform, creator: Organization) -> tuple[standard.NodeInfo, ...]:
    """The network's nodes, which may tell more of its members; none where the platform does not show them so."""
    if not platform.capability("list_nodes")[0]:
        return ()
    request = standard.ListNodesRequest(network_id=context.flow_arguments["network_id"])
    try:
        answer = read(driver_for(platform), "list_nodes", request, own_credentials(creator))
    except PlatformUnavailable:
        raise
    except ConsoleError as problem:
        context.log(problem.detail)
        return ()
    return cast(standard.NodeList, answer).items


def _named(members: list[SeenMember], orgs: list[Organization]) -> list[SeenMember]:
    """Where the platform names no tenants at all, those of the union are known by their name as well."""
    if any(each.tenantid for each in members):
        return members
    taken = {each.orgcode for each in members}
    by_name = {each.name: each.orgcode for each in orgs if each.orgcode not in taken}
    return [each if each.orgcode else replace(each, orgcode=by_name.pop(each.name, "")) for each in members]


def _is_placeholder(orgcode: str) -> bool:
    return organization_named(orgcode).is_placeholder
