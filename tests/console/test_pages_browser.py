"""What the frame does in a real browser: asks before it acts, follows a flow live, finds by keyboard, keeps its theme.

Every test fails as well when the browser's console reports an error, a broken content security policy among them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from console import frontend
from console.models import Flow, StepState, User
from console.services import notifications
from tests.console.conftest import PASSWORD
from tests.console.pages import recorded, stand, started
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
        started_browser = running.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started_browser
        started_browser.close()
    if before is None:
        os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE")


@pytest.fixture
def page(chromium: Any, live_server: Any, root: User) -> Iterator[Any]:
    """A page of the administrator, who has signed in through the form."""
    context = chromium.new_context(base_url=live_server.url, locale="en", color_scheme="light")
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto("/login")
    opened.fill("[name=username]", "root")
    opened.fill("[name=password]", PASSWORD)
    opened.click("main button[type=submit]")
    opened.wait_for_url("**/")
    yield opened
    context.close()
    assert not complaints


def test_what_cannot_be_reversed_is_asked_first(page: Any, root: User) -> None:
    flow = started(root)
    page.goto(f"/flows/{flow.pk}")
    page.click("text=Stop and take back")
    assert page.locator("#confirm").is_visible()
    page.click("#confirm [data-dialog-cancel]")
    assert not page.locator("#confirm").is_visible()
    flow.refresh_from_db()
    assert not flow.undoing
    page.click("text=Stop and take back")
    with page.expect_navigation():
        page.click("#confirm [data-dialog-accept]")
    page.wait_for_selector(".notice-success")
    flow.refresh_from_db()
    assert flow.undoing


def test_a_flow_is_followed_live_and_an_open_log_stays_open(page: Any, root: User) -> None:
    flow = started(root)
    step = flow.steps.get(name="network")
    step.log.create(message="POST /networks answered 202", data={"status": 202})
    page.goto(f"/flows/{flow.pk}")
    page.click(f"#log-{step.pk} summary")
    stand(step, StepState.DONE, attempts=1, started_at=flow.created_at, ended_at=flow.created_at)
    page.wait_for_selector(".step-done", timeout=10_000)
    assert page.locator(f"#log-{step.pk}").evaluate("element => element.open")
    assert "1/3" in page.locator(".meter-text").first.inner_text()
    for each in flow.steps.all():
        stand(each, StepState.DONE)
    Flow.objects.filter(pk=flow.pk).update(state="done", ended_at=flow.created_at)
    page.wait_for_selector("#live:not([hx-get])", timeout=10_000)
    assert page.locator("#announcer").inner_text() == "Done"


def test_the_search_is_walked_by_keyboard(page: Any) -> None:
    page.goto("/profile")
    page.keyboard.press("/")
    page.keyboard.type("audi")
    page.wait_for_selector("#search-hits [role=option]")
    page.keyboard.press("ArrowDown")
    chosen = page.locator("#search-box").get_attribute("aria-activedescendant")
    assert page.locator(f"#{chosen}").get_attribute("aria-selected") == "true"
    page.keyboard.press("Enter")
    page.wait_for_url("**/audit")


def test_the_theme_is_kept_and_there_before_the_page_is_drawn(page: Any) -> None:
    page.goto("/profile")
    page.click("#user-top")
    page.click(".user-menu:visible [data-theme-choice=dark]")
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"
    page.goto("/flows", wait_until="commit")
    page.wait_for_selector("body", state="attached")
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"


def test_a_filter_is_applied_when_it_is_chosen(page: Any, root: User) -> None:
    started(root, "Permits")
    page.goto("/flows")
    with page.expect_navigation():
        page.select_option("#filter-state", "done")
    page.wait_for_selector("text=No flow matches")


def test_the_menu_opens_on_a_phone(chromium: Any, page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/flows")
    assert not page.locator("#sidebar-menu").is_visible()
    page.click(".navbar-toggler")
    page.wait_for_selector("#sidebar-menu.show")
    page.click("#sidebar-menu >> text=Audit")
    page.wait_for_url("**/audit")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_no_page_is_wider_than_a_phone(page: Any, root: User) -> None:
    flow = started(root, "A thing with quite a long name that goes on and on")
    recorded(2, root)
    with transaction.atomic():
        notifications.notify([root], kind="tests", title="Something has happened", link="/flows")
    page.set_viewport_size({"width": 390, "height": 844})
    for address in ("/", "/flows", f"/flows/{flow.pk}", "/audit", "/audit/1", "/profile", "/profile/tokens",
                    "/notifications", "/search?q=thing"):  # fmt: skip
        page.goto(address)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, address


def test_the_language_is_switched_by_one_click(page: Any, root: User) -> None:
    page.goto("/profile")
    with page.expect_navigation():
        page.click(".topbar .language-switch >> nth=0 >> button")
    assert page.locator("html").get_attribute("lang") == "zh-hans"
    assert page.url.endswith("/profile")
    root.refresh_from_db()
    assert root.language == "zh-hans"
    assert settings.LANGUAGE_COOKIE_NAME in {cookie["name"] for cookie in page.context.cookies()}
