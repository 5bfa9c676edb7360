"""Business chains, blockchains and nodes: what is run, for whom, and in which state."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chains import reads
from chains.api.filters import BlockchainFilter, BusinessChainFilter, NodeFilter
from chains.api.serializers import BlockchainDetailAnswer, BusinessChainAnswer, NodeAnswer
from chains.models import Blockchain, BusinessChain, Node
from unions.reads import found


class Chains(generics.ListAPIView[BusinessChain]):
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


class ChainDetail(APIView):
    """One business chain."""

    @extend_schema(operation_id="get_chain", tags=["chains"], responses=BusinessChainAnswer)
    def get(self, request: Request, uid: str) -> Response:
        """One business chain with its blockchains."""
        return Response(BusinessChainAnswer(found(reads.business_chains(request.user), uid=uid)).data)  # type: ignore[arg-type]


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
