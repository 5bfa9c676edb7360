"""What every answer carries: a strict policy, discretion, the reader's language; and the pages of the API."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import translation

from console.models import User
from console.services.tokens import create_token
from tests.rest import client

pytestmark = pytest.mark.django_db


def policy(response: Any) -> dict[str, set[str]]:
    parts = (part.split() for part in response["Content-Security-Policy"].split(";") if part.strip())
    return {name: set(sources) for name, *sources in parts}


STRICT = {
    "default-src": {"'none'"},
    "script-src": {"'self'"},
    "style-src": {"'self'"},
    "img-src": {"'self'", "data:"},
    "font-src": {"'self'"},
    "connect-src": {"'self'"},
    "form-action": {"'self'"},
    "base-uri": {"'none'"},
    "frame-ancestors": {"'none'"},
}


@pytest.mark.parametrize(
    "path", ["/", "/login", "/flows", "/nothing", "/a%00", "/api/v1/flows", "/api/nothing", "/healthz"]
)
def test_the_policy_is_strict_everywhere(path: str, root: User) -> None:
    signed_in = Client()
    signed_in.force_login(root)
    for caller in (Client(), signed_in):
        answer = caller.get(path)
        assert policy(answer) == STRICT
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
        assert "camera=()" in answer["Permissions-Policy"]
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "no-store" in answer["Cache-Control"]


def test_the_exceptions_are_narrow(root: User) -> None:
    signed_in = Client()
    signed_in.force_login(root)
    docs, admin = policy(signed_in.get("/api/docs/")), policy(signed_in.get("/admin/"))
    assert docs == {**STRICT, "style-src": {"'self'", "'unsafe-inline'"}}
    assert {name for name in STRICT if admin[name] != STRICT[name]} <= {"script-src", "style-src"}
    assert not any("http" in source or "*" in source for sources in admin.values() for source in sources)


# --- the API's own pages ----------------------------------------------------------------------------------------------


def test_the_documentation_comes_from_here_alone() -> None:
    page = Client().get("/api/docs/").content.decode()
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(sources) >= 4
    for source in sources:
        assert source.startswith(("/static/", "/api/docs/")), source
        if source.startswith("/static/"):
            assert finders.find(source.removeprefix("/static/")), source
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    script = Client().get(next(source for source in sources if source.startswith("/api/docs/")))
    assert script["Content-Type"].startswith("application/javascript")
    assert "/api/schema/" in script.content.decode()


def test_the_file_in_both_forms() -> None:
    yaml = Client().get("/api/schema/").content.decode()
    assert yaml.startswith("openapi: 3.1")
    json = Client().get("/api/schema/", HTTP_ACCEPT="application/json").json()
    assert json["openapi"].startswith("3.1")
    assert json["paths"]["/api/v1/tokens"]["post"]["operationId"] == "create_token"


# --- languages --------------------------------------------------------------------------------------------------------


def language(caller: Any, **headers: str) -> str:
    """The language in which an error is told."""
    answer = caller.get("/api/v1/flows/00000000-0000-0000-0000-000000000000", **headers)
    return answer["Content-Language"]


def test_the_users_language_goes_before_the_cookie_and_the_browser(alice: User) -> None:
    browser = Client()
    assert language(browser) == "en"
    assert language(browser, HTTP_ACCEPT_LANGUAGE="zh-hans") == "zh-hans"
    browser.cookies["django_language"] = "en"
    assert language(browser, HTTP_ACCEPT_LANGUAGE="zh-hans") == "en"

    alice.language = "zh-hans"
    alice.save()
    browser.force_login(alice)
    assert language(browser, HTTP_ACCEPT_LANGUAGE="en") == "zh-hans"

    alice.language = ""
    alice.save()
    assert language(browser, HTTP_ACCEPT_LANGUAGE="zh-hans") == "en", "the cookie"
    del browser.cookies["django_language"]
    assert language(browser, HTTP_ACCEPT_LANGUAGE="zh-hans") == "zh-hans"


def test_a_token_speaks_its_users_language(alice: User) -> None:
    alice.language = "zh-hans"
    alice.save()
    _token, text = create_token(actor=alice, name="x")
    assert language(Client(), HTTP_AUTHORIZATION=f"Bearer {text}") == "zh-hans"
    assert translation.get_language() in ("en", "zh-hans")
    assert language(Client()) == "en", "nothing is left over for the next request"


@pytest.mark.parametrize("nonsense", ["tlh", "x" * 600, "en;q=nonsense", "*"])
def test_languages_that_are_none(nonsense: str, alice: User) -> None:
    assert language(Client(), HTTP_ACCEPT_LANGUAGE=nonsense) == "en"


def test_a_request_of_the_api_asks_for_no_session(alice: User, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        client(alice).get("/api/v1/me")
