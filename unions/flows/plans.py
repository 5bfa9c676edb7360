"""The blueprints of this floor.

Each sleeps on its approval until the proposal is decided. What is marked together with the proposal is done from the
start ("mark"). Quitting and deleting go forward only: nothing that was removed is built again; a flow that fails leaves
the member or the union in a state in which the same can simply be asked once more.

The floor above puts its own tasks in (`flows.extend`): the chain and its nodes between "save" and
"open", and so on.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop

from console import flows
from console.flows import Blueprint, Task
from platforms.models import Platform
from unions.models import Organization

INVITE = Task("invite", "unions.invite", gettext_noop("Tell those who have a say"))
RESERVE = Task(
    "reserve",
    "unions.reserve",
    gettext_noop("Reserve the places in the resource spaces"),
    "unions.release_places",
    needs=(),
    already=True,
)
APPROVAL = Task("approval", "unions.await_approval", gettext_noop("Wait until it is agreed to"))
STILL_IN = gettext_noop(
    "What was removed stays removed. If the organization is still a member, quit again: only the rest is then removed."
)
STILL_THERE = gettext_noop(
    "What was deleted stays deleted. If the union is still there, delete it again: only the rest is then deleted."
)
LOOK = gettext_noop("See what is on the platform already")  # the first task after the vote, the last to be taken back


def plan_create(arguments: dict[str, Any]) -> list[Task]:
    """Network by the creator, then every other member at the same time, then the record."""
    if arguments.get("network_id"):
        return plan_existing(arguments)
    joins = [
        Task(
            f"member:{orgcode}",
            "unions.join_network",
            gettext_noop("Bring in %(organization)s"),
            undo="unions.quit_network",
            needs=("network",),
            arguments={"member": orgcode},
            title_values={"organization": name},
        )
        for orgcode, name in _others(arguments)
    ]
    return [
        RESERVE,
        INVITE,
        APPROVAL,
        Task("look", "unions.look_for_networks", LOOK, undo="unions.give_up"),
        Task("network", "unions.create_network", gettext_noop("Build the network"), undo="unions.delete_network"),
        *joins,
        Task(
            "save",
            "unions.save_union",
            gettext_noop("Write down the union"),
            undo="unions.forget_union",
            needs=tuple(join.name for join in joins) or ("network",),
        ),
        Task("open", "unions.open_union", gettext_noop("Open the union")),
    ]


def plan_existing(arguments: dict[str, Any]) -> list[Task]:
    """A network that is there: looked at before anybody is asked, and again once all have agreed. Nothing is built."""
    alone = not _others(arguments)  # nobody is asked, so the look is the first thing that can come to nothing
    return [
        Task(
            "find",
            "unions.find_network",
            gettext_noop("Look at the network as the creator"),
            undo="unions.give_up" if alone else "",
        ),
        INVITE,
        APPROVAL,
        Task(
            "network",
            "unions.find_network",
            gettext_noop("Look at the network once more"),
            undo="" if alone else "unions.give_up",
        ),
        Task("save", "unions.save_union", gettext_noop("Write down the union"), undo="unions.forget_union"),
        Task("open", "unions.open_union", gettext_noop("Open the union")),
    ]


def plan_join(arguments: dict[str, Any]) -> list[Task]:
    member = {"member": arguments["member"]}
    return [
        RESERVE,
        INVITE,
        APPROVAL,
        Task("look", "unions.look_for_member", LOOK, undo="unions.give_up", arguments=member),
        Task(
            "network", "unions.join_network", gettext_noop("Join the network"), "unions.quit_network", arguments=member
        ),
        Task("admit", "unions.admit_member", gettext_noop("Write down the member"), "unions.turn_member_away"),
        Task("settle", "unions.settle_member", gettext_noop("Open the union to the member")),
    ]


def plan_quit(arguments: dict[str, Any]) -> list[Task]:
    member = {"member": arguments["member"]}
    return [
        Task(
            "mark",
            "unions.mark_member",
            gettext_noop("Mark the member as quitting"),
            "unions.keep_member",
            already=True,
        ),
        APPROVAL,
        Task("network", "unions.quit_network", gettext_noop("Quit the network"), arguments=member, lasting=STILL_IN),
        Task("leave", "unions.release_member", gettext_noop("Write down that the member has left")),
    ]


def plan_delete(arguments: dict[str, Any]) -> list[Task]:
    """Every other member's place first, at the same time; the creator's network last.

    Where nobody can quit, deleting the network is all there is.
    """
    platform = Platform.objects.get(pk=arguments["platform"])
    others = _others(arguments) if platform.capability("quit_network")[0] else []
    quits = [
        Task(
            f"member:{orgcode}",
            "unions.quit_network",
            gettext_noop("Reclaim what %(organization)s has in it"),
            needs=("approval",),
            arguments={"member": orgcode},
            title_values={"organization": name},
            lasting=STILL_THERE,
        )
        for orgcode, name in others
    ]
    return [
        Task(
            "mark",
            "unions.mark_union",
            gettext_noop("Mark the union as being deleted"),
            "unions.keep_union",
            already=True,
        ),
        APPROVAL,
        *quits,
        Task(
            "network",
            "unions.delete_network",
            gettext_noop("Delete the network"),
            needs=tuple(each.name for each in quits) or ("approval",),
            lasting=STILL_THERE,
        ),
        Task("delete", "unions.record_deletion", gettext_noop("Write down that the union is gone")),
    ]


def plan_rule(arguments: dict[str, Any]) -> list[Task]:
    return [INVITE, APPROVAL, Task("rule", "unions.change_rule", gettext_noop("Write down the new rule"))]


def plan_claim(arguments: dict[str, Any]) -> list[Task]:
    """Nothing changes on the platform: who the placeholder is was found out, not changed."""
    return [
        INVITE,
        APPROVAL,
        Task(
            "hand-over",
            "unions.hand_over",
            gettext_noop("Hand over the placeholder's places and nodes"),
            "unions.give_up",
        ),
    ]


def _others(arguments: dict[str, Any]) -> list[tuple[str, str]]:
    """Orgcode and name of everyone but the creator."""
    codes = [orgcode for orgcode in arguments["orgs"] if orgcode != arguments["creator"]]
    names = dict(Organization.objects.filter(orgcode__in=codes).values_list("orgcode", "name"))
    return [(orgcode, names.get(orgcode, orgcode)) for orgcode in codes]


CREATE = flows.register(Blueprint("unions.create", gettext_noop("Create the union %(name)s"), plan_create))
JOIN = flows.register(Blueprint("unions.join", gettext_noop("%(organization)s joins the union %(name)s"), plan_join))
QUIT = flows.register(Blueprint("unions.quit", gettext_noop("%(organization)s quits the union %(name)s"), plan_quit))
CLAIM = flows.register(
    Blueprint("unions.claim", gettext_noop("%(organization)s claims the placeholder %(name)s"), plan_claim)
)
DELETE = flows.register(Blueprint("unions.delete", gettext_noop("Delete the union %(name)s"), plan_delete))
RULE = flows.register(Blueprint("unions.rule", gettext_noop("Change the rule of the union %(name)s"), plan_rule))
