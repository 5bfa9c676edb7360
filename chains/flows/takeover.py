"""The flow of a take-over: list, read, check, preview, create. A dry run ends with the preview.

Until "create" nothing is written but what was read; there each network has a transaction of its own, so a worker that
dies leaves whole unions only, and the next one goes on behind them.
"""

from __future__ import annotations

import time
from typing import Any, cast

from django.utils.translation import gettext_noop

from chains.models import NetworkVerdict, TakeOver, TakeOverNetwork
from chains.services import takeover as service
from console import flows
from console.errors import Conflict, Missing, NotSupported, PlatformRefused
from console.flows import Blueprint, Done, Later, StepContext, Task
from console.sentences import kept
from platforms import standard
from platforms.drivers import credentials_of, driver_for
from platforms.drivers.base import Credentials, Driver, read
from platforms.models import Platform
from unions.flows.arguments import actor_of, platform_of

BUDGET_SECONDS = 15.0  # of one run of a step; the rest is for the next
Json = dict[str, Any]

CHAINS_UNTOLD = kept(gettext_noop("Its chains could not be read: %(problem)s"))
CHAIN_UNTOLD = kept(gettext_noop("The chain %(name)s could not be read in full: %(problem)s"))
NO_CHAIN_LIST = gettext_noop("The platform does not list chains.")
NO_NODE_LIST = gettext_noop("The platform does not list nodes.")

# --- plans ------------------------------------------------------------------------------------------------------------


def plan_preview(arguments: Json) -> list[Task]:
    return [
        Task("list", "chains.list_networks", gettext_noop("See which networks there are")),
        Task("read", "chains.read_networks", gettext_noop("Read members, chains and nodes")),
        Task("check", "chains.check_networks", gettext_noop("Check what can be taken over")),
        Task("preview", "chains.preview_networks", gettext_noop("Work out what is created")),
    ]


def plan_take_over(arguments: Json) -> list[Task]:
    return [
        *plan_preview(arguments),
        Task(
            "create",
            "chains.create_unions",
            gettext_noop("Write down unions, chains and nodes"),
            undo="chains.take_back_unions",
        ),
        Task("report", "chains.report_take_over", gettext_noop("Tell what has become of it")),
    ]


def plan_registered(arguments: Json) -> list[Task]:
    """Behind a registration that names networks."""
    if not arguments.get("network_ids"):
        return []
    return [Task("take-over", "chains.begin_take_over", gettext_noop("Begin to take over its networks"))]


PREVIEW = flows.register(
    Blueprint(service.PREVIEW, gettext_noop("See which networks of %(name)s can be taken over"), plan_preview)
)
TAKE_OVER = flows.register(Blueprint(service.TAKE_OVER, gettext_noop("Take over networks of %(name)s"), plan_take_over))

# --- reading ----------------------------------------------------------------------------------------------------------


@flows.step("chains.list_networks")
def list_networks(context: StepContext) -> Done:
    """Those asked for, or all that the platform lists."""
    take_over, platform = _take_over(context), platform_of(context)
    found = [(network_id, "") for network_id in take_over.network_ids]
    if not found:
        listed = [each for each in _listed(platform) if each.status != "deleted"]
        found = [(each.network_id, each.name) for each in listed]
    count = service.record_listing(take_over_id=take_over.pk, found=found)
    return Done({"networks": count})


@flows.step("chains.read_networks")
def read_networks(context: StepContext) -> Done | Later:
    """Each network with its members, chains and nodes. One that is not there, or not shown, does not stop the rest."""
    platform = platform_of(context)
    unread = _rows(context, NetworkVerdict.LISTED)
    begun = time.monotonic()
    for row in unread:
        if time.monotonic() - begun > BUDGET_SECONDS:
            return Later(0.0)
        try:
            reading = _reading(platform, row.network_id)
        except Missing:
            service.record_reading(network=row.pk, reading=None)
        except (PlatformRefused, NotSupported) as problem:
            context.log(f"{row.network_id}: {problem.detail}")
            service.record_reading(network=row.pk, reading=None, reason=problem.detail)
        else:
            service.record_reading(network=row.pk, reading=reading)
    return Done()


def _listed(platform: Platform) -> tuple[standard.NetworkInfo, ...]:
    answer = read(driver_for(platform), "list_networks", standard.EmptyRequest(), _credentials(platform))
    return cast(standard.NetworkList, answer).items


def _reading(platform: Platform, network_id: str) -> Json:
    """All that the platform tells of the network; Missing when it has none of this id."""
    driver, credentials = driver_for(platform), _credentials(platform)
    info = _network(platform, driver, credentials, network_id)
    missing: list[str] = []
    chains = [
        _described(platform, driver, credentials, chain, network_id, missing)
        for chain in _chains(platform, driver, credentials, network_id, missing)
    ]
    nodes: list[Json] = []
    if not platform.capability("list_nodes")[0]:
        missing.append(NO_NODE_LIST)
    elif not chains:
        nodes = _nodes(driver, credentials, network_id, "", missing)
    return {"network": info.model_dump(mode="json"), "chains": chains, "nodes": nodes, "missing": missing}


