"""One moto server for all tests that want it: it takes seconds to start, and every shim empties it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.platforms.presets.amb import moto_server


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    with moto_server() as address:
        yield address
