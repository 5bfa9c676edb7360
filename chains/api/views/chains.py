"""Business chains, blockchains and nodes: what is run, for whom, and in which state."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chains import reads
from chains.api.filters import BlockchainFilter, BusinessChainFilter, NodeFilter
from chains.api.order_serializers import ChainProposalRequest, StartedChainWork
from chains.api.serializers import BlockchainDetailAnswer, BusinessChainAnswer, NodeAnswer
from chains.api.views.orders import LAND_REGISTER, promised
from chains.models import Blockchain, BusinessChain, Node
from chains.services import orders as service
from console.api.reading import parsed
from console.api.views import StartsWork
from unions.api.serializers import DeletionRequest
from unions.api.views.unions import actor_of
from unions.reads import found

TABLE_3 = OpenApiExample(
    "permits",
    summary=_("Two departments and their chain"),
    response_only=True,
    value={
        "id": "bc-f7g8h9j2k3",
        "unionid": "union-m4n5p6q7r8",
        "creatororg": "org-a2b3c4d5e6",
        "name": "Building permits",
        "oemtype": "sandbox",
        "orgs": ["org-a2b3c4d5e6", "org-f7g8h9j2k3"],
        "createmode": "multi_subchain",
        "state": "running",
        "management": "managed",
        "created_at": "2026-11-24T07:41:22Z",
        "blockchain": [
            {
                "id": "chain-a2b3c4d5e6",
                "externalid": "chn-3c3e1e4fc38cb0aa",
                "extrainfo": "",
                "name": "Building permits",
                "cloudtype": "cloud",
                "orgs": ["org-a2b3c4d5e6", "org-f7g8h9j2k3"],
                "infraspec": {"nodes": {"org-a2b3c4d5e6": 1, "org-f7g8h9j2k3": 1}},
                "blockspec": {"consensus": "single sequencer", "kernel": "ethereum"},
                "state": "running",
                "height": 4711,
                "block_hash": "0x671ec6ef29a1d04b2c1f0f2f7f1c2a53d4f2c27c6a3b7d6d0b9d2b8c8cca0e11",
                "block_time": "2026-11-24T07:41:46Z",
                "transactions": 9321,
                "read_at": "2026-11-24T07:41:48.120000Z",
                "read_error": "",
                "stale": False,
            }
        ],
    },
)


class Chains(StartsWork, generics.ListAPIView[BusinessChain]):
    """Business chains of every platform, in one format."""

    serializer_class = BusinessChainAnswer
    filterset_class = BusinessChainFilter
    ordering_fields = ["name", "created_at", "state"]

    def get_queryset(self) -> QuerySet[BusinessChain]:
        return reads.business_chains(self.request.user)  # type: ignore[arg-type]

    @extend_schema(operation_id="list_chains", tags=["chains"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Business chains that an organization of yours is in."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="propose_chain",
        tags=["chains"],
        request=ChainProposalRequest,
        responses={202: StartedChainWork},
        examples=[LAND_REGISTER],
    )
    def post(self, request: Request) -> Response:
        """Propose a business chain. Everyone in it agrees first; then it is built as its mode says."""
        wanted, actor = parsed(ChainProposalRequest, request), actor_of(request)
        return self.start(request, lambda: promised(service.propose_chain(actor=actor, **wanted)))


class ChainDetail(StartsWork, APIView):
    """One business chain."""

    @extend_schema(operation_id="get_chain", tags=["chains"], responses=BusinessChainAnswer, examples=[TABLE_3])
    def get(self, request: Request, uid: str) -> Response:
        """One business chain with its blockchains."""
        return Response(BusinessChainAnswer(found(reads.business_chains(request.user), uid=uid)).data)  # type: ignore[arg-type]

    @extend_schema(
        operation_id="propose_chain_delete", tags=["chains"], request=None, responses={202: StartedChainWork}
    )
    def delete(self, request: Request, uid: str) -> Response:
        """Delete a business chain with its ledgers, on its creator's word; nodes that serve others stay."""
        wanted, actor = parsed(DeletionRequest, request), actor_of(request)
        return self.start(request, lambda: promised(service.propose_chain_delete(actor=actor, uid=uid, **wanted)))


class Blockchains(generics.ListAPIView[Blockchain]):
    """Blockchains of every platform."""

    serializer_class = BlockchainDetailAnswer
    filterset_class = BlockchainFilter
    ordering_fields = ["name", "created_at", "state", "height", "block_time", "read_at"]

    def get_queryset(self) -> QuerySet[Blockchain]:
        return reads.blockchains(self.request.user)  # type: ignore[arg-type]

    @extend_schema(operation_id="list_blockchains", tags=["chains"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Blockchains that an organization of yours is in, each with its head."""
        return super().get(request, *args, **kwargs)


class BlockchainDetail(APIView):
    """One blockchain."""

    @extend_schema(operation_id="get_blockchain", tags=["chains"], responses=BlockchainDetailAnswer)
    def get(self, request: Request, uid: str) -> Response:
        """One blockchain with its head as it was read last."""
        return Response(BlockchainDetailAnswer(found(reads.blockchains(request.user), uid=uid)).data)  # type: ignore[arg-type]


class Nodes(generics.ListAPIView[Node]):
    """Nodes of blockchains."""

    serializer_class = NodeAnswer
    filterset_class = NodeFilter
    query_parameters = ("blockchain",)
    ordering_fields = ["role", "state", "endpoint"]

    def get_queryset(self) -> QuerySet[Node]:
        rows = reads.nodes(self.request.user)  # type: ignore[arg-type]
        if uid := self.request.query_params.get("blockchain"):
            rows = rows.filter(blockchain=found(reads.blockchains(self.request.user), uid=uid))  # type: ignore[arg-type]
        return rows

    @extend_schema(
        operation_id="list_nodes",
        tags=["chains"],
        parameters=[OpenApiParameter("blockchain", str, description="Id of a blockchain; 404 when you do not see it.")],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Nodes with their endpoints, as the platforms listed them last."""
        return super().get(request, *args, **kwargs)
