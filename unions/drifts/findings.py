"""Findings: what a comparison has seen, as plain JSON, before anything is written down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from platforms import standard
from platforms.models import Platform
from unions.matching import GONE
from unions.models import Organization, SpaceKind, Union, UnionMember

Json = dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """One difference. `orgcode` names the organization that it is about, where that is known."""

    kind: str
    key: str
    name: str
    union: int | None = None
    orgcode: str = ""
    ours: Json = field(default_factory=dict)
    theirs: Json = field(default_factory=dict)

    def as_json(self) -> Json:
        return asdict(self)


class Owners:
    """Which organization of this console a tenant or a code on the platform stands for. A name alone is no proof."""

    def __init__(self, platform: Platform) -> None:
        rows = Organization.objects.filter(space__platform=platform).exclude(space__tenantid="")
        self._by_tenant = {
            tenant: orgcode
            for tenant, orgcode in rows.exclude(space__kind=SpaceKind.FOUND).values_list("space__tenantid", "orgcode")
        }
        self._codes = set(Organization.objects.values_list("orgcode", flat=True))

    def of(self, tenantid: str, *names: str) -> str:
        """Its orgcode, or empty."""
        if tenantid in self._by_tenant:
            return self._by_tenant[tenantid]
        return next((name for name in names if name in self._codes), "")


def member_findings(union: Union, network: standard.NetworkInfo, owners: Owners) -> list[Finding]:
    """Members that one side has and the other has not. A platform that names no members says nothing of them."""
    theirs = [each for each in network.members if each.status.lower() not in GONE]
    if not network.members:
        return []
    ours = [member for member in union.present]
    seen: set[int] = set()
    findings = []
    for member in ours:
        places = [number for number, place in enumerate(theirs) if is_place_of(member, place)]
        seen.update(places)
        if not places:
            findings.append(_missing_member(union, member))
    for number, place in enumerate(theirs):
        if number not in seen:
            findings.append(_unknown_member(union, place, owners))
    return findings


def is_place_of(member: UnionMember, place: standard.MemberInfo) -> bool:
    """Whether the place in the network is the member's: by its id, its tenant, or the code that this console gave."""
    if member.member_id and member.member_id == place.member_id:
        return True
    organization = member.organization
    if place.tenantid:
        return place.tenantid == organization.space.tenantid
    return place.name in (organization.name, organization.orgcode)


def _missing_member(union: Union, member: UnionMember) -> Finding:
    organization = member.organization
    return Finding(
        "member_missing",
        f"{union.network_id}/{organization.orgcode}",
        organization.name,
        union.pk,
        organization.orgcode,
        ours={"orgcode": organization.orgcode, "member_id": member.member_id, "state": member.state},
    )


def _unknown_member(union: Union, place: standard.MemberInfo, owners: Owners) -> Finding:
    return Finding(
        "member_unknown",
        f"{union.network_id}/{place.member_id or place.name}",
        place.name or place.member_id,
        union.pk,
        owners.of(place.tenantid, place.name),
        theirs=place.model_dump(mode="json"),
    )


def network_missing(union: Union) -> Finding:
    ours = {"network_id": union.network_id, "members": sorted(each.organization.name for each in union.present)}
    return Finding("network_missing", union.network_id, union.name, union.pk, ours=ours)


def unknown_networks(
    networks: Iterable[standard.NetworkInfo], known: set[str], being_made: set[str], owners: Owners
) -> list[Finding]:
    """Networks that are no union's, nor on the way to become one's."""
    return [
        Finding(
            "network_unknown",
            network.network_id,
            network.name or network.network_id,
            orgcode=next((code for each in network.members if (code := owners.of(each.tenantid, each.name))), ""),
            theirs=network.model_dump(mode="json"),
        )
        for network in networks
        if network.network_id not in known and network.name not in being_made and network.status not in GONE
    ]
