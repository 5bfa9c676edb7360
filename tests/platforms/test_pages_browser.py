"""Registering a platform in a real browser: the check beside the form, the upload, and the steps as they happen.

Every test fails as well when the browser's console reports an error, a broken content security policy among them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from console import frontend
from console.models import Flow, User
from platforms.models import Platform
from tests.platforms.conftest import carry_through
from tests.platforms.plane import API_FILE, FILES, MAPPING, SAMPLES, TOKEN, Plane
from tests.tools.machine import browser as chromium_here

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = chromium_here()
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
    pytest.mark.skipif(not (frontend.VENDOR / frontend.SPRITE).is_file(), reason="needs the front end: make setup"),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    # Playwright runs an event loop in this thread; Django would refuse to talk to the database beside it.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()
    if before is None:
        os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE")


@pytest.fixture
def page(chromium: Any, live_server: Any, root: User) -> Iterator[Any]:
    """A page of the administrator."""
    context = chromium.new_context(base_url=live_server.url, locale="en")
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto("/login")
    opened.fill("[name=username]", "root")
    opened.fill("[name=password]", "root-Passw0rd")
    opened.click("main button[type=submit]")
    opened.wait_for_url("**/")
    yield opened
    context.close()
    assert not complaints


def test_the_check_answers_beside_the_form(page: Any) -> None:
    page.goto("/platforms/new")
    page.fill("[name=api_file]", API_FILE)
    page.fill("[name=mapping]", MAPPING.replace("op: health", "op: wealth"))
    page.click("button[name=check]")
    page.wait_for_selector("#findings >> text=has no operation wealth")
    assert page.input_value("[name=api_file]") == API_FILE, "what was typed is still there"
    page.fill("[name=mapping]", MAPPING)
    page.set_input_files("[name=samples_upload]", FILES / "samples.yaml")
    page.click("button[name=check]")
    page.wait_for_selector("#findings >> text=The files can be registered.")
    assert page.locator("#findings details").count() == len(SAMPLES)
    assert not Platform.objects.exists()


def test_a_registration_is_followed_live(page: Any, plane: Plane) -> None:
    page.goto("/platforms/new")
    page.fill("[name=oemtype]", "testbed")
    page.fill("[name=name]", "Testbed")
    page.fill("[name=base_url]", plane.address)
    page.fill("[name=token]", TOKEN)
    page.set_input_files("[name=api_file_upload]", FILES / "openapi.yaml")
    page.set_input_files("[name=mapping_upload]", FILES / "mapping.yaml")
    page.click("main form button.btn-primary[type=submit]")
    page.wait_for_url("**/platforms/testbed")
    page.wait_for_selector("text=Nobody can use it yet")
    carry_through(Flow.objects.get())
    page.wait_for_selector("text=Tenants that the platform reports", timeout=10_000)
    assert page.locator("text=Nobody can use it yet").count() == 0
    assert TOKEN not in page.content()
