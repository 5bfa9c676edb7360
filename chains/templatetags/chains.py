"""`{% load chains %}`: states of chains, nodes and transactions in colours, and freshness in words."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.safestring import SafeString

from chains.models import Blockchain, Node
from chains.roles import role_in_words
from console.templatetags.shell import state

register = template.Library()

# A flow that is running is busy; a chain that is running is well.
LOOKS_LIKE = {"running": "up", "committed": "done", "creating": "building", "stopped": "down"}


@register.simple_tag
def state_of(row: Any) -> SafeString:
    """The state of a chain, a node or a transaction."""
    name = getattr(row, "state", None) or row.status
    shown = row.get_state_display() if hasattr(row, "get_state_display") else row.get_status_display()
    return state(LOOKS_LIKE.get(name, name), shown)


@register.filter
def role(node: Node) -> str:
    """What the node is there for."""
    return role_in_words(node.role)


@register.inclusion_tag("chains/_freshness.html")
def freshness(blockchain: Blockchain) -> dict[str, Any]:
    """When the figures were read, and what is wrong if that is long ago."""
    return {"blockchain": blockchain}
