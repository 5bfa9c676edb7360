"""Mending what differs of chains and nodes, and what this floor adds where a union or a member is mended."""

from __future__ import annotations

from typing import Any, cast

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from chains.models import Blockchain, Node
from chains.services import chains as service
from console import flows
from console.errors import Conflict, Missing
from console.flows import Done, StepContext, Task
from console.models import Flow, User
from console.policies import ALLOWED, Verdict, not_now
from platforms import standard
from platforms.drivers import driver_for
from platforms.drivers.base import read
from platforms.models import Platform
from unions.drifts.ways import Way, add_note, add_way
from unions.flows.arguments import creator_of, network_id_of, platform_of
from unions.flows.mending import STILL_THERE, members_of, owner_of
from unions.flows.plans import LOOK, STILL_IN
from unions.matching import GONE
from unions.models import Drift, DriftKind, Organization
from unions.policies import supports
from unions.spaces import credentials_for

Json = dict[str, Any]

# --- beside the mending of a union or a member ------------------------------------------------------------------------


def plan_written_off(arguments: Json) -> list[Task]:
    """The union's network is gone, and its chains with it."""
    live = _live(arguments) if _is(arguments, (DriftKind.NETWORK_MISSING, "write_off")) else []
    return [_gone([row.pk for row in live], ("check",))] if live else []


def plan_released(arguments: Json) -> list[Task]:
    """The member is out of the network, and its nodes with it."""
    if not (_is(arguments, (DriftKind.MEMBER_MISSING, "write_off")) and _live(arguments)):
        return []
    return [Task("chain-record", "chains.drop_member", gettext_noop("Write down that its nodes are gone"))]


def plan_placed(arguments: Json) -> list[Task]:
    """The member has its place: its nodes are built again, or those that it has are written down."""
    live = _live(arguments)
    if not (live and _is(arguments, (DriftKind.MEMBER_MISSING, "rebuild"), (DriftKind.MEMBER_UNKNOWN, "adopt"))):
        return []
    platform = Platform.objects.get(pk=arguments["platform"])
    builds = arguments["way"] == "rebuild" and platform.capability("join_chain")[0]
    joins = [
        Task(
            f"chain:{row.uid}",
            "chains.join_chain",
            gettext_noop("Build the node on %(chain)s"),
            undo="chains.quit_chain",
            needs=("place",),
            arguments={"blockchain": row.pk, "member": arguments["member"]},
            title_values={"chain": row.name},
        )
        for row in (live if builds else [])
    ]
    return [
        *joins,
        Task(
            "chain-nodes",
            "chains.read_chains",
            gettext_noop("Read the chain and its nodes"),
            needs=tuple(each.name for each in joins) or ("place",),
            arguments={"blockchains": [row.pk for row in live]},
        ),
        Task("chain-record", "chains.record_member", gettext_noop("Write down the nodes of the member")),
    ]


def _is(arguments: Json, *wanted: tuple[str, str]) -> bool:
    return (arguments["kind"], arguments["way"]) in wanted


def _live(arguments: Json) -> list[Blockchain]:
    """The chains of the union, or of the network that the difference is in."""
    rows = (
        Blockchain.objects.live().filter(business_chain__union_id=arguments["union"]).select_related("business_chain")
    )
    if arguments["union"] is None:
        network = {"business_chain__network_id": arguments.get("network_id") or None}
        rows = rows.filter(business_chain__platform_id=arguments["platform"], **network)
    return list(rows.order_by("pk"))


def _row_of(drift: Drift) -> Blockchain | None:
    """The recorded chain that a difference is about."""
    rows = Blockchain.objects.live().select_related("business_chain__union")
    return rows.filter(uid=str(drift.ours.get("blockchain", ""))).first()


def _gone(ids: list[int], needs: tuple[str, ...] | None) -> Task:
    title = gettext_noop("Write down that the chains are gone")
    return Task("chain-record", "chains.mark_deleted", title, needs=needs, arguments={"blockchains": ids})


# --- a chain is gone --------------------------------------------------------------------------------------------------


def plan_chain_gone(arguments: Json) -> list[Task]:
    chain_id = arguments["key"].split("/", 1)[1]
    rows = [row.pk for row in _live(arguments) if row.external_id == chain_id]
    return [Task("check-chain", "chains.check_gone", LOOK), _gone(rows, None)]


