"""Whatever ends it, the sandbox comes back with the same chains; and when it ends, nothing of it is left."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.platforms.sandbox.running import (
    COMMAND,
    ROOT,
    Json,
    Running,
    cloud,
    done,
    ended,
    processes_of,
    rpc,
    until,
)

Make = Callable[..., Running]


def found(running: Running) -> tuple[str, str]:
    """A network of the first tenant with a chain of ten transactions: the chain and its endpoint."""
    first = running.tenant(1)
    member = cloud(running.tenants[0], "org-1")
    network = done(first, first.post("/v1/networks", json={"name": "N", "member": member, "requestId": "n"}))
    path = f"/v1/networks/{network['networkId']}/chains"
    chain = done(first, first.post(path, json={"name": "main", "requestId": "c"}))["chainId"]
    endpoint = endpoint_of(running, chain)
    transact(endpoint, 10)
    return chain, endpoint


def endpoint_of(running: Running, chain: str) -> str:
    return running.operator().get("/v1/nodes", params={"chainId": chain}).json()["items"][0]["endpoint"]


def transact(endpoint: str, number: int) -> list[str]:
    one, two = rpc(endpoint, "eth_accounts")[:2]
    sent = [rpc(endpoint, "eth_sendTransaction", {"from": one, "to": two, "value": hex(i + 1)}) for i in range(number)]
    for each in sent:
        until(lambda each=each: rpc(endpoint, "eth_getTransactionReceipt", each), bool)
    return sent


def ledger(running: Running, chain: str) -> Json:
    """The summary and everything that it sums up."""

    operator = running.operator()

    def read() -> Json:
        answers = [operator.get(f"/v1/chains/{chain}/{name}") for name in ("ledger", "blocks", "transactions")]
        return {} if any(answer.status_code == 503 for answer in answers) else {"all": [a.json() for a in answers]}

    return until(read, bool)


def saved(running: Running, chain: str, height: int) -> None:
    """Wait until the sandbox has saved the chain up to this height."""
    path = running.folder / "chains" / chain / "saved.json"
    until(lambda: path.exists() and json.loads(path.read_text())["best_block_number"], lambda found: found == height)


def anvil_of(running: Running, chain: str) -> int:
    (pid,) = [pid for pid in processes_of(running.folder / "chains" / chain)]
    return pid


def test_a_clean_stop_loses_nothing_and_leaves_no_process(fresh: Make) -> None:
    running = fresh()
    chain, endpoint = found(running)
    before = ledger(running, chain)
    assert running.stop() < 5
    assert processes_of(running.folder) == []
    running.start()
    assert ledger(running, chain) == before
    assert endpoint_of(running, chain) == endpoint
    (last,) = transact(endpoint, 1)
    assert rpc(endpoint, "eth_getTransactionByHash", last)["blockNumber"] == hex(11)


def test_the_first_block_stays_the_first_over_many_restarts(fresh: Make) -> None:
    running = fresh()
    chain, endpoint = found(running)
    first = rpc(endpoint, "eth_getBlockByNumber", "0x0", False)
    for _ in range(3):
        running.stop()
        time.sleep(1)  # so that a genesis of the restart's own would have another time
        running.start()
        blocks = running.operator().get(f"/v1/chains/{chain}/blocks").json()["items"]
        assert (blocks[-1]["hash"], blocks[-2]["parentHash"]) == (first["hash"], first["hash"])
    transact(endpoint, 1)
    newest = running.operator().get(f"/v1/chains/{chain}/blocks", params={"limit": 1}).json()["items"][0]
    assert abs(newest["timestamp"] / 1000 - time.time()) < 5


def test_keys_and_ports_outlive_a_restart(fresh: Make) -> None:
    running = fresh()
    found(running)
    addresses = running.base_url, running.on_prem_base_url
    tenants, certificate = running.tenants, running.tlscert
    running.stop()
    running.start()
    assert (running.base_url, running.on_prem_base_url) == addresses
    assert (running.tenants, running.tlscert) == (tenants, certificate)
    first = running.tenant(1)
    member = cloud(running.tenants[0], "org-1")
    done(first, first.post("/v1/networks", json={"name": "N", "member": member, "requestId": "n"}))
    assert first.get("/v1/networks").json()["total"] == 1
    assert running.on_prem().get("/v1/networks").status_code == 200


def test_a_killed_sandbox_leaves_no_orphan_and_comes_back(fresh: Make) -> None:
    running = fresh()
    chain, _endpoint = found(running)
    before = ledger(running, chain)
    running.kill()
    until(lambda: processes_of(running.folder), lambda left: left == [], 5)
    running.start()
    assert ledger(running, chain) == before


def test_killed_all_at_once_it_loses_the_last_seconds_only(fresh: Make) -> None:
    running = fresh()
    chain, endpoint = found(running)
    before = ledger(running, chain)
    saved(running, chain, 10)
    transact(endpoint, 1)
    victims = [anvil_of(running, chain), running.process.pid]
    for pid in victims:
        os.kill(pid, signal.SIGSTOP)
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    running.kill()
    running.start()
    after = ledger(running, chain)
    assert after["all"][1]["items"][-11:] == before["all"][1]["items"]
    assert len(after["all"][1]["items"]) in (11, 12)


def test_a_killed_chain_comes_back_by_itself(fresh: Make) -> None:
    running = fresh()
    chain, endpoint = found(running)
    head = rpc(endpoint, "eth_getBlockByNumber", "latest", False)["hash"]
    saved(running, chain, 10)
    os.kill(anvil_of(running, chain), signal.SIGKILL)
    summary = f"/v1/chains/{chain}/ledger"
    until(lambda: running.operator().get(summary), lambda a: a.status_code == 200 and a.json()["headHash"] == head)
    until(lambda: running.operator().get("/v1/health").json()["status"], lambda status: status == "UP")
    assert rpc(endpoint, "eth_getBlockByNumber", "latest", False)["hash"] == head


def test_a_damaged_state_falls_back_to_the_last_good_one(fresh: Make) -> None:
    running = fresh()
    chain, _endpoint = found(running)
    folder = running.folder / "chains" / chain
    saved(running, chain, 10)
    before = ledger(running, chain)
    running.stop()
    whole = (folder / "state.json").read_bytes()
    (folder / "state.json").write_bytes(whole[: len(whole) // 2])
    running.start()
    assert ledger(running, chain) == before
    assert (folder / "damaged.json").exists()


def test_told_as_a_group_it_ends_as_well(fresh: Make) -> None:
    running = fresh()
    chain, _endpoint = found(running)
    before = ledger(running, chain)
    os.killpg(running.process.pid, signal.SIGTERM)
    assert running.process.wait(5) == 0
    assert processes_of(running.folder) == []
    running.start()
    assert ledger(running, chain) == before


def test_a_job_goes_on_after_a_crash(fresh: Make) -> None:
    running = fresh("data", "--pace", "0.4")
    first = running.tenant(1)
    body = {"name": "N", "member": cloud(running.tenants[0], "org-1"), "requestId": "n"}
    answer = first.post("/v1/networks", json=body).json()
    running.kill()
    running.start()
    first = running.tenant(1)
    job = f"/v1/jobs/{answer['jobId']}"
    until(lambda: first.get(job).json()["state"], lambda state: state == "SUCCEEDED")
    assert first.post("/v1/networks", json=body).json() == answer
    assert [each["state"] for each in first.get("/v1/networks").json()["items"]] == ["ACTIVE"]


def test_a_hanging_job_hangs_on_and_a_pending_fault_stays(fresh: Make) -> None:
    running = fresh()
    running.open().post("/sandbox-faults", json={"fault": "hang", "times": 2}).raise_for_status()
    first = running.tenant(1)
    answer = first.post("/v1/networks", json={"name": "N", "member": cloud(running.tenants[0], "org-1")}).json()
    running.stop()
    running.start()
    first = running.tenant(1)
    until(lambda: first.get(f"/v1/jobs/{answer['jobId']}").json()["progress"], lambda progress: progress == 50)
    assert first.get(f"/v1/jobs/{answer['jobId']}").json()["state"] == "RUNNING"
    assert [each["times"] for each in running.open().get("/sandbox-faults").json()["pending"]] == [1]


def test_a_taken_port_makes_way(fresh: Make) -> None:
    running = fresh()
    old = running.base_url
    running.stop()
    with socket.socket() as occupied:
        occupied.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        occupied.bind(("127.0.0.1", int(old.rpartition(":")[2])))
        occupied.listen()
        running.start()
        assert running.base_url != old
        assert running.registration["base_url"] == running.base_url
        port = json.loads((running.folder / "ports.json").read_text())["port"]
        assert running.base_url.endswith(f":{port}")


@pytest.mark.parametrize("taken", ["port", "folder"])
def test_what_is_taken_is_said_and_nothing_starts(fresh: Make, tmp_path: Path, taken: str) -> None:
    running = fresh()
    folder = running.data_dir if taken == "folder" else tmp_path / "second"
    command = [*COMMAND, "--data-dir", str(folder)]
    if taken == "port":
        command += ["--port", running.base_url.rpartition(":")[2]]
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert refused.returncode == 1
    assert ("Another sandbox is running" if taken == "folder" else "cannot start") in refused.stderr
    assert refused.stdout == ""


def test_nothing_is_written_outside_of_its_folder(fresh: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    running = fresh()
    found(running)
    time.sleep(0.1)
    running.stop()
    assert list(home.iterdir()) == []
    assert sorted(path.name for path in running.data_dir.iterdir()) == ["log.jsonl", "sandbox"]


def test_a_kernel_that_does_not_run_is_said_and_can_be_cleared_away(
    fresh: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANVIL", "/bin/false")
    running = fresh()
    first = running.tenant(1)
    body = {"name": "N", "member": cloud(running.tenants[0], "org-1")}
    network = done(first, first.post("/v1/networks", json=body))["networkId"]
    answer = first.post(f"/v1/networks/{network}/chains", json={"name": "main"})
    job = ended(first, answer)
    assert (job["state"], job["error"]["code"]) == ("FAILED", "KERNEL_UNAVAILABLE")
    assert "anvil ended with code 1" in job["error"]["message"]
    chain = f"/v1/chains/{answer.json()['chainId']}"
    assert first.get(f"{chain}/ledger").json()["error"]["code"] == "KERNEL_UNAVAILABLE"
    done(first, first.delete(chain))
    done(first, first.delete(f"/v1/networks/{network}"))
    assert running.stop() < 5
