"""What this console may do on a network: manage it, or only observe it.

A chain that was taken over by its nodes' addresses is observed: there is nothing but these nodes' JSON-RPC, and nobody
has handed over what runs them. Everything else is managed, as far as its platform can.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from platforms.drivers.evm.observed import observed
from platforms.drivers.evm.words import ONLY_OBSERVED
from platforms.models import Platform, PlatformKind

__all__ = ["ONLY_OBSERVED", "Management", "management_of"]


class Management(models.TextChoices):
    MANAGED = "managed", _("Managed")
    OBSERVED = "observed", _("Observed only")


def management_of(platform: Platform, network_id: str) -> Management:
    """By the network's id alone: those of observed chains say where their nodes are, and nothing else is known."""
    if platform.kind == PlatformKind.EVM and observed(network_id) is not None:
        return Management.OBSERVED
    return Management.MANAGED
