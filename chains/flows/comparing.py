"""Comparing chains and nodes: this floor's part of a comparison, beside that of networks and members.

A node's state and address are refreshed by the observers; here it counts what is there on one side only, and what does
not run although its chain does.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop

from chains.models import Blockchain, BusinessChain, ChainState, Node, TakeOverNetwork
from chains.services.nodes import nodes_of_chain
from console import flows
from console.errors import ConsoleError, Missing, NotSupported, PlatformUnavailable
from console.flows import Done, Later, StepContext, Task
from console.models import Flow
from console.models.flows import OPEN_FLOW_STATES
from console.sentences import kept
from platforms import standard
from platforms.drivers import driver_for
from platforms.drivers.base import Credentials, Driver, read
from platforms.models import Platform
from unions.drifts.findings import Finding, Owners
from unions.drifts.networks import add_networks
from unions.flows.arguments import platform_of
from unions.flows.comparing import BUDGET_SECONDS, compared_unions, unions_at_rest
from unions.matching import GONE
from unions.models import Drift, DriftKind, Organization, Union
from unions.services import drifts
from unions.spaces import credentials_for

Json = dict[str, Any]
KINDS = (
    DriftKind.CHAIN_MISSING,
    DriftKind.CHAIN_UNKNOWN,
    DriftKind.NODE_MISSING,
    DriftKind.NODE_UNKNOWN,
    DriftKind.NODE_CHANGED,
)
NOT_READ = kept(gettext_noop("the chains of “%(name)s” could not be read: %(problem)s"))
AT_WORK = ("running", "creating", "unknown")


def plan_reading(arguments: Json) -> list[Task]:
    return [Task("read-chains", "chains.read_for_comparison", gettext_noop("Ask for chains and nodes"))]


def plan_comparing(arguments: Json) -> list[Task]:
    return [Task("compare-chains", "chains.compare", gettext_noop("Compare chains and nodes with the records"))]


def networks_besides(platform: Platform) -> list[str]:
    """Networks of chains that have no union, and those that are on the way to become unions."""
    own = BusinessChain.objects.filter(platform=platform).exclude(state=ChainState.DELETED).exclude(network_id="")
    rows = TakeOverNetwork.objects.filter(take_over__platform=platform, take_over__flow__state__in=OPEN_FLOW_STATES)
    return [*own.values_list("network_id", flat=True), *rows.values_list("network_id", flat=True)]


add_networks(networks_besides)


# --- what is compared ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scope:
    """Chains of one network: a union's, or a business chain's that has a network of its own."""

    key: str
    name: str
    network_id: str
    speaker: Organization
    union: Union | None = None
    chain: BusinessChain | None = None

    def rows(self) -> list[Blockchain]:
        live = Blockchain.objects.live().prefetch_related("nodes__organization", "organizations").order_by("pk")
        if self.chain is not None:
            return list(live.filter(business_chain=self.chain))
        return list(live.filter(business_chain__union=self.union))


def _of_union(union: Union) -> Scope:
    return Scope(str(union.pk), union.name, union.network_id, union.acting_creator(), union=union)


def _of_chain(chain: BusinessChain) -> Scope:
    return Scope(f"chain:{chain.uid}", chain.name, chain.network_id, chain.creator, chain=chain)


def _chains_of_their_own(arguments: Json) -> list[BusinessChain]:
    """Business chains without a union; not where one union alone is compared."""
    if arguments["union"] is not None:
        return []
    rows = BusinessChain.objects.filter(platform=arguments["platform"], union=None, state=ChainState.RUNNING)
    return list(rows.exclude(network_id="").select_related("creator__space").order_by("pk"))


def _scopes(arguments: Json) -> list[Scope]:
    return [*map(_of_union, compared_unions(arguments)), *map(_of_chain, _chains_of_their_own(arguments))]


def _scopes_at_rest(arguments: Json, since: str) -> list[Scope]:
    """Those to which nothing is being done, nor has been since the platform was asked."""
    began, chains = datetime.fromisoformat(since), _chains_of_their_own(arguments)
    work = Flow.objects.filter(arguments__chain__in=[each.uid for each in chains])
    recent = work.filter(Q(state__in=OPEN_FLOW_STATES) | Q(ended_at__gte=began)) if chains else work.none()
    busy = set(recent.values_list("arguments__chain", flat=True))
    resting = [each for each in chains if each.created_at < began and each.uid not in busy]
    return [*map(_of_union, unions_at_rest(arguments, since)), *map(_of_chain, resting)]


# --- reading ----------------------------------------------------------------------------------------------------------


@flows.step("chains.read_for_comparison")
def read_for_comparison(context: StepContext) -> Done | Later:
    """Chains and nodes of one network after the other, in runs of a bounded time."""
    platform, networks = platform_of(context), context.outcome("read")["unions"]
    seen: Json = (context.position or {}).get("seen") or {}
    began, driver = time.monotonic(), driver_for(platform)
    for scope in _scopes(context.flow_arguments):
        if scope.key in seen or (networks.get(scope.key) or {}).get("missing"):
            continue
        if time.monotonic() > began + BUDGET_SECONDS:
            return Later(0.0, {"seen": seen})
        seen[scope.key] = _read(context, platform, driver, scope)
    return Done({"unions": seen})


def _read(context: StepContext, platform: Platform, driver: Driver, scope: Scope) -> Json:
    """`{"chains": […] or None, "nodes": {chain id: […]}}`, as far as the platform says."""
    credentials = credentials_for(platform, creator=scope.speaker, member=scope.speaker)

    def ask(operation: str, request: standard.Request) -> Any:
        try:
            return read(driver, operation, request, credentials)
        except (NotSupported, Missing):
            return None
        except PlatformUnavailable:
            raise
        except ConsoleError as problem:
            context.log(NOT_READ % {"name": scope.name, "problem": problem.detail})
            return None

    if scope.union is None and _is_gone(driver, scope.network_id, credentials):
        return {"chains": [], "nodes": {}}
    listed = ask("list_chains", standard.ListChainsRequest(network_id=scope.network_id))
    nodes: dict[str, Json] = {}
    for row in scope.rows():
        request = standard.ListNodesRequest(network_id=scope.network_id, chain_id=row.external_id)
        answer = cast("standard.NodeList | None", ask("list_nodes", request))
        if answer is not None:
            own = nodes_of_chain(answer.items, row.external_id)
            nodes[row.external_id] = [each.model_dump(mode="json") for each in own]  # type: ignore[assignment]
    return {
        "chains": None if listed is None else [each.model_dump(mode="json") for each in listed.items],
        "nodes": nodes,
    }


def _is_gone(driver: Driver, network_id: str, credentials: Credentials) -> bool:
    """Whether the platform says that there is no such network; unions have been asked for theirs already."""
    try:
        network = read(driver, "get_network", standard.GetNetworkRequest(network_id=network_id), credentials)
    except Missing:
        return True
    except PlatformUnavailable:
        raise
    except ConsoleError:
        return False
    return cast(standard.NetworkInfo, network).status == "deleted"


# --- comparing --------------------------------------------------------------------------------------------------------


@flows.step("chains.compare", local=True)
def compare(context: StepContext) -> Done:
    platform, seen = platform_of(context), context.outcome("read-chains")["unions"]
    owners, findings, judged = Owners(platform), list[Finding](), list[Scope]()
    for scope in _scopes_at_rest(context.flow_arguments, context.outcome("read")["at"]):
        if scope.key in seen:
            findings += _findings(scope, seen[scope.key], owners)
            judged.append(scope)
    over = Drift.objects.filter(union__state="deleted") | _gone_with_their_network(context)
    unions = [scope.union.pk for scope in judged if scope.union is not None]
    settled = Drift.objects.filter(union__in=unions) | over | _of_no_union(context, judged)
    counts = drifts.record_findings(platform_id=platform.pk, kinds=KINDS, findings=findings, settled=settled)
    return Done({**counts, "unions": len(judged)})


def _gone_with_their_network(context: StepContext) -> QuerySet[Drift]:
    """Where the whole network is gone, that says it all."""
    missing = [int(pk) for pk, told in context.outcome("read")["unions"].items() if told.get("missing")]
    return Drift.objects.filter(union__in=missing)


def _of_no_union(context: StepContext, judged: list[Scope]) -> QuerySet[Drift]:
    """Those of chains without a union that were compared just now, or are no more."""
    standing = Drift.objects.none()
    if context.flow_arguments["union"] is None:
        standing = Drift.objects.filter(platform=context.flow_arguments["platform"], union=None, kind__in=KINDS)
    looked_at = {scope.network_id for scope in judged}
    live = {chain.network_id for chain in _chains_of_their_own(context.flow_arguments)}
    networks = {row.pk: str(row.ours.get("network_id", "")) for row in standing.not_settled()}
    over = [pk for pk, network in networks.items() if network in looked_at or network not in live]
    return Drift.objects.filter(pk__in=over)


def _findings(scope: Scope, seen: Json, owners: Owners) -> list[Finding]:
    rows = scope.rows()
    findings, there = _chain_findings(scope, rows, seen["chains"])
    for row in rows:
        listed = seen["nodes"].get(row.external_id)
        if row.external_id in there and listed is not None:
            infos = [standard.NodeInfo.model_validate(each) for each in listed]
            findings += _node_findings(scope, row, infos, owners)
    return findings


def _chain_findings(scope: Scope, rows: list[Blockchain], listed: list[Json] | None) -> tuple[list[Finding], set[str]]:
    """The differences, and which recorded chains are there."""
    ours = {row.external_id: row for row in rows}
    if listed is None:
        return [], set(ours)
    theirs = {
        each["chain_id"]: each
        for each in listed
        if each["network_id"] in ("", scope.network_id) and each["status"] not in (*GONE, "failed")
    }
    missing = [
        _finding(
            DriftKind.CHAIN_MISSING,
            scope,
            row.external_id,
            row.name,
            "" if scope.union else scope.speaker.orgcode,
            ours={"blockchain": row.uid, "chain_id": row.external_id, "height": row.height},
        )
        for row in rows
        if row.external_id not in theirs
    ]
    unknown = [
        _finding(
            DriftKind.CHAIN_UNKNOWN,
            scope,
            chain_id,
            each["name"],
            "" if scope.union else scope.speaker.orgcode,
            theirs=each,
        )
        for chain_id, each in theirs.items()
        if chain_id not in ours
    ]
    return [*missing, *unknown], set(ours) & set(theirs)


def _finding(
    kind: str, scope: Scope, key: str, name: str, orgcode: str, *, ours: Json | None = None, theirs: Json | None = None
) -> Finding:
    """One difference; where there is no union to ask, it says itself in which network it is."""
    union = scope.union.pk if scope.union else None
    network = {} if scope.union else {"network_id": scope.network_id}
    return Finding(
        kind, f"{scope.network_id}/{key}", name, union, orgcode, ours={**(ours or {}), **network}, theirs=theirs or {}
    )


def _node_findings(scope: Scope, row: Blockchain, infos: Iterable[standard.NodeInfo], owners: Owners) -> list[Finding]:
    theirs = {info.node_id: info for info in infos}
    ours = {node.external_id: node for node in row.nodes.all()}
    findings = [_missing(scope, row, node) for key, node in ours.items() if key not in theirs]
    members = {each.orgcode for each in row.organizations.all()}
    for node_id, info in theirs.items():
        node = ours.get(node_id)
        owner = owners.of(info.tenantid, info.orgcode)
        if node is None and owner not in members:
            findings.append(_about(DriftKind.NODE_UNKNOWN, scope, row, node_id, owner, theirs=info))
        elif node is not None and info.state not in AT_WORK:
            owner = node.organization.orgcode if node.organization else ""
            findings.append(_about(DriftKind.NODE_CHANGED, scope, row, node_id, owner, node=node, theirs=info))
    return findings


def _missing(scope: Scope, row: Blockchain, node: Node) -> Finding:
    owner = node.organization.orgcode if node.organization else ""
    return _about(DriftKind.NODE_MISSING, scope, row, node.external_id, owner, node=node)


def _about(
    kind: str,
    scope: Scope,
    row: Blockchain,
    node_id: str,
    owner: str,
    *,
    node: Node | None = None,
    theirs: standard.NodeInfo | None = None,
) -> Finding:
    ours = {} if node is None else {"node_id": node_id, "endpoint": node.endpoint, "state": "running"}
    shown = (node and node.endpoint) or (theirs and theirs.endpoint) or node_id
    return _finding(
        kind,
        scope,
        f"{row.external_id}/{node_id}",
        f"{shown} · {row.name}",
        owner,
        ours={**ours, "blockchain": row.uid},
        theirs=None if theirs is None else theirs.model_dump(mode="json"),
    )
