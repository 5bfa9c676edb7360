"""A newcomer registers Amazon's plane with the preset's files, and three departments share a union: `docs/aws.md`.

moto answers, for real, behind the shim that checks signatures and keeps the accounts apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.deeds import (
    agree,
    approve,
    ask_to_join,
    create_union,
    delete_union,
    quit_union,
    register_cloud,
    watch_it_being_done,
)
from tests.browser.visitor import Visitor
from tests.platforms.presets.amb import ACCOUNTS, Shim, moto_server
from tests.stack.caller import Caller
from tests.stack.product import Product

Make = Callable[..., Visitor]
SLUG = "amazon-managed-blockchain"
KEYS = list(ACCOUNTS)
NAMES = ("Page Revenue Office", "Page Building Office", "Page Pension Fund")
UNION = "Permits at Amazon"


@pytest.fixture
def plane() -> Iterator[Shim]:
    with moto_server() as moto, Shim(moto) as shim:
        yield shim


@pytest.mark.timeout(600)
def test_aws_in_five_minutes(product: Product, visitor: Make, plane: Shim) -> None:
    administrator = visitor()
    administrator.sign_in(*product.login)
    _from_preset_to_platform(administrator, plane)
    tax, housing, pensions = (_department(visitor, administrator, number) for number in range(3))

    create_union(tax, UNION, NAMES[1])
    agree(housing, UNION)
    watch_it_being_done(tax)
    ask_to_join(pensions, UNION)
    for member in (tax, housing):
        agree(member, UNION)
    watch_it_being_done(pensions)
    assert len(plane._home) == 3, "three members, each in its own account"
    assert len(set(plane._home.values())) == 1, "of one network"

    quit_union(housing, UNION)
    watch_it_being_done(housing)
    assert len(plane._home) == 2
    delete_union(tax, UNION)
    watch_it_being_done(tax)
    assert plane._home == {}, "AWS deletes the network with its last member"
    _retire(product)


def _from_preset_to_platform(who: Visitor, plane: Shim) -> None:
    who.page.goto("/platforms")
    who.follow("Mapping studio")
    who.follow("Amazon Managed Blockchain")
    who.page.get_by_label("Seconds between two looks").fill("1")
    who.press("Begin with this preset")
    who.sees("The files can be registered.")
    _break_and_mend(who)
    who.follow("Create a network")
    who.sees("The console would read")
    _register(who, plane)
    assert ("111111111111", "GET /networks") in plane.signed_by
    who.page.goto("/platforms/studio")
    who.sees("None yet.")


def _department(make: Make, administrator: Visitor, number: int) -> Visitor:
    """Registered with the account's key, and approved."""
    who, (secret, account) = make(), ACCOUNTS[KEYS[number]]
    space = {"tenantid": account, "ak": KEYS[number], "sk": secret}
    register_cloud(who, NAMES[number], f"page-aws-{number}", space, platform="Amazon Managed Blockchain")
    approve(administrator, NAMES[number])
    return who


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
    who.page.get_by_label("Access key (AK)").fill(KEYS[0])
    who.page.get_by_label("Secret key (SK)").fill(ACCOUNTS[KEYS[0]][0])
    who.press("Register")
    who.page.wait_for_url(f"**/platforms/{SLUG}")
    expect(who.main.locator("[data-state=official]").first).to_be_visible()
    expect(who.main.locator("[data-state=up]").first).to_be_visible()


def _retire(product: Product) -> None:
    """The next test has the sandbox alone."""
    Caller.signed_in(product, *product.login).post(f"platforms/{SLUG}/retire", {"release": True}, expect=200)
