"""Proposals: opened with a flow that sleeps on them, decided by votes, withdrawn, or overtaken by time."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from console import audit, flows
from console.errors import Conflict, Invalid
from console.models import User
from console.policies import require
from console.services.notifications import notify
from console.transactions import joins_transaction, locked_or_missing, use_case
from unions.models import (
    Elector,
    MemberRole,
    Organization,
    Proposal,
    ProposalKind,
    ProposalState,
    Union,
    Vote,
)
from unions.policies import may_cast_vote, may_withdraw_proposal
from unions.tally import Outcome, tally


@joins_transaction
def open_proposal(
    *,
    actor: User,
    kind: ProposalKind,
    subject_key: str,
    subject_name: str,
    proposer: Organization,
    electorate: Collection[Organization],
    payload: dict[str, Any],
    union: Union | None = None,
    concerns: Organization | None = None,
    comment: str = "",
) -> Proposal:
    """Ask the electorate, and promise what happens when it agrees. An empty electorate carries at once."""
    if Proposal.objects.filter(subject_key=subject_key, state=ProposalState.OPEN).exists():
        raise Conflict(_("There is an open proposal on this already; it must be decided or withdrawn first."))
    proposal = Proposal.objects.create(
        kind=kind,
        union=union,
        subject_key=subject_key,
        subject_name=subject_name,
        proposer=proposer,
        concerns=concerns,
        opened_by=actor,
        payload=payload,
        comment=comment,
        expires_at=timezone.now() + timedelta(days=settings.PROPOSAL_DAYS),
    )
    Elector.objects.bulk_create(Elector(proposal=proposal, organization=each) for each in electorate)
    audit.record(
        f"unions.proposal.{kind}_proposed",
        actor=actor,
        target=proposal,
        electorate=[each.orgcode for each in electorate],
        comment=comment,
    )
    if not electorate:
        proposal.carry()
    proposal.flow = flows.start(
        flows.blueprint_named(f"unions.{kind}"),
        subject=proposal,
        requested_by=actor,
        arguments={**payload, "proposal": proposal.pk},
        title_values={"name": subject_name, "organization": concerns.name if concerns else proposer.name},
        watchers=people_of([proposer, *electorate, *([concerns] if concerns else [])]),
    )
    proposal.save()
    return proposal


@use_case
def cast_vote(*, actor: User, proposal_id: int, orgcode: str, agree: bool, comment: str = "") -> Proposal:
    """Record one organization's answer and, when it settles the proposal, let the flow go on or be taken back.

    Raises Missing when the actor cannot see the proposal, NotAllowed when the organization has no say or the actor
    does not speak for it, Conflict when it is settled already or the organization has voted.
    """
    proposal = locked_or_missing(Proposal.objects.visible_to(actor), pk=proposal_id)
    organization = Organization.objects.filter(orgcode=orgcode).first()
    if organization is None:
        raise Invalid.field("orgcode", _("There is no organization of this code."))
    require(may_cast_vote(actor, proposal, organization))
    if proposal.state != ProposalState.OPEN:
        raise Conflict(_("This proposal has been decided already."))
    if proposal.votes.filter(organization=organization).exists():
        raise Conflict(_("%(name)s has voted already.") % {"name": organization.name}, code="voted_already")
    Vote.objects.create(proposal=proposal, organization=organization, agree=agree, cast_by=actor, comment=comment)
    audit.record("unions.proposal.voted", actor=actor, target=proposal, orgcode=orgcode, agree=agree, comment=comment)
    _settle(proposal, actor)
    return proposal


@use_case
def withdraw_proposal(*, actor: User, proposal_id: int) -> Proposal:
    """Take back what one's own organization asked for."""
    proposal = locked_or_missing(Proposal.objects.visible_to(actor), pk=proposal_id)
    require(may_withdraw_proposal(actor, proposal))
    proposal.withdraw()
    proposal.save()
    audit.record("unions.proposal.withdrawn", actor=actor, target=proposal)
    flows.cancel_waiting(proposal.topic, actor=actor, detail=_("The proposal was withdrawn."))
    _tell(proposal, gettext_noop("“%(subject)s” was withdrawn"))
    return proposal


@use_case
def expire_proposal(*, proposal_id: int) -> Proposal:
    """Close a proposal whose time is over; its flow is taken back."""
    proposal = locked_or_missing(Proposal.objects.all(), pk=proposal_id)
    if proposal.state != ProposalState.OPEN or proposal.expires_at > timezone.now():
        return proposal
    proposal.expire()
    proposal.save()
    audit.record("unions.proposal.expired", actor=None, target=proposal)
    flows.fail_waiting(proposal.topic, code="expired", detail=_("Not everyone answered in time."))
    _tell(proposal, gettext_noop("“%(subject)s” has expired"))
    return proposal


def _settle(proposal: Proposal, actor: User) -> None:
    outcome = tally(
        set(proposal.electors.values_list("organization__orgcode", flat=True)),
        dict(proposal.votes.values_list("organization__orgcode", "agree")),
        proposal.rule,
    )
    if outcome is Outcome.CARRIED:
        proposal.carry()
        flows.wake(proposal.topic, {"verdict": "carried"})
        _tell(proposal, gettext_noop("“%(subject)s” was agreed to"))
    elif outcome is Outcome.REFUSED:
        proposal.refuse()
        flows.fail_waiting(proposal.topic, code="refused", detail=_refusal_text(proposal))
        _tell(proposal, gettext_noop("“%(subject)s” was refused"))
    proposal.save()
    if outcome is not Outcome.OPEN:
        audit.record(f"unions.proposal.{outcome.value}", actor=actor, target=proposal)


def _refusal_text(proposal: Proposal) -> str:
    noes = proposal.votes.filter(agree=False).select_related("organization")
    return "; ".join(
        f"{vote.organization}: {vote.comment}" if vote.comment else str(vote.organization) for vote in noes
    )


def people_of(organizations: Iterable[Organization]) -> list[User]:
    """Everyone who belongs to one of the organizations."""
    return list(User.objects.filter(memberships__organization__in=list(organizations)).distinct())


def speakers_of(organizations: Iterable[Organization]) -> list[User]:
    """Everyone who may vote for one of the organizations."""
    roles = [MemberRole.ADMINISTRATOR, MemberRole.OPERATOR]
    return list(
        User.objects.filter(memberships__organization__in=list(organizations), memberships__role__in=roles).distinct()
    )


def _tell(proposal: Proposal, title: str) -> None:
    concerned = [
        proposal.proposer,
        *(elector.organization for elector in proposal.electors.select_related("organization")),
    ]
    notify(
        people_of(concerned),
        kind="proposal",
        title=title,
        parameters={"subject": proposal.subject_name},
        link=f"/proposals/{proposal.pk}",
    )
