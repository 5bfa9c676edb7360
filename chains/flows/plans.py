"""Which tasks this floor adds to the flows of unions. A plan looks at the platform's capabilities and at rows only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from chains.models import Blockchain, Createmode
from console.errors import Conflict
from console.flows import Task
from platforms.models import Platform
from unions.flows.plans import STILL_IN, STILL_THERE
from unions.models import Organization, Union

Json = dict[str, Any]


def plan_create(arguments: Json) -> list[Task]:
    """Behind the saved union: its chain, a node for every other member, and the record of both."""
    platform = Platform.objects.get(pk=arguments["platform"])
    if platform.capability("create_chain")[0] and not arguments.get("network_id"):
        building = _build(platform, arguments)
    elif platform.capability("list_chains")[0]:
        building = [Task("chain", "chains.adopt_chains", gettext_noop("Find the chain of the network"))]
    else:
        return []
    ends = tuple(task.name for task in building[1:]) or ("chain",)
    return [
        *building,
        Task("chain-nodes", "chains.read_chains", gettext_noop("Read the chain and its nodes"), needs=ends),
        Task("chain-record", "chains.record", gettext_noop("Write down the chain and its nodes"), "chains.forget"),
    ]


def _build(platform: Platform, arguments: Json) -> list[Task]:
    others = [orgcode for orgcode in arguments["orgs"] if orgcode != arguments["creator"]]
    names = dict(Organization.objects.filter(orgcode__in=others).values_list("orgcode", "name"))
    joins = [
        Task(
            f"chain-member:{orgcode}",
            "chains.join_chain",
            gettext_noop("Build the node of %(organization)s"),
            undo="chains.quit_chain",
            needs=("chain",),
            arguments={"member": orgcode},
            title_values={"organization": names.get(orgcode, orgcode)},
        )
        for orgcode in (others if platform.capability("join_chain")[0] else [])
    ]
    return [Task("chain", "chains.create_chain", gettext_noop("Build the chain"), "chains.take_back_chain"), *joins]


def plan_join(arguments: Json) -> list[Task]:
    """Behind the admitted member: its node on every chain of the union."""
    platform = Platform.objects.get(pk=arguments["platform"])
    uid = Union.objects.values_list("uid", flat=True).get(pk=arguments["union"])
    blockchains = list(Blockchain.objects.live().filter(business_chain__uid=uid)) if uid else []
    if not blockchains:
        return []
    joins = _for_each(
        blockchains if platform.capability("join_chain")[0] else [],
        "chains.join_chain",
        gettext_noop("Build the node on %(chain)s"),
        undo="chains.quit_chain",
        needs=("admit",),
        member=arguments["member"],
    )
    ids = [blockchain.pk for blockchain in blockchains]
    return [
        *joins,
        Task(
            "chain-nodes",
            "chains.read_chains",
            gettext_noop("Read the chain and its nodes"),
            needs=tuple(join.name for join in joins) or ("admit",),
            arguments={"blockchains": ids},
        ),
        Task(
            "chain-record",
            "chains.record_member",
            gettext_noop("Write down the nodes of the member"),
            "chains.drop_member",
        ),
    ]


def plan_quit_marked(arguments: Json) -> list[Task]:
    """From the start of a quitting: should it fail, the nodes that are gone are written down.

    Whoever keeps a private chain of the union for others cannot go without it: Conflict says to delete that first.
    """
    kept = _chains_of(arguments).filter(
        business_chain__createmode=Createmode.PRIVATE, business_chain__creator__orgcode=arguments["member"]
    )
    if names := list(kept.order_by("name").values_list("name", flat=True)):
        text = _("The private chain %(name)s stands in its space: delete that chain first.")
        raise Conflict(text % {"name": names[0]})
    return [_true_record("chains.drop_quit_nodes")] if _chains_of(arguments).exists() else []


def plan_delete_marked(arguments: Json) -> list[Task]:
    """From the start of a deletion: should it fail, the chains that are gone are written down."""
    live = Blockchain.objects.live().filter(business_chain__union_id=arguments["union"])
    return [_true_record("chains.mark_gone")] if live.exists() else []


def plan_quit(arguments: Json) -> list[Task]:
    """Behind the approval: the member's nodes are reclaimed chain by chain."""
    return _for_each(
        _chains_of(arguments) if _can(arguments, "quit_chain") else (),
        "chains.quit_chain",
        gettext_noop("Reclaim the node on %(chain)s"),
        lasting=STILL_IN,
        needs=("approval",),
        member=arguments["member"],
    )


def plan_left(arguments: Json) -> list[Task]:
    """Behind the network that was quit: the member's nodes are gone."""
    if not _chains_of(arguments).exists():
        return []
    return [Task("chain-record", "chains.drop_member", gettext_noop("Write down that its nodes are gone"))]


def plan_delete(arguments: Json) -> list[Task]:
    """Behind the approval: every chain is deleted, and written down as gone at once, for there is no way back."""
    live = list(Blockchain.objects.live().filter(business_chain__union_id=arguments["union"]))
    deletions = _for_each(
        live if _can(arguments, "delete_chain") else [],
        "chains.delete_chain",
        gettext_noop("Delete the chain %(chain)s"),
        lasting=STILL_THERE,
        needs=("approval",),
    )
    if not deletions:
        return []
    return [*deletions, _mark_deleted([blockchain.pk for blockchain in live], tuple(each.name for each in deletions))]


def plan_deleted(arguments: Json) -> list[Task]:
    """Behind the deleted network: chains that went with it."""
    live = Blockchain.objects.live().filter(business_chain__union_id=arguments["union"])
    if _can(arguments, "delete_chain") or not live:
        return []
    return [_mark_deleted([blockchain.pk for blockchain in live], None)]


def _true_record(undo: str) -> Task:
    title = gettext_noop("Keep the records of its chains true")
    return Task("chain-mark", "chains.watch", title, undo, needs=(), already=True)


def _chains_of(arguments: Json) -> QuerySet[Blockchain]:
    """The union's live chains that the member is in."""
    return Blockchain.objects.live().filter(
        business_chain__union_id=arguments["union"], organizations__orgcode=arguments["member"]
    )


def _mark_deleted(ids: list[int], needs: tuple[str, ...] | None) -> Task:
    return Task(
        "chain-record",
        "chains.mark_deleted",
        gettext_noop("Write down that the chains are gone"),
        needs=needs,
        arguments={"blockchains": ids},
    )


def _for_each(
    blockchains: Iterable[Blockchain],
    action: str,
    title: str,
    *,
    needs: tuple[str, ...],
    undo: str = "",
    lasting: str = "",
    **more: str,
) -> list[Task]:
    return [
        Task(
            f"chain:{blockchain.uid}",
            action,
            title,
            undo=undo,
            lasting=lasting,
            needs=needs,
            arguments={"blockchain": blockchain.pk, **more},
            title_values={"chain": blockchain.name},
        )
        for blockchain in blockchains
    ]


def _can(arguments: Json, operation: str) -> bool:
    return Platform.objects.get(pk=arguments["platform"]).capability(operation)[0]
