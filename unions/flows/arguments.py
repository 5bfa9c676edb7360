"""Reading a flow's arguments: who and what its steps are about (`docs/architecture.md` lists the keys)."""

from __future__ import annotations

from console.flows import StepContext
from console.models import Flow, User
from platforms.models import Platform
from unions.models import Organization, Union


def platform_of(context: StepContext) -> Platform:
    return Platform.objects.get(pk=context.flow_arguments["platform"])


def organization_named(orgcode: str) -> Organization:
    return Organization.objects.select_related("space").get(orgcode=orgcode)


def creator_of(context: StepContext) -> Organization:
    """Who speaks to the platform for the union; asked at the moment, for members come and go while others vote."""
    union_id = context.flow_arguments.get("union")
    if union_id is not None:
        return Union.objects.get(pk=union_id).acting_creator()
    return organization_named(context.flow_arguments["creator"])


def actor_of(context: StepContext) -> User | None:
    return User.objects.filter(pk=context.requested_by_id).first() if context.requested_by_id else None


def network_id_of(context: StepContext) -> str:
    """The network of the union, or the one that this flow has made; empty when there is none."""
    union_id = context.flow_arguments.get("union")
    if union_id is not None:
        return Union.objects.values_list("network_id", flat=True).get(pk=union_id)
    return context.flow_arguments.get("network_id") or context.outcome("network").get("network_id", "")


def reason_of(context: StepContext) -> tuple[User | None, str]:
    """Who stopped the flow, if a person did, and why it is being taken back."""
    flow = Flow.objects.select_related("cancelled_by").get(pk=context.flow_id)
    return flow.cancelled_by, str((flow.error or {}).get("detail", ""))
