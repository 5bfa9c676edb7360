"""User name and password in every request (RFC 7617)."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from platforms.drivers.base import PartyCredential
from platforms.http import Outgoing


class Basic:
    uses_tls_identity = False

    def sign(self, request: Outgoing, credential: PartyCredential, options: dict[str, Any]) -> Outgoing:
        pair = f"{credential.username}:{credential.password}".encode()
        return replace(
            request, headers=(*request.headers, ("authorization", f"Basic {base64.b64encode(pair).decode()}"))
        )


SCHEME = Basic()
