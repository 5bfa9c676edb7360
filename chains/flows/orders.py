"""The flows of business chains: build, join, quit, delete, scale.

Each begins with those who have a say and goes on when they have agreed. What is built is built as the plan in the
flow's arguments says, one task for each of its steps, each with what takes it back. Quitting, deleting and giving back
nodes go forward only, as with unions.

Beside the arguments that all flows of unions have (`docs/architecture.md`) these have `chain`, `createmode`, `steps`
and `new_nodes`; a creation has `chains` and `members`, a move has `blockchains`: the ledgers that its steps count.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop

from chains.models import Blockchain
from console import flows
from console.flows import Blueprint, Task
from unions.flows.plans import APPROVAL, INVITE, LOOK, RESERVE, STILL_IN, STILL_THERE
from unions.models import Organization

Json = dict[str, Any]
FEWER = gettext_noop("Nodes that were given back are gone. Ask for the number of nodes once more.")

TITLES = {
    "create_chain": gettext_noop("Build the chain %(chain)s"),
    "create_subchain": gettext_noop("Build the chain %(chain)s on nodes that run already"),
    "join_chain": gettext_noop("Build the node of %(organization)s on %(chain)s"),
    "join_subchain": gettext_noop("Have nodes of %(organization)s serve %(chain)s"),
    "add_node": gettext_noop("Build a further node of %(organization)s on %(chain)s"),
    "remove_node": gettext_noop("Give back a node of %(organization)s on %(chain)s"),
}
ACTIONS = {  # operation → what does it, and what takes it back
    "create_chain": ("chains.build_ledger", "chains.unbuild_ledger"),
    "create_subchain": ("chains.build_ledger", "chains.unbuild_ledger"),
    "join_chain": ("chains.enter_ledger", "chains.leave_ledger"),
    "join_subchain": ("chains.enter_ledger", "chains.leave_ledger"),
    "add_node": ("chains.build_node", "chains.unbuild_node"),
}


def plan_create(arguments: Json) -> list[Task]:
    names = {number: each["name"] for number, each in enumerate(arguments["chains"])}
    own_network = arguments["union"] is None
    look = "unions.look_for_networks" if own_network else "chains.look_for_ledgers"
    tasks = [RESERVE, INVITE, APPROVAL, Task("look", look, LOOK, undo="unions.give_up")]
    if own_network:
        title = gettext_noop("Build the network")
        tasks.append(Task("network", "unions.create_network", title, undo="unions.delete_network"))
    steps = [step for step in arguments["steps"] if step["operation"] != "create_network"]
    building = _tasks(steps, names, after="look")
    return [
        *tasks,
        *building,
        Task(
            "ledgers",
            "chains.read_ledgers",
            gettext_noop("Read the chains and their nodes"),
            needs=tuple(task.name for task in building),
        ),
        Task(
            "record", "chains.record_order", gettext_noop("Write down the chains and their nodes"), "chains.drop_order"
        ),
    ]


def plan_join(arguments: Json) -> list[Task]:
    building = _tasks(arguments["steps"], _names(arguments), after="look")
    return [
        RESERVE,
        INVITE,
        APPROVAL,
        Task("look", "chains.look_for_ledgers", LOOK, undo="unions.give_up"),
        *building,
        Task(
            "ledgers",
            "chains.read_ledgers",
            gettext_noop("Read the chains and their nodes"),
            needs=tuple(task.name for task in building) or ("look",),
        ),
        Task("record", "chains.record_entry", gettext_noop("Write down the nodes of the member"), "chains.drop_entry"),
    ]


def plan_quit(arguments: Json) -> list[Task]:
    rows = Blockchain.objects.filter(pk__in=arguments["blockchains"], nodes__organization__orgcode=arguments["member"])
    quits = [
        Task(
            f"chain:{row.uid}",
            "chains.quit_chain",
            gettext_noop("Reclaim the node on %(chain)s"),
            lasting=STILL_IN,
            needs=("approval",),
            arguments={"blockchain": row.pk, "member": arguments["member"]},
            title_values={"chain": row.name},
        )
        for row in rows.distinct().order_by("pk")
    ]
    return [
        _mark(gettext_noop("Keep the records of its chains true"), "chains.record_left"),
        APPROVAL,
        *quits,
        Task(
            "record",
            "chains.record_exit",
            gettext_noop("Write down that its nodes are gone"),
            needs=tuple(task.name for task in quits) or ("approval",),
        ),
    ]


def plan_delete(arguments: Json) -> list[Task]:
    deletions = [
        Task(
            f"chain:{row.uid}",
            "chains.delete_chain",
            gettext_noop("Delete the chain %(chain)s"),
            lasting=STILL_THERE,
            needs=("approval",),
            arguments={"blockchain": row.pk},
            title_values={"chain": row.name},
        )
        for row in Blockchain.objects.filter(pk__in=arguments["blockchains"]).order_by("pk")
    ]
    ends = tuple(task.name for task in deletions) or ("approval",)
    tasks = [_mark(gettext_noop("Keep the records of its chains true"), "chains.mark_gone"), APPROVAL, *deletions]
    if arguments["network_id"]:
        title = gettext_noop("Delete the network")
        tasks.append(Task("network", "unions.delete_network", title, needs=ends, lasting=STILL_THERE))
        ends = ("network",)
    return [
        *tasks,
        Task("record", "chains.record_end", gettext_noop("Write down that the chains are gone"), needs=ends),
    ]


def plan_scale(arguments: Json) -> list[Task]:
    moving = _tasks(arguments["steps"], _names(arguments), after="look")
    return [
        RESERVE,
        _mark(gettext_noop("Keep the records of its nodes true"), "chains.read_again"),
        APPROVAL,
        Task("look", "chains.look_for_ledgers", LOOK, undo="unions.give_up"),
        *moving,
        Task(
            "ledgers",
            "chains.read_ledgers",
            gettext_noop("Read the chains and their nodes"),
            needs=tuple(task.name for task in moving),
        ),
        Task("record", "chains.record_nodes", gettext_noop("Write down its nodes")),
    ]


def _mark(title: str, undo: str) -> Task:
    return Task("mark", "chains.watch", title, undo, needs=(), already=True)


def _tasks(steps: list[Json], names: dict[int, str], *, after: str) -> list[Task]:
    """A task for each step of the plan; what needs nothing comes after `after`."""
    known = dict(
        Organization.objects.filter(orgcode__in={step["orgcode"] for step in steps}).values_list("orgcode", "name")
    )
    return [_task(step, names, known, after) for step in steps]


def _task(step: Json, names: dict[int, str], known: dict[str, str], after: str) -> Task:
    words: dict[str, str] = {"chain": names.get(step["chain"], ""), "organization": known.get(step["orgcode"], "")}
    needs, title = tuple(step["needs"]) or (after,), TITLES[step["operation"]]
    if step["operation"] == "remove_node":
        arguments = {"step": step, "member": step["orgcode"]}
        return Task(step["key"], "chains.give_back_node", title, "", needs, arguments, words, lasting=FEWER)
    action, undo = ACTIONS[step["operation"]]
    return Task(step["key"], action, title, undo, needs, {"step": step}, words)


def _names(arguments: Json) -> dict[int, str]:
    found = dict(Blockchain.objects.filter(pk__in=arguments["blockchains"]).values_list("pk", "name"))
    return {number: found.get(pk, "") for number, pk in enumerate(arguments["blockchains"])}


CREATE = flows.register(Blueprint("chains.create", gettext_noop("Build the chain %(name)s"), plan_create))
JOIN = flows.register(Blueprint("chains.join", gettext_noop("%(organization)s joins the chain %(name)s"), plan_join))
QUIT = flows.register(Blueprint("chains.quit", gettext_noop("%(organization)s quits the chain %(name)s"), plan_quit))
DELETE = flows.register(Blueprint("chains.delete", gettext_noop("Delete the chain %(name)s"), plan_delete))
SCALE = flows.register(
    Blueprint("chains.scale", gettext_noop("%(organization)s changes its nodes on %(name)s"), plan_scale)
)
