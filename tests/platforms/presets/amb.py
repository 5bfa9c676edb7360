"""Amazon Managed Blockchain for tests: a real `moto_server`, and a shim before it for what moto leaves out.

The shim checks every signature with botocore's signer, keeps accounts apart (who owns which member, who is invited,
who may vote), lets things be CREATING and DELETING for some reads, pages, and honours ClientRequestToken.
"""

from __future__ import annotations

import base64
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from platforms.drivers.base import PartyCredential
from tests.platforms.presets.standin import Reply, Seen, StandIn

ACCOUNTS = {  # access key: (secret key, account)
    "AKIATAXBUREAU0000001": ("tax/bureau+secret=key", "111111111111"),
    "AKIAHOUSING000000002": ("housing/bureau+secret=key", "222222222222"),
    "AKIAPENSIONS00000003": ("pensions/bureau+secret=key", "333333333333"),
}
PARTIES = [PartyCredential(ak=ak, sk=sk, category="cloud") for ak, (sk, _account) in ACCOUNTS.items()]
REGION, SERVICE = "us-east-1", "managedblockchain"
JSON = dict[str, Any]


@contextmanager
def moto_server() -> Iterator[str]:
    """A moto server in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _await(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _await(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{address}/moto-api/", timeout=2)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("moto_server did not start")


class Shim(StandIn):
    """`reads` is how often a thing is CREATING or DELETING before it is through; `page` how long a page may be."""

    def __init__(self, moto: str, *, reads: int = 1, page: int = 100, port: int = 0) -> None:
        super().__init__(port)
        self._moto, self._reads, self._page = httpx.Client(base_url=moto), reads, page
        self._moto.post("/moto-api/reset").raise_for_status()
        self._asked: Counter[str] = Counter()
        self._owner: dict[str, str] = {}  # member -> account
        self._home: dict[str, str] = {}  # member -> network
        self._invited: set[tuple[str, str]] = set()  # (network, account)
        self._answers: dict[tuple[str, str], JSON] = {}  # by call and ClientRequestToken
        self._leaving: dict[str, int] = {}  # member or network -> reads until it is gone
        self.signed_by: list[tuple[str, str]] = []  # (account, call), of every request that was let in

    def answer(self, request: Seen) -> Reply:
        with self.lock:
            self.seen.append(request)
            account = _account_of(request)
            if account is None:
                return _refused("InvalidSignatureException", "the signature does not match", 403)
            self.signed_by.append((account, _shape(request)))
            return self._first_answer(request, account) or self._from_moto(request, account)

    def _first_answer(self, request: Seen, account: str) -> Reply | None:
        """What is answered before moto is asked."""
        token = (request.json or {}).get("ClientRequestToken") if request.method == "POST" else None
        if token and (request.call, token) in self._answers:
            return Reply(self._answers[request.call, token])
        things = re.findall(r"/(n-\w+|m-\w+)", request.path)
        if things and things[-1] in self._leaving and request.method == "GET":
            return self._still_there(things[-1])
        body = request.json or {}
        acting = body.get("VoterMemberId") or body.get("MemberId") or request.query.get("memberId")
        if acting and self._owner.get(acting) != account:
            return _refused("AccessDeniedException", f"{acting} belongs to another account", 403)
        if (
            acting
            and request.method == "POST"
            and request.path.endswith("/nodes")
            and self._asked[acting] <= self._reads
        ):
            return _refused("ResourceNotReadyException", f"{acting} is being created", 409)
        if request.method == "DELETE" and self._owner.get(things[-1]) != account:
            return _refused("AccessDeniedException", f"{things[-1]} belongs to another account", 403)
        if request.method == "POST" and request.path.endswith("/members") and not self._may_join(things[0], account):
            return _refused("AccessDeniedException", "no invitation", 403)
        return None

    def _still_there(self, thing: str) -> Reply:
        self._leaving[thing] -= 1
        if self._leaving[thing] < 0:
            return _refused("ResourceNotFoundException", f"{thing} not found", 404)
        return Reply({"Network" if thing.startswith("n-") else "Member": {"Id": thing, "Status": "DELETING"}})

    def _may_join(self, network: str, account: str) -> bool:
        return (network, account) in self._invited

    def _from_moto(self, request: Seen, account: str) -> Reply:
        query = {name: value for name, value in request.query.items() if name == "memberId"}
        kept = ("authorization", "content-type", "x-amz-date", "x-amz-security-token")
        headers = {name: request.headers[name] for name in kept if name in request.headers}
        answer = self._moto.request(
            request.method, request.path, params=query, content=request.content, headers=headers
        )
        if answer.status_code >= 400:
            name = "ResourceNotFoundException" if answer.status_code == 404 else "InvalidRequestException"
            return _refused(name, answer.text[:200], answer.status_code)
        body = answer.json() if answer.content.strip() else {}
        self._remember(request, account, body)
        return Reply(self._shown(request, account, body))

    def _remember(self, request: Seen, account: str, body: JSON) -> None:
        network = body.get("NetworkId") or "".join(re.findall(r"/(n-\w+)", request.path)[:1])
        sent = request.json or {}
        if request.method == "POST" and "MemberId" in body:
            self._owner[body["MemberId"]], self._home[body["MemberId"]] = account, network
            self._invited.discard((network, account))
        for action in (sent.get("Actions") or {}).get("Invitations", ()):
            self._invited.add((network, action["Principal"]))
        if "ClientRequestToken" in sent:
            self._answers[request.call, sent["ClientRequestToken"]] = body
        if request.method == "DELETE":
            member = re.findall(r"/(m-\w+)", request.path)[0]
            self._leaving[member] = self._reads
            self._home.pop(member)
            if network not in self._home.values():
                self._leaving[network] = self._reads

    def _shown(self, request: Seen, account: str, body: JSON) -> JSON:
        if request.method != "GET":
            return body
        for kind in ("Network", "Member", "Node"):
            if kind in body:
                self._asked[body[kind]["Id"]] += 1
                body[kind] = self._dressed(body[kind], account)
        for name, rows in body.items():
            if isinstance(rows, list):
                rows = [self._dressed(row, account) for row in rows if self._sees(name, row, account)]
                return self._paged(name, [row for row in rows if _fits(row, request.query)], request.query)
        return body

    def _dressed(self, thing: JSON, account: str) -> JSON:
        """With what moto leaves out."""
        number = thing.get("Id", "")
        young = self._asked[number] <= self._reads
        more: JSON = {}
        if number.startswith("n-"):
            more = {"Status": "CREATING" if young else "AVAILABLE", "CreationDate": "2026-11-24T07:00:00.000Z"}
        elif number.startswith(("m-", "nd-")) and thing["Status"] == "AVAILABLE":
            more = {"Status": "CREATING" if young else "AVAILABLE"}
        if number.startswith("m-"):
            more["IsOwned"] = self._owner[number] == account
        return {**thing, **more}

    def _sees(self, name: str, row: JSON, account: str) -> bool:
        """Each account sees its own networks and invitations only."""
        if name == "Networks":
            return any(self._owner[member] == account for member, home in self._home.items() if home == row["Id"])
        return name != "Invitations" or self._may_join(row["NetworkSummary"]["Id"], account)

    def _paged(self, name: str, rows: list[JSON], query: dict[str, str]) -> JSON:
        size = min(int(query.get("maxResults", 100)), self._page)
        start = int(base64.b64decode(query["nextToken"])) if "nextToken" in query else 0
        rest = {"NextToken": base64.b64encode(str(start + size).encode()).decode()} if start + size < len(rows) else {}
        return {name: rows[start : start + size], **rest}


def _account_of(request: Seen) -> str | None:
    """The account whose signature is on the request, or None when botocore would have signed it otherwise."""
    found = re.match(r"AWS4-HMAC-SHA256 Credential=(\w+)/", request.headers.get("authorization", ""))
    secret, account = ACCOUNTS.get(found[1] if found else "", ("", ""))
    if not found or not account:
        return None
    content_type = {"content-type": request.headers["content-type"]} if request.content else {}
    url = f"http://{request.headers['host']}{request.target}"
    again = AWSRequest(request.method, url, headers=content_type, data=request.content or None)
    again.context["timestamp"] = request.headers["x-amz-date"]
    signer = SigV4Auth(Credentials(found[1], secret, request.headers.get("x-amz-security-token")), SERVICE, REGION)
    signer._modify_request_before_signing(again)
    signature = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
    return account if request.headers["authorization"].endswith(f"Signature={signature}") else None


def _fits(row: JSON, query: dict[str, str]) -> bool:
    wanted = {"status": "Status", "framework": "Framework", "name": "Name"}
    return all(row.get(field) == query[name] for name, field in wanted.items() if name in query) and (
        "isOwned" not in query or str(row["IsOwned"]).lower() == query["isOwned"]
    )


def _refused(name: str, message: str, status: int) -> Reply:
    return Reply({"message": message}, status, {"x-amzn-ErrorType": name})


def _shape(request: Seen) -> str:
    """The call with its ids taken out."""
    return f"{request.method} " + re.sub(r"/(n|m|nd|p|in)-\w+", "/*", request.path)
