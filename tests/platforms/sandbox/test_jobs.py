"""Jobs: one effect for one key, and the trouble that the fault switch makes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.platforms.sandbox.running import Json, Running, cloud, done, ended, machine, until


@pytest.fixture
def client(sandbox: Running) -> Iterator[httpx.Client]:
    """The seventh tenant, who has nothing before and leaves nothing."""
    seventh = sandbox.tenant(7)
    assert seventh.get("/v1/networks").json()["total"] == 0
    yield seventh
    sandbox.open().delete("/sandbox-faults")
    for network in seventh.get("/v1/networks").json()["items"]:
        done(seventh, seventh.delete(f"/v1/networks/{network['networkId']}"))


@pytest.fixture
def body(sandbox: Running) -> Json:
    return {"name": "Once", "member": cloud(sandbox.tenants[6], "org-7")}


def fault(sandbox: Running, kind: str, **more: object) -> None:
    answer = sandbox.open().post("/sandbox-faults", json={"fault": kind, **more})
    assert answer.status_code == 201, answer.text


# --- one effect for one key -------------------------------------------------------------------------------------------


def test_the_same_request_is_the_same_job(client: httpx.Client, body: Json) -> None:
    first = client.post("/v1/networks", json=body, headers={"Idempotency-Key": "k-1"})
    second = client.post("/v1/networks", json={**body, "requestId": "k-1"})
    assert first.json() == second.json()
    done(client, first)
    third = client.post("/v1/networks", json={**body, "requestId": "k-1"}, headers={"Idempotency-Key": "k-1"})
    assert third.json() == first.json()
    assert client.get("/v1/networks").json()["total"] == 1


def test_many_at_once_are_one(client: httpx.Client, body: Json) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.post("/v1/networks", json={**body, "requestId": "k-2"}), range(16)))
    assert len({answer.json()["networkId"] for answer in answers}) == 1
    done(client, answers[0])
    assert client.get("/v1/networks").json()["total"] == 1


def test_without_a_key_two_requests_are_two(client: httpx.Client, body: Json) -> None:
    answers = [client.post("/v1/networks", json=body) for _ in range(2)]
    assert len({done(client, answer)["networkId"] for answer in answers}) == 2


def test_a_key_belongs_to_one_request_and_one_caller(sandbox: Running, client: httpx.Client, body: Json) -> None:
    network = done(client, client.post("/v1/networks", json={**body, "requestId": "k-3"}))["networkId"]
    other = client.post("/v1/networks", json={**body, "name": "Other", "requestId": "k-3"})
    assert (other.status_code, other.json()["error"]["code"]) == (409, "IDEMPOTENCY_MISMATCH")
    elsewhere = client.delete(f"/v1/networks/{network}", headers={"Idempotency-Key": "k-3"})
    assert elsewhere.status_code == 409
    torn = client.post("/v1/networks", json={**body, "requestId": "a"}, headers={"Idempotency-Key": "b"})
    assert (torn.status_code, torn.json()["error"]["code"]) == (400, "INVALID_REQUEST")
    assert client.get("/v1/networks").json()["total"] == 1
    eighth = sandbox.tenant(8)
    theirs = done(
        eighth,
        eighth.post(
            "/v1/networks", json={"name": "T", "member": cloud(sandbox.tenants[7], "org-8"), "requestId": "k-3"}
        ),
    )
    assert theirs["networkId"] != network
    done(eighth, eighth.delete(f"/v1/networks/{theirs['networkId']}"))


def test_a_deletion_is_repeated_safely(client: httpx.Client, body: Json) -> None:
    network = done(client, client.post("/v1/networks", json=body))["networkId"]
    headers = {"Idempotency-Key": "k-4"}
    first = client.delete(f"/v1/networks/{network}", headers=headers)
    done(client, first)
    assert client.delete(f"/v1/networks/{network}", headers=headers).json() == first.json()
    assert client.delete(f"/v1/networks/{network}").status_code == 404


# --- faults -----------------------------------------------------------------------------------------------------------


def test_fail_leaves_what_was_made(sandbox: Running, client: httpx.Client, body: Json) -> None:
    fault(sandbox, "fail")
    answer = client.post("/v1/networks", json={**body, "requestId": "k-5"})
    job = ended(client, answer)
    assert (job["state"], job["error"]["code"], job["progress"]) == ("FAILED", "INJECTED_FAULT", 50)
    network = client.get(f"/v1/networks/{answer.json()['networkId']}").json()
    assert network["state"] == "FAILED"
    assert sandbox.open().get("/sandbox-faults").json()["pending"] == []
    again = client.post("/v1/networks", json={**body, "requestId": "k-5"})
    assert again.json() == answer.json()
    done(client, again)
    assert client.get(f"/v1/networks/{network['networkId']}").json()["state"] == "ACTIVE"
    assert client.get("/v1/networks").json()["total"] == 1


def test_what_failed_can_be_deleted_and_its_key_used_anew(sandbox: Running, client: httpx.Client, body: Json) -> None:
    fault(sandbox, "fail")
    answer = client.post("/v1/networks", json={**body, "requestId": "k-6"})
    assert ended(client, answer)["state"] == "FAILED"
    done(client, client.delete(f"/v1/networks/{answer.json()['networkId']}"))
    anew = client.post("/v1/networks", json={**body, "requestId": "k-6"})
    assert done(client, anew)["networkId"] != answer.json()["networkId"]


def test_hang_until_cancelled(sandbox: Running, client: httpx.Client, body: Json) -> None:
    fault(sandbox, "hang")
    answer = client.post("/v1/networks", json=body)
    path = f"/v1/jobs/{answer.json()['jobId']}"
    until(lambda: client.get(path).json(), lambda job: job["progress"] == 50)
    assert client.get(path).json()["state"] == "RUNNING"
    cancelled = client.post(f"{path}/cancel").json()
    assert (cancelled["state"], cancelled["error"]["code"]) == ("CANCELLED", "CANCELLED")
    assert client.post(f"{path}/cancel").json()["error"]["code"] == "JOB_ENDED"
    assert client.get(f"/v1/networks/{answer.json()['networkId']}").json()["state"] == "FAILED"


def test_hang_until_deleted(sandbox: Running, client: httpx.Client, body: Json) -> None:
    fault(sandbox, "hang")
    answer = client.post("/v1/networks", json=body)
    done(client, client.delete(f"/v1/networks/{answer.json()['networkId']}"))
    assert client.get(f"/v1/jobs/{answer.json()['jobId']}").json()["state"] == "CANCELLED"
    assert client.get("/v1/networks").json()["total"] == 0


def test_nonsense_is_nonsense_though_the_work_is_done(sandbox: Running, client: httpx.Client, body: Json) -> None:
    fault(sandbox, "nonsense")
    answer = client.post("/v1/networks", json=body)
    path = f"/v1/jobs/{answer.json()['jobId']}"
    unchecked = sandbox.open()
    unchecked.headers["Authorization"] = client.headers["Authorization"]
    strange = unchecked.get(path).json()
    assert strange["state"] not in ("QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED")
    html = unchecked.get(path)
    assert html.headers["content-type"].startswith("text/html")
    network = f"/v1/networks/{answer.json()['networkId']}"
    until(lambda: client.get(network).json()["state"], lambda state: state == "ACTIVE")


def test_times_and_kinds(sandbox: Running, client: httpx.Client, body: Json) -> None:
    fault(sandbox, "fail", times=2, on=["createChain"])
    network = done(client, client.post("/v1/networks", json=body))["networkId"]
    path = f"/v1/networks/{network}/chains"
    states = [ended(client, client.post(path, json={"name": "main"}))["state"] for _ in range(3)]
    assert states == ["FAILED", "FAILED", "SUCCEEDED"]
    chains = client.get("/v1/chains").json()["items"]
    assert sorted(chain["state"] for chain in chains) == ["FAILED", "FAILED", "RUNNING"]
    for chain in chains:
        done(client, client.delete(f"/v1/chains/{chain['chainId']}"))


def test_a_join_and_a_quit_fail_half_way(sandbox: Running, client: httpx.Client, body: Json) -> None:
    network = done(client, client.post("/v1/networks", json=body))["networkId"]
    client.put(f"/v1/networks/{network}/invitations/org-3", json={"displayName": "Third"}).raise_for_status()
    third = sandbox.on_prem()
    fault(sandbox, "fail")
    joined = third.post(f"/v1/networks/{network}/members", json={"member": machine("org-3")})
    assert ended(third, joined)["state"] == "FAILED"
    members = {each["externalId"]: each["state"] for each in client.get(f"/v1/networks/{network}").json()["members"]}
    assert members == {"org-7": "ACTIVE", "org-3": "FAILED"}
    fault(sandbox, "fail")
    path = f"/v1/networks/{network}/members/org-3"
    headers = {"Idempotency-Key": "q-1"}
    assert ended(third, third.delete(path, headers=headers))["state"] == "FAILED"
    done(third, third.delete(path, headers=headers))
    assert len(client.get(f"/v1/networks/{network}").json()["members"]) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        b"[]",
        b"null",
        b'"fail"',
        b"{}",
        b'{"fault": "explode"}',
        b'{"fault": "fail", "times": 0}',
        b'{"fault": "fail", "times": 101}',
        b'{"fault": "fail", "times": "many"}',
        b'{"fault": "fail", "on": ["makeCoffee"]}',
        b'{"fault": "fail", "when": "now"}',
        b'{"fault": NaN}',
        b"[" * 5000,
    ],
)
def test_bad_faults_are_refused_in_words(sandbox: Running, content: bytes) -> None:
    answer = sandbox.open().post("/sandbox-faults", content=content)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"]
    assert sandbox.open().get("/sandbox-faults").json()["pending"] == []


def test_the_switch_explains_itself_and_can_be_cleared(sandbox: Running) -> None:
    fault(sandbox, "hang", times=3)
    shown = sandbox.open().get("/sandbox-faults").json()
    assert [(each["fault"], each["times"]) for each in shown["pending"]] == [("hang", 3)]
    assert "fail" in shown["howTo"]
    assert sandbox.open().delete("/sandbox-faults").json()["pending"] == []


def test_the_switches_are_not_for_browsers_nor_on_the_certificate_address(sandbox: Running) -> None:
    answer = sandbox.open().post("/sandbox-faults", json={"fault": "fail"}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert sandbox.on_prem().post("/sandbox-faults", json={"fault": "fail"}).status_code == 404
