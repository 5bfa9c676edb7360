"""When all has ended: what the rows say against what the platform has, and whether each of them is whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db.models import Q

from console import audit
from console.models import AuditEntry, Flow, FlowState, Step, StepState
from unions.models import (
    Drift,
    DriftState,
    MemberState,
    Proposal,
    ProposalState,
    Reservation,
    ResourceSpace,
    Union,
    UnionMember,
    UnionState,
)
from unions.quotas import figures_of

Json = dict[str, Any]
ENDED = (StepState.DONE, StepState.SKIPPED, StepState.FAILED, StepState.UNDONE)


def faults(planes: dict[str, Json]) -> list[str]:
    """Everything that is not as it should be, in words; empty when all is well."""
    found = [*_flows(), *_rows(), *_places(), *_audit()]
    for name, plane in planes.items():
        found += [f"{name}: {text}" for text in (*_agree(name, plane), *_once(plane))]
    return found


def heard(told: list[str]) -> Iterator[str]:
    """Every request that was answered is under way once, and nothing is under way of which nobody was told."""
    proposed = Counter(str(pk) for pk in Proposal.objects.values_list("flow_id", flat=True))
    answered = Counter(told)
    for flow_id in {*proposed, *answered}:
        if not proposed[flow_id] == answered[flow_id] == 1:
            yield f"flow {flow_id} has {proposed[flow_id]} proposals, and {answered[flow_id]} requests were told of it"


def _flows() -> Iterator[str]:
    for flow in Flow.objects.open():
        yield f"flow {flow.pk} ({flow}) has not ended: {flow.state}"
    for step in Step.objects.exclude(state__in=ENDED).exclude(flow__in=Flow.objects.open()):
        yield f"step {step.pk} ({step.name}) of an ended flow is {step.state}"
    for step in Step.objects.filter(Q(lease_until__isnull=False) | Q(owner__isnull=False)):
        yield f"step {step.pk} ({step.name}) has a lease still"
    for flow in Flow.objects.filter(state__in=[FlowState.FAILED, FlowState.UNDONE, FlowState.CANCELLED]):
        if not words_of(flow):
            yield f"flow {flow.pk} ({flow}) is {flow.state} and says nothing"


def words_of(flow: Flow) -> str:
    """What an operator is told."""
    error = flow.error or {}
    told = error.get("undo", {}) if flow.state == FlowState.FAILED else error
    return str(told.get("detail", ""))


def _rows() -> Iterator[str]:
    for union in Union.objects.exclude(state__in=[UnionState.ACTIVE, UnionState.DELETED]):
        yield f"union {union} is {union.state} and nobody works on it"
    for member in UnionMember.objects.exclude(state__in=[MemberState.ACTIVE, MemberState.LEFT]):
        yield f"member {member} is {member.state} and nobody works on it"
    for proposal in Proposal.objects.filter(state=ProposalState.OPEN):
        yield f"proposal {proposal} is open, its flow is {proposal.flow and proposal.flow.state}"
    for drift in Drift.objects.exclude(state=DriftState.SETTLED):
        yield f"{drift} is {drift.state} still"
    for member in UnionMember.objects.filter(union__state=UnionState.DELETED, state=MemberState.ACTIVE):
        yield f"member {member} is active in a deleted union"


def _places() -> Iterator[str]:
    """No flow that has ended keeps places in a space, and none holds more than its quota."""
    for row in Reservation.objects.exclude(flow__in=Flow.objects.open()).select_related("flow", "space__organization"):
        yield f"{row.nodes} nodes of {row.space.organization} are reserved for {row.flow}, which is {row.flow.state}"
    yield from overfull()


def overfull() -> Iterator[str]:
    """Spaces that hold and have promised more than they may."""
    spaces = {space.pk: space for space in ResourceSpace.objects.select_related("organization")}
    for pk, figures in figures_of(spaces.values()).items():
        taken = figures.used + figures.reserved
        for quota, number in ((figures.quota_nodes, taken.nodes), (figures.quota_chains, taken.chains)):
            if quota is not None and number > quota:
                yield f"the space of {spaces[pk].organization} is over its quota: {figures}"


def _audit() -> Iterator[str]:
    for problem in audit.verify():
        yield f"the audit log is broken: {problem}"
    verbs = {"unions.union.created": UnionState.values, "unions.union.deleted": [UnionState.DELETED]}
    for action, states in verbs.items():
        entries = Counter(AuditEntry.objects.filter(action=action).values_list("target_id", flat=True))
        rows = {str(pk) for pk in Union.objects.filter(state__in=states).values_list("pk", flat=True)}
        if set(entries) != rows or any(count != 1 for count in entries.values()):
            yield f"{action} is recorded {dict(entries)} times, the rows are {sorted(rows)}"


def _agree(name: str, plane: Json) -> Iterator[str]:
    """Whatever is on the platform has a row, whatever has a row is on the platform, with the same members."""
    rows = {row.network_id: row for row in Union.objects.filter(platform__oemtype=name, state=UnionState.ACTIVE)}
    for network_id, network in plane["networks"].items():
        if network_id not in rows:
            yield f"network {network_id} ({network['label']}) is on the platform, and no row knows it"
    for network_id, union in rows.items():
        if network_id not in plane["networks"]:
            yield f"union {union} is active, and its network {network_id} is gone"
            continue
        members = union.members.filter(state=MemberState.ACTIVE).values_list("organization__orgcode", flat=True)
        there = plane["networks"][network_id]["orgs"]
        if sorted(members) != there:
            yield f"union {union} ({network_id}) has {sorted(members)}, the platform has {there}"


def _once(plane: Json) -> Iterator[str]:
    keys = Counter(key for verb, _network, key in plane["effects"] if verb == "create")
    for key, count in keys.items():
        if count > 1:
            yield f"the step of key {key} has made {count} networks"


def story_of(flow: Flow) -> str:
    """A flow and its log, for whoever has to find out."""
    lines = [f"{flow.pk} {flow} {flow.kind} {flow.state} {flow.error}"]
    for step in flow.steps.order_by("number"):
        lines.append(
            f"  {step.name}: {step.state}, attempts {step.attempts}/{step.undo_attempts}, {step.outcome} {step.error}"
            f" {step.undo_error} known {(step.position or {}).get('known')}"
        )
        lines += [f"      {row.at:%H:%M:%S.%f} {row.message}" for row in step.log.all()]
    return "\n".join(lines)
