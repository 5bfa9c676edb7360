"""Where the gateway to a chain is."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from chains.models import Blockchain


def gateway_address(blockchain: Blockchain) -> str:
    """Where a program sends its JSON-RPC."""
    return settings.PUBLIC_URL.rstrip("/") + reverse("api-gateway", args=[blockchain.uid])
