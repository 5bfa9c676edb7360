"""Every test that starts the product or a browser lies where `make test` looks for those."""

from __future__ import annotations

import pytest

from console.environment import ROOT
from tests import conftest
from tests.tools import places

pytest_plugins = ["pytester"]


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


def test_who_shares_is_run_by_one_process(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """With real processes of xdist: those of one folder all go to the same."""
    for name in ("test_first", "test_second"):
        pytester.makepyfile(
            **{
                f"tests/browser/{name}": """
                import os, pathlib, time, pytest

                @pytest.mark.parametrize("number", range(3))
                def test_it(number):
                    pathlib.Path(f"ran-{os.environ['PYTEST_XDIST_WORKER']}").touch()
                    time.sleep(0.2)
                """
            }
        )
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    options = ("-p", "tests.tools.plugin", "-p", "no:django", "-p", "no:randomly", "-n2", "--dist", "loadgroup")
    pytester.runpytest_subprocess(*options, "tests").assert_outcomes(passed=6)
    assert len(list(pytester.path.glob("ran-*"))) == 1
