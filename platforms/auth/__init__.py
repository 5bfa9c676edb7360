"""Credential conversion: one small class per scheme, found by the `kind` that a mapping names."""

from platforms.auth.base import Scheme, scheme_for, scheme_kinds

__all__ = ["Scheme", "scheme_for", "scheme_kinds"]
