"""A person at a browser: signs in, reads, presses; and whatever the browser complains about is kept."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.stack.product import Product

WAIT_MS = 60_000
EXPECTED_COMPLAINTS = re.compile(r"\b422\b")  # a form that is sent back with what is wrong in it


class Visitor:
    """One browser profile; `complaints` are script errors, policy violations and failed requests."""

    def __init__(
        self, browser: Browser, product: Product, *, dark: bool = False, language: str = "en-GB", phone: bool = False
    ) -> None:
        size = {"width": 390, "height": 844} if phone else {"width": 1280, "height": 900}
        self.context: BrowserContext = browser.new_context(
            base_url=product.address,
            color_scheme="dark" if dark else "light",
            locale=language,
            viewport=size,  # type: ignore[arg-type]
        )
        self.speaks = "zh-hans" if language.startswith("zh") else "en"
        self.context.set_default_timeout(WAIT_MS)
        self.complaints: list[str] = []
        self.page: Page = self.context.new_page()
        self.page.on("console", lambda message: self._heard(message.type == "error", message.text))
        self.page.on("pageerror", lambda error: self._heard(True, str(error)))
        self.page.on("response", lambda got: self._heard(got.status >= 400, f"{got.status} {got.url}"))

    def _heard(self, bad: bool, text: str) -> None:
        if bad and not EXPECTED_COMPLAINTS.search(text):
            self.complaints.append(text)

    @property
    def main(self) -> Locator:
        return self.page.get_by_role("main")

    def sign_in(self, username: str, password: str) -> None:
        self.page.goto("/login")
        self.page.locator("[name=username]").fill(username)
        self.page.locator("[name=password]").fill(password)
        self.main.locator("button[type=submit]").click()
        self.page.wait_for_url(re.compile(r"/(?!login)[^/]*$"))
        if self.page.locator("html").get_attribute("lang") != self.speaks:
            # Another visitor has switched this account's language, and the account remembers it.
            self.page.locator(f"button[name=language][value={self.speaks}]").first.dispatch_event("click")
            self.page.wait_for_function("lang => document.documentElement.lang === lang", arg=self.speaks)

    def press(self, name: str) -> None:
        self.main.get_by_role("button", name=name).first.click()

    def follow(self, name: str | re.Pattern[str]) -> None:
        self.main.get_by_role("link", name=name).first.click()

    def accept(self) -> None:
        """The dialog that asks before something happens."""
        self.page.get_by_role("dialog").locator("[data-dialog-accept]").click()

    def sees(self, text: str | re.Pattern[str]) -> None:
        expect(self.main.get_by_text(text).first).to_be_visible(timeout=WAIT_MS)

    def figure(self, name: str) -> Locator:
        """The number under this name on a chain's page."""
        return self.main.locator(".figure-name", has_text=name).locator("xpath=..").locator(".figure-value")

    def number(self, name: str) -> int:
        digits = re.sub(r"\D", "", self.figure(name).inner_text())
        return int(digits) if digits else -1

    def picture(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=folder / f"{name}.png", full_page=True)
