"""Credential conversion: one small class per scheme, found by the `kind` that a mapping names.

`platforms.auth.authenticator` sends requests by them.
"""

from platforms.auth.base import Scheme, Token, TokenScheme, scheme_for, scheme_kinds, scheme_schema

__all__ = ["Scheme", "Token", "TokenScheme", "scheme_for", "scheme_kinds", "scheme_schema"]
