"""Every page of the navigation, in both languages, in the dark, on a phone: nothing breaks, nothing overflows."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from console.environment import ROOT
from tests.browser.visitor import Visitor
from tests.stack.product import Product

Make = Callable[..., Visitor]
PAGES = (
    "/",
    "/inbox",
    "/unions",
    "/unions/new",
    "/proposals",
    "/chains",
    "/applications",
    "/organizations",
    "/platforms",
    "/platforms/studio",
    "/flows",
    "/registrations",
    "/registration-rules",
    "/audit",
    "/notifications",
    "/profile",
    "/profile/tokens",
    "/search?q=page",
)
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("language", "dark", "phone"),
    [("en-GB", False, False), ("zh-CN", True, False), ("zh-CN", False, True), ("en-GB", True, True)],
    ids=["english", "chinese-dark", "chinese-phone", "english-dark-phone"],
)
def test_every_page(product: Product, visitor: Make, language: str, dark: bool, phone: bool) -> None:
    who = visitor(language=language, dark=dark, phone=phone)
    who.sign_in(*product.login)
    root = who.page.locator("html")
    for address in PAGES:
        who.page.goto(address)
        expect(who.main.get_by_role("heading").first).to_be_visible()
        expect(root).to_have_attribute("data-bs-theme", "dark" if dark else "light")
        expect(root).to_have_attribute("lang", "zh-hans" if language.startswith("zh") else "en")
        wider = who.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{address} is {wider} px wider than the screen"
        if language.startswith("zh") and (ROOT / "locale/zh_Hans/LC_MESSAGES/django.po").exists():
            assert CHINESE.search(who.page.locator("h1").inner_text()), address


def test_the_keyboard_reaches_the_content(product: Product, visitor: Make) -> None:
    who = visitor()
    who.sign_in(*product.login)
    who.page.goto("/unions")
    who.page.keyboard.press("Tab")
    expect(who.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    who.page.keyboard.press("Enter")
    expect(who.page.get_by_role("main")).to_be_focused()


def test_the_api_documentation_works_offline(product: Product, visitor: Make) -> None:
    who = visitor()
    who.sign_in(*product.login)
    who.page.goto("/api/docs/")
    who.page.locator("h3[data-tag=unions]").click()
    expect(who.page.get_by_text("/api/v1/unions", exact=False).first).to_be_visible(timeout=30_000)


def test_the_choice_of_language_and_colours_stays(product: Product, visitor: Make) -> None:
    who = visitor()
    who.sign_in(*product.login)
    who.page.get_by_role("button", name="Your account").last.click()
    who.page.locator("button[data-theme-choice=dark]:visible").first.click()
    expect(who.page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    who.page.locator("form.language-switch:visible button").first.click()
    try:
        expect(who.page.locator("html")).to_have_attribute("lang", "zh-hans")
        who.page.goto("/unions")
        expect(who.page.locator("html")).to_have_attribute("lang", "zh-hans")
        expect(who.page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    finally:  # the account remembers it, and other visitors use the same one
        who.page.locator(".user-button:visible").click()
        who.page.locator("form.language-switch:visible button").first.click()
        expect(who.page.locator("html")).to_have_attribute("lang", "en")
