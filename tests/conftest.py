"""What every test has: no way out of this machine, and a reason where it cannot run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tools.loopback import loopback_only


@pytest.fixture(autouse=True, scope="session")
def _stay_on_this_machine() -> Iterator[None]:
    with loopback_only():
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    from django.db import connection

    if connection.vendor == "postgresql":
        return
    needs_postgres = pytest.mark.skip(reason="needs PostgreSQL's row locks: set TEST_DATABASE_URL, or run `make test`")
    for item in items:
        if item.get_closest_marker("postgres"):
            item.add_marker(needs_postgres)
