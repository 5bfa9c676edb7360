"""A browser, and visitors whose last page is kept as a picture when a test fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from console.environment import ROOT
from tests.browser.visitor import Visitor
from tests.stack.product import Product
from tests.tools import machine

PICTURES = ROOT / "var/test-results"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(300))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    program = machine.browser()
    if program is None:
        pytest.skip("there is no Chromium on this machine")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def visitor(browser: Browser, product: Product, request: pytest.FixtureRequest) -> Iterator[Callable[..., Visitor]]:
    """Make visitors. None of them may have met a script error, a broken policy or a failed request."""
    made: list[Visitor] = []

    def make(**options: Any) -> Visitor:
        made.append(Visitor(browser, product, **options))
        return made[-1]

    yield make
    if request.node.stash.get(FAILED, True):
        name = re.sub(r"\W+", "-", request.node.name).strip("-")
        for number, each in enumerate(made, start=1):
            each.picture(PICTURES, f"{name}-{number}")
    complaints = [complaint for each in made for complaint in each.complaints]
    for each in made:
        each.context.close()
    assert complaints == []
