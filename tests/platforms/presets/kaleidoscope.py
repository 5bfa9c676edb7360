"""A stand-in for Kaleido's console API, written from its published SDK.

Bare arrays, ids in `_id`, nodes that start after some reads, deleted things that linger with a state, refusals where
the order is wrong.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.platforms.presets.standin import Reply, Seen, StandIn

JSON = dict[str, Any]
KEY = "kaleido-api-key-1"


class Kaleido(StandIn):
    prefix = "/api/v1"
    in_address = True
    routes = (
        ("GET", "/consortia", "consortia"),
        ("POST", "/consortia", "create_consortium"),
        ("GET", "/consortia/{c}", "one"),
        ("DELETE", "/consortia/{c}", "delete_consortium"),
        ("GET", "/consortia/{c}/memberships", "memberships"),
        ("POST", "/consortia/{c}/memberships", "create_membership"),
        ("GET", "/consortia/{c}/memberships/{m}", "one"),
        ("DELETE", "/consortia/{c}/memberships/{m}", "delete_membership"),
        ("GET", "/consortia/{c}/environments", "environments"),
        ("POST", "/consortia/{c}/environments", "create_environment"),
        ("GET", "/consortia/{c}/environments/{e}", "one"),
        ("DELETE", "/consortia/{c}/environments/{e}", "delete_environment"),
        ("GET", "/consortia/{c}/environments/{e}/nodes", "nodes"),
        ("POST", "/consortia/{c}/environments/{e}/nodes", "create_node"),
        ("GET", "/consortia/{c}/environments/{e}/nodes/{n}", "one"),
        ("DELETE", "/consortia/{c}/environments/{e}/nodes/{n}", "delete_node"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.things: dict[str, JSON] = {}  # by id: {kind, parents, …what is shown}
        self.reads: Counter[str] = Counter()

    def admitted(self, request: Seen) -> Reply | None:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return Reply({"errorMessage": "Unauthorized"}, 401)
        missing = [each for each in request.values.values() if each not in self.things]
        return Reply({"errorMessage": f"'{missing[0]}' not found"}, 404) if missing else None

    def _make(self, kind: str, request: Seen, **more: Any) -> Reply:
        number = f"{kind[0]}{len(self.things):09d}"
        shown = {"_id": number, **request.json, **more}
        self.things[number] = {"kind": kind, "parents": set(request.values.values()), "shown": shown, "leaving": False}
        return Reply(shown, 201)

    def _of(self, kind: str, request: Seen) -> list[JSON]:
        wanted = set(request.values.values())
        found = [each for each in self.things.values() if each["kind"] == kind and wanted <= each["parents"]]
        return [each["shown"] for each in found]

    def _leave(self, number: str, gone: bool = True) -> Reply:
        self.things[number]["leaving"] = True
        self.things[number]["shown"]["state"] = "delete_pending"
        self.reads[number] = 0
        return Reply({}, 202)

    def one(self, request: Seen) -> Reply:
        number = list(request.values.values())[-1]
        thing = self.things[number]
        self.reads[number] += 1
        if thing["leaving"] and self.reads[number] > 1:
            if thing["kind"] != "environment":  # environments linger
                self.things.pop(number)
                return Reply({"errorMessage": "not found"}, 404)
            thing["shown"]["state"] = "deleted"
        elif thing["kind"] == "node" and self.reads[number] > 1:
            thing["shown"]["state"] = "started"
        return Reply(thing["shown"])

    def consortia(self, request: Seen) -> list[JSON]:
        return self._of("consortium", request)

    def create_consortium(self, request: Seen) -> Reply:
        return self._make("consortium", request, state="live")

    def delete_consortium(self, request: Seen) -> Reply:
        if len(self._of("membership", request)) > 1:
            return Reply({"errorMessage": "all but one participant must leave first"}, 409)
        return self._leave(request.values["c"])

    def memberships(self, request: Seen) -> list[JSON]:
        return self._of("membership", request)

    def create_membership(self, request: Seen) -> Reply:
        return self._make("membership", request)

    def delete_membership(self, request: Seen) -> Reply:
        member = request.values["m"]
        nodes = [each["shown"] for each in self.things.values() if each["kind"] == "node"]
        if any(each["membership_id"] == member and each["state"] == "started" for each in nodes):
            return Reply({"errorMessage": "the membership still has nodes"}, 409)
        return self._leave(member)

    def environments(self, request: Seen) -> list[JSON]:
        return self._of("environment", request)

    def create_environment(self, request: Seen) -> Reply:
        return self._make("environment", request, state="live", release_id="r1")

    def delete_environment(self, request: Seen) -> Reply:
        return self._leave(request.values["e"])

    def nodes(self, request: Seen) -> list[JSON]:
        return self._of("node", request)

    def create_node(self, request: Seen) -> Reply:
        if request.json["membership_id"] not in self.things:
            return Reply({"errorMessage": "no such membership"}, 400)
        urls = {"rpc": "https://node-rpc.kaleido.io", "wss": "wss://node-wss.kaleido.io"}
        return self._make("node", request, state="initializing", role="validator", urls=urls)

    def delete_node(self, request: Seen) -> Reply:
        return self._leave(request.values["n"])
