"""The blueprints of this floor: create, join, quit and delete a union.

Each begins with the approval, on which the flow sleeps until the proposal is decided. The floor above puts its own
tasks in (`flows.extend`): the chain and its nodes between "save" and "open", and so on.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop

from console import flows
from console.errors import Missing, PlatformRefused
from console.flows import Asleep, Blueprint, Done, Later, StepContext, Task
from console.models import User
from console.services.notifications import notify
from platforms import standard
from platforms.models import Platform
from unions.models import Organization, Proposal, ProposalState, Union, UnionMember
from unions.services import proposals, unions
from unions.spaces import credentials_for, party_of
from unions.steps import perform

# --- plans ----------------------------------------------------------------------------------------------------------

INVITE = Task("invite", "unions.invite", gettext_noop("Tell those who have a say"))
APPROVAL = Task("approval", "unions.await_approval", gettext_noop("Wait until everyone has agreed"))


def plan_create(arguments: dict[str, Any]) -> list[Task]:
    """Network by the creator, then every other member at the same time, then the record."""
    others = [orgcode for orgcode in arguments["orgs"] if orgcode != arguments["creator"]]
    names = dict(Organization.objects.filter(orgcode__in=others).values_list("orgcode", "name"))
    joins = [
        Task(
            f"member:{orgcode}",
            "unions.join_network",
            gettext_noop("Bring in %(organization)s"),
            undo="unions.quit_network",
            needs=("network",),
            arguments={"member": orgcode},
            title_values={"organization": names.get(orgcode, orgcode)},
        )
        for orgcode in others
    ]
    return [
        INVITE,
        APPROVAL,
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


def plan_join(arguments: dict[str, Any]) -> list[Task]:
    member = {"member": arguments["member"]}
    return [
        INVITE,
        APPROVAL,
        Task(
            "network", "unions.join_network", gettext_noop("Join the network"), "unions.quit_network", arguments=member
        ),
        Task("admit", "unions.admit_member", gettext_noop("Write down the member"), "unions.turn_member_away"),
        Task("settle", "unions.settle_member", gettext_noop("Open the union to the member")),
    ]


def plan_quit(arguments: dict[str, Any]) -> list[Task]:
    member = {"member": arguments["member"]}
    return [
        Task("approval", "unions.await_approval", gettext_noop("Mark the member as quitting"), "unions.keep_member"),
        Task("network", "unions.quit_network", gettext_noop("Quit the network"), arguments=member),
        Task("leave", "unions.release_member", gettext_noop("Write down that the member has left")),
    ]


def plan_delete(arguments: dict[str, Any]) -> list[Task]:
    """Every other member's place first, at the same time; the creator's network last."""
    others = [orgcode for orgcode in arguments["orgs"] if orgcode != arguments["creator"]]
    names = dict(Organization.objects.filter(orgcode__in=others).values_list("orgcode", "name"))
    quits = [
        Task(
            f"member:{orgcode}",
            "unions.quit_network",
            gettext_noop("Reclaim what %(organization)s has in it"),
            needs=("approval",),
            arguments={"member": orgcode},
            title_values={"organization": names.get(orgcode, orgcode)},
        )
        for orgcode in others
    ]
    return [
        Task("approval", "unions.await_approval", gettext_noop("Mark the union as being deleted"), "unions.keep_union"),
        *quits,
        Task(
            "network",
            "unions.delete_network",
            gettext_noop("Delete the network"),
            needs=tuple(each.name for each in quits) or ("approval",),
        ),
        Task("delete", "unions.record_deletion", gettext_noop("Write down that the union is gone")),
    ]


CREATE = flows.register(Blueprint("unions.create", gettext_noop("Create the union %(name)s"), plan_create))
JOIN = flows.register(Blueprint("unions.join", gettext_noop("%(organization)s joins %(name)s"), plan_join))
QUIT = flows.register(Blueprint("unions.quit", gettext_noop("%(organization)s quits %(name)s"), plan_quit))
DELETE = flows.register(Blueprint("unions.delete", gettext_noop("Delete the union %(name)s"), plan_delete))

# --- asking ---------------------------------------------------------------------------------------------------------


@flows.step("unions.invite", local=True)
def invite(context: StepContext) -> Done:
    """A notification to everyone who may vote."""
    proposal = _proposal(context)
    electors = [elector.organization for elector in proposal.electors.select_related("organization")]
    notify(
        proposals.speakers_of(electors),
        kind="invitation",
        title=gettext_noop("%(proposer)s asks for your answer: %(subject)s"),
        parameters={"proposer": proposal.proposer.name, "subject": proposal.subject_name},
        link=f"/proposals/{proposal.pk}",
    )
    return Done({"told": [each.orgcode for each in electors]})


@flows.step("unions.await_approval", local=True)
def await_approval(context: StepContext) -> Done | Asleep:
    """Sleep until the proposal is decided; go on at once when it is carried already."""
    proposal = _proposal(context)
    if proposal.state == ProposalState.CARRIED:
        return Done({"verdict": "carried"})
    if proposal.state != ProposalState.OPEN:
        raise PlatformRefused(proposal.get_state_display(), code=proposal.state)
    return Asleep(proposal.topic)


# --- the platform's side --------------------------------------------------------------------------------------------


@flows.step("unions.create_network")
def create_network(context: StepContext) -> Done | Later:
    """The network, made by the creator in its own space."""
    arguments = context.flow_arguments
    platform, creator = _platform(context), _organization(arguments["creator"])
    others = [_organization(code) for code in arguments["orgs"] if code != arguments["creator"]]
    request = standard.CreateNetworkRequest(
        name=arguments["name"],
        kernel=platform.kernel,
        creator=party_of(creator),
        members=tuple(party_of(each) for each in others),
    )
    answer, wait = perform(context, platform, "create_network", request, credentials_for(platform, creator=creator))
    if answer is None:
        return _waiting(wait)
    return Done({"network_id": answer.network_id, "member_id": answer.member_id, "status": answer.status})


@flows.step("unions.delete_network")
def delete_network(context: StepContext) -> Done | Later:
    """The network's deletion; nothing to do when it is gone or never came to be."""
    platform, creator = _platform(context), _organization(context.flow_arguments["creator"])
    network_id = _network_id(context)
    if not network_id:
        return Done({"skipped": "no network was made"})
    request = standard.DeleteNetworkRequest(network_id=network_id, creator=party_of(creator))
    return _carry(context, platform, "delete_network", request, credentials_for(platform, creator=creator))


