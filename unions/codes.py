"""Short public names that this console assigns."""

from __future__ import annotations

import secrets

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no 0/o, 1/i/l: codes are read out on the telephone


def new_code(prefix: str, length: int = 10) -> str:
    """`prefix-` and 10 random characters (about 49 bits): unique in practice, and by constraint for certain."""
    return f"{prefix}-{''.join(secrets.choice(_ALPHABET) for _ in range(length))}"
