"""What of this floor stands in the way when an organization is closed, or takes a machine off its list."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.db.models import Q
from django.utils.translation import gettext as _

from chains.models import Blockchain, Node
from console.errors import Blocker
from unions.models import Machine, Organization, ResourceSpace


def organization_blockers(organization: Organization) -> list[Blocker]:
    """Chains that an organization still has nodes on, or takes part in."""
    rows = Blockchain.objects.live().filter(Q(organizations=organization) | Q(nodes__organization=organization))
    words = _("It takes part in the chain %(name)s: quit its union, or the chain, first.")
    return [
        Blocker("chain", words % {"name": row.name}, f"/chains/{row.uid}") for row in rows.distinct().order_by("name")
    ]


def idle_machines(space: ResourceSpace, machines: list[Machine]) -> set[int]:
    """Ids of machines that certainly carry no node: every node of the organization has its place on another one.

    Where the platform does not say where its nodes are, no machine is certain.
    """
    endpoints = Node.objects.filter(organization_id=space.organization_id).values_list("endpoint", flat=True)
    hosts = {_host_of(endpoint) for endpoint in endpoints}
    known = {machine.ip for machine in space.machines.all()}
    if not hosts or not hosts <= known:
        return set()
    return {machine.pk for machine in machines if machine.ip not in hosts}


def _host_of(endpoint: str) -> str:
    """Where a node is, as its platform says; empty when that is no address."""
    try:
        return urlsplit(endpoint if "//" in endpoint else f"//{endpoint}").hostname or ""
    except ValueError:
        return ""
