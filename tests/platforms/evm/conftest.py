from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.platforms.evm.lying import LyingNode


@pytest.fixture
def node() -> Iterator[LyingNode]:
    made = LyingNode()
    yield made
    made.close()


@pytest.fixture
def other() -> Iterator[LyingNode]:
    made = LyingNode()
    yield made
    made.close()
