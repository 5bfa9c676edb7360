"""Contracts by the management plane: one effect for one key, whatever fails; and nobody changes another's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from platforms.sandbox.counter import CODE, GET, INCREMENT
from tests.platforms.sandbox.record import TAKES_ANYTHING
from tests.platforms.sandbox.running import Running, ended, finished, rpc
from tests.platforms.sandbox.test_life import Life, build, tear_down


@pytest.fixture(scope="module")
def life(sandbox: Running) -> Iterator[Life]:
    made = build(sandbox)
    yield made
    tear_down(made)


def test_what_failed_half_way_is_finished_not_done_twice(life: Life) -> None:
    client, path = life.sandbox.tenant(4), f"/v1/chains/{life.chain}/contracts"
    endpoint = life.nodes()["org-1"]["endpoint"]
    life.sandbox.open().post("/sandbox-faults", json={"fault": "fail", "on": ["createContract"]}).raise_for_status()
    asked = {"json": {"name": "Counter", "data": CODE}, "headers": {"Idempotency-Key": "one"}}
    first = ended(client, client.post(path, **asked))
    assert (first["state"], first["error"]["code"]) == ("FAILED", "INJECTED_FAULT")
    before = client.get(path).json()["items"]
    second = finished(client, client.post(path, **asked))
    assert second["jobId"] == first["jobId"]
    (contract,) = [each for each in client.get(path).json()["items"] if each not in before]
    own = [each for each in client.get(path).json()["items"] if each["account"] == contract["account"]]
    assert int(rpc(endpoint, "eth_getTransactionCount", contract["account"], "latest"), 16) == len(own), "sent once"
    call = {"json": {"to": contract["contractId"], "data": INCREMENT}, "headers": {"Idempotency-Key": "two"}}
    sent = [finished(client, client.post(f"/v1/chains/{life.chain}/transactions", **call)) for _ in range(2)]
    assert sent[0]["transactionHash"] == sent[1]["transactionHash"]
    assert int(rpc(endpoint, "eth_call", {"to": contract["contractId"], "data": GET}, "latest"), 16) == 1


def test_members_have_accounts_of_their_own_and_change_what_is_theirs(life: Life) -> None:
    first, third, path = life.sandbox.tenant(4), life.sandbox.on_prem(), f"/v1/chains/{life.chain}/contracts"
    own = finished(first, first.post(path, json={"name": "Own", "data": TAKES_ANYTHING}))
    theirs = finished(third, third.post(path, json={"name": "Theirs", "data": CODE, "externalId": "org-3"}))
    assert own["account"] != theirs["account"]
    for answer in (
        third.put(f"{path}/{own['contractId']}", json={"data": CODE, "externalId": "org-3"}),
        third.delete(f"{path}/{own['contractId']}", params={"externalId": "org-3"}),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "NOT_DEPLOYER")
    answer = first.put(f"{path}/0x{'ab' * 20}", json={"data": CODE})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "CONTRACT_NOT_FOUND")


def test_what_the_contract_refuses_fails_the_job_and_is_not_sent(life: Life) -> None:
    client = life.sandbox.tenant(5)
    made = finished(client, client.post(f"/v1/chains/{life.chain}/contracts", json={"name": "A", "data": CODE}))
    call = {"to": made["contractId"], "data": "0xdeadbeef"}
    job = ended(client, client.post(f"/v1/chains/{life.chain}/transactions", json=call))
    assert (job["state"], job["error"]["code"]) == ("FAILED", "TRANSACTION_REFUSED")
    assert "transactionHash" not in job
