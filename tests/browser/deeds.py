"""What people do in a browser, one deed each: register, approve, found a union, agree, quit, delete."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.visitor import WAIT_MS, Visitor
from tests.stack.caller import tlscert
from tests.stack.product import Product

PASSWORD = "Correct-horse-battery-9"
TENANT = {"tenantid": "Tenant id", "projectid": "Project id", "ak": "Access key (AK)", "sk": "Secret key (SK)"}


def register_cloud(who: Visitor, name: str, username: str, space: dict[str, str], platform: str = "") -> None:
    """With the fields of a tenant space, by name; `platform` is what the page calls it."""
    fill_account(who, name, username)
    if platform:
        who.page.get_by_label("Platform", exact=True).select_option(label=platform)
    for field, value in space.items():
        who.page.get_by_label(TENANT[field]).fill(value)
    who.press("Register")
    who.sees("It waits for an administrator")


def register_on_prem(who: Visitor, product: Product, name: str, username: str, machine: str) -> None:
    fill_account(who, name, username)
    who.page.get_by_label("On our own machines").check()
    who.page.get_by_label("Machines", exact=True).fill(machine)
    who.page.get_by_label("TLS certificate").fill(tlscert(product))
    who.press("Register")
    who.sees("It waits for an administrator")


def fill_account(who: Visitor, name: str, username: str) -> None:
    who.page.goto("/login")
    who.follow("Register it")
    who.page.get_by_label("User name").fill(username)
    who.page.get_by_label("E-mail").fill(f"{username}@example.gov")
    who.page.get_by_label("Password").fill(PASSWORD)
    who.page.get_by_label("Name of the organization").fill(name)


def approve(administrator: Visitor, name: str) -> None:
    administrator.page.goto("/registrations")
    administrator.follow(name)
    administrator.press("Approve")
    administrator.accept()
    administrator.sees("Approved")


def create_union(who: Visitor, name: str, *guests: str) -> None:
    who.page.goto("/unions/new")
    who.page.get_by_label("Name of the union").fill(name)
    for guest in guests:
        who.page.get_by_label(re.compile(guest)).check()
    who.press("Invite")


def agree(who: Visitor, union: str) -> None:
    """By way of the inbox, which brings the newcomer up by itself."""
    who.page.goto("/inbox")
    card = who.main.get_by_role("article").filter(has_text=union)
    expect(card).to_have_count(1, timeout=WAIT_MS)
    card.get_by_role("button", name="Agree").click()
    expect(who.main.get_by_role("article").filter(has_text=union).get_by_role("button", name="Agree")).to_have_count(
        0, timeout=WAIT_MS
    )


def ask_to_join(who: Visitor, union: str) -> None:
    who.page.goto("/unions")
    who.follow(union)
    who.follow("Ask to join")
    who.press("Ask the members")


def quit_union(who: Visitor, union: str) -> None:
    who.page.goto("/unions")
    who.follow(union)
    who.main.get_by_role("link", name="Quit").click()
    who.page.get_by_label("Name of the union").fill(union)
    who.press("Quit")


def watch_it_being_done(who: Visitor) -> None:
    """The page of the proposal changes while one looks at it; nobody reloads."""
    who.follow("Every detail")
    state = who.main.locator("#flow-facts").locator("xpath=../..").locator("[data-announce]")
    expect(state).to_have_text("Done", timeout=WAIT_MS)


def delete_union(who: Visitor, name: str) -> None:
    who.page.goto("/unions")
    who.follow(name)
    who.main.get_by_role("link", name="Delete").click()
    who.press("Delete for good")
    who.sees(re.compile("Type the name exactly"))
    who.page.get_by_label("Name of the union").fill(name)
    who.press("Delete for good")