@flows.step("unions.join_network")
def join_network(context: StepContext) -> Done | Later:
    """One member's place and nodes, made with its own credential in its own space."""
    platform, member = _platform(context), _organization(context.arguments["member"])
    creator = _organization(context.flow_arguments["creator"])
    request = standard.JoinNetworkRequest(
        network_id=_network_id(context), member=party_of(member), inviter=party_of(creator)
    )
    credentials = credentials_for(platform, creator=creator, member=member)
    answer, wait = perform(context, platform, "join_network", request, credentials)
    if answer is None:
        return _waiting(wait)
    return Done({"member_id": answer.member_id, "orgcode": member.orgcode, "status": answer.status})


@flows.step("unions.quit_network")
def quit_network(context: StepContext) -> Done | Later:
    """One member's leaving; its nodes are reclaimed. Nothing to do when it is out already."""
    platform, member = _platform(context), _organization(context.arguments["member"])
    creator = _organization(context.flow_arguments["creator"])
    request = standard.QuitNetworkRequest(
        network_id=_network_id(context), member=party_of(member), member_id=_member_id(context, member)
    )
    credentials = credentials_for(platform, creator=creator, member=member)
    return _carry(context, platform, "quit_network", request, credentials)


# --- the record -----------------------------------------------------------------------------------------------------


@flows.step("unions.save_union", local=True)
def save_union(context: StepContext) -> Done:
    network = context.outcome("network")
    member_ids = {each["orgcode"]: each["member_id"] for each in context.outcomes("member:").values()}
    member_ids[context.flow_arguments["creator"]] = network["member_id"]
    union = unions.save_union(
        payload=context.flow_arguments, network_id=network["network_id"], member_ids=member_ids, actor=_actor(context)
    )
    return Done({"union": union.pk, "unionid": union.unionid, "network_id": union.network_id})


@flows.step("unions.forget_union", local=True)
def forget_union(context: StepContext) -> Done:
    if "union" in context.own_outcome:
        unions.forget_union(union_id=context.own_outcome["union"])
    return Done()


