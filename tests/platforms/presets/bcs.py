"""Stand-ins for Huawei Cloud BCS: the management plane, and the agent of one instance.

Written from the published SDK's models and API pages, by nobody who has seen the service: they prove what we send and
how we read what is documented, not what Huawei answers. The management plane checks every signature with the signer
of the vendor's SDK, works by operations that are through after some reads, and keeps accounts apart.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from types import SimpleNamespace
from typing import Any

from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from platforms.drivers.base import PartyCredential
from tests.platforms.presets.standin import Reply, Seen, StandIn

JSON = dict[str, Any]
ACCOUNTS = {  # access key: (secret key, domain id, account name, project id)
    "AKTAX": ("tax-secret-key", "domain-tax", "tax_bureau", "project-tax"),
    "AKHOUSE": ("housing-secret-key", "domain-housing", "housing_bureau", "project-housing"),
}
PARTIES = [PartyCredential(ak=ak, sk=sk, category="cloud") for ak, (sk, *_rest) in ACCOUNTS.items()]
SIGNED = ("content-type", "host", "x-sdk-date", "x-project-id", "x-security-token")


class Management(StandIn):
    """Operations are `waiting`, `processing`, then `finished` (or what `ending` says)."""

    prefix = "/v2/{project}"
    routes = (
        ("GET", "/blockchains", "instances"),
        ("POST", "/blockchains", "create"),
        ("GET", "/blockchains/{bcs}", "detail"),
        ("DELETE", "/blockchains/{bcs}", "delete"),
        ("GET", "/blockchains/{bcs}/nodes", "nodes"),
        ("GET", "/blockchains/{bcs}/channels", "channels"),
        ("POST", "/blockchains/{bcs}/channels", "create_channels"),
        ("POST", "/blockchains/{bcs}/channels/peers", "add_peers"),
        ("DELETE", "/blockchains/{bcs}/channel/{channel}", "delete_channel"),
        ("PUT", "/blockchains/{bcs}/{channel}/orgs/quit", "quit_channel"),
        ("GET", "/operation/record", "records"),
        ("GET", "/members", "members"),
        ("POST", "/members/invitations", "invite"),
        ("PUT", "/members/quit", "quit"),
        ("POST", "/notification/handle", "handle"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[str, JSON] = {}  # instance id -> {project, name, body, channels: {name: {peers}}}
        self.operations: dict[str, JSON] = {}
        self.relations: list[JSON] = []
        self.reads: Counter[str] = Counter()
        self.ending = "finished"

    def admitted(self, request: Seen) -> Reply | None:
        found = re.match(r"SDK-HMAC-SHA256 Access=(\w+),", request.headers.get("authorization", ""))
        known = ACCOUNTS.get(found[1] if found else "")
        if known is None or request.headers["authorization"] != _vendor_signature(request, found[1], known[0]):
            return Reply({"error_code": "APIGW.0301", "error_msg": "Incorrect IAM authentication information"}, 401)
        if request.values["project"] != known[3]:
            return Reply({"error_code": "BCS.4030403", "error_msg": "No permissions to request this method"}, 403)
        if "bcs" in request.values and request.values["bcs"] not in self.made:
            return Reply({"error_code": "BCS.4000400", "error_msg": "the blockchain does not exist"}, 400)
        return None

    def _begin(self, kind: str, bcs: str, after: Any = None) -> str:
        number = f"BCSSVC01-{kind}-{len(self.operations)}"
        self.operations[number] = {"operation_id": number, "operation_type": kind, "blockchain_id": bcs, "after": after}
        return number

    def instances(self, request: Seen) -> JSON:
        own = {key: each for key, each in self.made.items() if each["project"] == request.values["project"]}
        return {"count": len(own), "blockchains": [{"id": key, "name": each["name"]} for key, each in own.items()]}

    def create(self, request: Seen) -> Reply:
        body = request.json
        if not 4 <= len(body["name"]) <= 24 or not _strong(body["resource_password"]):
            return Reply({"error_code": "BCS.4000001", "error_msg": "invalid name or password"}, 400)
        number = f"bcs-{len(self.made) + 1}"
        channels = {each["name"]: {"organization": ["peer-0"]} for each in body.get("channels") or []}
        self.made[number] = {
            "project": request.values["project"],
            "name": body["name"],
            "body": body,
            "channels": channels,
        }
        operation = self._begin("99", number)
        return Reply({"blockchain_id": number, "blockchain_name": body["name"], "operation_id": operation})

    def detail(self, request: Seen) -> JSON:
        made = self.made[request.values["bcs"]]
        info = {name: made["body"][name] for name in ("consensus", "sign_algorithm")}
        status = {"status": "Normal", "process_status": "", "agent_portal_addrs": ["https://192.168.0.90:30603"]}
        return {"basic_info": {"id": request.values["bcs"], "name": made["name"], **info, **status}}

    def delete(self, request: Seen) -> JSON:
        bcs = request.values["bcs"]
        return {"operation_id": self._begin("00", bcs, lambda: self.made.pop(bcs))}

    def nodes(self, request: Seen) -> JSON:
        peers = {
            "peer-0": {"ip_port": "10.0.0.4:30605", "channels": ["channel"]},
            "peer-1": {"ip_port": "10.0.0.5:30605"},
        }
        return {"node_orgs": {"organization": {"org_msp_id": "aMSP", "org_domain": "a.b", "peers": peers}}}

    def channels(self, request: Seen) -> JSON:
        made = self.made[request.values["bcs"]]
        rows = [{"name": name, "consensus": "etcdraft", "peers": peers} for name, peers in made["channels"].items()]
        return {"channels": rows}

    def create_channels(self, request: Seen) -> JSON:
        made = self.made[request.values["bcs"]]
        made["channels"].update({each["channel_name"]: {} for each in request.json["channels"]})
        return {"operation_id": self._begin("04", request.values["bcs"])}

    def add_peers(self, request: Seen) -> Reply:
        made = self.made[request.values["bcs"]]
        for each in request.json["channel_peers"]:
            if each["channel_name"] not in made["channels"]:
                return Reply({"error_code": "BCS.4000002", "error_msg": "not a member of the channel"}, 400)
            counts = each["peers"]
            made["channels"][each["channel_name"]] = {org: [f"peer-{n}" for n in range(k)] for org, k in counts.items()}
        return Reply({"operation_id": self._begin("04", request.values["bcs"])})

    def delete_channel(self, request: Seen) -> Reply:
        channels = self.made[request.values["bcs"]]["channels"]
        if channels.get(request.values["channel"]):
            return Reply({"error_code": "BCS.4000003", "error_msg": "the channel is not empty"}, 400)
        channels.pop(request.values["channel"])
        return Reply({"operation_id": self._begin("04", request.values["bcs"])})

    def quit_channel(self, request: Seen) -> JSON:
        assert request.json == {"org_names": ["organization"]}
        self.made[request.values["bcs"]]["channels"][request.values["channel"]] = {}
        return {"operation_id": self._begin("04", request.values["bcs"])}

    def records(self, request: Seen) -> JSON:
        wanted = {name: value for name, value in request.query.items() if name.endswith(("_id", "_type"))}
        rows = [each for each in self.operations.values() if all(each[name] == value for name, value in wanted.items())]
        for each in rows:
            self.reads[each["operation_id"]] += 1
            states = ("waiting", "processing", self.ending)
            each["operation_status"] = states[min(self.reads[each["operation_id"]] - 1, 2)]
            if each["operation_status"] == "finished" and each["after"]:
                each["after"]()
                each["after"] = None
        shown = [{key: value for key, value in each.items() if key != "after"} for each in rows]
        return {"count": len(shown), "operation_records": shown}

    def members(self, request: Seen) -> JSON:
        project = request.values["project"]
        return {
            "members": [
                each
                for each in self.relations
                if project in (each["invitor_info"]["invitor_project_id"], each["invitee_project"])
            ]
        }

    def invite(self, request: Seen) -> JSON:
        body, made = request.json, self.made[request.json["bcs_id"]]
        for each in body["invited_userinfo"]:
            domain, name, project = next(rest for _sk, *rest in ACCOUNTS.values() if rest[1] == each["invited_user"])
            inviter = next(rest for _sk, *rest in ACCOUNTS.values() if rest[2] == made["project"])
            self.relations.append(
                {
                    "channel_name": body["channel_name"],
                    "invitee_project": project,
                    "status": "INVITED",
                    "invitor_info": {
                        "invitor_bcs_id": body["bcs_id"],
                        "invitor_bcs_name": made["name"],
                        "invitor_project_id": made["project"],
                        "invitor_user_id": inviter[0],
                        "invitor_username": inviter[1],
                    },
                    "invitee_info": {"invitee_bcs_id": "", "invitee_user_id": domain, "invitee_username": name},
                }
            )
        return {"result": "success"}

    def handle(self, request: Seen) -> Reply:
        body = request.json
        for each in self.relations:
            same = each["channel_name"] == body["channel_name"] and each["invitee_project"] == request.values["project"]
            if same and each["invitor_info"]["invitor_bcs_id"] == body["invitor_info"]["invitor_bcs_id"]:
                bcs = body["invitee_info"]["invitee_bcs_id"]
                each["invitee_info"]["invitee_bcs_id"], each["status"] = bcs, body["status"]
                self.made[bcs]["channels"].setdefault(body["channel_name"], {})
                return Reply({"result": "success"})
        return Reply({"error_code": "BCS.4000004", "error_msg": "no invitation"}, 400)

    def quit(self, request: Seen) -> JSON:
        body = request.json
        kept = [each for each in self.relations if each["invitee_info"]["invitee_bcs_id"] != body["invitee_bcsid"]]
        assert len(kept) < len(self.relations)
        assert body["inviter_domainid"] == "domain-tax"
        self.relations = kept
        return {"result": "success", "operation_id": self._begin("05", body["invitee_bcsid"])}


class Agent(StandIn):
    """Token by user and password, pages of at most 50, pagination off unless it is asked for."""

    prefix = "/v2/agent/apis"
    routes = (
        ("GET", "/tokens", "token"),
        ("GET", "/channel/{channel}/summary", "summary"),
        ("GET", "/channel/{channel}/blocks", "blocks"),
        ("GET", "/channel/{channel}/transactions", "transactions"),
    )
    HEIGHT = 120

    def __init__(self) -> None:
        super().__init__()
        self.valid: set[str] = set()
        self.given = 0

    def admitted(self, request: Seen) -> Reply | None:
        if request.path.endswith("/tokens") or request.headers.get("x-auth-token") in self.valid:
            return None
        return Reply({"error_code": "BCS.4010401", "error_msg": "Incorrect token or token resolution failed"}, 401)

    def token(self, request: Seen) -> Reply:
        if (request.headers["x-auth-user"], request.headers["x-auth-pass"]) != ("admin", "browser-password"):
            return Reply({"error_code": "BCS.4010001", "error_message": "wrong user or password"}, 401)
        self.given += 1
        self.valid.add(f"agent-token-{self.given}")
        in_an_hour = int((time.time() + 3600) * 1000)
        return Reply({"user": "admin", "token": f"agent-token-{self.given}", "expire_time": in_an_hour})

    def summary(self, request: Seen) -> JSON:
        return {"peer_num": 2, "chaincodes": 1, "block_num": self.HEIGHT, "transaction_num": self.HEIGHT, "bph": []}

    def blocks(self, request: Seen) -> Reply:
        return self._page(
            request,
            lambda number: {
                "block_number": number,
                "block_hash": f"hash-{number}",
                "previous_hash": f"hash-{number - 1}",
                "transaction_count": 1,
                "timestamp": "2021-01-20T19:30:28+08:00",
                "organization_maps": {"aMSP": 1},
            },
        )

    def transactions(self, request: Seen) -> Reply:
        return self._page(
            request,
            lambda number: {
                "transaction_id": f"tx-{number}",
                "block_number": number,
                "type": "ENDORSER_TRANSACTION",
                "chaincode_name": "kvtest",
                "organization_name": "organization",
                "timestamp": "2021-01-20T19:30:28+08:00",
            },
        )

    def _page(self, request: Seen, row: Any) -> Reply:
        offset, limit = int(request.query["offset"]), int(request.query["limit"])
        if request.query.get("is_pagination") != "true" or limit > 50:
            return Reply({"error_code": "BCS.4000013", "error_message": "limit must be in [1,50]"}, 400)
        numbers = range(self.HEIGHT - 1 - offset, max(-1, self.HEIGHT - 1 - offset - limit), -1)
        return Reply({"count": self.HEIGHT, "data": [row(number) for number in numbers]})


def _vendor_signature(request: Seen, ak: str, sk: str) -> str:
    headers = {name: value for name, value in request.headers.items() if name in SIGNED}
    if "content-type" in headers:
        headers["Content-Type"] = headers.pop("content-type")
    again = SdkRequest(
        request.method,
        "https",
        request.headers["host"],
        request.path,
        query_params=list(request.query.items()),
        header_params=headers,
        body=request.content or None,
    )
    return Signer(SimpleNamespace(ak=ak, sk=sk)).sign(again).header_params["Authorization"]


def _strong(password: str) -> bool:
    return 8 <= len(password) <= 26 and all(re.search(kind, password) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
