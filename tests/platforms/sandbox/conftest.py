"""Sandboxes for the tests: one that most share, and fresh ones for those that stop and kill."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from platforms.sandbox.anvil import find_anvil
from tests.platforms.sandbox.running import Running, processes_of

NO_ANVIL = "no anvil binary: `make setup` installs one, or name it in ANVIL"


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Without traffic, so that ledgers hold what the tests put there."""
    if find_anvil() is None:
        pytest.skip(NO_ANVIL)
    running = Running(tmp_path_factory.mktemp("sandbox")).start()
    running.open().post("/traffic", json={"enabled": False}).raise_for_status()
    yield running
    running.stop()
    assert processes_of(running.folder) == []


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Makes sandboxes on folders of the test's own."""
    if find_anvil() is None:
        pytest.skip(NO_ANVIL)
    made: list[Running] = []

    def make(name: str = "data", *arguments: str, traffic: bool = False) -> Running:
        running = Running(tmp_path / name, *arguments)
        made.append(running)
        running.start().open().post("/traffic", json={"enabled": traffic}).raise_for_status()
        return running

    yield make
    for running in made:
        running.stop()


@pytest.fixture(autouse=True)
def _no_fault_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "sandbox" in request.fixturenames:
        request.getfixturevalue("sandbox").open().delete("/sandbox-faults").raise_for_status()
