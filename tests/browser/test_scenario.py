"""The government scenario through the pages, as departments' clerks and the administrator do it."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.deeds import (
    agree,
    approve,
    ask_to_join,
    create_union,
    delete_union,
    register_cloud,
    register_on_prem,
    watch_it_being_done,
)
from tests.browser.visitor import Visitor
from tests.stack import sandbox
from tests.stack.caller import tenant
from tests.stack.product import Product, until

Make = Callable[..., Visitor]


def test_register_unite_join_and_delete_by_page(product: Product, visitor: Make) -> None:
    before = sandbox.networks(product)
    tax, housing, social, administrator = visitor(), visitor(), visitor(), visitor()
    register_cloud(tax, "Page Tax Office", "page-tax", tenant(product, 6))
    register_cloud(housing, "Page Housing", "page-housing", tenant(product, 7))
    register_on_prem(social, product, "Page Social Security", "page-social", "127.0.0.21:9001")
    administrator.sign_in(*product.login)
    for name in ("Page Tax Office", "Page Housing", "Page Social Security"):
        approve(administrator, name)
    tax.sees("The code of the organization is")

    create_union(tax, "Building permits", "Page Housing")
    tax.sees(re.compile("asked|waits|answer", re.IGNORECASE))
    agree(housing, "Building permits")
    watch_it_being_done(tax)

    tax.page.goto("/chains")
    tax.follow(re.compile("Building permits"))
    _watch_the_ledger_grow(tax)

    ask_to_join(social, "Building permits")
    for member in (tax, housing):
        agree(member, "Building permits")
    watch_it_being_done(social)
    social.page.goto("/chains")
    social.follow(re.compile("Building permits"))
    social.sees(re.compile(r"127\.0\.0\.21"))

    delete_union(tax, "Building permits")
    until(lambda: sandbox.networks(product) == before, seconds=60, what="the network is gone from the platform")


def _watch_the_ledger_grow(who: Visitor) -> None:
    until(lambda: who.number("Height") > 0, seconds=60, what="the height is shown")
    first = who.number("Height")
    until(lambda: who.number("Height") > first, seconds=60, what="the height grows while one looks")
    expect(who.main.get_by_role("heading", name="Newest blocks")).to_be_visible()
    who.follow("All blocks")
    expect(who.main.get_by_role("row").nth(1)).to_be_visible()
