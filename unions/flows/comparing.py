"""Comparing what a platform has with what is recorded here: asked first, then held side by side in one transaction.

What is on the move is left alone: a union that something is being done to, that has changed since the platform was
asked, or a network that a flow is building right now. Whatever differs then is no matter of a moment.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, cast

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from console import flows
from console.errors import ConsoleError, Missing, NotSupported, PlatformUnavailable
from console.flows import Blueprint, Done, Later, StepContext, Task
from console.models import Flow
from console.models.flows import OPEN_FLOW_STATES
from console.sentences import kept
from platforms import standard
from platforms.drivers import credentials_of, driver_for
from platforms.drivers.base import Credentials, Driver, read
from platforms.models import Platform
from unions.drifts.findings import Finding, Owners, member_findings, network_missing, unknown_networks
from unions.drifts.networks import networks_of_others
from unions.flows.arguments import platform_of
from unions.models import Drift, DriftKind, MemberState, Proposal, ProposalState, Union, UnionState
from unions.services import drifts
from unions.spaces import credentials_for

Json = dict[str, Any]
BUDGET_SECONDS = 15.0  # of one run of a step; the rest is for the next
KINDS = (
    DriftKind.NETWORK_MISSING,
    DriftKind.NETWORK_UNKNOWN,
    DriftKind.MEMBER_MISSING,
    DriftKind.MEMBER_UNKNOWN,
)
NOT_READ = kept(gettext_noop("the network of “%(name)s” could not be read: %(problem)s"))
NOT_LISTED = kept(gettext_noop("the platform does not list its networks, so unknown ones are not found: %(problem)s"))


def plan_reconcile(arguments: Json) -> list[Task]:
    """The floor above puts its own reading and comparing beside these."""
    return [
        Task("read", "unions.read_for_comparison", gettext_noop("Ask the platform what it has")),
        Task("compare", "unions.compare", gettext_noop("Compare networks and members with the records")),
    ]


RECONCILE = flows.register(
    Blueprint(drifts.RECONCILE, gettext_noop("Compare %(name)s with its platform"), plan_reconcile)
)


# --- reading ----------------------------------------------------------------------------------------------------------


@flows.step("unions.read_for_comparison")
def read_for_comparison(context: StepContext) -> Done | Later:
    """The list of networks, then one union after the other, in runs of a bounded time."""
    platform = platform_of(context)
    seen: Json = (context.position or {}).get("seen") or {
        "at": timezone.now().isoformat(),
        "networks": _listed(context, platform),
        "unions": {},
    }
    began, driver = time.monotonic(), driver_for(platform)
    for union in compared_unions(context.flow_arguments):
        if str(union.pk) in seen["unions"]:
            continue
        if time.monotonic() > began + BUDGET_SECONDS:
            return Later(0.0, {"seen": seen})
        seen["unions"][str(union.pk)] = _network_of(context, platform, driver, union, seen["networks"])
    return Done(seen)


def compared_unions(arguments: Json) -> QuerySet[Union]:
    """The unions that the comparison is about, with everything that it needs of them."""
    rows = Union.objects.filter(platform=arguments["platform"], state=UnionState.ACTIVE).exclude(network_id="")
    if arguments["union"] is not None:
        rows = rows.filter(pk=arguments["union"])
    return rows.select_related("creator__space").prefetch_related("members__organization__space").order_by("pk")


def credentials_of_union(platform: Platform, union: Union) -> Credentials:
    creator = union.acting_creator()
    return credentials_for(platform, creator=creator, member=creator)


def _listed(context: StepContext, platform: Platform) -> list[Json] | None:
    """Every network of the platform; None when one union alone is compared, or the platform does not say."""
    if context.flow_arguments["union"] is not None:
        return None
    try:
        own = Credentials(platform=credentials_of(platform))
        answer = read(driver_for(platform), "list_networks", standard.EmptyRequest(), own)
    except PlatformUnavailable:
        raise
    except ConsoleError as problem:
        context.log(NOT_LISTED % {"problem": problem.detail})
        return None
    return [each.model_dump(mode="json") for each in cast(standard.NetworkList, answer).items]


def _network_of(
    context: StepContext, platform: Platform, driver: Driver, union: Union, listed: list[Json] | None
) -> Json:
    """`{"network": …}`, `{"missing": true}`, or `{}` when nobody can say."""
    request = standard.GetNetworkRequest(network_id=union.network_id)
    try:
        network = read(driver, "get_network", request, credentials_of_union(platform, union))
    except Missing:
        return {"missing": True}
    except NotSupported:
        return _from_list(union, listed)
    except PlatformUnavailable:
        raise
    except ConsoleError as problem:
        context.log(NOT_READ % {"name": union.name, "problem": problem.detail})
        return {}
    if cast(standard.NetworkInfo, network).status == "deleted":
        return {"missing": True}
    return {"network": network.model_dump(mode="json")}


def _from_list(union: Union, listed: list[Json] | None) -> Json:
    if listed is None:
        return {}
    found = next((each for each in listed if each["network_id"] == union.network_id), None)
    return {"network": found} if found else {"missing": True}


# --- comparing --------------------------------------------------------------------------------------------------------


@flows.step("unions.compare", local=True)
def compare(context: StepContext) -> Done:
    platform, seen = platform_of(context), context.outcome("read")
    owners, findings, judged = Owners(platform), list[Finding](), list[int]()
    for union in unions_at_rest(context.flow_arguments, seen["at"]):
        told = seen["unions"].get(str(union.pk)) or {}
        if told.get("missing"):
            findings.append(network_missing(union))
        elif told.get("network"):
            findings += member_findings(union, standard.NetworkInfo.model_validate(told["network"]), owners)
        else:
            continue
        judged.append(union.pk)
    settled = Drift.objects.filter(union__in=judged) | _of_no_live_union(context.flow_arguments)
    if seen["networks"] is not None:
        findings += _unknown(platform, seen["networks"], owners)
        settled |= Drift.objects.filter(kind=DriftKind.NETWORK_UNKNOWN)
    counts = drifts.record_findings(platform_id=platform.pk, kinds=KINDS, findings=findings, settled=settled)
    return Done({**counts, "unions": len(judged)})


def _of_no_live_union(arguments: Json) -> QuerySet[Drift]:
    """Drifts of unions that are no more: nobody will see them again."""
    rows = Drift.objects.filter(union__state=UnionState.DELETED)
    return rows if arguments["union"] is None else rows.filter(union=arguments["union"])


def unions_at_rest(arguments: Json, since: str) -> list[Union]:
    """The unions to which nothing is being done, nor has been since the platform was asked."""
    began = datetime.fromisoformat(since)
    busy = Proposal.objects.filter(state=ProposalState.CARRIED).filter(
        Q(flow__state__in=OPEN_FLOW_STATES) | Q(flow__ended_at__gte=began)
    )
    rows = compared_unions(arguments).exclude(pk__in=busy.filter(union__isnull=False).values("union"))
    return [union for union in rows if union.created_at < began and _has_settled(union, began)]


def _has_settled(union: Union, began: datetime) -> bool:
    """Nobody is coming or going, and nobody has come or gone since."""
    quiet = all(each.state == MemberState.ACTIVE and each.joined_at < began for each in union.present)
    return quiet and not any(each.left_at and each.left_at >= began for each in union.members.all())


def _unknown(platform: Platform, listed: list[Json], owners: Owners) -> list[Finding]:
    live = Union.objects.filter(platform=platform).exclude(state=UnionState.DELETED)
    known = {*live.values_list("network_id", flat=True), *networks_of_others(platform)}
    creating = Flow.objects.filter(state__in=OPEN_FLOW_STATES, arguments__platform=platform.pk)
    being_made = {str(row.get("name", "")) for row in creating.values_list("arguments", flat=True)}
    networks = [standard.NetworkInfo.model_validate(each) for each in listed]
    return unknown_networks(networks, known, being_made, owners)
