"""Mutual TLS: the client certificate says who we are, so the request itself stays as it is."""

from __future__ import annotations

from platforms.auth.base import Options
from platforms.auth.secrets import secret_of
from platforms.drivers.base import PartyCredential
from platforms.http import Outgoing


class MutualTls:
    uses_tls_identity = True

    def sign(self, request: Outgoing, credential: PartyCredential, options: Options) -> Outgoing:
        secret_of(credential, "tlscert")
        return request


SCHEME = MutualTls()
