"""Registering: what is accepted, what is refused for which field, and that a refusal leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from console.errors import Conflict, ConsoleError, Invalid, NotAllowed
from console.models import AuditEntry, User
from platforms.models import Platform
from tests.unions.conftest import pem_bundle
from unions.models import Organization, Registration, RegistrationState, ResourceSpace
from unions.services.registrations import approve_registration, create_rule, refuse_registration, register

pytestmark = pytest.mark.django_db


def cloud(**changes: Any) -> dict[str, Any]:
    return {"name": "Tax", "category": "cloud", "tenantid": "t-1", "ak": "AK", "sk": "SK-secret", **changes}


def on_prem(**changes: Any) -> dict[str, Any]:
    machines = [{"ip": "127.0.0.11", "port": 9001}]
    return {"name": "Social", "category": "on_prem", "nodelist": machines, "tlscert": pem_bundle(), **changes}


def ask(organization: Any, **changes: Any) -> Registration:
    account = {"username": "tax", "password": "a-Long-passw0rd", "email": "tax@example.org", **changes}
    return register(organization=organization, **account)


def test_cloud_registration_resolves_the_tenant_and_waits(platform: Platform) -> None:
    registration = ask(cloud())
    assert registration.state == RegistrationState.PENDING
    assert registration.details["tenantname"] == "Tenant 1"
    assert registration.details["projectid"] == "p-1"
    assert "SK-secret" not in str(registration.details)
    assert not Organization.objects.exists()


def test_approval_makes_the_organization_and_binds_its_space(platform: Platform, root: User) -> None:
    registration = approve_registration(actor=root, registration_id=ask(cloud()).pk)
    organization = registration.organization
    assert organization is not None
    assert organization.orgcode.startswith("org-")
    assert organization.space.tenantname == "Tenant 1"
    assert organization.space.sk.reveal() == "SK-secret"
    assert not organization.space.machines.exists()
    assert registration.secrets is None
    assert organization.memberships.get().user.username == "tax"


def test_on_prem_registration(platform: Platform, root: User) -> None:
    registration = approve_registration(actor=root, registration_id=ask(on_prem()).pk)
    space = registration.organization.space
    assert (space.kind, space.tenantid) == ("physical", "")
    assert list(space.machines.values_list("ip", "port")) == [("127.0.0.11", 9001)]
    assert space.tlscert_expires_at is not None


def test_a_rule_approves_at_once(platform: Platform, root: User) -> None:
    create_rule(actor=root, name="clouds", category="cloud", email_domain="@example.org")
    assert ask(cloud()).state == RegistrationState.APPROVED
    other = ask(cloud(name="Other", tenantid="t-2"), username="other", email="x@elsewhere.org")
    assert other.state == RegistrationState.PENDING


def test_refusing_needs_a_reason_and_forgets_the_secrets(platform: Platform, root: User) -> None:
    registration = ask(cloud())
    with pytest.raises(Invalid) as problem:
        refuse_registration(actor=root, registration_id=registration.pk, reason=" ")
    assert "reason" in problem.value.errors
    refused = refuse_registration(actor=root, registration_id=registration.pk, reason="unknown department")
    assert (refused.state, refused.secrets) == (RegistrationState.REFUSED, None)
    with pytest.raises(Conflict):
        approve_registration(actor=root, registration_id=registration.pk)


def test_only_administrators_decide(platform: Platform) -> None:
    registration = ask(cloud())
    with pytest.raises(NotAllowed):
        approve_registration(actor=registration.user, registration_id=registration.pk)


def test_category_follows_from_the_platform(platform: Platform) -> None:
    Platform.objects.filter(pk=platform.pk).update(cloudtype="cloud")
    assert ask(cloud(category="")).category == "cloud"


BROKEN: list[tuple[Callable[[], dict[str, Any]], str]] = [
    (lambda: cloud(name=""), "name"),
    (lambda: cloud(name=7), "name"),
    (lambda: cloud(category="moon"), "category"),
    (lambda: cloud(category=None), "category"),
    (lambda: cloud(oemtype="nowhere"), "oemtype"),
    (lambda: cloud(tenantid="unknown"), "tenantid"),
    (lambda: cloud(tenantid=""), "tenantid"),
    (lambda: cloud(projectid="p-2"), "projectid"),
    (lambda: cloud(sk=""), "sk"),
    (lambda: cloud(nodelist=[{"ip": "127.0.0.1", "port": 1}]), "nodelist"),
    (lambda: cloud(tlscert="x"), "tlscert"),
    (lambda: on_prem(tenantid="t-1"), "tenantid"),
    (lambda: on_prem(nodelist=[]), "nodelist"),
    (lambda: on_prem(nodelist="127.0.0.1:9001"), "nodelist"),
    (lambda: on_prem(nodelist=[{"ip": "not an address", "port": 9001}]), "nodelist.0.ip"),
    (lambda: on_prem(nodelist=[{"ip": "300.1.1.1", "port": 9001}]), "nodelist.0.ip"),
    (lambda: on_prem(nodelist=[{"ip": "0.0.0.0", "port": 9001}]), "nodelist.0.ip"),
    (lambda: on_prem(nodelist=[{"ip": "127.0.0.11", "port": 0}]), "nodelist.0.port"),
    (lambda: on_prem(nodelist=[{"ip": "127.0.0.11", "port": 65536}]), "nodelist.0.port"),
    (lambda: on_prem(nodelist=[{"ip": "127.0.0.11", "port": "9001"}]), "nodelist.0.port"),
    (lambda: on_prem(nodelist=[{"ip": "127.0.0.11", "port": True}]), "nodelist.0.port"),
    (lambda: on_prem(nodelist=[{"ip": "127.0.0.11", "port": 1}] * 2), "nodelist.1"),
    (lambda: on_prem(tlscert=""), "tlscert"),
    (lambda: on_prem(tlscert="rubbish"), "tlscert"),
    (lambda: on_prem(tlscert="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"), "tlscert"),
    (lambda: on_prem(tlscert=pem_bundle(days=-1)), "tlscert"),
    (lambda: on_prem(tlscert=pem_bundle(other_key=True)), "tlscert"),
]


@pytest.mark.parametrize(("make", "field"), BROKEN)
def test_bad_input_names_the_field_and_changes_nothing(
    platform: Platform, make: Callable[[], dict[str, Any]], field: str
) -> None:
    with pytest.raises(Invalid) as problem:
        ask(make())
    assert list(problem.value.errors) == [f"organization.{field}"]
    assert_nothing_happened()


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"username": "two words"}, "username"), ({"password": "12345"}, "password"), ({"email": "nobody"}, "email")],
)
def test_bad_accounts(platform: Platform, changes: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as problem:
        ask(cloud(), **changes)
    assert field in problem.value.errors
    assert_nothing_happened()


def test_what_is_taken_is_refused(platform: Platform, root: User) -> None:
    approve_registration(actor=root, registration_id=ask(cloud()).pk)
    approve_registration(actor=root, registration_id=ask(on_prem(), username="social", email="social@example.org").pk)
    before = (User.objects.count(), AuditEntry.objects.count())
    taken: list[tuple[dict[str, Any], str]] = [
        (cloud(tenantid="t-2", name="tax"), "organization.name"),
        (cloud(name="Other"), "organization.tenantid"),
        (on_prem(name="Other"), "organization.nodelist.0"),
    ]
    for organization, field in taken:
        with pytest.raises(Conflict) as problem:
            ask(organization, username="other", email="other@example.org")
        assert list(problem.value.errors) == [field]
    with pytest.raises(ConsoleError) as named:
        ask(cloud(name="Other", tenantid="t-3"))
    assert list(named.value.errors) == ["username"]
    assert (User.objects.count(), AuditEntry.objects.count()) == before


def test_a_pending_registration_holds_its_tenant(platform: Platform) -> None:
    ask(cloud())
    with pytest.raises(Conflict) as problem:
        ask(cloud(name="Other"), username="other", email="other@example.org")
    assert list(problem.value.errors) == ["organization.tenantid"]


def assert_nothing_happened() -> None:
    assert not User.objects.exists()
    assert not Registration.objects.exists()
    assert not ResourceSpace.objects.exists()
    assert not AuditEntry.objects.exists()
