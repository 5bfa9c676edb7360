"""A fixed key in a header or in the query: `{kind: apiKey, in: header, name: X-Api-Key, prefix: '', token: token}`."""

from __future__ import annotations

from dataclasses import replace

from platforms.auth.base import Options
from platforms.auth.secrets import secret_of
from platforms.drivers.base import PartyCredential
from platforms.http import Outgoing


class ApiKey:
    uses_tls_identity = False

    def sign(self, request: Outgoing, credential: PartyCredential, options: Options) -> Outgoing:
        key = options.get("prefix", "") + secret_of(credential, options.get("token", "token"))
        pair = (options.get("name", "X-Api-Key"), key)
        if options.get("in", "header") == "query":
            return replace(request, query=(*request.query, pair))
        return request.with_headers(pair)


SCHEME = ApiKey()
