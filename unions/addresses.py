"""Checking what users give as machine addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from console.errors import Invalid

_HOST = re.compile(r"^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$", re.IGNORECASE)
MAX_MACHINES = 200


def read_nodelist(nodelist: Any, *, field: str = "nodelist") -> list[tuple[str, int]]:
    """`[{ip, port}]` as pairs; Invalid names the element that is wrong."""
    if not isinstance(nodelist, Sequence) or isinstance(nodelist, str) or not nodelist:
        raise Invalid.field(field, _("Give at least one machine as ip and port."))
    if len(nodelist) > MAX_MACHINES:
        raise Invalid.field(field, _("At most %(count)s machines.") % {"count": MAX_MACHINES})
    errors: dict[str, list[str]] = {}
    pairs: list[tuple[str, int]] = []
    for index, machine in enumerate(nodelist):
        place = f"{field}.{index}"
        machine = machine if isinstance(machine, dict) else {}
        ip, port = normalized(str(machine.get("ip") or "")), machine.get("port")
        if not is_address(ip):
            errors[f"{place}.ip"] = [_("“%(value)s” is not an IP address or host name.") % {"value": ip[:80]}]
        if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65535:
            errors[f"{place}.port"] = [_("A port is a whole number from 1 to 65535.")]
        elif (ip, port) in pairs:
            errors[place] = [_("This machine is listed twice.")]
        else:
            pairs.append((ip, port))
    if errors:
        raise Invalid(_("The list of machines has errors."), errors=errors)
    return pairs


def normalized(text: str) -> str:
    """One spelling for one machine: IPv6 in its shortest form, IPv4 inside of IPv6 as IPv4, names in small letters."""
    text = text.strip()
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text.lower().rstrip(".")
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def is_address(text: str) -> bool:
    """An IPv4 or IPv6 address, or a fully qualified host name."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return not re.fullmatch(r"[\d.]+", text) and bool(_HOST.match(text))
    return not (address.is_unspecified or address.is_multicast)
