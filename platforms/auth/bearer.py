"""Bearer tokens (RFC 6750). `token` names the credential's field that holds the token: `token`, `sk`, …"""

from __future__ import annotations

from platforms.auth.base import Options
from platforms.auth.secrets import secret_of
from platforms.drivers.base import PartyCredential
from platforms.http import Outgoing


class Bearer:
    uses_tls_identity = False

    def sign(self, request: Outgoing, credential: PartyCredential, options: Options) -> Outgoing:
        token = secret_of(credential, options.get("token", "token"))
        return request.with_headers(("authorization", f"Bearer {token}"))


SCHEME = Bearer()
