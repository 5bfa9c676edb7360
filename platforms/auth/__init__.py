"""Credential conversion: one small class per scheme, found by the `kind` that a mapping names."""

from platforms.auth.authenticator import Authenticator
from platforms.auth.base import Scheme, Token, TokenScheme, scheme_for, scheme_kinds

__all__ = ["Authenticator", "Scheme", "Token", "TokenScheme", "scheme_for", "scheme_kinds"]
