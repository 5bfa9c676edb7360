"""Killed workers, killed supervisors, restarts: the promised work is finished and the chains are the same ones."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import httpx

from tests.stack import sandbox
from tests.stack.caller import Caller
from tests.stack.departments import PASSWORD, Department, Office, chain_of, propose_union
from tests.stack.product import Product, running, stops_everything, until


def test_a_killed_worker_and_a_restart_on_the_same_data(tmp_path: Path) -> None:
    with running(tmp_path / "data") as product:
        assert httpx.get(f"{product.address}/readyz").status_code == 200
        office = Office(product)
        tax, housing = office.cloud("Tax Office", 0), office.cloud("Housing Authority", 1)
        started = propose_union("Permits", tax, housing)
        housing.agree(started["proposal"])
        until(
            lambda: _state_of(tax.caller, started["flow"], "network") != "waiting", seconds=30, what="building begins"
        )
        _kill_the_workers(product)
        assert tax.caller.flow(started["flow"])["state"] == "done"
        assert len(sandbox.networks(product)) == 1
        chain = chain_of(tax, started["unionid"])
        head = _head_above(tax, chain["id"], 3)

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


def _state_of(caller: Caller, flow: str, step: str) -> str:
    return next(row["state"] for row in caller.get(f"flows/{flow}")["steps"] if row["name"] == step)


def _head_above(department: Department, blockchain: str, height: int) -> dict[str, Any]:
    path = f"blockchains/{blockchain}/ledger"
    until(
        lambda: (department.caller.get(path)["height"] or 0) > height, seconds=90, what=f"the ledger is above {height}"
    )
    return department.caller.get(path)


def _same_chain_goes_on(department: Department, blockchain: str, head: dict[str, Any]) -> None:
    """Not lower than before, and the old head is one of its blocks."""
    later = _head_above(department, blockchain, head["height"] - 1)
    assert later["height"] >= head["height"]
    block = department.caller.get(f"blockchains/{blockchain}/blocks/{head['height']}")
    assert block["hash"] == head["block_hash"]
