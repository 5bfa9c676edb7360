"""A client's tokens: made once, shown once, revocable."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console import audit
from console.errors import ConsoleError, Invalid
from console.models import ApiToken, User
from console.policies import may_administer, require
from console.transactions import locked_or_missing, use_case

PREFIX = "concord_"


class BadCredentials(ConsoleError):
    """User name and password do not belong together."""

    status, code, title = 401, "bad_credentials", gettext_lazy("Not signed in")


def digest(text: str) -> str:
    """SHA-256 of a token. Tokens have 256 bits of chance, so a slow hash would add nothing."""
    return hashlib.sha256(text.encode()).hexdigest()


def sign_in_for_token(*, request: HttpRequest, username: str, password: str) -> User:
    """The user behind a name and a password; BadCredentials otherwise, without saying which was wrong."""
    user = authenticate(request, username=username, password=password)
    if not isinstance(user, User):
        raise BadCredentials(_("Unknown user name or wrong password."))
    return user


@use_case
def create_token(
    *, actor: User, name: str, read_only: bool = False, expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """A new token and its text, which nobody can read again."""
    name = name.strip()
    if not name:
        raise Invalid.field("name", _("Give the token a name, so that you know later what it is for."))
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid.field("expires_at", _("This time has passed."))
    text = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=actor,
        name=name,
        digest=digest(text),
        hint=text[: len(PREFIX) + 4],
        read_only=read_only,
        expires_at=expires_at,
    )
    audit.record("console.token.created", actor=actor, target=token, name=name, read_only=read_only)
    return token, text


@use_case
def revoke_token(*, actor: User, token_id: int) -> ApiToken:
    """Close the door for a token of one's own."""
    return _revoke(actor, locked_or_missing(ApiToken.objects.filter(user=actor), pk=token_id))


@use_case
def revoke_any_token(*, actor: User, token_id: int) -> ApiToken:
    """Close the door for anybody's token, by an administrator."""
    require(may_administer(actor))
    return _revoke(actor, locked_or_missing(ApiToken.objects.all(), pk=token_id))


def _revoke(actor: User, token: ApiToken) -> ApiToken:
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        audit.record("console.token.revoked", actor=actor, target=token)
    return token
