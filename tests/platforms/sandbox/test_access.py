"""Who gets in, and who sees what."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from platforms.sandbox.identities import Authority, ensure_identities
from tests.platforms.sandbox.running import Running, cloud, done, machine


@pytest.fixture
def network(sandbox: Running) -> Iterator[str]:
    """One that the first tenant has founded, alone."""
    first = sandbox.tenant(1)
    founded = first.post("/v1/networks", json={"name": "Alone", "member": cloud(sandbox.tenants[0], "org-1")})
    network_id = done(first, founded)["networkId"]
    yield network_id
    done(first, first.delete(f"/v1/networks/{network_id}"))


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Bearer", "Basic b3A6b3A=", "Bearer naïve"])
def test_a_wrong_key_is_refused(sandbox: Running, header: str | None) -> None:
    headers = {"Authorization": header.encode()} if header else {}
    answer = sandbox.open().get("/v1/networks", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "UNAUTHENTICATED"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_without_a_client_certificate_nobody_gets_in(sandbox: Running) -> None:
    context = ssl.create_default_context(cafile=str(sandbox.folder / "onprem/ca.pem"))
    key = (sandbox.folder / "operator-key").read_text()
    answer = httpx.get(
        f"{sandbox.on_prem_base_url}/v1/networks", verify=context, headers={"Authorization": f"Bearer {key}"}
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHENTICATED")
    assert "client certificate is needed" in answer.json()["error"]["message"]


@pytest.mark.parametrize(("start", "words"), [(-30, "expired on"), (5, "not valid before")])
def test_a_certificate_out_of_force_is_refused_in_words(
    sandbox: Running, tmp_path: Path, start: int, words: str
) -> None:
    begin = datetime.now(UTC) + timedelta(days=start)
    bundle = Authority(sandbox.folder).issue_client("Old", start=begin, lifetime=timedelta(days=10))
    (tmp_path / "old.pem").write_text(bundle)
    body = {"name": "X", "member": machine("org-old")}
    answer = sandbox.on_prem(tmp_path / "old.pem").post("/v1/networks", json=body)
    assert answer.status_code == 401
    assert words in answer.json()["error"]["message"]
    assert "X" not in {each["name"] for each in sandbox.operator().get("/v1/networks").json()["items"]}


def test_a_certificate_of_another_ca_gets_no_handshake(sandbox: Running, tmp_path: Path) -> None:
    ensure_identities(tmp_path / "other")
    with pytest.raises(httpx.ConnectError):
        sandbox.on_prem(tmp_path / "other/onprem/client.pem").get("/v1/networks")


def test_a_key_is_nothing_on_the_certificate_address(sandbox: Running) -> None:
    """Who shows a certificate is the certificate's owner, whatever key it sends along."""
    operator = (sandbox.folder / "operator-key").read_text()
    answer = sandbox.on_prem().get("/v1/tenants", headers={"Authorization": f"Bearer {operator}"})
    assert answer.status_code == 403


def test_the_operator_issues_certificates(sandbox: Running, tmp_path: Path) -> None:
    assert sandbox.tenant(1).post("/v1/certificates", json={"commonName": "X"}).status_code == 403
    issued = sandbox.operator().post("/v1/certificates", json={"commonName": "Housing, on-prem", "days": 30})
    assert issued.status_code == 201
    (tmp_path / "client.pem").write_text(issued.json()["bundle"])
    assert sandbox.on_prem(tmp_path / "client.pem").get("/v1/networks").json()["items"] == []


def test_a_stranger_does_not_learn_that_a_network_is_there(sandbox: Running, network: str) -> None:
    stranger = sandbox.tenant(2)
    for method, path, body in (
        ("GET", f"/v1/networks/{network}", None),
        ("DELETE", f"/v1/networks/{network}", None),
        ("POST", f"/v1/networks/{network}/members", {"member": cloud(sandbox.tenants[1], "org-2")}),
        ("POST", f"/v1/networks/{network}/chains", {"name": "theirs"}),
        ("PUT", f"/v1/networks/{network}/invitations/org-2", {"displayName": "Me"}),
        ("DELETE", f"/v1/networks/{network}/members/org-1", None),
    ):
        answer = stranger.request(method, path, json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NETWORK_NOT_FOUND"), path
    assert stranger.get("/v1/networks").json()["total"] == 0
    assert stranger.get("/v1/tenants").status_code == 403
    assert sandbox.tenant(1).get(f"/v1/networks/{network}").json()["state"] == "ACTIVE"


def test_the_operator_sees_all_and_builds_nothing(sandbox: Running, network: str) -> None:
    operator = sandbox.operator()
    assert network in {each["networkId"] for each in operator.get("/v1/networks").json()["items"]}
    member = {"member": machine("org-op")}
    for answer in (
        operator.post("/v1/networks", json={"name": "X", **member}),
        operator.post(f"/v1/networks/{network}/members", json=member),
        operator.post(f"/v1/networks/{network}/chains", json={"name": "X"}),
        operator.delete(f"/v1/networks/{network}"),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")


def test_only_who_is_invited_joins_and_only_as_itself(sandbox: Running, network: str) -> None:
    first, second = sandbox.tenant(1), sandbox.tenant(2)
    path = f"/v1/networks/{network}/members"
    invited = {"displayName": "Second", "tenantId": sandbox.tenants[1]["tenantid"]}
    assert first.put(f"/v1/networks/{network}/invitations/org-2", json=invited).json()["state"] == "PENDING"
    for body, code in (
        (cloud(sandbox.tenants[1], "org-9"), "NOT_INVITED"),
        (cloud(sandbox.tenants[2], "org-2"), "TENANT_MISMATCH"),
    ):
        answer = second.post(path, json={"member": body})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, code)
    third = sandbox.tenant(3).post(path, json={"member": cloud(sandbox.tenants[2], "org-2")})
    assert third.status_code == 404
    assert second.put(f"/v1/networks/{network}/invitations/org-3", json=invited).status_code == 403
    done(second, second.post(path, json={"member": cloud(sandbox.tenants[1], "org-2")}))
    again = second.post(path, json={"member": cloud(sandbox.tenants[1], "org-2")})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "ALREADY_MEMBER")
    assert second.delete(f"/v1/networks/{network}").status_code == 403
    assert first.delete(f"/v1/networks/{network}/members/org-2").status_code == 403
    left = first.delete(f"/v1/networks/{network}")
    assert (left.status_code, left.json()["error"]["code"]) == (409, "MEMBERS_LEFT")
    assert "org-2" in left.json()["error"]["message"]
    done(second, second.delete(f"{path}/org-2"))
    assert second.get(f"/v1/networks/{network}").status_code == 404


def test_an_unknown_tenant_is_not_invited(sandbox: Running, network: str) -> None:
    answer = sandbox.tenant(1).put(
        f"/v1/networks/{network}/invitations/org-2", json={"displayName": "X", "tenantId": "tenant-99"}
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "TENANT_NOT_FOUND")


def test_jobs_are_private(sandbox: Running, network: str) -> None:
    first = sandbox.tenant(1)
    founded = first.post("/v1/networks", json={"name": "Mine", "member": cloud(sandbox.tenants[0], "org-1")})
    job = founded.json()["jobId"]
    assert sandbox.tenant(2).get(f"/v1/jobs/{job}").status_code == 404
    assert sandbox.tenant(2).post(f"/v1/jobs/{job}/cancel").status_code == 404
    assert sandbox.operator().get(f"/v1/jobs/{job}").status_code == 200
    done(first, founded)
    done(first, first.delete(f"/v1/networks/{founded.json()['networkId']}"))
