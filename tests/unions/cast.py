"""The cast of the API's and the pages' tests: Alice and Bob speak for cloud departments, Carol for an on-prem one, Dan
for nobody; Root administers the console. Everyone is registered through the services, as users register."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from console.models import User
from platforms.models import Platform
from tests.unions.conftest import pem_bundle
from unions.models import MemberState, Organization, Proposal, Union, UnionMember, UnionState
from unions.services import registrations, unions

PASSWORD = "correct horse battery"


def auditor() -> User:
    return User.objects.create_user("otto", "otto@example.gov", PASSWORD, console_role="auditor")


def cloud(name: str, tenantid: str, **changes: Any) -> dict[str, Any]:
    """Table 1 as a cloud department fills it in."""
    return {"name": name, "category": "cloud", "tenantid": tenantid, "ak": "AK-of-one", "sk": "SK-of-one", **changes}


def on_prem(name: str, *, port: int = 9001, **changes: Any) -> dict[str, Any]:
    """Table 1 as an on-prem department fills it in."""
    return {
        "name": name,
        "category": "on_prem",
        "nodelist": [{"ip": "127.0.0.11", "port": port}],
        "tlscert": pem_bundle(),
        **changes,
    }


def registered(by: User, username: str, organization: dict[str, Any]) -> tuple[User, Organization]:
    """A department whose registration has been approved."""
    asked = registrations.register(
        username=username, password=PASSWORD, email=f"{username}@example.gov", organization=organization
    )
    approved = registrations.approve_registration(actor=by, registration_id=asked.pk)
    assert approved.organization is not None
    return approved.user, approved.organization


@dataclass(frozen=True)
class Cast:
    """The people and their organizations."""

    platform: Platform
    root: User
    alice: User
    tax: Organization
    bob: User
    housing: Organization
    carol: User
    social: Organization
    dan: User


def departments(platform: Platform, root: User) -> Cast:
    """Three departments on one platform."""
    alice, tax = registered(root, "alice", cloud("Tax Bureau", "t-1"))
    bob, housing = registered(root, "bob", cloud("Housing Office", "t-2"))
    carol, social = registered(root, "carol", on_prem("Social Security"))
    dan = User.objects.create_user("dan", "dan@example.gov", PASSWORD)
    return Cast(platform, root, alice, tax, bob, housing, carol, social, dan)


def proposed(cast: Cast, name: str = "Building permits") -> Proposal:
    """Alice invites Bob."""
    return unions.propose_union(
        actor=cast.alice, name=name, oemtype="", creatororg=cast.tax.orgcode, orgs=[cast.housing.orgcode]
    )


def active_union(cast: Cast, *members: Organization, name: str = "Building permits") -> Union:
    """A union as its flow leaves it; no platform is asked."""
    union = Union.objects.create(
        unionid=f"union-{name.lower().replace(' ', '-')}"[:40],
        name=name,
        platform=cast.platform,
        creator=cast.tax,
        network_id=f"net-{name}",
        state=UnionState.ACTIVE,
    )
    for member in members or (cast.tax, cast.housing):
        UnionMember.objects.create(
            union=union, organization=member, member_id=f"m-{member.pk}", state=MemberState.ACTIVE
        )
    return union
