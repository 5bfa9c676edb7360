"""Platforms by REST: what is answered to whom, what is refused, and that a refusal changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.models import ApiToken, AuditEntry, Flow, User
from platforms.mapping.template import schema
from platforms.models import Platform, PlatformVersion, Tenant
from platforms.standard import OPERATIONS
from tests.platforms.conftest import carry_through
from tests.platforms.plane import API_FILE, MAPPING, SAMPLES, TOKEN, Plane
from tests.rest import assert_problem, client

Register = Callable[..., Platform]
BASE = "/api/v1/platforms"
DETAILS = {
    "base_url",
    "on_prem_base_url",
    "ca_certificate",
    "has_credentials",
    "health_detail",
    "registered_by",
    "versions",
    "findings",
    "tenants",
}


def counts() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Platform, PlatformVersion, Flow, AuditEntry))


# --- registering ------------------------------------------------------------------------------------------------------


def test_registering_starts_a_flow(root: User, plane: Plane) -> None:
    response = client(root).post(BASE, plane.registration())
    assert response.status_code == 202, response.content
    body = response.json()
    assert (body["oemtype"], body["state"]) == ("testbed", "staged")
    assert response["Location"] == f"/api/v1/flows/{body['flow']}"
    carry_through(Flow.objects.get())
    flow = client(root).get(response["Location"]).json()
    assert (flow["kind"], flow["state"], flow["progress"]) == ("platforms.register", "done", {"done": 5, "total": 5})
    assert client(root).get(f"{BASE}/testbed").json()["state"] == "official"


def test_the_same_key_registers_once(root: User, plane: Plane) -> None:
    headers = {"Idempotency-Key": "one"}
    first = client(root).post(BASE, plane.registration(), headers=headers)
    again = client(root).post(BASE, plane.registration(), headers=headers)
    other = client(root).post(BASE, plane.registration(name="Other"), headers=headers)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert_problem(other, 422)
    assert Platform.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "status", "fields"),
    [
        ({"oemtype": "Big Name"}, 422, ["oemtype"]),
        ({"oemtype": None}, 422, ["oemtype"]),
        ({"base_url": "ftp://x"}, 422, ["base_url"]),
        ({"base_url": ["http://x"]}, 422, ["base_url"]),
        ({"kind": "magic"}, 422, ["kind"]),
        ({"kind": "fabric"}, 409, ["kind"]),
        ({"network_ids": [" "]}, 422, ["network_ids.0"]),
        ({"network_ids": "n-1"}, 422, ["network_ids"]),
        ({"credentials": ["x"]}, 422, ["credentials"]),
        ({"credentials": {"pin": "1", "token": "x"}}, 422, ["credentials.pin"]),
        ({"api_file": 5}, 422, ["api_file"]),
        ({"api_file": "x: ["}, 422, ["api_file"]),
        ({"mapping": "mapping: 1"}, 422, ["mapping"]),
        ({"samples": "x"}, 422, ["samples"]),
        ({"is_default": "perhaps"}, 422, ["is_default"]),
        ({"colour": "red"}, 422, ["colour"]),
        ({"state": "official"}, 422, ["state"]),
        ({"ca_certificate": "x"}, 422, ["ca_certificate"]),
        ({"name": "", "base_url": "x"}, 422, ["base_url", "name"]),
    ],
)
def test_bad_registrations(root: User, plane: Plane, changes: dict[str, Any], status: int, fields: list[str]) -> None:
    before = counts()
    assert_problem(client(root).post(BASE, plane.registration(**changes)), status, *fields)
    assert counts() == before
    assert plane.asked == []


def test_what_is_not_json(root: User, plane: Plane) -> None:
    assert_problem(client(root).post(BASE, "{", content_type="application/json"), 400)
    assert_problem(client(root).post(BASE, "a=b", content_type="application/x-www-form-urlencoded"), 415)
    assert_problem(client(root).post(BASE, {"mapping": "x" * 5_000_000}), 413)
    assert_problem(client(root).post(BASE, []), 422, "body")


def test_a_taken_oemtype(root: User, registered: Register, plane: Plane) -> None:
    registered()
    before = counts()
    assert_problem(client(root).post(BASE, plane.registration()), 409, "oemtype")
    assert counts() == before


# --- reading ----------------------------------------------------------------------------------------------------------


def test_what_everybody_sees(alice: User, registered: Register) -> None:
    registered()
    found = client(alice).get(f"{BASE}/testbed").json()
    assert not DETAILS & set(found)
    assert (found["health"], found["version"], found["is_default"], found["state"]) == ("up", "1.4.2", True, "official")
    assert set(found["capabilities"]) == set(OPERATIONS)
    assert found["capabilities"]["create_network"] == {"supported": True, "reason": ""}
    assert found["capabilities"]["create_chain"] == {
        "supported": False,
        "reason": "This platform makes one chain with each network.",
    }


def test_what_administrators_see(root: User, otto: User, registered: Register, plane: Plane) -> None:
    registered()
    for reader in (root, otto):
        response = client(reader).get(f"{BASE}/testbed")
        found = response.json()
        assert set(found) >= DETAILS
        assert (found["base_url"], found["has_credentials"]) == (plane.address, True)
        assert [each["tenantname"] for each in found["tenants"]] == ["Housing Office", "Tax Bureau"]
        assert [(each["number"], each["in_use"]) for each in found["versions"]] == [(1, True)]
        assert found["findings"][0]["level"] == "note"
        assert TOKEN not in response.content.decode()


def test_the_list(root: User, alice: User, registered: Register, plane: Plane) -> None:
    registered()
    client(root).post(BASE, plane.registration(oemtype="second", name="Second"))
    assert [each["oemtype"] for each in client(root).get(BASE).json()["results"]] == ["second", "testbed"]
    seen = client(alice).get(BASE).json()["results"]
    assert [each["oemtype"] for each in seen] == ["testbed"]
    assert not DETAILS & set(seen[0])
    for query, expected in (
        ("state=staged", ["second"]),
        ("health=up", ["testbed"]),
        ("q=sec", ["second"]),
        ("kernel=fabric", []),
        ("is_default=true", ["testbed"]),
        ("ordering=-oemtype", ["testbed", "second"]),
    ):
        found = client(root).get(f"{BASE}?{query}").json()["results"]
        assert [each["oemtype"] for each in found] == expected, query


def test_who_is_refused(alice: User, root: User, registered: Register, plane: Plane) -> None:
    registered()
    client(root).post(BASE, plane.registration(oemtype="second"))
    before = counts()
    assert_problem(client(alice).get(f"{BASE}/second"), 404)
    assert_problem(client(alice).get(f"{BASE}/nobody"), 404)
    for method, path, body in (
        ("post", "", plane.registration(oemtype="third")),
        ("post", "/check", {"api_file": API_FILE, "mapping": MAPPING}),
        ("post", "/dry-run", {"api_file": API_FILE, "mapping": MAPPING, "operation": "get_health"}),
        ("post", "/check", {}),
        ("post", "/dry-run", {}),
        ("patch", "/testbed", {"name": "Mine"}),
        ("post", "/testbed/retire", {}),
        ("post", "/testbed/use-version", {"number": 1}),
        ("get", "/testbed/versions/1", None),
        ("post", "/testbed/operations/get_health", {}),
    ):
        assert_problem(getattr(client(alice), method)(BASE + path, body), 403)
        assert_problem(getattr(client(), method)(BASE + path, body), 401)
    assert_problem(client().get(BASE), 401)
    assert counts() == before


def test_a_read_only_token_only_reads(root: User, registered: Register) -> None:
    registered()
    signed = client()
    signed.force_authenticate(root, token=ApiToken(user=root, read_only=True))
    assert signed.get(BASE).status_code == 200
    assert_problem(signed.patch(f"{BASE}/testbed", {"name": "x"}), 403)
    assert_problem(signed.post(f"{BASE}/testbed/operations/get_health", {}), 403)


@pytest.mark.parametrize("path", ["", "/testbed"])
def test_the_number_of_queries_does_not_grow(root: User, registered: Register, plane: Plane, path: str) -> None:
    platform = registered()

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client(root).get(BASE + path).status_code == 200
        return len(captured)

    first = queries()
    for number in range(5):
        registered(oemtype=f"more-{number}")
        PlatformVersion.objects.create(
            platform=platform, number=number + 2, api_file="x", mapping="y", created_by=platform.registered_by
        )
        Tenant.objects.create(platform=platform, tenantid=f"t-{number}")
    assert queries() == first
    assert first <= 6


# --- changing ---------------------------------------------------------------------------------------------------------


def test_a_change(root: User, registered: Register) -> None:
    registered()
    response = client(root).patch(f"{BASE}/testbed", {"name": "New name", "credentials": {"token": "other-token"}})
    assert response.status_code == 200, response.content
    assert (response.json()["name"], response.json()["health"]) == ("New name", "unknown")
    assert "other-token" not in response.content.decode()
    assert json.loads(Platform.objects.get().credentials.reveal()) == {"token": "other-token"}


def test_new_files_and_back(root: User, registered: Register) -> None:
    registered()
    mapping = yaml.safe_load(MAPPING)
    del mapping["interfaces"]["delete_network"]
    changed = client(root).patch(f"{BASE}/testbed", {"mapping": mapping}).json()
    assert [(each["number"], each["in_use"]) for each in changed["versions"]] == [(2, True), (1, False)]
    assert changed["capabilities"]["delete_network"]["supported"] is False
    files = client(root).get(f"{BASE}/testbed/versions/1").json()
    assert (files["api_file"], files["mapping"], files["samples"]) == (API_FILE, MAPPING, SAMPLES)
    back = client(root).post(f"{BASE}/testbed/use-version", {"number": 1}).json()
    assert back["capabilities"]["delete_network"]["supported"] is True
    assert_problem(client(root).post(f"{BASE}/testbed/use-version", {"number": 9}), 404)
    assert_problem(client(root).post(f"{BASE}/testbed/use-version", {"number": 0}), 422, "number")
    assert_problem(client(root).get(f"{BASE}/testbed/versions/9"), 404)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"oemtype": "other"}, ["oemtype"]),
        ({"kind": "fabric"}, ["kind"]),
        ({"state": "retired"}, ["state"]),
        ({"name": None}, ["name"]),
        ({"base_url": "http://a@b"}, ["base_url"]),
        ({"mapping": MAPPING.replace("op: health", "op: wealth")}, ["mapping"]),
        ({"api_file": API_FILE.replace("operationId: getJob", "operationId: fetchJob")}, ["mapping"]),
        ({"samples": {"get_health": {"answers": {"health": {"state": "?"}}}}}, ["mapping"]),
    ],
)
def test_bad_changes(root: User, registered: Register, changes: dict[str, Any], fields: list[str]) -> None:
    before, revision = registered() and counts(), Platform.objects.get().revision
    assert_problem(client(root).patch(f"{BASE}/testbed", changes), 422, *fields)
    assert counts() == before
    assert Platform.objects.get().revision == revision


def test_retiring(root: User, registered: Register) -> None:
    registered()
    response = client(root).post(f"{BASE}/testbed/retire")
    assert (response.status_code, response.json()["state"], response.json()["has_credentials"]) == (
        200,
        "retired",
        False,
    )
    assert_problem(client(root).post(f"{BASE}/testbed/retire"), 409)
    assert_problem(client(root).post(f"{BASE}/nobody/retire"), 404)


# --- files ------------------------------------------------------------------------------------------------------------


def test_the_check(root: User) -> None:
    before = counts()
    good = client(root).post(f"{BASE}/check", {"api_file": API_FILE, "mapping": MAPPING, "samples": SAMPLES}).json()
    assert (good["passed"], [each["level"] for each in good["findings"]]) == (True, ["note"])
    assert good["offers"] == sorted(yaml.safe_load(MAPPING)["interfaces"])
    assert {each["operation"]: each["fault"] for each in good["dry_runs"]} == dict.fromkeys(SAMPLES)
    bad = client(root).post(f"{BASE}/check", {"api_file": API_FILE, "mapping": MAPPING.replace("op: health", "op: x")})
    assert bad.status_code == 200, "a check that finds something has done its work"
    finding = bad.json()["findings"][0]
    assert bad.json()["passed"] is False
    assert (finding["level"], finding["file"], finding["place"]) == ("error", "mapping", "get_health.health.op")
    assert finding["text"] == "The API file has no operation x."
    assert "op: health" in MAPPING.splitlines()[finding["line"] - 1]
    torn = client(root).post(f"{BASE}/check", {"api_file": "a: [", "mapping": "b: {"}).json()
    assert [(each["file"], each["line"]) for each in torn["findings"]] == [("api_file", 2), ("mapping", 2)]
    assert_problem(client(root).post(f"{BASE}/check", {"mapping": MAPPING}), 422, "api_file")
    assert counts() == before


def test_the_dry_run(root: User) -> None:
    files = {"api_file": API_FILE, "mapping": MAPPING, "samples": SAMPLES}
    outcome = client(root).post(f"{BASE}/dry-run", {**files, "operation": "create_network"}).json()
    assert outcome["result"]["network_id"] == "n-1"
    assert [each["path"] for each in outcome["requests"]][:2] == ["/v1/networks", "/v1/jobs/j-1"]
    assert_problem(client(root).post(f"{BASE}/dry-run", {**files, "operation": "get_chain"}), 422, "operation")
    assert_problem(client(root).post(f"{BASE}/dry-run", {**files, "operation": "dance"}), 422, "operation")
    torn = {"api_file": "a: [", "mapping": "b: {", "samples": [], "operation": "get_health"}
    assert_problem(client(root).post(f"{BASE}/dry-run", torn), 422, "api_file", "mapping")


def test_the_schema_of_mappings(alice: User) -> None:
    assert client(alice).get(f"{BASE}/schema").json() == json.loads(json.dumps(schema()))


# --- the standard interface -------------------------------------------------------------------------------------------


def test_reading_and_changing(root: User, registered: Register, plane: Plane) -> None:
    registered()
    read = client(root).post(f"{BASE}/testbed/operations/get_health", {})
    assert (read.status_code, read.json()["answer"]["status"]) == (200, "up")
    request = {"name": "P", "creator": {"orgcode": "o", "name": "O", "category": "cloud"}}
    changed = client(root).post(f"{BASE}/testbed/operations/create_network", {"request": request})
    assert (changed.status_code, changed.json()["operation"]) == (202, "create_network")
    flow = Flow.objects.get(pk=changed.json()["flow"])
    carry_through(flow)
    assert len(plane.networks) == 1
    outcome = client(root).get(f"/api/v1/flows/{flow.pk}").json()
    assert outcome["state"] == "done"


@pytest.mark.parametrize(
    ("operation", "body", "status", "fields"),
    [
        ("dance", {}, 404, []),
        ("create_chain", {"request": {}}, 409, []),
        ("get_network", {"request": {}}, 422, ["request.network_id"]),
        ("get_network", {"network_id": "n"}, 422, ["network_id"]),
        ("create_network", {"request": {"name": "x"}}, 422, ["request.creator"]),
        ("get_network", {"request": {"network_id": "n-404"}}, 404, []),
    ],
)
def test_operations_that_fail(
    root: User, registered: Register, operation: str, body: Any, status: int, fields: list[str]
) -> None:
    registered()
    flows = Flow.objects.count()
    response = client(root).post(f"{BASE}/testbed/operations/{operation}", body)
    assert_problem(response, status, *fields)
    assert Flow.objects.count() == flows
    if operation == "create_chain":
        assert (response.json()["code"], response.json()["detail"]) == (
            "not_supported",
            "This platform makes one chain with each network.",
        )


def test_a_platform_in_trouble(root: User, registered: Register, plane: Plane) -> None:
    registered()
    plane.faults["GET /v1/health"] = [{"status": 500, "body": {}}, {"status": 400, "body": {}}, "html"]
    url = f"{BASE}/testbed/operations/get_health"
    assert_problem(client(root).post(url, {}), 503)
    assert_problem(client(root).post(url, {}), 502)
    assert_problem(client(root).post(url, {}), 502)
