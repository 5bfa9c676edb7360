"""`{% load chains %}`: states of chains, nodes and transactions in colours, and freshness in words."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from chains import shelves
from chains.models import Blockchain, Contract, FindingSeverity, Node, ReportState, ScanReport
from chains.roles import role_in_words
from console.shell import address_of
from console.templatetags.shell import as_json, state
from platforms.models import Kernel

register = template.Library()

# A flow that is running is busy; a chain that is running is well.
LOOKS_LIKE = {"running": "up", "committed": "done", "creating": "building", "stopped": "down"}


@register.simple_tag
def state_of(row: Any) -> SafeString:
    """The state of a chain, a node or a transaction."""
    if getattr(row, "stands_since", None):
        return state("stands", _("Stands still"))
    name = getattr(row, "state", None) or row.status
    shown = row.get_state_display() if hasattr(row, "get_state_display") else row.get_status_display()
    return state(LOOKS_LIKE.get(name, name), shown)


@register.filter
def role(node: Node) -> str:
    """What the node is there for."""
    return role_in_words(node.role)


@register.simple_tag
def contract_link(contract: Contract) -> SafeString:
    """A contract's name, leading to its page."""
    address = address_of("chains.contract", str(contract.pk))
    return format_html('<a href="{}">{}</a>', address, contract.name) if address else format_html("{}", contract.name)


@register.simple_tag
def argument(value: Any) -> str:
    """A value of a call or an event: texts as they are, all else as JSON has it."""
    return value if isinstance(value, str) else as_json(value)


@register.filter
def kernel(name: str) -> str:
    """The kernel as it writes itself; as the platform says it where that is none of ours."""
    return str(Kernel(name).label) if name in Kernel.values else name


@register.inclusion_tag("chains/_freshness.html")
def freshness(blockchain: Blockchain) -> dict[str, Any]:
    """When the figures were read, and what is wrong if that is long ago."""
    return {"blockchain": blockchain}


@register.simple_tag(takes_context=True)
def report_card(context: template.Context, contract: Contract) -> dict[str, Any]:
    """What applications have reported of a contract, for its page."""
    return shelves.report_card(context["request"].user, contract)


@register.simple_tag
def severity(row: Any, number: int | None = None) -> SafeString:
    """How bad a finding is, or findings are: `row` is a finding or the severity's name."""
    name = getattr(row, "severity", row)
    words = str(FindingSeverity(name).label)
    shown = words if number is None else f"{words} {number}"
    return format_html('<span class="state state-{}">{}</span>', SEVERITIES[name], shown)


SEVERITIES = {"high": "red", "medium": "yellow", "low": "grey", "info": "grey"}


@register.simple_tag
def report_state(report: ScanReport) -> SafeString:
    """The state of a report: one that runs is busy, not well."""
    if report.state == ReportState.DONE and not report.examined:
        return state("unknown", _("Nothing to prove"))
    return state(report.state, report.get_state_display())
