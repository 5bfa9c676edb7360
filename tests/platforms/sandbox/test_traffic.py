"""The traffic generator: blocks worth looking at, and a switch."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from platforms.sandbox.counter import CODE, INCREMENT
from tests.platforms.sandbox.running import Json, Running, cloud, done, until


def test_traffic_is_on_and_gentle_at_first(fresh: Callable[..., Running]) -> None:
    running = fresh(traffic=True)
    settings = running.open().get("/traffic").json()
    assert settings["enabled"] is True
    assert 15 <= settings["perMinute"] <= 30


def test_blocks_of_every_kind_and_a_switch(fresh: Callable[..., Running]) -> None:
    running = fresh()
    first = running.tenant(1)
    network = done(first, first.post("/v1/networks", json={"name": "N", "member": cloud(running.tenants[0], "org-1")}))
    chain = done(first, first.post(f"/v1/networks/{network['networkId']}/chains", json={"name": "main"}))["chainId"]
    path = f"/v1/chains/{chain}/transactions"
    assert first.get(path).json()["total"] == 0  # off: an idle chain does not grow
    running.open().post("/traffic", json={"enabled": True, "perMinute": 600}).raise_for_status()

    def kinds() -> set[str]:
        return {kind_of(each) for each in first.get(path, params={"limit": 500}).json()["items"]}

    until(kinds, lambda seen: seen == {"deployed", "called", "moved", "failed"}, 30)
    running.open().post("/traffic", json={"enabled": False}).raise_for_status()
    time.sleep(0.5)
    before = first.get(path).json()["total"]
    time.sleep(1)
    assert first.get(path).json()["total"] == before
    running.stop()
    running.start()
    assert running.open().get("/traffic").json()["enabled"] is False


def kind_of(transaction: Json) -> str:
    if transaction["outcome"] == "REVERTED":
        return "failed"
    if transaction["to"] is None:
        assert transaction["input"] == CODE
        assert transaction["contractAddress"]
        return "deployed"
    return "called" if transaction["input"] == INCREMENT else "moved"


def test_a_long_chain_is_left_in_peace(fresh: Callable[..., Running]) -> None:
    running = fresh()
    first = running.tenant(1)
    network = done(first, first.post("/v1/networks", json={"name": "N", "member": cloud(running.tenants[0], "org-1")}))
    chain = done(first, first.post(f"/v1/networks/{network['networkId']}/chains", json={"name": "main"}))["chainId"]
    running.open().post("/traffic", json={"enabled": True, "perMinute": 600, "quietAfter": 3}).raise_for_status()
    summary = f"/v1/chains/{chain}/ledger"
    until(lambda: int(first.get(summary).json()["height"], 16), lambda height: height > 3)
    time.sleep(1.5)
    assert int(first.get(summary).json()["height"], 16) <= 5


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"on", b"[]", b'{"enabled": "perhaps"}', b'{"perMinute": 0}', b'{"perMinute": 601}', b'{"speed": 3}'],
)
def test_bad_settings_are_refused_in_words(sandbox: Running, content: bytes) -> None:
    before = sandbox.open().get("/traffic").json()
    answer = sandbox.open().post("/traffic", content=content)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"]
    assert sandbox.open().get("/traffic").json() == before
