"""A small platform with a login, two things to ask for, and the drivers that speak to it."""

from __future__ import annotations

import json
from typing import Any

from platforms.drivers.base import Credentials, PartyCredential
from platforms.drivers.mapped import MappedDriver
from platforms.standard import EmptyRequest, Health
from tests.platforms.presets.standin import Reply, Seen, StandIn

ANSWER = {"200": {"description": "ok", "content": {"application/json": {"schema": {"type": "object"}}}}}
API = {
    "openapi": "3.0.3",
    "info": {"title": "Small", "version": "1"},
    "paths": {
        "/login": {"post": {"operationId": "login", "responses": ANSWER}},
        "/health": {"get": {"operationId": "health", "responses": ANSWER}},
    },
}
LOGIN: dict[str, Any] = {
    "kind": "login",
    "steps": [
        {"id": "login", "op": "login", "body": {"name": {"$secret": "username"}, "word": {"$secret": "password"}}},
    ],
    "result": {"token": {"$from": "$.steps.login.body.token"}},
    "header": "X-Token",
    "prefix": "Token ",
    "lifetime": 3600,
}
ALICE = PartyCredential(username="alice", password="alice-secret-word")
BOB = PartyCredential(ak="bob", sk="bob-secret-word")


class Platform(StandIn):
    """Gives out tokens, believes those it has not forgotten."""

    routes = (("POST", "/login", "login"), ("GET", "/health", "health"))

    def __init__(self) -> None:
        super().__init__()
        self.valid: set[str] = set()
        self.given = 0

    def login(self, request: Seen) -> Reply:
        words = request.json
        if words["word"] != f"{words['name']}-secret-word":
            return Reply({"message": f"wrong word {words['word']} for {words['name']}"}, 403)
        self.given += 1
        token = f"token-{self.given}-of-{words['name']}"
        self.valid.add(token)
        return Reply({"token": token})

    def health(self, request: Seen) -> Reply:
        shown = request.headers.get("x-token", "").removeprefix("Token ")
        if shown not in self.valid:
            return Reply({"message": f"what is {request.headers}?"}, 401)
        return Reply({"status": "up", "detail": shown.rsplit("-", 1)[-1]})


def driver_to(auth: dict[str, Any], *, address: str, on_prem: str = "", **addresses: str) -> MappedDriver:
    mapping = {
        "mapping": 1,
        "addresses": addresses,
        "auth": auth,
        "errorMessage": ["$.body.message"],
        "interfaces": {
            "get_health": {
                "steps": [{"id": "ask", "op": "health"}],
                "result": {"status": "up", "detail": {"$from": "$.steps.ask.body.detail", "$default": ""}},
            }
        },
    }
    return MappedDriver.from_text(
        api_file=json.dumps(API),
        mapping=json.dumps(mapping),
        addresses={"default": address, **({"on_prem": on_prem} if on_prem else {})},
        allow_private=True,
    )


def ask(driver: MappedDriver, credential: PartyCredential) -> Health:
    """The platform's health, asked with the platform's own credential."""
    result = driver.perform("get_health", EmptyRequest(), credentials=Credentials(platform=credential), key="")
    return result.answer  # type: ignore[union-attr]
