"""Asking a blockchain node by its endpoint, as one organization: JSON in, JSON out, for the gateway.

What a node demands is the platform's business: a mapped platform names it in its mapping (`auth`, entry `node`); where
it names nothing, and on native platforms, the node is asked without any credential. The platform's own scheme is never
used by itself: an endpoint is another address than the platform's, and a credential is shown to nobody who was not
named.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from platforms.drivers.base import Driver, PartyCredential
from platforms.http import Incoming, Outgoing, PlatformClient

MAX_CLIENTS = 128  # nodes times TLS identities, of one process


@dataclass(frozen=True)
class Endpoint:
    """Where a node answers JSON over HTTP."""

    address: str  # scheme, host and port
    path: str

    @property
    def host(self) -> str:
        """Host and port: what must not come back in an answer."""
        return self.address.partition("://")[2]

    @classmethod
    def read(cls, text: str) -> Endpoint | None:
        """None for what is no HTTP address, such as one for peers, or one with a user and password in it."""
        try:
            parts = urlsplit(text)
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            return None
        if not usable or "@" in parts.netloc or parts.query or parts.fragment:
            return None
        return cls(f"{parts.scheme}://{parts.netloc}", parts.path or "/")


class NodeClients:
    """Connections to many nodes, the ones used last kept. Safe to use from several threads."""

    def __init__(self, *, max_body: int, call_seconds: float) -> None:
        """`max_body` in bytes; `call_seconds` for a whole call."""
        self._max_body, self._call_seconds = max_body, call_seconds
        self._clients: OrderedDict[tuple[str, str, str], PlatformClient] = OrderedDict()
        self._lock = threading.Lock()

    def ask(
        self,
        driver: Driver,
        endpoint: Endpoint,
        body: Any,
        party: PartyCredential,
        *,
        ca_certificate: str = "",
        idempotent: bool,
    ) -> Incoming:
        """The node's answer to the JSON. Raises PlatformUnavailable, OutcomeUnknown or PlatformRefused.

        These name the node's address: they are for operators, not for whoever called.
        """
        request = Outgoing("POST", endpoint.path, body=body, idempotent=idempotent, secrets=(endpoint.host,))

        def to(tlscert: str) -> PlatformClient:
            return self._client(endpoint.address, tlscert, ca_certificate)

        signed = getattr(driver, "send_to_node", None)
        return signed(request, party, to) if signed is not None else to("").send(request)

    def close(self) -> None:
        with self._lock:
            clients, self._clients = list(self._clients.values()), OrderedDict()
        for client in clients:
            client.close()

    def _client(self, address: str, tlscert: str, ca_certificate: str) -> PlatformClient:
        mark = (address, tlscert, ca_certificate)
        with self._lock:
            client = self._clients.pop(mark, None) or PlatformClient(
                address,
                allow_private=settings.ALLOW_PRIVATE_PLATFORMS,
                tlscert=tlscert,
                ca_certificate=ca_certificate,
                max_body=self._max_body,
                call_seconds=self._call_seconds,
            )
            self._clients[mark] = client
            if len(self._clients) > MAX_CLIENTS:
                self._clients.popitem(last=False)  # closed by whoever uses it last, letting it go
            return client
