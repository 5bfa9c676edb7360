"""No authentication."""

from __future__ import annotations

from platforms.auth.base import Options
from platforms.drivers.base import PartyCredential
from platforms.http import Outgoing


class NoScheme:
    uses_tls_identity = False

    def sign(self, request: Outgoing, credential: PartyCredential, options: Options) -> Outgoing:
        return request


SCHEME = NoScheme()
