"""The inbox, and one proposal with its votes and the work behind it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy

from console.models import Flow, User
from console.policies import Verdict, may_administer
from console.views.base import DetailPage, ListPage, ServiceFormView
from platforms.models import Platform
from unions import reads
from unions.forms import ConsoleAnswerForm, VoteForm, WithdrawalForm
from unions.models import Proposal, ProposalKind, ProposalState
from unions.policies import may_withdraw_proposal
from unions.services import proposals as service
from unions.views.cards import cards_of


def waiting_count(actor: User) -> int:
    """The number on the inbox's badge."""
    return Proposal.objects.waiting_for(actor).count()


class Inbox(ListPage):
    """Everything that waits for the reader's answer, whatever the kernel."""

    template_name = "unions/inbox.html"
    partial_name = "unions/_inbox.html"

    def get_queryset(self) -> QuerySet[Proposal]:
        return reads.waiting(self.actor)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context | {
            "cards": cards_of(context["object_list"], self.actor),
            "standing": reads.standing_of(self.actor),
            "live": True,
        }


class ProposalList(ListPage):
    """All proposals that concern the reader."""

    template_name = "unions/proposal_list.html"
    partial_name = "unions/_proposal_table.html"
    filters = {"state": ProposalState, "kind": ProposalKind}
    search_in = ("subject_name", "proposer__name")

    def get_queryset(self) -> QuerySet[Proposal]:
        rows = reads.proposals(self.actor)
        if platform := self.request.GET.get("platform"):
            rows = rows.on_platform(platform)
        return self.narrowed(rows)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context | {
            "cards": cards_of(context["object_list"], self.actor),
            "platforms": Platform.objects.visible_to(self.actor).official(),
        }


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
        flow = proposal.flow
        return context | {
            "card": cards_of([proposal], self.actor)[0],
            "may_withdraw": may_withdraw_proposal(self.actor, proposal),
            "flow": flow,
            "flow_visible": flow is not None and Flow.objects.visible_to(self.actor).filter(pk=flow.pk).exists(),
            "steps": list(flow.steps.all()) if flow else [],
            "live": proposal.state == ProposalState.OPEN or (flow is not None and not flow.is_final),
        }


class CastVote(ServiceFormView):
    """An answer; the page it comes back to says so."""

    form_class: type[ConsoleAnswerForm] = VoteForm
    template_name = "unions/proposal_vote.html"
    success_message = gettext_lazy("Your answer was recorded.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        proposal = reads.found(reads.proposals(self.actor), pk=self.kwargs["proposal_id"])
        context = super().get_context_data(**kwargs)
        return context | {"proposal": proposal, "card": cards_of([proposal], self.actor)[0]}

    def perform(self, form: forms.Form) -> Proposal:
        return service.cast_vote(actor=self.actor, proposal_id=self.kwargs["proposal_id"], **form.cleaned_data)

    def get_success_url(self) -> str:
        return reverse("unions:proposal-detail", args=[self.kwargs["proposal_id"]])


class AnswerForConsole(CastVote):
    """An administrator's answer for the console."""

    form_class: type[ConsoleAnswerForm] = ConsoleAnswerForm

    def allowed(self) -> Verdict:
        return may_administer(self.actor)

    def perform(self, form: forms.Form) -> Proposal:
        return service.answer_for_console(actor=self.actor, proposal_id=self.kwargs["proposal_id"], **form.cleaned_data)


class WithdrawProposal(ServiceFormView):
    """Take back what was asked; the page asks once more, and for the reason."""

    form_class = WithdrawalForm
    template_name = "unions/proposal_withdraw.html"

    success_message = gettext_lazy("It was taken back.")

    @cached_property
    def proposal(self) -> Proposal:
        return reads.found(reads.proposals(self.actor), pk=self.kwargs["proposal_id"])

    def allowed(self) -> Verdict:
        return may_withdraw_proposal(self.actor, self.proposal)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        card = cards_of([self.proposal], self.actor)[0]
        return super().get_context_data(**kwargs) | {"proposal": self.proposal, "card": card}

    def perform(self, form: forms.Form) -> Proposal:
        return service.withdraw_proposal(
            actor=self.actor, proposal_id=self.kwargs["proposal_id"], reason=form.cleaned_data["reason"]
        )

    def came_from(self) -> str:
        return reverse("unions:proposal-detail", args=[self.kwargs["proposal_id"]])