def _network(platform: Platform, driver: Driver, credentials: Credentials, network_id: str) -> standard.NetworkInfo:
    if platform.capability("get_network")[0]:
        request = standard.GetNetworkRequest(network_id=network_id)
        return cast(standard.NetworkInfo, read(driver, "get_network", request, credentials))
    found = next((each for each in _listed(platform) if each.network_id == network_id), None)
    if found is None:
        raise Missing()
    return found


def _chains(
    platform: Platform, driver: Driver, credentials: Credentials, network_id: str, missing: list[str]
) -> list[standard.ChainInfo]:
    if not platform.capability("list_chains")[0]:
        missing.append(NO_CHAIN_LIST)
        return []
    request = standard.ListChainsRequest(network_id=network_id)
    try:
        listed = cast(standard.ChainList, read(driver, "list_chains", request, credentials))
    except (Missing, PlatformRefused, NotSupported) as problem:
        missing.append(CHAINS_UNTOLD % {"problem": problem.detail})
        return []
    return [
        chain
        for chain in listed.items
        if chain.network_id in ("", network_id) and chain.status not in ("deleted", "deleting", "failed")
    ]


def _described(
    platform: Platform,
    driver: Driver,
    credentials: Credentials,
    chain: standard.ChainInfo,
    network_id: str,
    missing: list[str],
) -> Json:
    """The chain with its configuration and nodes."""
    info = chain
    if platform.capability("get_chain")[0]:
        request = standard.GetChainRequest(network_id=network_id, chain_id=chain.chain_id)
        try:
            info = cast(standard.ChainInfo, read(driver, "get_chain", request, credentials))
        except (Missing, PlatformRefused, NotSupported) as problem:
            missing.append(CHAIN_UNTOLD % {"name": chain.name, "problem": problem.detail})
    nodes: list[Json] = []
    if platform.capability("list_nodes")[0]:
        nodes = _nodes(driver, credentials, network_id, chain.chain_id, missing)
    spec = {"consensus": info.consensus or chain.consensus, "kernel": info.kernel or chain.kernel or platform.kernel}
    return {
        "chain_id": chain.chain_id,
        "name": chain.name,
        "extrainfo": chain.extrainfo or info.extrainfo,
        "members": list(chain.members or info.members),
        "blockspec": {name: value for name, value in spec.items() if value},
        "nodes": nodes,
    }


def _nodes(driver: Driver, credentials: Credentials, network_id: str, chain_id: str, missing: list[str]) -> list[Json]:
    request = standard.ListNodesRequest(network_id=network_id, chain_id=chain_id)
    try:
        listed = cast(standard.NodeList, read(driver, "list_nodes", request, credentials))
    except (Missing, PlatformRefused, NotSupported) as problem:
        missing.append(CHAIN_UNTOLD % {"name": chain_id or network_id, "problem": problem.detail})
        return []
    return [node.model_dump(mode="json") for node in listed.items if not chain_id or node.chain_id in ("", chain_id)]


# --- judging and writing down -----------------------------------------------------------------------------------------


@flows.step("chains.check_networks", local=True)
def check_networks(context: StepContext) -> Done:
    service.judge(take_over_id=_take_over(context).pk)
    return Done()


@flows.step("chains.preview_networks", local=True)
def preview_networks(context: StepContext) -> Done:
    service.preview(take_over_id=_take_over(context).pk)
    return Done({"new": _rows(context, NetworkVerdict.NEW).count()})


@flows.step("chains.create_unions")
def create_unions(context: StepContext) -> Done | Later:
    """Network by network. What is written down already is left alone, so this may run as often as it must."""
    begun = time.monotonic()
    for row in _rows(context, NetworkVerdict.NEW):
        if time.monotonic() - begun > BUDGET_SECONDS:
            return Later(0.0)
        try:
            if not service.create_from(network=row.pk, actor=actor_of(context)):
                break  # the flow is being taken back
        except Conflict as problem:
            service.record_refused(network=row.pk, reason=problem.detail)
    return Done({"created": _rows(context, NetworkVerdict.CREATED).count()})


@flows.step("chains.take_back_unions")
def take_back_unions(context: StepContext) -> Done | Later:
    begun = time.monotonic()
    for row in _rows(context, NetworkVerdict.CREATED).filter(reason=""):
        if time.monotonic() - begun > BUDGET_SECONDS:
            return Later(0.0)
        service.take_back(network=row.pk, actor=actor_of(context))
    return Done()


@flows.step("chains.report_take_over", local=True)
def report_take_over(context: StepContext) -> Done:
    return Done(service.report(take_over_id=_take_over(context).pk, actor=actor_of(context)))


@flows.step("chains.begin_take_over", local=True)
def begin_take_over(context: StepContext) -> Done:
    """The platform is official now: its networks are taken over by a flow of their own."""
    take_over = service.start_take_over(
        actor=actor_of(context), platform=platform_of(context), network_ids=context.flow_arguments["network_ids"]
    )
    return Done({"take_over": str(take_over.pk), "flow": str(take_over.flow_id)})


def _take_over(context: StepContext) -> TakeOver:
    return TakeOver.objects.get(pk=context.flow_arguments["take_over"])


def _rows(context: StepContext, verdict: NetworkVerdict) -> Any:
    rows = TakeOverNetwork.objects.filter(take_over=context.flow_arguments["take_over"], verdict=verdict)
    return rows.order_by("pk")


def _credentials(platform: Platform) -> Credentials:
    return Credentials(platform=credentials_of(platform))
