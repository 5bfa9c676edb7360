"""Quotas of resource spaces: set by administrators, reserved when work is planned, released when it has ended.

`require_room` and `reserve` stand in the transaction that promises the work; the flow has the task `RESERVE` of
`unions.flows.plans`, which gives the places back when the flow is taken back. What writes down that nodes are there
calls `turn_into_use` before anything else, what takes that back `hold_again`, and the last step `release`.

All lock the spaces, in one order, before they count: so nobody counts a node both as promised and as there, or as
neither. Spaces are locked after unions and before the audit log's head.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console import audit
from console.errors import Conflict, Invalid
from console.models import Flow, User
from console.policies import may_administer, require
from console.transactions import joins_transaction, locked_or_missing, use_case
from unions.models import Organization, Reservation, ResourceSpace, SpaceKind
from unions.quotas import MAX_QUOTA, Amount, Figures, figures_of


@use_case
def set_quota(*, actor: User, orgcode: str, changes: Mapping[str, int | None]) -> ResourceSpace:
    """How many `nodes` and `chains` an organization's space may hold; None: no limit. What is left out stays.

    Less than it holds now only stops what is new.
    """
    require(may_administer(actor))
    errors = {
        f"quota.{name}": [_("A whole number from 0 to %(limit)s, or nothing for no limit.") % {"limit": MAX_QUOTA}]
        for name, value in changes.items()
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_QUOTA)
    }
    if errors:
        raise Invalid(_("The quota has errors."), errors=errors)
    space = locked_or_missing(ResourceSpace.objects.select_related("organization"), organization__orgcode=orgcode)
    before = {"nodes": space.quota_nodes, "chains": space.quota_chains}
    space.quota_nodes = changes.get("nodes", space.quota_nodes)
    space.quota_chains = changes.get("chains", space.quota_chains)
    space.save(update_fields=["quota_nodes", "quota_chains"])
    audit.record(
        "unions.resource_space.quota_set",
        actor=actor,
        target=space.organization,
        before=before,
        nodes=space.quota_nodes,
        chains=space.quota_chains,
    )
    return space


@joins_transaction
def require_room(wanted: Mapping[Organization, Amount], *, fields: Mapping[int, str] | None = None) -> None:
    """Conflict when a space has no room for what is planned; locks the spaces until the transaction ends.

    `fields` says by an organization's id which field of the request it came from.
    """
    spaces = _locked([organization.pk for organization in wanted])
    figures = figures_of(spaces.values())
    errors: dict[str, list[str]] = {}
    for organization, amount in wanted.items():
        if spaces[organization.pk].kind == SpaceKind.RELEASED:  # a moment ago, while we waited for its lock
            raise Conflict(_("%(name)s is closed.") % {"name": organization.name})
        text = _too_little(organization, figures[spaces[organization.pk].pk], amount)
        if text:
            errors.setdefault((fields or {}).get(organization.pk, "orgcode"), []).append(text)
    if errors:
        detail = " ".join(text for texts in errors.values() for text in texts)
        raise Conflict(detail, code="quota_exceeded", errors=errors)


@joins_transaction
def reserve(*, flow: Flow, wanted: Mapping[Organization, Amount]) -> None:
    """Keep places free for the flow; `require_room` has been called in this transaction."""
    spaces = ResourceSpace.objects.filter(organization__in=list(wanted)).in_bulk(field_name="organization_id")
    Reservation.objects.bulk_create(
        Reservation(flow=flow, space=spaces[organization.pk], nodes=amount.nodes, chains=amount.chains)
        for organization, amount in wanted.items()
    )


@joins_transaction
def turn_into_use(flow_id: UUID) -> None:
    """What the places were kept for is written down in this transaction: from its end on that is what counts."""
    _move(flow_id, in_use=True)


@joins_transaction
def hold_again(flow_id: UUID) -> None:
    """The writing down is taken back in this transaction; what was built is still being removed."""
    _move(flow_id, in_use=False)


@joins_transaction
def release(flow_id: UUID) -> None:
    """The flow has come to its end, or was taken back: its places are anybody's."""
    Reservation.objects.filter(flow_id=flow_id).delete()


def _move(flow_id: UUID, *, in_use: bool) -> None:
    rows = Reservation.objects.filter(flow_id=flow_id)
    _locked(rows.values_list("space__organization_id", flat=True))
    rows.update(in_use=in_use)


def _locked(organization_ids: Iterable[int]) -> dict[int, ResourceSpace]:
    rows = ResourceSpace.objects.select_for_update(of=("self",)).filter(organization__in=list(organization_ids))
    return {space.organization_id: space for space in rows.order_by("pk")}


def _too_little(organization: Organization, figures: Figures, wanted: Amount) -> str:
    """How much is free, what is needed, and who can help; empty when there is room."""
    parts = []
    if figures.free_nodes is not None and figures.free_nodes < wanted.nodes:
        parts.append(
            ngettext(
                "The resource space of %(name)s has room for %(free)s of the %(needed)s node that this needs.",
                "The resource space of %(name)s has room for %(free)s of the %(needed)s nodes that this needs.",
                wanted.nodes,
            )
            % {"name": organization.name, "free": figures.free_nodes, "needed": wanted.nodes}
        )
    if figures.free_chains is not None and figures.free_chains < wanted.chains:
        parts.append(
            ngettext(
                "The quota of %(name)s leaves %(free)s of the %(needed)s chain that this needs.",
                "The quota of %(name)s leaves %(free)s of the %(needed)s chains that this needs.",
                wanted.chains,
            )
            % {"name": organization.name, "free": figures.free_chains, "needed": wanted.chains}
        )
    if parts:
        parts.append(_("An administrator of the console can raise the quota."))
    return " ".join(parts)
