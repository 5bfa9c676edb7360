"""Unions: read them, propose that one be made, joined, left or deleted."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from console.api.reading import parsed
from console.api.views import StartsWork
from console.models import User
from unions import reads
from unions.api.filters import UnionFilter
from unions.api.serializers import (
    DeletionRequest,
    MoveRequest,
    ReleaseRequest,
    RuleRequest,
    StartedProposal,
    StartedUnionUpgrade,
    UnionAnswer,
    UnionRequest,
)
from unions.models import Proposal, Union
from unions.services import endings, rules
from unions.services import unions as service
from unions.services.upgrades import upgrade_nodes_of_union


def promised(proposal: Proposal) -> dict[str, Any]:
    """What a call that proposes something answers."""
    return {
        "flow": str(proposal.flow_id),
        "proposal": str(proposal.pk),
        "unionid": proposal.payload["unionid"],
    }


def actor_of(request: Request) -> User:
    """Whoever calls; the permission classes have let nobody in who is not signed in."""
    return cast(User, request.user)


class Unions(StartsWork, generics.ListAPIView[Union]):
    """All managed unions, of all platforms, in one format."""

    serializer_class = UnionAnswer
    filterset_class = UnionFilter
    ordering_fields = ["name", "created_at", "state"]

    def get_queryset(self) -> QuerySet[Union]:
        return reads.unions(self.request.user)  # type: ignore[arg-type]

    @extend_schema(operation_id="list_unions", tags=["unions"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Unions of every platform."""
        rows = list(self.paginate_queryset(self.filter_queryset(self.get_queryset())) or [])
        context = {"inside": reads.inside_ids(actor_of(request), rows)}
        return self.get_paginated_response(UnionAnswer(rows, many=True, context=context).data)

    @extend_schema(
        operation_id="propose_union",
        tags=["unions"],
        request=UnionRequest,
        responses={202: StartedProposal},
        examples=[
            OpenApiExample(
                "permits",
                summary=_("Two departments"),
                request_only=True,
                value={
                    "name": "Building permits",
                    "oemtype": "sandbox",
                    "creatororg": "org-a2b3c4d5e6",
                    "orgs": ["org-f7g8h9j2k3"],
                },
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Propose a union. Everyone invited agrees first; then its nodes are built in every member's space."""
        wanted, actor = parsed(UnionRequest, request), actor_of(request)
        return self.start(request, lambda: promised(service.propose_union(actor=actor, **wanted)))


class UnionDetail(StartsWork, APIView):
    """One union."""

    @extend_schema(operation_id="get_union", tags=["unions"], responses=UnionAnswer)
    def get(self, request: Request, unionid: str) -> Response:
        """One union with its members and their states."""
        union = reads.found(reads.unions(actor_of(request)), unionid=unionid)
        return Response(UnionAnswer(union, context={"inside": reads.inside_ids(actor_of(request), [union])}).data)

    @extend_schema(operation_id="propose_delete", tags=["unions"], request=None, responses={202: StartedProposal})
    def delete(self, request: Request, unionid: str) -> Response:
        """Delete a union, on the creator's word; all members' nodes are reclaimed."""
        wanted, actor = parsed(DeletionRequest, request), actor_of(request)
        return self.start(request, lambda: promised(service.propose_delete(actor=actor, unionid=unionid, **wanted)))


class JoinUnion(StartsWork, APIView):
    """Ask to be let in."""

    @extend_schema(operation_id="propose_join", tags=["unions"], request=MoveRequest, responses={202: StartedProposal})
    def post(self, request: Request, unionid: str) -> Response:
        """Ask to join a union. Every present member agrees first; then the node is built."""
        wanted, actor = parsed(MoveRequest, request), actor_of(request)
        return self.start(request, lambda: promised(service.propose_join(actor=actor, unionid=unionid, **wanted)))


class QuitUnion(StartsWork, APIView):
    """Leave."""

    @extend_schema(operation_id="propose_quit", tags=["unions"], request=MoveRequest, responses={202: StartedProposal})
    def post(self, request: Request, unionid: str) -> Response:
        """Quit a union; the organization's nodes are reclaimed."""
        wanted, actor = parsed(MoveRequest, request), actor_of(request)
        return self.start(request, lambda: promised(service.propose_quit(actor=actor, unionid=unionid, **wanted)))


class ReleaseUnion(APIView):
    """Let go."""

    @extend_schema(operation_id="release_union", tags=["unions"], request=ReleaseRequest, responses=UnionAnswer)
    def post(self, request: Request, unionid: str) -> Response:
        """Stop managing a union with placeholders in it. For administrators.

        On the platform nothing is touched: network, chains and nodes stay. Here the union ends, with what is recorded
        of its chains; placeholders that are in no other union are closed. 409 with `blockers` while something goes on.
        """
        wanted = parsed(ReleaseRequest, request)
        endings.release_union(actor=actor_of(request), unionid=unionid, **wanted)
        union = reads.found(reads.unions(actor_of(request)), unionid=unionid)
        return Response(UnionAnswer(union, context={"inside": reads.inside_ids(actor_of(request), [union])}).data)


class UpgradeUnionNodes(StartsWork, APIView):
    """The nodes of a union on its members' own machines."""

    @extend_schema(
        operation_id="upgrade_union_nodes", tags=["unions"], request=None, responses={202: StartedUnionUpgrade}
    )
    def post(self, request: Request, unionid: str) -> Response:
        """Bring the union's nodes to the image that the settings name, one after the other.

        As `upgrade_nodes` does it for all nodes of a native platform. For administrators.
        """

        def start() -> dict[str, str]:
            flow = upgrade_nodes_of_union(actor=actor_of(request), unionid=unionid)
            return {"flow": str(flow.pk), "unionid": unionid}

        return self.start(request, start)


class UnionRule(StartsWork, APIView):
    """How many members must agree."""

    @extend_schema(operation_id="propose_rule", tags=["unions"], request=RuleRequest, responses={202: StartedProposal})
    def post(self, request: Request, unionid: str) -> Response:
        """Propose another rule. As many members must agree as today's rule says; the proposer has agreed."""
        wanted, actor = parsed(RuleRequest, request), actor_of(request)
        return self.start(request, lambda: promised(rules.propose_rule(actor=actor, unionid=unionid, **wanted)))
