"""Bearer tokens (RFC 6750). `token` names the credential's field that holds the token: `token`, `sk`, …"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from platforms.drivers.base import PartyCredential
from platforms.http import Outgoing


class Bearer:
    uses_tls_identity = False

    def sign(self, request: Outgoing, credential: PartyCredential, options: dict[str, Any]) -> Outgoing:
        token = getattr(credential, options.get("token", "token"))
        return replace(request, headers=(*request.headers, ("authorization", f"Bearer {token}")))


SCHEME = Bearer()
