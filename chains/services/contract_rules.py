"""The rules for contracts of a union, or of a chain that belongs to none: proposed, agreed to by all, put in force."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from chains.models import BusinessChain, ContractRule, Severity
from chains.policies import may_propose_contract_rule
from chains.services.chain_requests import visible_chain
from console import audit
from console.errors import Invalid
from console.models import User
from console.policies import require
from console.transactions import joins_transaction, locked_or_missing, use_case
from unions.models import Organization, Proposal, ProposalKind, Union
from unions.services import proposals
from unions.services.union_requests import payload_for, present_members

Json = dict[str, Any]
VERBS = ("deploy", "upgrade", "stop", "delete")


@use_case
def propose_contract_rule(
    *, actor: User, chain: str, orgcode: str, votes: list[str], blocking_severity: str, comment: str = ""
) -> Proposal:
    """Ask the members of the chain's union, or those on it, to agree to other rules.

    `votes` names what is to need a vote: deploy, upgrade, stop, delete. Raises Missing, Invalid, NotAllowed, Conflict.
    """
    row = visible_chain(actor, chain)
    if row.union_id is not None:
        locked_or_missing(Union.objects.all(), pk=row.union_id)
    row = locked_or_missing(BusinessChain.objects.select_related("platform", "union", "creator"), pk=row.pk)
    organization = Organization.objects.filter(orgcode=orgcode).first()
    if organization is None:
        raise Invalid.field("orgcode", _("There is no organization of this code."))
    require(may_propose_contract_rule(actor, row, organization))
    if unknown := sorted(set(votes) - set(VERBS)):
        text = _("Unknown: %(names)s. There are deploy, upgrade, stop and delete.")
        raise Invalid.field("votes", text % {"names": ", ".join(unknown)})
    if blocking_severity not in Severity.values:
        raise Invalid.field("blocking_severity", _("There are: %(names)s.") % {"names": ", ".join(Severity.values)})
    about = row.union or row
    members = present_members(row.union) if row.union else list(row.organizations.order_by("pk"))
    payload = {
        **payload_for(row.platform, row.union, organization, str(about)),
        "chain": row.uid,
        "votes": sorted(set(votes)),
        "blocking_severity": blocking_severity,
    }
    return proposals.open_proposal(
        actor=actor,
        kind=ProposalKind.CONTRACT_RULE,
        subject_key=f"{row.union.unionid if row.union else row.uid}:contract-rule",
        subject_name=str(about),
        proposer=organization,
        electorate=sorted(members, key=lambda each: each.pk != organization.pk),
        payload=payload,
        union=row.union,
        comment=comment,
        blueprint="chains.contract_rule",
        answer={"chain": row.uid},
        by_union_rule=row.union is not None,
    )


@joins_transaction
def put_in_force(*, actor: User | None, payload: Json) -> ContractRule:
    """What was agreed to."""
    chain = BusinessChain.objects.select_related("union").get(uid=payload["chain"])
    where: Json = {"union": chain.union} if chain.union else {"business_chain": chain}
    values: Json = {f"vote_on_{verb}": verb in payload["votes"] for verb in VERBS}
    values |= {"blocking_severity": payload["blocking_severity"], "changed_by": actor, "changed_at": timezone.now()}
    rule, _made = ContractRule.objects.update_or_create(**where, defaults=values)
    about = {"votes": payload["votes"], "blocking_severity": payload["blocking_severity"]}
    audit.record("chains.contract_rule.changed", actor=actor, target=chain.union or chain, **about)
    return rule
