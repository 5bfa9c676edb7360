"""Who calls: a client with a bearer token (RFC 6750), and what the token's scope lets it do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from console.language import speak_to
from console.models import ApiToken, User
from console.services.tokens import digest

if TYPE_CHECKING:
    from rest_framework.views import APIView

USE_NOTED_EVERY = timedelta(minutes=1)  # a write for every call would be the most expensive part of most calls


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer concord_…`"""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = ApiToken.objects.usable().select_related("user").filter(digest=digest(text.strip())).first()
        if token is None:
            raise AuthenticationFailed(_("The token is unknown, expired or revoked."), code="bad_token")
        now = timezone.now()
        if token.last_used_at is None or token.last_used_at < now - USE_NOTED_EVERY:
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        speak_to(request._request, token.user)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="console"'


class TokenScopeAllows(BasePermission):
    """A read-only token reads."""

    message = _("This token may only read.")
    code = "read_only_token"

    def has_permission(self, request: Request, view: APIView) -> bool:
        token = request.auth
        return not (isinstance(token, ApiToken) and token.read_only and request.method not in SAFE_METHODS)
