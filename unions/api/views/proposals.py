"""Proposals: what waits for an answer, and the answers."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from console.api.reading import parsed
from unions import reads
from unions.api.filters import ProposalFilter
from unions.api.serializers import ConsoleAnswerRequest, ProposalAnswer, VoteRequest, WithdrawalRequest
from unions.models import Proposal
from unions.services import proposals as service


class Proposals(generics.ListAPIView[Proposal]):
    """What organizations decide together."""

    serializer_class = ProposalAnswer
    filterset_class = ProposalFilter
    ordering_fields = ["opened_at", "expires_at", "decided_at"]

    def get_queryset(self) -> QuerySet[Proposal]:
        return reads.proposals(self.request.user)  # type: ignore[arg-type]

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "oemtypes": reads.oemtypes()}

    @extend_schema(operation_id="list_proposals", tags=["proposals"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Proposals of one's organizations, those they have a say in, and those about their unions.

        `waiting_for=me` is the inbox: what an organization that one speaks for has not answered yet.
        """
        return super().get(request, *args, **kwargs)


def answered(request: Request, proposal_id: int) -> Response:
    """The proposal as it stands now."""
    proposal = reads.found(reads.proposals(request.user), pk=proposal_id)  # type: ignore[arg-type]
    return Response(ProposalAnswer(proposal, context={"oemtypes": reads.oemtypes()}).data)


class ProposalDetail(APIView):
    """One proposal."""

    @extend_schema(operation_id="get_proposal", tags=["proposals"], responses=ProposalAnswer)
    def get(self, request: Request, proposal_id: int) -> Response:
        """One proposal: its electorate, the votes so far, the flow that waits for it."""
        return answered(request, proposal_id)


class Votes(APIView):
    """Answers."""

    @extend_schema(
        operation_id="cast_vote",
        tags=["proposals"],
        request=VoteRequest,
        responses={201: ProposalAnswer},
        examples=[
            OpenApiExample(
                "agree",
                summary=_("Agree"),
                request_only=True,
                value={"orgcode": "org-f7g8h9j2k3", "agree": True, "comment": "Welcome"},
            )
        ],
    )
    def post(self, request: Request, proposal_id: int) -> Response:
        """Answer for an organization, once. The answer that settles the proposal lets its flow go on."""
        service.cast_vote(actor=request.user, proposal_id=proposal_id, **parsed(VoteRequest, request))  # type: ignore[arg-type]
        response = answered(request, proposal_id)
        response.status_code = status.HTTP_201_CREATED
        return response


class AnswerForConsole(APIView):
    """The console's own answer."""

    @extend_schema(
        operation_id="answer_for_console",
        tags=["proposals"],
        request=ConsoleAnswerRequest,
        responses={201: ProposalAnswer},
    )
    def post(self, request: Request, proposal_id: int) -> Response:
        """Answer for the console where the members concerned cannot decide alone. For administrators."""
        wanted = parsed(ConsoleAnswerRequest, request)
        service.answer_for_console(actor=request.user, proposal_id=proposal_id, **wanted)  # type: ignore[arg-type]
        response = answered(request, proposal_id)
        response.status_code = status.HTTP_201_CREATED
        return response


class WithdrawProposal(APIView):
    """Take back what was asked."""

    @extend_schema(
        operation_id="withdraw_proposal", tags=["proposals"], request=WithdrawalRequest, responses=ProposalAnswer
    )
    def post(self, request: Request, proposal_id: int) -> Response:
        """Withdraw a proposal of one's own organization; its flow is cancelled. The body may be left out."""
        wanted = parsed(WithdrawalRequest, request)
        service.withdraw_proposal(actor=request.user, proposal_id=proposal_id, **wanted)  # type: ignore[arg-type]
        return answered(request, proposal_id)
