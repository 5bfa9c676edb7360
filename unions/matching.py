"""Who the members of a network are: what a platform says of them, held against the organizations of this console.

A tenant that is bound to an organization is it. So is a member that carries a code which this console gave, and one
whose nodes all run on the machines of one organization. A name is no proof.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from django.db import models
from django.utils.translation import gettext_lazy as _

from platforms import standard
from platforms.models import Platform
from unions.addresses import normalized
from unions.models import Machine, Organization, ResourceSpace, SpaceKind

GONE = frozenset({"deleted", "deleting", "removed", "left", "leaving", "rejected", "expelled"})


class KnownBy(models.TextChoices):
    """How a member of a network was recognized."""

    TENANT = "tenant", _("its tenant space")
    CODE = "code", _("the code that this console gave it")
    MACHINES = "machines", _("its machines")
    PLACEHOLDER = "placeholder", _("an earlier placeholder of this tenant")
    NOTHING = "", _("nothing: a placeholder will stand for it")


@dataclass(frozen=True)
class SeenMember:
    """An organization's place in a network as the platform tells it, and who it is here, if that is known."""

    member_ids: tuple[str, ...] = ()
    name: str = ""
    tenantid: str = ""
    orgcode: str = ""
    known_by: str = KnownBy.NOTHING


def seen_member(kept: dict[str, Any]) -> SeenMember:
    """A member as a step's outcome has kept it."""
    return SeenMember(**{**kept, "member_ids": tuple(kept["member_ids"])})


@dataclass
class _Hints:
    """What else a platform lets slip of a member: codes, and where its nodes run."""

    member: SeenMember
    codes: set[str] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)


def members_seen(
    platform: Platform, network: standard.NetworkInfo, nodes: Iterable[standard.NodeInfo]
) -> list[SeenMember]:
    """The network's members in the platform's order, each once; two places of one organization are one member."""
    hints = _collected(network, list(nodes))
    known = _Known(platform, hints)
    found: dict[object, SeenMember] = {}
    for number, each in enumerate(hints):
        member = known.recognized(each)
        one = member.orgcode or (member.tenantid and f"tenant {member.tenantid}") or number
        same = found.get(one)
        if same is not None:
            member = replace(same, member_ids=tuple(dict.fromkeys([*same.member_ids, *member.member_ids])))
        found[one] = member
    return list(found.values())


def _collected(network: standard.NetworkInfo, nodes: list[standard.NodeInfo]) -> list[_Hints]:
    hints = [
        _Hints(SeenMember(_ids(each.member_id or each.name), each.name, each.tenantid), {each.name})
        for each in network.members
        if each.status.lower() not in GONE
    ]
    told = bool(network.members)
    for node in nodes:
        owner = next((each for each in hints if _is_of(node, each)), None)
        if owner is None:
            if told or not (node.tenantid or node.orgcode or node.member_id):
                continue  # the platform has named the members, or the node is its own
            owner = _Hints(SeenMember(_ids(node.member_id or node.orgcode), node.orgcode, node.tenantid))
            hints.append(owner)
        owner.codes.add(node.orgcode)
        if host := _host(node.endpoint):
            owner.hosts.add(host)
    return hints


def _ids(member_id: str) -> tuple[str, ...]:
    return (member_id,) if member_id else ()


def _is_of(node: standard.NodeInfo, hints: _Hints) -> bool:
    member = hints.member
    if node.member_id and member.member_ids:
        return node.member_id in member.member_ids
    if node.tenantid and member.tenantid:
        return node.tenantid == member.tenantid
    return bool(node.orgcode) and node.orgcode in {member.name, *hints.codes}


def _host(endpoint: str) -> str:
    try:
        return normalized(urlsplit(endpoint if "//" in endpoint else f"//{endpoint}").hostname or "")
    except ValueError:
        return ""


class _Known:
    """Everybody who may be among the members, read in three queries."""

    def __init__(self, platform: Platform, hints: list[_Hints]) -> None:
        tenants = {each.member.tenantid for each in hints} - {""}
        codes = set().union(*(each.codes for each in hints)) - {""}
        hosts = set().union(*(each.hosts for each in hints))
        spaces = ResourceSpace.objects.filter(platform=platform, tenantid__in=tenants)
        self.bound: dict[str, str] = {}
        self.placeholders: dict[str, str] = {}
        for space in spaces.exclude(tenantid="").select_related("organization"):
            kept = self.placeholders if space.kind == SpaceKind.FOUND else self.bound
            kept[space.tenantid] = space.organization.orgcode
        here = models.Q(space__platform=platform) | models.Q(space__platform=None)
        named = Organization.objects.registered().filter(here, orgcode__in=codes)
        self.codes = set(named.values_list("orgcode", flat=True))
        self.machines: dict[str, set[str]] = {}
        for ip, orgcode in Machine.objects.filter(ip__in=hosts).values_list("ip", "space__organization__orgcode"):
            self.machines.setdefault(ip, set()).add(orgcode)

    def recognized(self, hints: _Hints) -> SeenMember:
        member = hints.member
        if member.tenantid in self.bound:
            return replace(member, orgcode=self.bound[member.tenantid], known_by=KnownBy.TENANT)
        if not member.tenantid and len(codes := hints.codes & self.codes) == 1:
            return replace(member, orgcode=codes.pop(), known_by=KnownBy.CODE)
        owners = [self.machines.get(host, set()) for host in hints.hosts]
        if not member.tenantid and owners and len(set().union(*owners)) == 1 and all(owners):
            return replace(member, orgcode=next(iter(owners[0])), known_by=KnownBy.MACHINES)
        if member.tenantid in self.placeholders:
            return replace(member, orgcode=self.placeholders[member.tenantid], known_by=KnownBy.PLACEHOLDER)
        return member
