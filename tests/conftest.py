"""What every test has: no way out of this machine, and a reason where it cannot run."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation

from platforms.sandbox.anvil import find_anvil
from tests.stack.product import Product, running
from tests.tools import emptying, places
from tests.tools.loopback import loopback_only


@pytest.fixture(autouse=True, scope="session")
def _stay_on_this_machine() -> Iterator[None]:
    with loopback_only():
        yield


@pytest.fixture(autouse=True)
def _end_in_the_first_language() -> Iterator[None]:
    """A request in Chinese leaves its language to the thread, and so to the next test."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Tests that commit empty what was written, not every table."""
    with django_db_blocker.unblock():
        emptying.remember()
    emptying.install()


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The whole console, running, for the tests from outside: SQLite, the embedded broker, the sandbox."""
    if sys.platform != "linux":
        pytest.skip("processes are watched through /proc, which only Linux has")
    if find_anvil() is None:
        pytest.skip("there is no anvil for this machine, so the evaluation platform does not run")
    folder = tmp_path_factory.mktemp("product")
    with running(folder) as started:
        yield started
    shutil.rmtree(folder, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    from django.db import connection

    for item in items:
        marked = item.get_closest_marker("stack") or item.get_closest_marker("browser")
        if marked and not places.is_of_the_whole_product(item.path):
            raise pytest.UsageError(f"{item.nodeid}: `make test` looks for {marked.name} in tests/tools/places.py only")
        if set(getattr(item, "fixturenames", ())) & {"product", "chromium"} and not places.shared_by(item.nodeid):
            raise pytest.UsageError(f"{item.nodeid} shares what others use, and tests/tools/places.py does not say so")
    if connection.vendor == "postgresql":
        return
    needs_postgres = pytest.mark.skip(reason="needs PostgreSQL's row locks: set TEST_DATABASE_URL, or run `make test`")
    for item in items:
        if item.get_closest_marker("postgres"):
            item.add_marker(needs_postgres)
