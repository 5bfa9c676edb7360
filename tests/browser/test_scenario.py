"""The government scenario through the pages, as departments' clerks and the administrator do it."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.visitor import WAIT_MS, Visitor
from tests.stack import sandbox
from tests.stack.caller import tenant, tlscert
from tests.stack.product import Product, until

PASSWORD = "Correct-horse-battery-9"
Make = Callable[..., Visitor]


def test_register_unite_join_and_delete_by_page(product: Product, visitor: Make) -> None:
    before = sandbox.networks(product)
    tax, housing, social, administrator = visitor(), visitor(), visitor(), visitor()
    _register_cloud(tax, product, "Page Tax Office", "page-tax", 6)
    _register_cloud(housing, product, "Page Housing", "page-housing", 7)
    _register_on_prem(social, product, "Page Social Security", "page-social", "127.0.0.21:9001")
    administrator.sign_in(*product.login)
    for name in ("Page Tax Office", "Page Housing", "Page Social Security"):
        _approve(administrator, name)
    tax.sees("The code of the organization is")

    _create_union(tax, "Building permits", "Page Housing")
    tax.sees(re.compile("asked|waits|answer", re.IGNORECASE))
    _agree(housing, "Building permits")
    _watch_it_being_done(tax)

    tax.page.goto("/chains")
    tax.follow(re.compile("Building permits"))
    _watch_the_ledger_grow(tax)

    social.page.goto("/unions")
    social.follow("Building permits")
    social.follow("Ask to join")
    social.press("Ask the members")
    for member in (tax, housing):
        _agree(member, "Building permits")
    _watch_it_being_done(social)
    social.page.goto("/chains")
    social.follow(re.compile("Building permits"))
    social.sees(re.compile(r"127\.0\.0\.21"))

    _delete_union(tax, "Building permits")
    until(lambda: sandbox.networks(product) == before, seconds=60, what="the network is gone from the platform")


def _register_cloud(who: Visitor, product: Product, name: str, username: str, number: int) -> None:
    space = tenant(product, number)
    _fill_account(who, name, username)
    for label, value in (
        ("Tenant id", space["tenantid"]),
        ("Project id", space["projectid"]),
        ("Access key (AK)", space["ak"]),
        ("Secret key (SK)", space["sk"]),
    ):
        who.page.get_by_label(label).fill(value)
    who.press("Register")
    who.sees("It waits for an administrator")


def _register_on_prem(who: Visitor, product: Product, name: str, username: str, machine: str) -> None:
    _fill_account(who, name, username)
    who.page.get_by_label("On our own machines").check()
    who.page.get_by_label("Machines", exact=True).fill(machine)
    who.page.get_by_label("TLS certificate").fill(tlscert(product))
    who.press("Register")
    who.sees("It waits for an administrator")


def _fill_account(who: Visitor, name: str, username: str) -> None:
    who.page.goto("/login")
    who.follow("Register it")
    who.page.get_by_label("User name").fill(username)
    who.page.get_by_label("E-mail").fill(f"{username}@example.gov")
    who.page.get_by_label("Password").fill(PASSWORD)
    who.page.get_by_label("Name of the organization").fill(name)


def _approve(administrator: Visitor, name: str) -> None:
    administrator.page.goto("/registrations")
    administrator.follow(name)
    administrator.press("Approve")
    administrator.accept()
    administrator.sees("Approved")


def _create_union(who: Visitor, name: str, guest: str) -> None:
    who.page.goto("/unions/new")
    who.page.get_by_label("Name of the union").fill(name)
    who.page.get_by_label(re.compile(guest)).check()
    who.press("Invite")


def _agree(who: Visitor, union: str) -> None:
    """By way of the inbox, which brings the newcomer up by itself."""
    who.page.goto("/inbox")
    card = who.main.get_by_role("article").filter(has_text=union)
    expect(card).to_have_count(1, timeout=WAIT_MS)
    card.get_by_role("button", name="Agree").click()
    expect(who.main.get_by_role("article").filter(has_text=union).get_by_role("button", name="Agree")).to_have_count(
        0, timeout=WAIT_MS
    )


def _watch_it_being_done(who: Visitor) -> None:
    """The page of the proposal changes while one looks at it; nobody reloads."""
    who.follow("Every detail")
    state = who.main.locator("#flow-facts").locator("xpath=../..").locator("[data-announce]")
    expect(state).to_have_text("Done", timeout=WAIT_MS)


def _watch_the_ledger_grow(who: Visitor) -> None:
    until(lambda: who.number("Height") > 0, seconds=60, what="the height is shown")
    first = who.number("Height")
    until(lambda: who.number("Height") > first, seconds=60, what="the height grows while one looks")
    expect(who.main.get_by_role("heading", name="Newest blocks")).to_be_visible()
    who.follow("All blocks")
    expect(who.main.get_by_role("row").nth(1)).to_be_visible()


def _delete_union(who: Visitor, name: str) -> None:
    who.page.goto("/unions")
    who.follow(name)
    who.main.get_by_role("link", name="Delete").click()
    who.press("Delete for good")
    who.sees(re.compile("Type the name exactly"))
    who.page.get_by_label("Name of the union").fill(name)
    who.press("Delete for good")
