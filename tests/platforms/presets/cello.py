"""A stand-in for the API engine of Hyperledger Cello, written from a description of its public source of 2026.

Envelopes, pages of at most 100, a token for an hour; a dead agent breaks the list of nodes, as it does in Cello.
"""

from __future__ import annotations

from typing import Any

from tests.platforms.presets.standin import Reply, Seen, StandIn

PASSWORD = "correct-horse-battery"


def fine(data: Any, status: int = 200) -> Reply:
    return Reply({"status": "SUCCESSFUL", "msg": None, "data": data}, status)


def failed(message: str, status: int = 400) -> Reply:
    return Reply({"status": "FAILED", "msg": message, "data": None}, status)


class Cello(StandIn):
    prefix = "/api/v1"
    in_address = True
    routes = (
        ("POST", "/login", "login"),
        ("GET", "/channels", "channels"),
        ("POST", "/channels", "create_channel"),
        ("GET", "/organizations", "organizations"),
        ("GET", "/nodes", "nodes"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.valid: dict[str, str] = {}
        self.made: list[dict[str, Any]] = []
        self.agent_answers = True

    def admitted(self, request: Seen) -> Reply | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if request.path.endswith("/login") or (scheme == "JWT" and token in self.valid):
            return None
        return Reply({"detail": "Given token not valid for any token type"}, 401)

    def login(self, request: Seen) -> Reply:
        if request.json["password"] != PASSWORD:
            return failed("Invalid credentials", 401)
        token = f"jwt-{len(self.valid) + 1}-of-{request.json['email']}"
        self.valid[token] = request.json["email"]
        return fine({"token": token, "user": {"email": request.json["email"]}})

    def create_channel(self, request: Seen) -> Reply:
        if any(each["name"] == request.json["name"] for each in self.made):
            return failed("channel exists")
        owner = self.valid[request.headers["authorization"].removeprefix("JWT ")]
        number = f"0000-{len(self.made) + 1}"
        self.made.append({"id": number, "name": request.json["name"], "organizations": [{"id": "o1", "name": owner}]})
        return fine({"id": number}, 201)

    def channels(self, request: Seen) -> Reply:
        return self._page(request, self.made)

    def organizations(self, request: Seen) -> Reply:
        return self._page(request, [{"id": "o1", "name": "tax"}, {"id": "o2", "name": "housing"}])

    def nodes(self, request: Seen) -> Reply:
        if not self.agent_answers:
            return failed("agent unreachable", 500)
        rows = [
            {"id": "n1", "name": "peer0", "type": "PEER", "status": "RUNNING"},
            {"id": "n2", "name": "orderer0", "type": "ORDERER", "status": "EXITED"},
        ]
        return self._page(request, rows)

    def _page(self, request: Seen, rows: list[Any]) -> Reply:
        page, size = int(request.query.get("page", 1)), int(request.query["per_page"])
        if size > 100:
            return failed("per_page: at most 100")
        return fine({"total": len(rows), "data": rows[(page - 1) * size : page * size]})
