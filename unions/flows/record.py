"""Local steps that write down what the platform has done, and those that take the writing back."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from console import flows
from console.flows import Done, StepContext
from console.flows.blueprint import Ending
from console.services.notifications import notify
from unions.flows.arguments import actor_of, reason_of
from unions.matching import seen_member
from unions.models import MemberState, Union
from unions.services import placeholders, proposals, quotas, rules, unions


@flows.step("unions.save_union", local=True)
def save_union(context: StepContext) -> Done:
    network = context.outcome("network")
    member_ids = {each["orgcode"]: each["member_id"] for each in context.outcomes("member:").values()}
    member_ids[context.flow_arguments["creator"]] = network["member_id"]
    union = unions.save_union(
        payload=context.flow_arguments,
        network_id=network["network_id"],
        member_ids={**member_ids, **network.get("member_ids", {})},
        actor=actor_of(context),
        strangers=[seen_member(each) for each in network.get("strangers", [])],
    )
    return Done({"union": union.pk, "unionid": union.unionid, "network_id": union.network_id})


@flows.step("unions.forget_union", local=True)
def forget_union(context: StepContext) -> Done:
    if "union" in context.own_outcome:
        unions.forget_union(union_id=context.own_outcome["union"])
    return Done()


@flows.step("unions.reserve", local=True)
def reserve(context: StepContext) -> Done:
    """Whoever promised the flow has reserved the places already: there is nothing left to do."""
    return Done()


@flows.step("unions.release_places", local=True)
def release_places(context: StepContext) -> Done:
    quotas.release(context.flow_id)
    return Done()


@flows.step("unions.open_union", local=True)
def open_union(context: StepContext) -> Done:
    quotas.release(context.flow_id)
    union = unions.open_union(union_id=context.outcome("save")["union"], actor=actor_of(context))
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
    quotas.release(context.flow_id)
    unions.settle_member(union_id=arguments["union"], orgcode=arguments["member"], actor=actor_of(context))
    _announce(Union.objects.get(pk=arguments["union"]), gettext_noop("A new member has joined %(name)s"))
    return Done()


@flows.step("unions.mark_member", local=True)
def mark_member(context: StepContext) -> Done:
    """Begin a quitting again that has stopped half-way."""
    arguments = context.flow_arguments
    unions.mark_quitting(union_id=arguments["union"], orgcode=arguments["member"], proposal_id=arguments["proposal"])
    return Done()


@flows.step("unions.mark_union", local=True)
def mark_union(context: StepContext) -> Done:
    """Begin a deletion again that has stopped half-way."""
    arguments = context.flow_arguments
    unions.mark_deleting(union_id=arguments["union"], proposal_id=arguments["proposal"])
    return Done()


@flows.step("unions.keep_member", local=True)
def keep_member(context: StepContext) -> Ending:
    """The member stays; unless the platform has let it go already, which cannot be put back."""
    if context.outcome("network"):
        return release_member(context)
    arguments = context.flow_arguments
    unions.keep_member(union_id=arguments["union"], orgcode=arguments["member"], proposal_id=arguments["proposal"])
    return _taken_back(context)


@flows.step("unions.release_member", local=True)
def release_member(context: StepContext) -> Done:
    arguments = context.flow_arguments
    unions.release_member(union_id=arguments["union"], orgcode=arguments["member"], actor=actor_of(context))
    _announce(Union.objects.get(pk=arguments["union"]), gettext_noop("A member has left %(name)s"))
    return Done()


@flows.step("unions.keep_union", local=True)
def keep_union(context: StepContext) -> Ending:
    """The union stays. What the platform has given up already cannot be put back: a member's place, or the network."""
    if context.outcome("network"):
        return record_deletion(context)
    arguments = context.flow_arguments
    gone = [orgcode for orgcode in arguments["orgs"] if context.outcome(f"member:{orgcode}")]
    unions.keep_union(union_id=arguments["union"], proposal_id=arguments["proposal"], gone=gone)
    return _taken_back(context)


@flows.step("unions.record_deletion", local=True)
def record_deletion(context: StepContext) -> Done:
    union = Union.objects.get(pk=context.flow_arguments["union"])
    _announce(union, gettext_noop("The union %(name)s was deleted"))
    unions.delete_union(union_id=union.pk, actor=actor_of(context))
    return Done()


@flows.step("unions.change_rule", local=True)
def change_rule(context: StepContext) -> Done:
    arguments = context.flow_arguments
    rules.change_rule(
        union_id=arguments["union"],
        rule=arguments["rule"],
        threshold=arguments["threshold"],
        actor=actor_of(context),
    )
    _announce(Union.objects.get(pk=arguments["union"]), gettext_noop("The rule of %(name)s was changed"))
    return Done()


@flows.step("unions.hand_over", local=True)
def hand_over(context: StepContext) -> Done:
    arguments = context.flow_arguments
    organization = placeholders.hand_over(
        placeholder=arguments["placeholder"], orgcode=arguments["member"], actor=actor_of(context)
    )
    return Done({"orgcode": organization.orgcode})


def _taken_back(context: StepContext) -> Done:
    actor, reason = reason_of(context)
    half_way = context.leaves_lasting_effects()
    proposals.give_up(proposal_id=context.flow_arguments["proposal"], actor=actor, reason=reason, half_way=half_way)
    return Done()


def _announce(union: Union, title: str) -> None:
    members = union.members.select_related("organization").exclude(state=MemberState.LEFT)
    notify(
        proposals.people_of([member.organization for member in members]),
        kind="union",
        title=title,
        parameters={"name": union.name},
        link=f"/unions/{union.unionid}",
        subject=union,
    )
