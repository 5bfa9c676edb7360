"""Killed workers, killed supervisors, restarts: the promised work is finished and the chains are the same ones."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import httpx

from tests.stack import sandbox
from tests.stack.caller import Caller
from tests.stack.departments import PASSWORD, Department, Office, chain_of, nodes_of, propose_union
from tests.stack.product import Product, running, stops_everything, until


def test_a_killed_worker_and_a_restart_on_the_same_data(tmp_path: Path) -> None:
    with running(tmp_path / "data") as product:
        assert httpx.get(f"{product.address}/readyz").status_code == 200
        office = Office(product)
        tax, housing = office.cloud("Tax Office", 0), office.cloud("Housing Authority", 1)
        started = propose_union("Permits", tax, housing)
        housing.agree(started["proposal"])
        until(lambda: _asked_the_platform(tax.caller, started["flow"]), seconds=30, what="building begins")
        _kill_the_workers(product)
        assert tax.caller.get(f"flows/{started['flow']}")["state"] == "running"
        assert tax.caller.flow(started["flow"])["state"] == "done"
        assert len(sandbox.networks(product)) == 1
        chain = chain_of(tax, started["unionid"])
        head = _head_above(tax, chain["id"], 3)
        _saved(product, chain["externalid"], head["height"])

        _kill_everything_but_the_data(product)
        product.start()
        tax = Department(tax.orgcode, Caller.signed_in(product, "tax-office", PASSWORD))
        assert chain_of(tax, started["unionid"])["externalid"] == chain["externalid"]
        _same_chain_goes_on(tax, chain["id"], head)

        password = product.login
        head = _head_above(tax, chain["id"], head["height"] + 1)
        stops_everything(product, signal.SIGHUP)
        product.start()
        assert product.login == password
        tax = Department(tax.orgcode, Caller.signed_in(product, "tax-office", PASSWORD))
        _same_chain_goes_on(tax, chain["id"], head)
        stops_everything(product, signal.SIGTERM)


def _kill_the_workers(product: Product) -> None:
    """-9 for the worker and its whole pool."""
    workers = product.named("--queues flows")
    assert workers
    for pid in workers:
        os.kill(pid, signal.SIGKILL)


def _kill_everything_but_the_data(product: Product) -> None:
    os.kill(product.supervisor, signal.SIGKILL)
    until(lambda: product.processes() == {}, seconds=40, what="nothing outlives a killed supervisor")


def _asked_the_platform(caller: Caller, flow: str) -> bool:
    """The platform works on the network, and what it said is written down or on its way."""
    states = {row["name"]: row["state"] for row in caller.get(f"flows/{flow}")["steps"]}
    return states["network"] in ("running", "later")


def _head_above(department: Department, blockchain: str, height: int) -> dict[str, Any]:
    path = f"blockchains/{blockchain}/ledger"
    until(
        lambda: (department.caller.get(path)["height"] or 0) > height, seconds=90, what=f"the ledger is above {height}"
    )
    return department.caller.get(path)


def _same_chain_goes_on(department: Department, blockchain: str, head: dict[str, Any]) -> None:
    """The nodes themselves have the old head, and what is read from now on is built on it."""
    for endpoint in (node["endpoint"] for node in nodes_of(department, blockchain)):
        block = sandbox.ask(endpoint, "eth_getBlockByNumber", hex(head["height"]), False)
        assert block["hash"] == head["block_hash"]
    later = _head_above(department, blockchain, head["height"])
    assert later["read_at"] > head["read_at"]
    block = department.caller.get(f"blockchains/{blockchain}/blocks/{head['height']}")
    assert block["hash"] == head["block_hash"]


def _saved(product: Product, chain: str, height: int) -> None:
    """What is not saved yet is lost with a killed platform: its chains are for trying things out."""
    path = product.data_dir / "sandbox/chains" / chain / "saved.json"
    until(
        lambda: path.exists() and json.loads(path.read_text())["best_block_number"] >= height,
        seconds=90,
        what=f"block {height} is saved",
    )