@flows.step("unions.open_union", local=True)
def open_union(context: StepContext) -> Done:
    union = unions.open_union(union_id=context.outcome("save")["union"], actor=_actor(context))
    _announce(union, gettext_noop("The union %(name)s is ready"))
    return Done({"unionid": union.unionid})


@flows.step("unions.admit_member", local=True)
def admit_member(context: StepContext) -> Done:
    arguments = context.flow_arguments
    member = unions.admit_member(
        union_id=arguments["union"],
        orgcode=arguments["member"],
        member_id=context.outcome("network").get("member_id", ""),
    )
    return Done({"union_member": member.pk})


@flows.step("unions.turn_member_away", local=True)
def turn_member_away(context: StepContext) -> Done:
    unions.turn_member_away(union_id=context.flow_arguments["union"], orgcode=context.flow_arguments["member"])
    return Done()


@flows.step("unions.settle_member", local=True)
def settle_member(context: StepContext) -> Done:
    arguments = context.flow_arguments
    unions.settle_member(union_id=arguments["union"], orgcode=arguments["member"], actor=_actor(context))
    _announce(Union.objects.get(pk=arguments["union"]), gettext_noop("A new member has joined %(name)s"))
    return Done()


@flows.step("unions.keep_member", local=True)
def keep_member(context: StepContext) -> Done:
    unions.keep_member(union_id=context.flow_arguments["union"], orgcode=context.flow_arguments["member"])
    return Done()


@flows.step("unions.release_member", local=True)
def release_member(context: StepContext) -> Done:
    arguments = context.flow_arguments
    unions.release_member(union_id=arguments["union"], orgcode=arguments["member"], actor=_actor(context))
    _announce(Union.objects.get(pk=arguments["union"]), gettext_noop("A member has left %(name)s"))
    return Done()


@flows.step("unions.keep_union", local=True)
def keep_union(context: StepContext) -> Done:
    unions.keep_union(union_id=context.flow_arguments["union"])
    return Done()


@flows.step("unions.record_deletion", local=True)
def record_deletion(context: StepContext) -> Done:
    union = Union.objects.get(pk=context.flow_arguments["union"])
    _announce(union, gettext_noop("The union %(name)s was deleted"))
    unions.delete_union(union_id=union.pk, actor=_actor(context))
    return Done()


# --- small things ---------------------------------------------------------------------------------------------------


def _carry(context: StepContext, platform: Platform, operation: str, request: Any, credentials: Any) -> Done | Later:
    """A removal: what is gone already counts as removed."""
    try:
        answer, wait = perform(context, platform, operation, request, credentials)
    except Missing:
        return Done({"skipped": "it was gone already"})
    return _waiting(wait) if answer is None else Done({"status": answer.status})


def _waiting(wait: Later | None) -> Later:
    if wait is None:
        raise RuntimeError("a platform call neither finished nor waits")
    return wait


def _proposal(context: StepContext) -> Proposal:
    return Proposal.objects.select_related("proposer").get(pk=context.flow_arguments["proposal"])


def _platform(context: StepContext) -> Platform:
    return Platform.objects.get(pk=context.flow_arguments["platform"])


def _organization(orgcode: str) -> Organization:
    return Organization.objects.select_related("space").get(orgcode=orgcode)


def _actor(context: StepContext) -> User | None:
    return User.objects.filter(pk=context.requested_by_id).first()


def _network_id(context: StepContext) -> str:
    union = context.flow_arguments.get("union")
    if union is not None:
        return Union.objects.values_list("network_id", flat=True).get(pk=union)
    return context.outcome("network").get("network_id", "")


def _member_id(context: StepContext, member: Organization) -> str:
    if context.own_outcome.get("member_id"):
        return context.own_outcome["member_id"]
    rows = UnionMember.objects.filter(union_id=context.flow_arguments.get("union"), organization=member)
    return rows.order_by("-id").values_list("member_id", flat=True).first() or ""


def _announce(union: Union, title: str) -> None:
    members = [member.organization for member in union.members.select_related("organization").exclude(state="left")]
    notify(
        proposals.people_of(members),
        kind="union",
        title=title,
        parameters={"name": union.name},
        link=f"/unions/{union.unionid}",
    )
