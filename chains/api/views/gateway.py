"""The gateway: JSON-RPC to a node of one's own organization, and who may use it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import generics, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chains import reads
from chains.api.filters import AccessGrantFilter
from chains.api.grant_serializers import AccessGrantAnswer, AccessGrantRequest, RpcAnswer, RpcCall
from chains.limits import limit
from chains.models import AccessGrant
from chains.services import gateway, grants
from console.api.reading import parsed
from console.errors import TooLarge
from console.models import ApiToken
from unions.api.views.unions import actor_of
from unions.reads import found

HEIGHT = OpenApiExample(
    "height",
    summary=gettext_lazy("How high the chain is"),
    request_only=True,
    value={"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []},
)
HEIGHT_ANSWER = OpenApiExample(
    "height",
    summary=gettext_lazy("How high the chain is"),
    response_only=True,
    value={"jsonrpc": "2.0", "id": 1, "result": "0x1267"},
)


class Gateway(APIView):
    """The way to a chain. A read-only token may call methods that read."""

    permission_classes = [IsAuthenticated]
    counts_calls = True  # and refuses what is too much (429)

    @extend_schema(
        operation_id="call_gateway",
        tags=["gateway"],
        request=RpcCall,
        responses={200: RpcAnswer},
        examples=[HEIGHT, HEIGHT_ANSWER],
    )
    def post(self, request: Request, uid: str) -> Response:
        """JSON-RPC 2.0, one call or a list, to a running node of your own organization. An access grant is needed.

        What the node refuses, or answers beyond understanding, is 502.
        """
        most = limit("GATEWAY_MAX_REQUEST_KB") * 1024
        if int(request.META.get("CONTENT_LENGTH") or 0) > most:
            raise TooLarge(_("A request to the gateway holds at most %(limit)s bytes.") % {"limit": most})
        read_only = isinstance(request.auth, ApiToken) and request.auth.read_only
        answer = gateway.pass_on(actor=actor_of(request), uid=uid, body=request.data, read_only=read_only)
        return Response(answer, headers={"Cache-Control": "no-store"})


class AccessGrants(generics.ListAPIView[AccessGrant]):
    """Who may reach which chain through the gateway."""

    serializer_class = AccessGrantAnswer
    filterset_class = AccessGrantFilter
    ordering_fields = ["created_at", "expires_at", "organization__name"]

    def get_queryset(self) -> QuerySet[AccessGrant]:
        return reads.access_grants(self.request.user)  # type: ignore[arg-type]

    @extend_schema(operation_id="list_access_grants", tags=["gateway"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Grants for you, and all of the organizations that you administer."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="create_access_grant",
        tags=["gateway"],
        request=AccessGrantRequest,
        responses={201: AccessGrantAnswer},
    )
    def post(self, request: Request) -> Response:
        """Let a member of an organization, or all of them, reach a chain; for the organization's administrators."""
        grant = grants.create_grant(actor=actor_of(request), **parsed(AccessGrantRequest, request))
        return Response(AccessGrantAnswer(grant).data, status=status.HTTP_201_CREATED)


class AccessGrantDetail(APIView):
    """One grant."""

    @extend_schema(operation_id="get_access_grant", tags=["gateway"], responses=AccessGrantAnswer)
    def get(self, request: Request, grant_id: int) -> Response:
        """One grant."""
        return Response(AccessGrantAnswer(found(reads.access_grants(actor_of(request)), pk=grant_id)).data)

    @extend_schema(
        operation_id="revoke_access_grant",
        tags=["gateway"],
        responses={204: OpenApiResponse(description=gettext_lazy("It has ended."))},
    )
    def delete(self, request: Request, grant_id: int) -> Response:
        """End a grant at once. Its row stays, as history."""
        grants.revoke_grant(actor=actor_of(request), grant_id=grant_id)
        return Response(status=status.HTTP_204_NO_CONTENT)
