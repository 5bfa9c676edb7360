"""The inbox, and one proposal with its votes and the work behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy

from console.models import User
from console.views.base import ActionView, DetailPage, ListPage, ServiceFormView
from unions import reads
from unions.forms import VoteForm
from unions.models import Elector, Organization, Proposal, ProposalKind, ProposalState, Vote
from unions.policies import may_withdraw_proposal
from unions.services import proposals as service

ASKS = {
    ProposalKind.CREATE: gettext_lazy("%(who)s invites you to the new union “%(union)s”."),
    ProposalKind.JOIN: gettext_lazy("%(who)s asks to join the union “%(union)s”."),
    ProposalKind.QUIT: gettext_lazy("%(who)s leaves the union “%(union)s”."),
    ProposalKind.DELETE: gettext_lazy("%(who)s deletes the union “%(union)s”."),
}
CONSEQUENCES = {
    ProposalKind.CREATE: gettext_lazy(
        "Once everyone invited has agreed, a node is built in the resource space of every member, "
        "and all members share one chain."
    ),
    ProposalKind.JOIN: gettext_lazy(
        "Once every member has agreed, a node is built in the resource space of %(who)s, "
        "and it receives a copy of the whole ledger."
    ),
    ProposalKind.QUIT: gettext_lazy("The nodes of %(who)s are reclaimed; the union goes on without it."),
    ProposalKind.DELETE: gettext_lazy("The nodes of every member are reclaimed, and the chain is gone for good."),
}


@dataclass(frozen=True)
class Answer:
    """What one organization with a say has said so far; `vote` is None while it is silent."""

    organization: Organization
    vote: Vote | None
    speaks: bool


@dataclass(frozen=True)
class Card:
    """A proposal as a person reads it."""

    proposal: Proposal
    asks: str
    consequence: str
    answers: list[Answer]
    guests: list[str]

    @property
    def open_for(self) -> list[Organization]:
        """The reader's organizations that have not answered yet."""
        if self.proposal.state != ProposalState.OPEN:
            return []
        return [answer.organization for answer in self.answers if answer.speaks and answer.vote is None]

    @property
    def given(self) -> int:
        return sum(answer.vote is not None for answer in self.answers)


def card_of(proposal: Proposal, speaks_for: set[int]) -> Card:
    """`proposal` prefetched as `reads.proposals` does; `speaks_for` are ids of the reader's organizations."""
    words = {
        "who": (proposal.concerns or proposal.proposer).name,
        "union": proposal.subject_name,
    }
    votes = {vote.organization_id: vote for vote in proposal.votes.all()}
    electors: list[Elector] = list(proposal.electors.all())
    answers = [
        Answer(row.organization, votes.get(row.organization_id), row.organization_id in speaks_for) for row in electors
    ]
    kind = ProposalKind(proposal.kind)
    return Card(
        proposal=proposal,
        asks=str(ASKS[kind]) % words,
        consequence=str(CONSEQUENCES[kind]) % words,
        answers=answers,
        guests=[row.organization.name for row in electors],
    )


def speaks_for(actor: User) -> set[int]:
    """Ids of the organizations that the actor votes for; administrators vote for others by REST only."""
    from unions.models import MemberRole

    own = Organization.objects.of_user(actor, MemberRole.ADMINISTRATOR, MemberRole.OPERATOR)
    return set(own.values_list("pk", flat=True))


def waiting_count(actor: User) -> int:
    """The number on the inbox's badge."""
    return Proposal.objects.waiting_for(actor).count()


class Inbox(ListPage):
    """Everything that waits for the reader's answer, whatever the kernel."""

    template_name = "unions/inbox.html"
    partial_name = "unions/_inbox.html"

    def get_queryset(self) -> QuerySet[Proposal]:
        return reads.proposals(self.actor).waiting_for(self.actor).order_by("expires_at")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        mine = speaks_for(self.actor)
        return context | {"cards": [card_of(proposal, mine) for proposal in context["object_list"]], "live": True}


class ProposalList(ListPage):
    """All proposals that concern the reader."""

    template_name = "unions/proposal_list.html"
    partial_name = "unions/_proposal_table.html"
    filters = {"state": ProposalState, "kind": ProposalKind}
    search_in = ("subject_name", "proposer__name")

    def get_queryset(self) -> QuerySet[Proposal]:
        return self.narrowed(reads.proposals(self.actor))


class ProposalDetail(DetailPage):
    """One proposal: what is asked, who has said what, how far the work is."""

    template_name = "unions/proposal_detail.html"
    partial_name = "unions/_proposal_live.html"
    context_object_name = "proposal"

    def get_object(self, queryset: Any = None) -> Proposal:
        return reads.found(reads.proposals(self.actor).prefetch_related("flow__steps"), pk=self.kwargs["proposal_id"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        proposal: Proposal = context["proposal"]
        return context | {
            "card": card_of(proposal, speaks_for(self.actor)),
            "may_withdraw": may_withdraw_proposal(self.actor, proposal),
            "flow": proposal.flow,
            "steps": list(proposal.flow.steps.all()) if proposal.flow else [],
            "live": proposal.state == ProposalState.OPEN or (proposal.flow is not None and not proposal.flow.is_final),
        }


class CastVote(ServiceFormView):
    """An answer; the page it comes back to says so."""

    form_class = VoteForm
    template_name = "unions/proposal_vote.html"
    success_message = gettext_lazy("Your answer was recorded.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        proposal = reads.found(reads.proposals(self.actor), pk=self.kwargs["proposal_id"])
        return super().get_context_data(**kwargs) | {
            "proposal": proposal,
            "card": card_of(proposal, speaks_for(self.actor)),
        }

    def perform(self, form: forms.Form) -> Proposal:
        return service.cast_vote(actor=self.actor, proposal_id=self.kwargs["proposal_id"], **form.cleaned_data)

    def get_success_url(self) -> str:
        return reverse("unions:proposal-detail", args=[self.kwargs["proposal_id"]])


class WithdrawProposal(ActionView):
    """Take back what was asked."""

    success_message = gettext_lazy("The proposal was withdrawn.")

    def perform(self) -> Proposal:
        return service.withdraw_proposal(actor=self.actor, proposal_id=self.kwargs["proposal_id"])

    def get_success_url(self) -> str:
        return reverse("unions:proposal-detail", args=[self.kwargs["proposal_id"]])
