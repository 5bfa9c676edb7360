"""User name and password in every request (RFC 7617)."""

from __future__ import annotations

import base64

from platforms.auth.base import Options
from platforms.auth.secrets import secret_of
from platforms.drivers.base import PartyCredential
from platforms.http import Outgoing


def basic_pair(username: str, password: str) -> tuple[str, str]:
    """The header."""
    return "authorization", f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"


class Basic:
    uses_tls_identity = False

    def sign(self, request: Outgoing, credential: PartyCredential, options: Options) -> Outgoing:
        return request.with_headers(basic_pair(secret_of(credential, "username"), secret_of(credential, "password")))


SCHEME = Basic()
