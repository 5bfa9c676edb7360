"""A stand-in for Azure Blockchain Service, written from its published description and the examples beside it.

Three subscriptions with a service principal each, and a directory that gives tokens. A member is Updating for some
reads and Deleting for some; a consortium takes nobody who was not invited, which `invite` does as an administrator
does it in the member's contract.
"""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import parse_qs

from platforms.drivers.base import PartyCredential
from tests.platforms.presets.standin import Reply, Seen, StandIn

JSON = dict[str, Any]
PRINCIPALS = {  # application id: (secret, subscription)
    "app-tax": ("secret/of+tax", "sub-tax"),
    "app-housing": ("secret/of+housing", "sub-housing"),
    "app-pensions": ("secret/of+pensions", "sub-pensions"),
}
PARTIES = [PartyCredential(ak=name, sk=secret, category="cloud") for name, (secret, _sub) in PRINCIPALS.items()]
GROUP = "/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.Blockchain/blockchainMembers"
READS = 1


class Directory(StandIn):
    """Where service principals get their tokens."""

    routes = (("POST", "/{directory}/oauth2/token", "token"),)

    def token(self, request: Seen) -> Reply:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        secret, subscription = PRINCIPALS.get(form.get("client_id", ""), ("", ""))
        if not subscription or form.get("client_secret") != secret or form.get("resource") != ARM:
            return Reply({"error": "invalid_client", "error_description": "AADSTS7000215: invalid client secret"}, 401)
        return Reply({"token_type": "Bearer", "expires_in": "3599", "access_token": f"token-of-{subscription}"})


class Azure(StandIn):
    """Three subscriptions with their resources."""

    routes = (
        ("GET", "/subscriptions/{s}/providers/Microsoft.Blockchain/blockchainMembers", "everywhere"),
        ("PUT", GROUP + "/{m}", "create"),
        ("GET", GROUP + "/{m}", "one"),
        ("DELETE", GROUP + "/{m}", "delete"),
        ("GET", GROUP + "/{m}/consortiumMembers", "consortium"),
        ("GET", GROUP + "/{m}/transactionNodes", "nodes"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.members: dict[str, JSON] = {}  # by path
        self.invited: set[tuple[str, str]] = set()  # (consortium, subscription)
        self.reads: Counter[str] = Counter()
        self.passwords: dict[str, set[str]] = {}  # consortium -> of its members' nodes

    def invite(self, subscription: str) -> None:
        """Into every consortium there is."""
        self.invited |= {(each["properties"]["consortium"], subscription) for each in self.members.values()}

    def admitted(self, request: Seen) -> Reply | None:
        subscription = request.headers.get("authorization", "").removeprefix("Bearer token-of-")
        if subscription != request.values["s"]:
            return _refused("AuthorizationFailed", "the client does not have authorization over the scope", 403)
        if request.query.get("api-version") != "2018-06-01-preview":
            return _refused("MissingApiVersionParameter", "the api-version query parameter is required", 400)
        at = "/".join(request.path.split("/")[:9])
        if "m" in request.values and request.method != "PUT" and at not in self.members:
            return _refused("ResourceNotFound", f"the resource {request.values['m']} was not found", 404)
        return None

    def create(self, request: Seen) -> Reply:
        """Repeated, it answers what is there."""
        if request.path in self.members:
            return Reply(self.members[request.path])
        sent, name = request.json, request.values["m"]
        asked, place = sent["properties"], (sent["properties"]["consortium"], request.values["s"])
        if not (name.isalnum() and name == name.lower() and 2 <= len(name) <= 20):
            return _refused("InvalidResourceName", "2 to 20 small letters and digits", 400)
        if self._of(place[0]) and place not in self.invited:
            return _refused("ConsortiumMembershipDenied", f"{place[1]} is not invited to {place[0]}", 403)
        self.invited.discard(place)
        self.passwords.setdefault(place[0], set()).add(asked["password"])
        told = {**asked, "password": None, "consortiumManagementAccountPassword": None}
        self.members[request.path] = {
            "id": request.path,
            "name": name,
            "type": "Microsoft.Blockchain/blockchainMembers",
            "location": sent["location"],
            "sku": sent["sku"],
            "properties": {**told, "provisioningState": "Updating", "dns": None},
        }
        return Reply(self.members[request.path], 201)

    def one(self, request: Seen) -> Reply:
        found = self.members[request.path]
        self.reads[request.path] += 1
        if self.reads[request.path] > READS:
            if found["properties"]["provisioningState"] == "Deleting":
                self.members.pop(request.path)
                return _refused("ResourceNotFound", f"the resource {found['name']} was not found", 404)
            dns = f"{found['name']}.blockchain.azure.example"
            found["properties"] |= {"provisioningState": "Succeeded", "dns": dns}
        return Reply(found)

    def delete(self, request: Seen) -> Reply:
        self.members[request.path]["properties"]["provisioningState"] = "Deleting"
        self.reads[request.path] = 0
        return Reply(None, 202)

    def everywhere(self, request: Seen) -> JSON:
        own = [each for at, each in self.members.items() if f"/subscriptions/{request.values['s']}/" in at]
        return {"value": own, "nextLink": None}

    def consortium(self, request: Seen) -> JSON:
        name = self.members[request.path.removesuffix("/consortiumMembers")]["properties"]["consortium"]
        there = [
            {
                "name": each["name"],
                "displayName": each["properties"]["consortiumMemberDisplayName"],
                "subscriptionId": each["id"].split("/")[2],
                "role": "ADMIN",
                "status": "Ready",
                "joinDate": "2019-04-23T22:34:00.330Z",
            }
            for each in self._of(name)
        ]
        waiting = [
            {
                "name": "",
                "displayName": None,
                "subscriptionId": who,
                "role": "USER",
                "status": "Invited",
                "joinDate": None,
            }
            for where, who in sorted(self.invited)
            if where == name
        ]
        return {"value": there + waiting, "nextLink": None}

    def nodes(self, request: Seen) -> JSON:
        at = request.path.removesuffix("/transactionNodes")
        node = {
            "id": f"{at}/transactionNodes/transaction-node",
            "name": "transaction-node",
            "properties": {"provisioningState": "Succeeded", "dns": self.members[at]["properties"]["dns"]},
        }
        return {"value": [node], "nextLink": None}

    def _of(self, consortium: str) -> list[JSON]:
        return [each for each in self.members.values() if each["properties"]["consortium"] == consortium]


ARM = "https://management.azure.com/"


def _refused(code: str, message: str, status: int) -> Reply:
    return Reply({"error": {"code": code, "message": message}}, status)
