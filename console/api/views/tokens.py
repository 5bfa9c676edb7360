"""Tokens: the credentials of programs."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import generics, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle, ScopedRateThrottle
from rest_framework.views import APIView

from console.api.filters import TokenFilter
from console.api.reading import parsed
from console.api.serializers import TokenAnswer, TokenCreatedAnswer, TokenRequest
from console.models import ApiToken
from console.services import tokens as service


class Tokens(generics.ListAPIView[ApiToken]):
    """Your tokens; a new one for whoever knows user name and password."""

    serializer_class = TokenAnswer
    filterset_class = TokenFilter
    ordering_fields = ["created_at", "name", "last_used_at", "expires_at"]
    throttle_scope = "tokens"

    def _opens_the_door(self) -> bool:
        return getattr(self.request, "method", "") == "POST"

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [] if self._opens_the_door() else super().get_authenticators()

    def get_permissions(self) -> list[BasePermission]:
        return [AllowAny()] if self._opens_the_door() else super().get_permissions()  # type: ignore[list-item]

    def get_throttles(self) -> list[BaseThrottle]:
        return [ScopedRateThrottle()] if self._opens_the_door() else []

    def get_queryset(self) -> QuerySet[ApiToken]:
        return ApiToken.objects.filter(user=self.request.user)  # type: ignore[misc]

    @extend_schema(operation_id="list_tokens", tags=["tokens"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Your tokens, revoked and expired ones included. Their texts are not kept."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="create_token",
        tags=["tokens"],
        request=TokenRequest,
        responses={201: TokenCreatedAnswer},
        examples=[
            OpenApiExample(
                "permits",
                request_only=True,
                value={"username": "alice", "password": "a long password", "name": "Permit server"},
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """A new token. Its text is in this answer and nowhere else; send it as `Authorization: Bearer <token>`."""
        wanted = parsed(TokenRequest, request)
        user = service.sign_in_for_token(
            request=request._request, username=wanted.pop("username"), password=wanted.pop("password")
        )
        token, text = service.create_token(actor=user, **wanted)
        token.token = text  # type: ignore[attr-defined]
        return Response(TokenCreatedAnswer(token).data, status=status.HTTP_201_CREATED)


class TokenDetail(APIView):
    """One of your tokens."""

    @extend_schema(operation_id="revoke_token", tags=["tokens"], request=None, responses={204: None})
    def delete(self, request: Request, token_id: int) -> Response:
        """Revoke a token: it opens no door from now on. Revoking it again changes nothing."""
        service.revoke_token(actor=request.user, token_id=token_id)  # type: ignore[arg-type]
        return Response(status=status.HTTP_204_NO_CONTENT)
