"""A newcomer registers Amazon's plane from the studio with the preset's files: moto answers, for real."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import Visitor
from tests.platforms.presets.amb import ACCOUNTS, Shim, moto_server
from tests.stack.caller import Caller
from tests.stack.product import Product

Make = Callable[..., Visitor]
SLUG = "amazon-managed-blockchain"
KEY, (SECRET, _ACCOUNT) = next(iter(ACCOUNTS.items()))


@pytest.fixture
def plane() -> Iterator[Shim]:
    with moto_server() as moto, Shim(moto) as shim:
        yield shim


def test_from_a_preset_to_a_platform(product: Product, visitor: Make, plane: Shim) -> None:
    who = visitor()
    who.sign_in(*product.login)
    who.page.goto("/platforms")
    who.follow("Mapping studio")
    who.follow("Amazon Managed Blockchain")
    who.press("Begin with this preset")
    who.sees("The files can be registered.")
    _break_and_mend(who)
    who.follow("Create a network")
    who.sees("The console would read")
    _register(who, plane)
    assert ("111111111111", "GET /networks") in plane.signed_by
    who.page.goto("/platforms/studio")
    who.sees("None yet.")
    _retire(product)


def _break_and_mend(who: Visitor) -> None:
    """What is typed is saved and checked by itself, and a finding leads to its line."""
    editor = who.page.get_by_label("Mapping", exact=True)
    whole = editor.input_value()
    editor.fill(whole.replace("op: CreateNetwork", "op: MakeNetwork"))
    finding = (
        who.page.locator("#studio-findings")
        .locator("xpath=../..")
        .get_by_role("listitem")
        .filter(has_text="no operation MakeNetwork")
    )
    expect(finding).to_have_count(1)
    finding.get_by_role("link").click()
    chosen = "area => area.value.slice(area.selectionStart, area.selectionEnd)"
    assert "op: MakeNetwork" in editor.evaluate(chosen)
    who.page.keyboard.type("      op: CreateNetwork")
    who.page.keyboard.press("Control+s")
    who.sees("The files can be registered.")
    who.page.reload()
    assert editor.input_value() == whole


def _register(who: Visitor, plane: Shim) -> None:
    who.follow("Register")
    expect(who.page.get_by_label("Name", exact=True)).to_have_value("Amazon Managed Blockchain")
    who.page.get_by_label("Address", exact=True).fill(plane.address)
    who.press("Register")
    who.sees("needs this credential")
    who.page.get_by_label("Access key (AK)").fill(KEY)
    who.page.get_by_label("Secret key (SK)").fill(SECRET)
    who.press("Register")
    who.page.wait_for_url(f"**/platforms/{SLUG}")
    expect(who.main.locator("[data-state=official]").first).to_be_visible()
    expect(who.main.locator("[data-state=up]").first).to_be_visible()


def _retire(product: Product) -> None:
    """The next test has the sandbox alone."""
    Caller.signed_in(product, *product.login).post(f"platforms/{SLUG}/retire", expect=200)
