"""Every test that starts the product or a browser lies where `make test` looks for those."""

from __future__ import annotations

import pytest

from console.environment import ROOT
from tests import conftest
from tests.tools import places


@pytest.mark.parametrize("mark", ["stack", "browser"])
def test_a_test_that_make_test_would_not_find_is_refused(request: pytest.FixtureRequest, mark: str) -> None:
    item: pytest.Item = request.node
    conftest.pytest_collection_modifyitems([item])
    item.add_marker(mark)
    with pytest.raises(pytest.UsageError, match="test_places"):
        conftest.pytest_collection_modifyitems([item])


def test_the_places_are_there() -> None:
    found = places.of_the_whole_product()
    assert {"tests/console/test_pages_browser.py", "tests/stack"} <= set(found)
    assert all((ROOT / each).exists() for each in found)
