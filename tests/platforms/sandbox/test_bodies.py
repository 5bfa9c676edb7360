"""Bad input: a refusal with the place and words, and nothing changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.platforms.sandbox.running import Json, Running, cloud

MEMBER: Json = {"externalId": "org-9", "displayName": "Nine"}


def post(sandbox: Running, content: bytes, content_type: str = "application/json") -> Any:
    return sandbox.tenant(9).post("/v1/networks", content=content, headers={"Content-Type": content_type})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "X"}, "member"),
        ({"name": "", "member": MEMBER}, "name"),
        ({"name": "   ", "member": MEMBER}, "name"),
        ({"name": "a\nb", "member": MEMBER}, "name"),
        ({"name": "x" * 201, "member": MEMBER}, "name"),
        ({"name": 7, "member": MEMBER}, "name"),
        ({"name": "X", "member": MEMBER, "colour": "red"}, "colour"),
        ({"name": "X", "member": MEMBER, "engine": "FABRIC"}, "engine"),
        ({"name": "X", "member": {**MEMBER, "externalId": "../x"}}, "member.externalId"),
        ({"name": "X", "member": {**MEMBER, "externalId": "x" * 65}}, "member.externalId"),
        ({"name": "X", "member": MEMBER, "invite": [{"externalId": "a"}]}, "invite.0.displayName"),
        ({"name": "X", "member": MEMBER, "invite": "all"}, "invite"),
        ({"name": "X", "member": MEMBER, "requestId": "k" * 201}, "requestId"),
    ],
)
def test_every_field_is_named(sandbox: Running, body: Json, field: str) -> None:
    answer = post(sandbox, json.dumps(body).encode())
    assert answer.status_code == 400
    assert field in {each["field"] for each in answer.json()["error"]["details"]}
    assert sandbox.tenant(9).get("/v1/networks").json()["total"] == 0


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 50_000, b'{"name": Infinity}'])
def test_what_is_no_json_object_is_refused(sandbox: Running, content: bytes) -> None:
    answer = post(sandbox, content)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")


def test_the_content_type_counts(sandbox: Running) -> None:
    answer = post(sandbox, json.dumps({"name": "X", "member": MEMBER}).encode(), "text/plain")
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_large_body_is_refused(sandbox: Running) -> None:
    answer = post(sandbox, json.dumps({"name": "X" * 5_000_000, "member": MEMBER}).encode())
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_the_wrong_method_is_refused(sandbox: Running) -> None:
    answer = sandbox.tenant(9).put("/v1/networks", json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")


def test_a_cloud_tenant_has_no_machines_and_an_on_prem_organization_needs_them(sandbox: Running) -> None:
    member = {**cloud(sandbox.tenants[8], "org-9"), "hosts": [{"ip": "127.0.0.11", "port": 9001}]}
    assert sandbox.tenant(9).post("/v1/networks", json={"name": "X", "member": member}).status_code == 400
    for wrong in (MEMBER, {**MEMBER, "tenantId": "tenant-1", "hosts": member["hosts"]}):
        answer = sandbox.on_prem().post("/v1/networks", json={"name": "X", "member": wrong})
        assert answer.status_code == 400
