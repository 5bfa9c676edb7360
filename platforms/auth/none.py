"""No authentication."""

from __future__ import annotations

from typing import Any

from platforms.drivers.base import PartyCredential
from platforms.http import Outgoing


class NoScheme:
    uses_tls_identity = False

    def sign(self, request: Outgoing, credential: PartyCredential, options: dict[str, Any]) -> Outgoing:
        return request


SCHEME = NoScheme()
