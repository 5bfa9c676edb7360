"""OAuth 2.0 client credentials against a token endpoint that checks what RFC 6749 asks for."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import pytest

from console.errors import PlatformRefused
from platforms.drivers.base import PartyCredential
from tests.platforms.auth.small import ask, driver_to
from tests.platforms.presets.standin import Reply, Seen, StandIn

CLIENT = PartyCredential(ak="client one", sk="s/e:c r+et&word")
AUTH: dict[str, Any] = {"kind": "oauth2-client", "tokenPath": "/oauth2/token", "scope": "chains.read chains.write"}


class Platform(StandIn):
    routes = (("POST", "/oauth2/token", "token"), ("GET", "/health", "health"))

    def __init__(self) -> None:
        super().__init__()
        self.valid: set[str] = set()
        self.given: list[dict[str, str]] = []
        self.seconds: int | None = 3600

    def token(self, request: Seen) -> Reply:
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        form = dict(parse_qsl(request.content.decode(), strict_parsing=True))
        if _client_of(request, form) != (CLIENT.ak, CLIENT.sk):
            return Reply({"error": "invalid_client", "error_description": "unknown client"}, 401)
        if form["grant_type"] != "client_credentials":
            return Reply({"error": "unsupported_grant_type"}, 400)
        self.given.append(form)
        token = f"access-{len(self.given)}"
        self.valid.add(token)
        more = {"expires_in": self.seconds} if self.seconds is not None else {}
        return Reply({"access_token": token, "token_type": "Bearer", **more})

    def health(self, request: Seen) -> Reply:
        known = request.headers.get("authorization", "").removeprefix("Bearer ") in self.valid
        return Reply({"detail": "ok"} if known else {"message": "invalid_token"}, 200 if known else 401)


def _client_of(request: Seen, form: dict[str, str]) -> tuple[str, str]:
    header = request.headers.get("authorization", "")
    if not header.startswith("Basic "):
        return form.get("client_id", ""), form.get("client_secret", "")
    name, _, word = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
    return unquote_plus(name), unquote_plus(word)


@pytest.mark.parametrize("client_auth", ["basic", "body"])
def test_a_token_is_fetched_once_and_shown(client_auth: str) -> None:
    auth = {**AUTH, "clientAuth": client_auth, "parameters": {"audience": "https://platform"}}
    with Platform() as platform:
        driver = driver_to(auth, address=platform.address)
        assert [ask(driver, CLIENT).detail for _each in range(3)] == ["ok"] * 3
        (form,) = platform.given
        assert (form["scope"], form["audience"]) == ("chains.read chains.write", "https://platform")
        assert ("client_secret" in form) is (client_auth == "body")
        driver.close()


def test_renewed_on_401() -> None:
    with Platform() as platform:
        driver = driver_to(AUTH, address=platform.address)
        ask(driver, CLIENT)
        platform.valid.clear()
        assert ask(driver, CLIENT).detail == "ok"
        assert len(platform.given) == 2
        driver.close()


def test_a_token_that_ends_at_once_is_used_once() -> None:
    with Platform() as platform:
        platform.seconds = 0
        driver = driver_to(AUTH, address=platform.address)
        ask(driver, CLIENT)
        ask(driver, CLIENT)
        assert len(platform.given) == 2
        driver.close()


def test_the_token_endpoint_may_stand_on_another_address() -> None:
    with Platform() as platform, Platform() as identity:
        platform.valid = identity.valid
        driver = driver_to({**AUTH, "tokenAddress": "identity"}, address=platform.address, identity=identity.address)
        assert ask(driver, CLIENT).detail == "ok"
        assert [each.call for each in identity.seen] == ["POST /oauth2/token"]
        assert [each.call for each in platform.seen] == ["GET /health"]
        driver.close()


def test_a_refused_client() -> None:
    with Platform() as platform:
        driver = driver_to(AUTH, address=platform.address)
        with pytest.raises(PlatformRefused, match="unknown client") as caught:
            ask(driver, PartyCredential(ak=CLIENT.ak, sk="another secret"))
        assert caught.value.code == "login_failed"
        assert "another secret" not in str(caught.value)
        driver.close()


@pytest.mark.parametrize(
    "answer",
    [
        Reply({"access_token": "x", "token_type": "mac"}),
        Reply({"token_type": "Bearer"}),
        Reply(["access_token"]),
        Reply({"error": {"odd": 1}}, 400),
    ],
)
def test_an_answer_that_is_no_token(answer: Reply) -> None:
    with Platform() as platform:
        platform.instead("POST /oauth2/token", answer)
        driver = driver_to(AUTH, address=platform.address)
        with pytest.raises(PlatformRefused) as caught:
            ask(driver, CLIENT)
        assert caught.value.code == "login_failed"
        driver.close()
