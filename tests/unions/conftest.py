"""The cast of the unions: a platform's row, departments with their clerks, an administrator."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from console.models import ConsoleRole, User
from platforms.models import Cloudtype, Health, Platform, PlatformKind, PlatformState, PlatformVersion, Tenant
from platforms.standard import OPERATIONS
from unions.models import Category, Machine, MemberRole, Membership, Organization, ResourceSpace, SpaceKind


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    """The slow hash is Django's and tested there."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def platform(db: None) -> Platform:
    """An official platform that can do everything; nobody calls it in these tests."""
    row = Platform.objects.create(
        oemtype="testbed",
        name="Testbed",
        kind=PlatformKind.MAPPED,
        cloudtype=Cloudtype.BOTH,
        base_url="http://127.0.0.1:9",
        is_default=True,
        health=Health.UP,
        capabilities={name: {"supported": True, "reason": ""} for name in OPERATIONS},
    )
    row.version = PlatformVersion.objects.create(platform=row, number=1, api_file="{}", mapping="{}")
    row.check_in()
    row.accept()
    row.save()
    assert row.state == PlatformState.OFFICIAL
    for number in range(1, 6):
        Tenant.objects.create(
            platform=row, tenantid=f"t-{number}", tenantname=f"Tenant {number}", projectid=f"p-{number}"
        )
    return row


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_user("root", "root@example.org", "root-Passw0rd", console_role=ConsoleRole.ADMINISTRATOR)


@pytest.fixture
def organization(platform: Platform) -> Callable[..., Organization]:
    """Make a department with its administrator, who is named like it."""
    count = 0

    def make(name: str, *, category: str = Category.CLOUD) -> Organization:
        nonlocal count
        count += 1
        row = Organization.objects.create(orgcode=f"org-{name}", name=name.title(), category=category)
        cloud = category == Category.CLOUD
        space = ResourceSpace.objects.create(
            organization=row,
            kind=SpaceKind.TENANT if cloud else SpaceKind.PHYSICAL,
            platform=platform if cloud else None,
            tenantid=f"space-{name}" if cloud else "",
        )
        if not cloud:
            Machine.objects.create(space=space, ip=f"127.0.0.{100 + count}", port=9001)
        clerk = User.objects.create_user(name, f"{name}@example.org", f"{name}-Passw0rd")
        Membership.objects.create(user=clerk, organization=row, role=MemberRole.ADMINISTRATOR)
        return row

    return make


def clerk(organization: Organization) -> User:
    return User.objects.get(username=organization.orgcode.removeprefix("org-"))


def pem_bundle(*, days: int = 30, other_key: bool = False) -> str:
    """A client certificate that expires in `days`, its key (or a stranger's), as one PEM text."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "department")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    shown = ec.generate_private_key(ec.SECP256R1()) if other_key else key
    private = shown.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode() + private.decode()
