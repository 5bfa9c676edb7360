"""A stand-in for WeBASE-Node-Manager, written from its public source and documents, by nobody who has run it.

What it is careful about: page numbers in the path, business errors as HTTP 200 with a code, the login with a fixed
verification code, tokens that end, times without a zone.
"""

from __future__ import annotations

import hashlib
from typing import Any

from tests.platforms.presets.standin import Reply, Seen, StandIn

JSON = dict[str, Any]
DIGEST = hashlib.sha256(b"Abcd1234").hexdigest()
TRANSACTIONS = 7


def said(data: Any = None, code: int = 0, message: str = "success", **more: Any) -> Reply:
    return Reply({"code": code, "message": message, "data": data, **more})


class Webase(StandIn):
    prefix = "/WeBASE-Node-Manager"
    in_address = True
    routes = (
        ("GET", "/account/pictureCheckCode", "picture"),
        ("POST", "/account/login", "login"),
        ("GET", "/deploy/type", "deploy_type"),
        ("GET", "/deploy/chain/info", "chain"),
        ("DELETE", "/deploy/delete", "delete_chain"),
        ("POST", "/deploy/node/delete", "delete_node"),
        ("POST", "/front/new", "front"),
        ("GET", "/group/all", "groups"),
        ("GET", "/group/detail/{group}", "group"),
        ("GET", "/group/general/{group}", "general"),
        ("GET", "/block/blockList/{group}/{page}/{size}", "blocks"),
        ("GET", "/transaction/transList/{group}/{page}/{size}", "transactions"),
        ("GET", "/transaction/transInfo/{group}/{hash}", "transaction"),
        ("GET", "/transaction/transactionReceipt/{group}/{hash}", "receipt"),
        ("GET", "/node/nodeList/{group}/{page}/{size}", "nodes"),
        ("POST", "/contract/deploy", "deploy"),
        ("POST", "/precompiled/contract/status", "contract_status"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.valid: set[str] = set()
        self.logins = 0
        self.chain_info: JSON | None = {"chainName": "default_chain", "chainStatus": 3, "version": "v2.7.2"}
        self.members: dict[str, JSON] = {}
        self.frozen: list[str] = []

    def admitted(self, request: Seen) -> Reply | None:
        if "/account/" in request.path:
            return None
        shown = request.headers.get("authorizationtoken", "")
        if not shown.startswith("Token ") or shown.removeprefix("Token ") not in self.valid:
            return Reply({"code": 302000, "message": "user not logged in", "data": None}, 401)
        return None

    def picture(self, request: Seen) -> Reply:
        return said({"base64Image": "iVBORw0KGgo=", "token": "picture-token"})

    def login(self, request: Seen) -> Reply:
        if request.headers.get("token") != "picture-token" or request.query["checkCode"] != "8888":
            return said(None, 202032, "invalid verification code")
        if (request.query["account"], request.query["accountPwd"]) != ("admin", DIGEST):
            return said(None, 202023, f"password error: {request.query['accountPwd']}")
        self.logins += 1
        self.valid.add(f"login-token-{self.logins}")
        return said({"account": "admin", "roleName": "admin", "token": f"login-token-{self.logins}"})

    def deploy_type(self, request: Seen) -> Reply:
        return said(1)

    def chain(self, request: Seen) -> Reply:
        return said(self.chain_info)

    def delete_chain(self, request: Seen) -> Reply:
        if not self.chain_info or request.query["chainName"] != self.chain_info["chainName"]:
            return said(None, 202402, "chain does not exist")
        self.chain_info = None
        return said()

    def delete_node(self, request: Seen) -> Reply:
        if self.members.pop(request.json["nodeId"], None) is None:
            return said(None, 202117, "node id does not exist")
        return said()

    def front(self, request: Seen) -> Reply:
        node = f"node-of-{request.json['agency']}"
        self.members[node] = {"frontId": len(self.members) + 1, "nodeId": node, **request.json}
        return said(self.members[node])

    def _group(self) -> JSON:
        return {"groupId": 1, "groupName": "group1", "groupStatus": 1, "nodeCount": 2, "latestBlock": 7}

    def groups(self, request: Seen) -> Reply:
        return said([self._group()], totalCount=1)

    def group(self, request: Seen) -> Reply:
        return said(self._group() if request.values["group"] == "1" else None)

    def general(self, request: Seen) -> Reply:
        figures = {"groupId": "1", "nodeCount": 2, "contractCount": 3, "transactionCount": "7", "latestBlock": 7}
        return said(figures if request.values["group"] == "1" else None)

    def _page(self, request: Seen, row: Any) -> Reply:
        page, size = int(request.values["page"]), int(request.values["size"])
        numbers = range(TRANSACTIONS - (page - 1) * size, max(0, TRANSACTIONS - page * size), -1)
        wanted = request.query.get("blockNumber")
        rows = [row(number) for number in numbers if wanted in (None, str(number))]
        return said(rows or None, totalCount=1 if wanted else TRANSACTIONS)

    def blocks(self, request: Seen) -> Reply:
        stamp = "2020-05-13 19:47:37"
        return self._page(
            request, lambda n: {"pkHash": f"0xb{n}", "blockNumber": n, "blockTimestamp": stamp, "transCount": 1}
        )

    def transactions(self, request: Seen) -> Reply:
        return self._page(
            request,
            lambda n: {
                "transHash": f"0xt{n}",
                "transFrom": "0xfrom",
                "transTo": None if n == 1 else "0xto",
                "blockNumber": n,
                "blockTimestamp": "2020-05-13 19:47:37",
            },
        )

    def transaction(self, request: Seen) -> Reply:
        if not request.values["hash"].startswith("0xt"):
            return said(None)
        number = int(request.values["hash"].removeprefix("0xt"))
        body = {"hash": request.values["hash"], "blockNumber": number, "transactionIndex": 0, "value": 0}
        return said({**body, "from": "0xfrom", "to": None, "input": "0x00"})

    def receipt(self, request: Seen) -> Reply:
        status = "0x16" if request.values["hash"] == "0xt2" else "0x0"
        return said({"status": status, "contractAddress": "0xcontract", "gasUsed": 21000})

    def nodes(self, request: Seen) -> Reply:
        rows = [
            {"nodeId": "n1", "nodeIp": "10.0.0.4", "p2pPort": 30300, "nodeActive": 1},
            {"nodeId": "n2", "nodeIp": "10.0.0.5", "p2pPort": 30300, "nodeActive": 2},
        ]
        return said(rows, totalCount=2)

    def deploy(self, request: Seen) -> Reply:
        if not request.json["contractAbi"].startswith("["):
            return said(None, 202000, "contractAbi is no JSON")
        return said({"contractId": 400001, "contractAddress": "0xcontract", "contractStatus": 2})

    def contract_status(self, request: Seen) -> Reply:
        self.frozen.append(request.json["contractAddress"])
        return said()
