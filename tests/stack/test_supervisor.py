"""Starting and stopping: nothing is left, nothing is started twice, nothing is written elsewhere.

That each way of asking stops a console that has worked is asked where one has: `test_restart.py`, `test_scenario.py`.
"""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import httpx
import pytest

from tests.stack.product import Product, free_port, until


@pytest.mark.parametrize("after", ["supervisor.lock", "logs/migrate.log", "logs/observer.log"])
def test_it_can_be_stopped_while_it_starts(tmp_path: Path, after: str) -> None:
    product = Product(tmp_path / "data", port=free_port())
    process = product.popen()
    try:
        until((product.data_dir / after).exists, seconds=60, what=f"{after} is there")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert process.communicate()[0] == ""
        assert product.processes() == {}
    finally:
        process.kill()


def test_a_second_start_on_the_same_data_is_refused(product: Product) -> None:
    second = Product(product.data_dir, port=product.port + 10)
    process = second.popen()
    assert process.wait(60) == 1
    assert "running" in second.said().splitlines()[-1]
    assert httpx.get(f"{product.address}/healthz").status_code == 200


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        other = Product(tmp_path / "data", port=port)
        assert other.popen().wait(60) == 1
    assert f"Port {port} is in use" in other.said()
    assert other.processes() == {}


@pytest.mark.parametrize("name", ["granian", "--queues observe", "--quiet beat"])
def test_what_dies_is_started_again(product: Product, name: str) -> None:
    before = product.named(name)
    assert before
    os.kill(before[0], signal.SIGKILL)
    until(lambda: _is_new(product.named(name), before), seconds=30, what=f"{name} is back")
    until(lambda: _is_well(product), seconds=30, what="the console answers")


def _is_new(now: list[int], before: list[int]) -> bool:
    return bool(now) and not set(now) & set(before)


def _is_well(product: Product) -> bool:
    try:
        return httpx.get(f"{product.address}/healthz").status_code == 200
    except httpx.TransportError:
        return False
