"""How much of ledgers is kept."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chains.api.serializers import RetentionAnswer, RetentionRequest
from chains.models import Blockchain
from chains.retention import rule_of
from chains.services.retention import drop_retention, set_retention
from console.api.reading import parsed
from unions.api.views.unions import actor_of
from unions.reads import found


class Retention(APIView):
    """The console's rule."""

    @extend_schema(operation_id="get_ledger_retention", tags=["ledger"], responses=RetentionAnswer)
    def get(self, request: Request) -> Response:
        """What is kept of every ledger that has no rule of its own."""
        return Response(RetentionAnswer(rule_of(None)).data)

    @extend_schema(
        operation_id="set_ledger_retention", tags=["ledger"], request=RetentionRequest, responses=RetentionAnswer
    )
    def put(self, request: Request) -> Response:
        """Set it; for administrators of the console."""
        set_retention(actor=actor_of(request), uid=None, **parsed(RetentionRequest, request))
        return Response(RetentionAnswer(rule_of(None)).data)


class BlockchainRetention(APIView):
    """The rule of one ledger."""

    @extend_schema(operation_id="get_blockchain_retention", tags=["ledger"], responses=RetentionAnswer)
    def get(self, request: Request, uid: str) -> Response:
        """What is kept of this ledger, and whose rule that is."""
        return Response(RetentionAnswer(rule_of(self._chain(request, uid))).data)

    @extend_schema(
        operation_id="set_blockchain_retention", tags=["ledger"], request=RetentionRequest, responses=RetentionAnswer
    )
    def put(self, request: Request, uid: str) -> Response:
        """Give it a rule of its own; for administrators of the console."""
        set_retention(actor=actor_of(request), uid=uid, **parsed(RetentionRequest, request))
        return Response(RetentionAnswer(rule_of(self._chain(request, uid))).data)

    @extend_schema(
        operation_id="drop_blockchain_retention",
        tags=["ledger"],
        parameters=[OpenApiParameter("confirmed", bool, description="That stored blocks go by the console's rule.")],
        responses={204: None},
    )
    def delete(self, request: Request, uid: str) -> Response:
        """Let it follow the console's rule again."""
        confirmed = request.query_params.get("confirmed") == "true"
        drop_retention(actor=actor_of(request), uid=uid, confirmed=confirmed)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _chain(self, request: Request, uid: str) -> Blockchain:
        return found(Blockchain.objects.visible_to(actor_of(request)), uid=uid)
