"""Bringing the nodes of a native platform to the image that the settings name, one after the other."""

from __future__ import annotations

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from console import audit, flows
from console.errors import Conflict
from console.flows import blueprint_named
from console.models import Flow, User
from console.policies import require
from console.transactions import locked_or_missing, use_case
from platforms import reads
from platforms.models import NativeNode, Platform
from platforms.policies import may_upgrade_nodes

UPGRADE = "platforms.upgrade"


def outdated_nodes(platform: Platform, network_id: str | None = None) -> QuerySet[NativeNode]:
    """Nodes that run another image than the settings name, of one network if it is given; those that seal no blocks
    first. A network without a name of the platform's has no nodes yet."""
    rows = NativeNode.objects.filter(chain__network__platform=platform, built=True)
    rows = rows if network_id is None else rows.filter(chain__network__network_id=network_id)
    return rows.exclude(image=settings.EVM_IMAGES.get(platform.kernel, "")).order_by("validator", "pk")


@use_case
def upgrade_nodes(*, actor: User, oemtype: str, network_id: str | None = None, name: str = "") -> Flow:
    """Promise to bring every outdated node to the image, one at a time. Nothing goes on where a chain stands still.

    Of one network only where it is given; `name` is then what people call it.

    Raises Missing, NotAllowed, Conflict (none is outdated, or they are being upgraded already).
    """
    seen = reads.platform_named(actor, oemtype)
    platform = locked_or_missing(Platform.objects.visible_to(actor), pk=seen.pk)
    require(may_upgrade_nodes(actor, platform))
    if reads.flows_of(platform).filter(pk__in=Flow.objects.open(), kind=UPGRADE).exists():
        raise Conflict(_("Its nodes are being upgraded already."))
    nodes = list(outdated_nodes(platform, network_id).values_list("node_id", flat=True))
    if not nodes:
        raise Conflict(_("All nodes run the image of the settings already."))
    image = settings.EVM_IMAGES[platform.kernel]
    audit.record("platforms.platform.upgrading", actor=actor, target=platform, image=image, nodes=nodes)
    return flows.start(
        blueprint_named(UPGRADE),
        subject=platform,
        requested_by=actor,
        arguments={"platform": platform.pk, "nodes": nodes, "image": image},
        title_values={"name": name or platform.name},
        answer={"oemtype": platform.oemtype},
    )
