"""Mutual TLS: the client certificate says who we are, so the request itself stays as it is."""

from __future__ import annotations

from platforms.auth.none import NoScheme


class MutualTls(NoScheme):
    uses_tls_identity = True


SCHEME = MutualTls()
