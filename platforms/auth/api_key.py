"""A fixed key in a header or in the query: `{kind: apiKey, in: header, name: X-Api-Key, token: token}`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from platforms.drivers.base import PartyCredential
from platforms.http import Outgoing


class ApiKey:
    uses_tls_identity = False

    def sign(self, request: Outgoing, credential: PartyCredential, options: dict[str, Any]) -> Outgoing:
        pair = (str(options.get("name", "X-Api-Key")), getattr(credential, options.get("token", "token")))
        if options.get("in", "header") == "query":
            return replace(request, query=(*request.query, pair))
        return replace(request, headers=(*request.headers, pair))


SCHEME = ApiKey()