@flows.step("chains.check_gone")
def check_gone(context: StepContext) -> Done:
    """Conflict when the platform lists the chain after all."""
    platform, creator = platform_of(context), creator_of(context)
    credentials = credentials_for(platform, creator=creator, member=creator)
    request = standard.ListChainsRequest(network_id=network_id_of(context))
    try:
        listed = cast(standard.ChainList, read(driver_for(platform), "list_chains", request, credentials))
    except Missing:
        return Done()
    chain_id = context.flow_arguments["key"].split("/", 1)[1]
    if any(each.chain_id == chain_id and each.status not in GONE for each in listed.items):
        raise Conflict(STILL_THERE)
    return Done()


# --- nodes ------------------------------------------------------------------------------------------------------------


def forget_node(actor: User, drift: Drift) -> None:
    """A matter of the records: the platform does not have it."""
    rows = Node.objects.filter(blockchain=_row_of(drift), external_id=str(drift.ours.get("node_id", "")))
    service.forget_nodes(actor=actor, node_ids=list(rows.values_list("pk", flat=True)))


def plan_take_node(arguments: Json) -> list[Task]:
    chain_id = arguments["key"].split("/", 2)[1]
    row = next((each for each in _live(arguments) if each.external_id == chain_id), None)
    if row is None:
        raise Conflict(gettext_noop("The chain is not there any more."))
    return [
        Task(
            f"chain:{row.uid}",
            "chains.quit_chain",
            gettext_noop("Reclaim the node on %(chain)s"),
            lasting=STILL_IN,
            arguments={"blockchain": row.pk, "member": arguments["member"]},
            title_values={"chain": row.name},
        )
    ]


def _may_take_node(drift: Drift) -> Verdict:
    if not owner_of(drift):
        return not_now(_("Which organization of this console it belongs to is not known."))
    if drift.organization in _inside(drift):
        return not_now(_("It belongs to a member: change the number of the member's nodes instead."))
    return supports(drift.platform, "quit_chain") and _still_there(drift)


def _inside(drift: Drift) -> list[Organization]:
    """The union's members; of a chain without a union, those that take part in it."""
    if drift.union is not None:
        return [each.organization for each in drift.union.present]
    row = _row_of(drift)
    return list(row.business_chain.organizations.order_by("pk")) if row else []


def asked_of(drift: Drift) -> list[Organization]:
    return (
        members_of(drift) if drift.union is not None else [each for each in _inside(drift) if not each.is_placeholder]
    )


def _still_there(drift: Drift) -> Verdict:
    """A union judges for itself whether something else goes on; a chain without one is judged here."""
    if drift.union is not None:
        return ALLOWED
    row = _row_of(drift)
    if row is None:
        return not_now(_("The chain is not there any more."))
    if Flow.objects.open().filter(arguments__chain=row.business_chain.uid).exists():
        return not_now(_("Something else is being done to this chain; wait until that has ended."))
    return ALLOWED


add_way(
    DriftKind.CHAIN_MISSING,
    Way(
        "write_off",
        _("Write the chain off"),
        _("The chain and its nodes are recorded as gone. Nothing is done on the platform."),
        asked=asked_of,
        plan=plan_chain_gone,
        may=_still_there,
        destroys=True,
    ),
)
add_note(
    DriftKind.CHAIN_MISSING,
    _("Building it again is not offered: no ledger comes back. Write the chain off and create a new one."),
)
add_note(
    DriftKind.CHAIN_UNKNOWN,
    _("Adopting a single chain is not offered: what was built past this console is taken over with its whole network."),
)
add_way(
    DriftKind.NODE_MISSING,
    Way(
        "forget",
        _("Record that it is gone"),
        _("The node is taken out of the records. Nothing is done on the platform."),
        apply=forget_node,
        destroys=True,
    ),
)
add_note(
    DriftKind.NODE_MISSING,
    _("To have it built again, record that it is gone, then change the number of the member's nodes."),
)
add_way(
    DriftKind.NODE_UNKNOWN,
    Way(
        "reclaim",
        _("Take it off the chain"),
        _("The nodes of this organization on the chain are reclaimed on the platform."),
        asked=asked_of,
        plan=plan_take_node,
        may=_may_take_node,
        destroys=True,
    ),
)
add_note(
    DriftKind.NODE_UNKNOWN,
    _("A node that belongs to nobody here can only be removed on the platform itself."),
)
add_note(
    DriftKind.NODE_CHANGED,
    _("No platform is asked to restart a node: see to it where it runs. It settles once the node runs again."),
)
