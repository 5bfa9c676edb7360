"""Comparing chains and nodes: this floor's part of a comparison, beside that of networks and members.

A node's state and address are refreshed by the observers; here it counts what is there on one side only, and what does
not run although its chain does.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, cast

from django.utils.translation import gettext_noop

from chains.models import Blockchain, BusinessChain, ChainState, Node, TakeOverNetwork
from chains.services.nodes import nodes_of_chain
from console import flows
from console.errors import ConsoleError, Missing, NotSupported, PlatformUnavailable
from console.flows import Done, Later, StepContext, Task
from console.models.flows import OPEN_FLOW_STATES
from console.sentences import kept
from platforms import standard
from platforms.drivers import driver_for
from platforms.drivers.base import Driver, read
from platforms.models import Platform
from unions.drifts.findings import Finding, Owners
from unions.drifts.networks import add_networks
from unions.flows.arguments import platform_of
from unions.flows.comparing import BUDGET_SECONDS, compared_unions, credentials_of_union, unions_at_rest
from unions.matching import GONE
from unions.models import Drift, DriftKind, Union
from unions.services import drifts

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


# --- reading ----------------------------------------------------------------------------------------------------------


@flows.step("chains.read_for_comparison")
def read_for_comparison(context: StepContext) -> Done | Later:
    """Chains and nodes of one network after the other, in runs of a bounded time."""
    platform, networks = platform_of(context), context.outcome("read")["unions"]
    seen: Json = (context.position or {}).get("seen") or {}
    began, driver = time.monotonic(), driver_for(platform)
    for union in compared_unions(context.flow_arguments):
        if str(union.pk) in seen or (networks.get(str(union.pk)) or {}).get("missing"):
            continue
        if time.monotonic() > began + BUDGET_SECONDS:
            return Later(0.0, {"seen": seen})
        seen[str(union.pk)] = _read(context, platform, driver, union)
    return Done({"unions": seen})


def _read(context: StepContext, platform: Platform, driver: Driver, union: Union) -> Json:
    """`{"chains": […] or None, "nodes": {chain id: […]}}`, as far as the platform says."""
    credentials = credentials_of_union(platform, union)

    def ask(operation: str, request: standard.Request) -> Any:
        try:
            return read(driver, operation, request, credentials)
        except (NotSupported, Missing):
            return None
        except PlatformUnavailable:
            raise
        except ConsoleError as problem:
            context.log(NOT_READ % {"name": union.name, "problem": problem.detail})
            return None

    listed = ask("list_chains", standard.ListChainsRequest(network_id=union.network_id))
    nodes: dict[str, Json] = {}
    for row in _rows_of(union):
        request = standard.ListNodesRequest(network_id=union.network_id, chain_id=row.external_id)
        answer = cast("standard.NodeList | None", ask("list_nodes", request))
        if answer is not None:
            own = nodes_of_chain(answer.items, row.external_id)
            nodes[row.external_id] = [each.model_dump(mode="json") for each in own]  # type: ignore[assignment]
    return {
        "chains": None if listed is None else [each.model_dump(mode="json") for each in listed.items],
        "nodes": nodes,
    }


def _rows_of(union: Union) -> list[Blockchain]:
    rows = Blockchain.objects.live().filter(business_chain__union=union).order_by("pk")
    return list(rows.prefetch_related("nodes__organization", "organizations"))


# --- comparing --------------------------------------------------------------------------------------------------------


@flows.step("chains.compare", local=True)
def compare(context: StepContext) -> Done:
    platform, seen = platform_of(context), context.outcome("read-chains")["unions"]
    owners, findings, judged = Owners(platform), list[Finding](), list[int]()
    for union in unions_at_rest(context.flow_arguments, context.outcome("read")["at"]):
        if str(union.pk) in seen:
            findings += _findings(union, seen[str(union.pk)], owners)
            judged.append(union.pk)
    over = Drift.objects.filter(union__state="deleted") | _gone_with_their_network(context)
    settled = Drift.objects.filter(union__in=judged) | over
    counts = drifts.record_findings(platform_id=platform.pk, kinds=KINDS, findings=findings, settled=settled)
    return Done({**counts, "unions": len(judged)})


def _gone_with_their_network(context: StepContext) -> Any:
    """Where the whole network is gone, that says it all."""
    missing = [int(pk) for pk, told in context.outcome("read")["unions"].items() if told.get("missing")]
    return Drift.objects.filter(union__in=missing)


def _findings(union: Union, seen: Json, owners: Owners) -> list[Finding]:
    rows = _rows_of(union)
    findings, there = _chain_findings(union, rows, seen["chains"])
    for row in rows:
        listed = seen["nodes"].get(row.external_id)
        if row.external_id in there and listed is not None:
            infos = [standard.NodeInfo.model_validate(each) for each in listed]
            findings += _node_findings(union, row, infos, owners)
    return findings


def _chain_findings(union: Union, rows: list[Blockchain], listed: list[Json] | None) -> tuple[list[Finding], set[str]]:
    """The differences, and which recorded chains are there."""
    ours = {row.external_id: row for row in rows}
    if listed is None:
        return [], set(ours)
    theirs = {
        each["chain_id"]: each
        for each in listed
        if each["network_id"] in ("", union.network_id) and each["status"] not in (*GONE, "failed")
    }
    missing = [
        Finding(
            DriftKind.CHAIN_MISSING,
            f"{union.network_id}/{row.external_id}",
            row.name,
            union.pk,
            ours={"blockchain": row.uid, "chain_id": row.external_id, "height": row.height},
        )
        for row in rows
        if row.external_id not in theirs
    ]
    unknown = [
        Finding(DriftKind.CHAIN_UNKNOWN, f"{union.network_id}/{chain_id}", each["name"], union.pk, theirs=each)
        for chain_id, each in theirs.items()
        if chain_id not in ours
    ]
    return [*missing, *unknown], set(ours) & set(theirs)


def _node_findings(union: Union, row: Blockchain, infos: Iterable[standard.NodeInfo], owners: Owners) -> list[Finding]:
    theirs = {info.node_id: info for info in infos}
    ours = {node.external_id: node for node in row.nodes.all()}
    findings = [_missing(union, row, node) for key, node in ours.items() if key not in theirs]
    members = {each.orgcode for each in row.organizations.all()}
    for node_id, info in theirs.items():
        node = ours.get(node_id)
        owner = owners.of(info.tenantid, info.orgcode)
        if node is None and owner not in members:
            findings.append(_about(DriftKind.NODE_UNKNOWN, union, row, node_id, owner, theirs=info))
        elif node is not None and info.state not in AT_WORK:
            owner = node.organization.orgcode if node.organization else ""
            findings.append(_about(DriftKind.NODE_CHANGED, union, row, node_id, owner, node=node, theirs=info))
    return findings


def _missing(union: Union, row: Blockchain, node: Node) -> Finding:
    owner = node.organization.orgcode if node.organization else ""
    return _about(DriftKind.NODE_MISSING, union, row, node.external_id, owner, node=node)


def _about(
    kind: str,
    union: Union,
    row: Blockchain,
    node_id: str,
    owner: str,
    *,
    node: Node | None = None,
    theirs: standard.NodeInfo | None = None,
) -> Finding:
    ours = {} if node is None else {"node_id": node_id, "endpoint": node.endpoint, "state": "running"}
    shown = (node and node.endpoint) or (theirs and theirs.endpoint) or node_id
    return Finding(
        kind,
        f"{union.network_id}/{row.external_id}/{node_id}",
        f"{shown} · {row.name}",
        union.pk,
        owner,
        ours={**ours, "blockchain": row.uid},
        theirs={} if theirs is None else theirs.model_dump(mode="json"),
    )
