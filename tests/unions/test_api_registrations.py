"""Registering by REST: open to anyone, decided by administrators, every fault named, nothing left behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache

from console.models import AuditEntry, User
from platforms.models import Platform
from tests.rest import assert_problem, client
from tests.unions.cast import PASSWORD, cloud, on_prem
from tests.unions.conftest import pem_bundle
from unions.models import Organization, Registration, RegistrationRule

pytestmark = pytest.mark.django_db
URL = "/api/v1/registrations"


@pytest.fixture(autouse=True)
def _fresh_rates() -> None:
    cache.clear()


def body(organization: Any, **changes: Any) -> dict[str, Any]:
    return {
        "username": "tax",
        "password": PASSWORD,
        "email": "tax@example.gov",
        "organization": organization,
        **changes,
    }


def assert_nothing_changed() -> None:
    assert not User.objects.exclude(username="root").exists()
    assert not Registration.objects.exists()
    assert not Organization.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_department_registers_and_an_administrator_approves(platform: Platform, root: User) -> None:
    answer = client().post(URL, body(cloud("Tax Bureau", "t-1")), format="json")
    assert answer.status_code == 201, answer.content
    found = answer.json()
    assert (found["state"], found["orgcode"]) == ("pending", None)
    assert isinstance(found["id"], str)
    assert "SK-of-one" not in answer.content.decode()

    place = f"{URL}/{found['id']}"
    assert answer["Location"].endswith(place)
    applicant = User.objects.get(username="tax")
    assert client(applicant).get(place).json()["state"] == "pending"
    assert client(root).get(URL).json()["count"] == 1

    approved = client(root).post(f"{place}/approve")
    assert approved.status_code == 200, approved.content
    orgcode = approved.json()["orgcode"]
    assert client(applicant).get(place).json()["orgcode"] == orgcode
    assert Organization.objects.get(orgcode=orgcode).space.tenantname == "Tenant 1"


def test_on_prem_departments_register_with_machines_and_a_certificate(platform: Platform) -> None:
    answer = client().post(URL, body(on_prem("Social Security")), format="json")
    assert answer.status_code == 201, answer.content
    assert answer.json()["organization"]["nodelist"] == [{"ip": "127.0.0.11", "port": 9001}]
    assert "PRIVATE KEY" not in answer.content.decode()


def test_a_refusal_carries_its_reason(platform: Platform, root: User) -> None:
    found = client().post(URL, body(cloud("Tax Bureau", "t-1")), format="json").json()
    place = f"{URL}/{found['id']}"
    assert_problem(client(root).post(f"{place}/refuse", {}, format="json"), 422, "reason")
    refused = client(root).post(f"{place}/refuse", {"reason": "Unknown to us"}, format="json").json()
    assert (refused["state"], refused["reason"]) == ("refused", "Unknown to us")
    assert_problem(client(root).post(f"{place}/approve"), 409)


def test_who_may_not(platform: Platform) -> None:
    found = client().post(URL, body(cloud("Tax Bureau", "t-1")), format="json").json()
    place = f"{URL}/{found['id']}"
    applicant = User.objects.get(username="tax")
    stranger = User.objects.create_user("stranger")
    assert_problem(client().get(URL), 401)
    assert_problem(client().get(place), 401)
    assert_problem(client().post(f"{place}/approve"), 401)
    assert_problem(client(stranger).get(place), 404)
    assert_problem(client(stranger).post(f"{place}/approve"), 404)
    assert_problem(client(applicant).post(f"{place}/approve"), 403)
    assert client(stranger).get(URL).json()["count"] == 0
    assert Registration.objects.get().state == "pending"


BAD: dict[str, tuple[Callable[[], dict[str, Any]], tuple[str, ...]]] = {
    "nothing at all": (dict, ("username", "password", "email", "organization")),
    "no organization": (lambda: body(None), ("organization",)),
    "organization is a text": (lambda: body("Tax"), ("organization",)),
    "unknown field": (lambda: body(cloud("Tax", "t-1"), admin=True), ("admin",)),
    "unknown field inside": (lambda: body(cloud("Tax", "t-1", orgcode="mine")), ("organization.orgcode",)),
    "bad address": (lambda: body(cloud("Tax", "t-1"), email="nobody"), ("email",)),
    "weak password": (lambda: body(cloud("Tax", "t-1"), password="12345678"), ("password",)),
    "bad user name": (lambda: body(cloud("Tax", "t-1"), username="two words"), ("username",)),
    "unknown category": (lambda: body(cloud("Tax", "t-1", category="moon")), ("organization.category",)),
    "unknown tenant": (lambda: body(cloud("Tax", "t-77")), ("organization.tenantid",)),
    "unknown platform": (lambda: body(cloud("Tax", "t-1", oemtype="nowhere")), ("organization.oemtype",)),
    "no keys": (lambda: body(cloud("Tax", "t-1", ak="", sk="")), ("organization.ak", "organization.sk")),
    "port 0": (
        lambda: body(on_prem("Social", nodelist=[{"ip": "127.0.0.11", "port": 0}])),
        ("organization.nodelist.0.port",),
    ),
    "no address": (
        lambda: body(on_prem("Social", nodelist=[{"ip": "somewhere over there", "port": 9001}])),
        ("organization.nodelist.0.ip",),
    ),
    "second machine wrong": (
        lambda: body(on_prem("Social", nodelist=[{"ip": "127.0.0.11", "port": 9001}, {"ip": "127.0.0.12"}])),
        ("organization.nodelist.1.port",),
    ),
    "no machine": (lambda: body(on_prem("Social", nodelist=[])), ("organization.nodelist",)),
    "malformed certificate": (
        lambda: body(on_prem("Social", tlscert="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")),
        ("organization.tlscert",),
    ),
    "expired certificate": (lambda: body(on_prem("Social", tlscert=pem_bundle(days=-1))), ("organization.tlscert",)),
    "two worlds at once": (lambda: body(on_prem("Social", tenantid="t-1")), ("organization.tenantid",)),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_names_the_field_and_changes_nothing(platform: Platform, case: str) -> None:
    make, fields = BAD[case]
    assert_problem(client().post(URL, make(), format="json"), 422, *fields)
    assert_nothing_changed()


def test_what_is_bound_stays_bound(platform: Platform, root: User) -> None:
    for organization, username in ((cloud("Tax Bureau", "t-1"), "tax"), (on_prem("Social"), "social")):
        made = client().post(URL, body(organization, username=username), format="json").json()
        client(root).post(f"{URL}/{made['id']}/approve")
    before = AuditEntry.objects.count()
    taken = {
        "organization.tenantid": cloud("Other", "t-1"),
        "organization.name": cloud("TAX BUREAU", "t-2"),
        "organization.nodelist.0": on_prem("Other"),
    }
    for field, organization in taken.items():
        assert_problem(client().post(URL, body(organization, username="other"), format="json"), 409, field)
    assert_problem(client().post(URL, body(cloud("Other", "t-3")), format="json"), 409, "username")
    assert (Registration.objects.count(), AuditEntry.objects.count()) == (2, before)


def test_bodies_that_are_none(platform: Platform) -> None:
    assert_problem(client().post(URL, '{"username": ', content_type="application/json"), 400)
    assert_problem(client().post(URL, "[]", content_type="application/json"), 422, "body")
    assert_problem(client().post(URL, "username=tax", content_type="application/x-www-form-urlencoded"), 415)
    huge = body(on_prem("Social", tlscert="x" * 5_000_000))
    assert_problem(client().post(URL, huge, format="json"), 413)
    assert_nothing_changed()


def test_the_door_is_rate_limited(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    from rest_framework.throttling import ScopedRateThrottle

    monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, "registrations", "2/min")
    for _attempt in range(2):
        assert client().post(URL, {}, format="json").status_code == 422
    answer = client().post(URL, body(cloud("Tax Bureau", "t-1")), format="json")
    assert_problem(answer, 429)
    assert answer["Retry-After"]
    assert_nothing_changed()


def test_rules_approve_alone(platform: Platform, root: User) -> None:
    rules = "/api/v1/registration-rules"
    answer = client(root).post(
        rules, {"name": "gov", "category": "cloud", "email_domain": "example.gov"}, format="json"
    )
    assert answer.status_code == 201, answer.content
    approved = client().post(URL, body(cloud("Tax Bureau", "t-1")), format="json").json()
    assert approved["state"] == "approved"
    assert approved["orgcode"]
    assert client(root).get(rules).json()["count"] == 1
    for words, count in {"category=cloud&enabled=true": 1, "enabled=false": 0, "oemtype=nowhere": 0}.items():
        assert client(root).get(f"{rules}?{words}").json()["count"] == count
    assert client(root).delete(f"{rules}/{answer.json()['id']}").status_code == 204
    second = client().post(URL, body(cloud("Housing", "t-2"), username="housing"), format="json").json()
    assert second["state"] == "pending"


def test_rules_are_the_administrators(platform: Platform, root: User) -> None:
    rules = "/api/v1/registration-rules"
    stranger = User.objects.create_user("stranger")
    assert_problem(client(stranger).get(rules), 403)
    assert_problem(client(stranger).post(rules, {"name": "all"}, format="json"), 403)
    assert_problem(client(root).post(rules, {"name": ""}, format="json"), 422, "name")
    assert_problem(client(root).post(rules, {"name": "x", "oemtype": "nowhere"}, format="json"), 422, "oemtype")
    assert_problem(client(root).delete(f"{rules}/77"), 404)
    for bad in ("not a domain", "@", "a@b.example", "tax..example.gov", "-tax.example", "[127.0.0.1]"):
        assert_problem(client(root).post(rules, {"name": "b", "email_domain": bad}, format="json"), 422, "email_domain")
    assert not RegistrationRule.objects.exists()


def test_the_list_costs_the_same_for_more_rows(
    platform: Platform, root: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(1, 6):
        client().post(URL, body(cloud(f"Bureau {number}", f"t-{number}"), username=f"u{number}"), format="json")
    with django_assert_max_num_queries(3):
        assert client(root).get(URL).json()["count"] == 5
