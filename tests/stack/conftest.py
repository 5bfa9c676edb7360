"""Products to test: one that several tests share, and one for each test that stops or kills things."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from platforms.sandbox.anvil import find_anvil
from tests.stack.departments import Office
from tests.stack.product import Product


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.stack)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session", autouse=True)
def _kernel() -> None:
    if find_anvil() is None:
        pytest.skip("there is no anvil for this machine, so the evaluation platform does not run")
    if sys.platform != "linux":
        pytest.skip("processes are watched through /proc, which only Linux has")


@pytest.fixture
def office(product: Product) -> Office:
    return Office(product)
