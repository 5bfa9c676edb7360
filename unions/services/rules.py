"""How many members must agree: set when a union is created, changed by proposal only."""

from __future__ import annotations

from django.utils.translation import gettext as _

from console import audit
from console.errors import Conflict, Invalid
from console.models import User
from console.policies import require
from console.transactions import joins_transaction, locked_or_missing, use_case
from unions.models import Proposal, ProposalKind, Rule, Union
from unions.policies import may_propose_rule
from unions.services import proposals
from unions.services.union_requests import payload_for, present_members, union_and_organization


def read_rule(rule: str, threshold: int | None) -> tuple[str, int | None]:
    """The rule and its share, in percent; Invalid names the field that does not fit the other."""
    rule = rule or Rule.EVERYONE
    if rule not in Rule.values:
        raise Invalid.field("rule", _("One of everyone, majority, threshold."))
    if rule != Rule.THRESHOLD and threshold is not None:
        raise Invalid.field("threshold", _("Only the rule “threshold” has a share; leave this out."))
    if rule == Rule.THRESHOLD and not (_is_whole(threshold) and 1 <= threshold <= 100):  # type: ignore[operator]
        raise Invalid.field(
            "threshold", _("The share of members that must agree: a whole number from 1 to 100, percent.")
        )
    return rule, threshold


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@use_case
def propose_rule(
    *, actor: User, unionid: str, orgcode: str, rule: str, threshold: int | None = None, comment: str = ""
) -> Proposal:
    """Ask the members for another rule; as many must agree as the rule of today says, the proposer has agreed.

    What is being asked already is decided by the rule under which it was asked.
    """
    rule, threshold = read_rule(rule, threshold)
    union, organization = union_and_organization(actor, unionid, orgcode)
    require(may_propose_rule(actor, union, organization))
    if (union.rule, union.threshold) == (rule, threshold):
        raise Conflict.field("rule", _("This is the rule of the union already."))
    return proposals.open_proposal(
        actor=actor,
        kind=ProposalKind.RULE,
        subject_key=f"{union.unionid}:rule",
        subject_name=union.name,
        proposer=organization,
        electorate=present_members(union),
        payload={
            **payload_for(union.platform, union, union.acting_creator(), union.name),
            "rule": rule,
            "threshold": threshold,
        },
        union=union,
        comment=comment,
        by_union_rule=True,
    )


@joins_transaction
def change_rule(*, union_id: int, rule: str, threshold: int | None, actor: User | None) -> None:
    """The members have agreed to another rule."""
    union = locked_or_missing(Union.objects.all(), pk=union_id)
    before = {"rule": union.rule, "threshold": union.threshold}
    union.rule, union.threshold = rule, threshold
    union.save(update_fields=["rule", "threshold"])
    audit.record("unions.union.rule_changed", actor=actor, target=union, before=before, rule=rule, threshold=threshold)
