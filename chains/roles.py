"""What nodes are there for, in words. Platforms name roles as they like; what is not known is shown as they say it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

ROLES = {
    "validator": _("Validator"),
    "sequencer": _("Sequencer"),
    "consensus": _("Consensus"),
    "orderer": _("Orderer"),
    "peer": pgettext_lazy("node", "Peer"),
    "endpoint": _("Endpoint"),
}


def role_in_words(role: str) -> str:
    return str(ROLES.get(role.strip().lower(), role))
