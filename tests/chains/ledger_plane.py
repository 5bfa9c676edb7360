"""A small management plane as a real HTTP server: networks, chains with ledgers that tests write, and faults.

Every change is a job that is polled. A test mines, reorganises and cuts ledgers, and makes chains hang or answer
nonsense. `files()` gives the API file and the mapping by which the console speaks to it.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Ledger:
    """One chain as the plane keeps it."""

    def __init__(self, chain_id: str, name: str, network: str) -> None:
        self.id, self.name, self.network = chain_id, name, network
        self.members: list[str] = []
        self.own: dict[str, list[str]] = {}  # node ids of members with other nodes than the one they get by joining
        self.blocks: list[Json] = []
        self.fault = ""  # hang, error, garbage or a key of GARBAGE
        self.ignores_range = False
        self.shows_from = 0  # blocks below are not listed
        self.asked: list[str] = []
        self._branch = itertools.count()
        self.mine(1, transactions=0)

    def mine(self, number: int = 1, *, transactions: int = 1) -> None:
        branch = next(self._branch)
        for _ in range(number):
            height = len(self.blocks)
            parent = self.blocks[-1]["hash"] if self.blocks else ""
            block_hash = _hash(self.id, height, branch, parent)
            hashes = [_hash(block_hash, index) for index in range(transactions)]
            self.blocks.append({"height": height, "hash": block_hash, "parent": parent, "txs": hashes})

    def reorganise(self, depth: int, *, longer_by: int = 1, transactions: int = 1) -> None:
        """The last `depth` blocks are replaced by others."""
        del self.blocks[-depth:]
        self.mine(depth + longer_by, transactions=transactions)

    def cut(self, number: int) -> None:
        """The chain gets shorter."""
        del self.blocks[-number:]

    def time_of(self, height: int) -> str:
        return (BEGIN + timedelta(seconds=5 * height)).isoformat()


def _hash(*parts: object) -> str:
    return "0x" + hashlib.sha256(":".join(map(str, parts)).encode()).hexdigest()


GARBAGE: dict[str, Any] = {
    "no json": "<html>",
    "wrong shape": ["a", "list"],
    "text height": {"height": "twelve", "hash": "x", "transactions": 0},
    "negative": {"height": -4, "hash": "x", "transactions": 0},
    "huge": {"height": 2**80, "hash": "x", "transactions": 0},
}


class Plane:
    """The state, the faults, and the server's life."""

    def __init__(self) -> None:
        self.networks: dict[str, Json] = {}
        self.ledgers: dict[str, Ledger] = {}
        self.jobs: dict[str, Json] = {}
        self.keys: dict[str, str] = {}
        self.fail_next: dict[str, str] = {}  # operation -> "before" or "after" it took effect
        self.asked: list[str] = []  # method and path of every call
        self.answers: dict[str, int] = {}  # path -> the status that it is answered with, instead of doing anything
        self.released = threading.Event()
        self.lock = threading.RLock()
        self._numbers = itertools.count(1)
        handler = type("Handler", (_Handler,), {"plane": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def ledger(self, name: str = "ledger", network: str = "net-0") -> Ledger:
        """A chain that is simply there."""
        made = Ledger(f"chain-{next(self._numbers)}", name, network)
        self.ledgers[made.id] = made
        return made

    def there(self, name: str, *people: Json, state: str = "running", chains: int = 1) -> str:
        """A network that is simply there, with a chain on which everybody has a node; returns its id."""
        network = f"net-{next(self._numbers)}"
        self.networks[network] = {"name": name, "members": [], "people": list(people), "state": state}
        for number in range(chains):
            self.ledger(f"{name} {number}", network).members = [each["id"] for each in people]
        return network

    def shown(self, network: str) -> Json:
        row = self.networks[network]
        people = [{"id": each, "name": each, "tenant": ""} for each in row.get("members", ())]
        return {"id": network, "state": "running", "people": people, **row}

    # --- changes ------------------------------------------------------------------------------------------------------

    def change(self, operation: str, key: str, effect: Any) -> Json:
        """Start a job, once for each key."""
        if key in self.keys:
            return {"job": self.keys[key]}
        job, fault = f"job-{next(self._numbers)}", self.fail_next.pop(operation, "")
        self.keys[key] = job
        known: Json = {}
        if fault != "before":
            known = effect()
        self.jobs[job] = {"state": "running", "polls": 0, "fails": bool(fault), "result": known}
        return {"job": job, **known}

    def poll(self, job: str) -> Json:
        row = self.jobs[job]
        row["polls"] += 1
        if row["polls"] > 1:
            row["state"] = "failed" if row["fails"] else "done"
        return {"state": row["state"], "message": "the job broke" if row["fails"] else "", "result": row["result"]}

    def make_network(self, body: Json) -> Json:
        network = f"net-{next(self._numbers)}"
        self.networks[network] = {"name": body["name"], "members": [body["org"]]}
        return {"id": network}

    def make_chain(self, network: str, body: Json) -> Json:
        made = self.ledger(body["name"], network)
        self.enter(made, body)
        return {"id": made.id}

    def enter(self, ledger: Ledger, body: Json) -> Json:
        """A member comes with a node that is built for it, or with nodes that it has already."""
        org = body["org"]
        there = node_ids(ledger, org) if org in ledger.members else []
        if org not in ledger.members:
            ledger.members.append(org)
        if body.get("nodes"):
            ledger.own[org] = [*there, *body["nodes"]]
        return {}

    def add_node(self, ledger: Ledger, org: str) -> Json:
        ledger.own[org] = [*node_ids(ledger, org), f"node-{next(self._numbers)}"]
        return {"id": ledger.own[org][-1]}

    def remove_node(self, ledger: Ledger, org: str, node: str) -> Json:
        ledger.own[org] = [each for each in node_ids(ledger, org) if each != node]
        return {}

    def nodes(self, network: str, chain: str) -> list[Json]:
        return [
            {"id": node, "chain": ledger.id, "org": org, "url": f"http://{org}.{ledger.id}:8545"}
            for ledger in self.ledgers.values()
            if ledger.network == network and chain in ("", ledger.id)
            for org in ledger.members
            for node in node_ids(ledger, org)
        ]


def node_ids(ledger: Ledger, org: str) -> list[str]:
    return ledger.own.get(org, [f"{ledger.id}-{org}"])


class _Handler(BaseHTTPRequestHandler):
    plane: Plane
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def _answer(self, method: str) -> None:
        split = urlsplit(self.path)
        body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or "{}")
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        parts = split.path.strip("/").split("/")
        self.plane.asked.append(f"{method} {split.path}")
        fault = self._fault(parts)
        if fault == "hang":
            self.plane.released.wait(30)
            self.close_connection = True
            return
        with self.plane.lock:
            try:
                status, answer = self.plane.answers.get(split.path, 200), {"message": "not today"}
                if status == 200:
                    answer = self._route(method, parts, query, body)
            except KeyError as problem:
                status, answer = 404, {"message": f"there is no {problem.args[0]}"}
        if fault == "error":
            status, answer = 503, {"message": "come back later"}
        elif fault in GARBAGE and parts[-1] == "summary":
            answer = GARBAGE[fault]
        text = answer if isinstance(answer, str) else json.dumps(answer)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def _fault(self, parts: list[str]) -> str:
        ledger = self.plane.ledgers.get(parts[1]) if parts[0] == "chains" and len(parts) == 3 else None
        if ledger is not None:
            ledger.asked.append(parts[2])
        return ledger.fault if ledger else ""

    def _route(self, method: str, parts: list[str], query: Json, body: Json) -> Any:
        plane, key = self.plane, self.headers.get("x-key", "")
        match method, *parts:
            case "GET", "jobs", job:
                return plane.poll(job)
            case "POST", "networks":
                return plane.change("create_network", key, lambda: plane.make_network(body))
            case "GET", "networks":
                return {"items": [plane.shown(each) for each in plane.networks]}
            case "GET", "networks", network:
                return plane.shown(network)
            case "DELETE", "networks", network:
                plane.networks[network]
                return plane.change("delete_network", key, lambda: plane.networks.pop(network) and {})
            case "POST", "networks", network, "members":
                members = plane.networks[network]["members"]
                return plane.change("join_network", key, lambda: members.append(body["org"]) or {"id": body["org"]})
            case "DELETE", "networks", network, "members", org:
                members = _having(plane.networks[network]["members"], org)
                return plane.change("quit_network", key, lambda: members.remove(org) or {})
            case "GET", "networks", network, "chains":
                found = [each for each in plane.ledgers.values() if each.network == network]
                return {"items": [{"id": each.id, "name": each.name, "network": network} for each in found]}
            case "POST", "networks", network, "chains":
                plane.networks[network]
                name = "create_subchain" if body.get("nodes") else "create_chain"
                return plane.change(name, key, lambda: plane.make_chain(network, body))
            case "GET", "networks", network, "nodes":
                return {"items": plane.nodes(network, query.get("chain", ""))}
            case _, "chains", chain, *rest:
                return self._chain(method, plane.ledgers[chain], rest, query, body)
        raise KeyError(self.path)

    def _chain(self, method: str, ledger: Ledger, rest: list[str], query: Json, body: Json) -> Any:
        plane, key = self.plane, self.headers.get("x-key", "")
        match method, *rest:
            case ("GET",):
                return {"id": ledger.id, "name": ledger.name, "network": ledger.network, "consensus": "clique"}
            case ("DELETE",):
                return plane.change("delete_chain", key, lambda: plane.ledgers.pop(ledger.id) and {})
            case "POST", "members":
                name = "join_subchain" if body.get("nodes") else "join_chain"
                return plane.change(name, key, lambda: plane.enter(ledger, body))
            case "DELETE", "members", org:
                members = _having(ledger.members, org)
                return plane.change("quit_chain", key, lambda: _left(ledger, members, org))
            case "POST", "nodes":
                return plane.change("add_node", key, lambda: plane.add_node(ledger, body["org"]))
            case "DELETE", "nodes", org, node:
                _having(node_ids(ledger, org), node)
                return plane.change("remove_node", key, lambda: plane.remove_node(ledger, org, node))
            case "GET", "summary":
                head = ledger.blocks[-1]
                total = sum(len(block["txs"]) for block in ledger.blocks)
                return {**_shown(ledger, head), "transactions": total}
            case "GET", "blocks":
                return {"items": _page([_shown(ledger, block) for block in _blocks(ledger, query)], query)}
            case "GET", "transactions":
                return {"items": _page(_transactions(ledger, query), query)}
            case "GET", "monitoring":
                return {"figures": [{"name": "cpu", "value": 12.5, "unit": "%"}]}
        raise KeyError(self.path)


def _left(ledger: Ledger, members: list[str], org: str) -> Json:
    members.remove(org)
    ledger.own.pop(org, None)
    return {}


def _having(members: list[str], org: str) -> list[str]:
    if org not in members:
        raise KeyError(org)
    return members


def _shown(ledger: Ledger, block: Json) -> Json:
    return {
        "height": block["height"],
        "hash": block["hash"],
        "parent": block["parent"],
        "time": ledger.time_of(block["height"]),
        "transactions": len(block["txs"]),
    }


def _blocks(ledger: Ledger, query: Json) -> list[Json]:
    """Newest first, as most platforms list them."""
    shown = [block for block in reversed(ledger.blocks) if block["height"] >= ledger.shows_from]
    if ledger.ignores_range:
        return shown
    low, high = int(query.get("from", 0)), int(query.get("to", 2**62))
    return [block for block in shown if low <= block["height"] <= high]


def _transactions(ledger: Ledger, query: Json) -> list[Json]:
    return [
        {"hash": each, "height": block["height"], "index": index, "time": ledger.time_of(block["height"])}
        for block in reversed(ledger.blocks)
        if "height" not in query or block["height"] == int(query["height"])
        for index, each in enumerate(block["txs"])
    ]


def _page(rows: list[Json], query: Json) -> list[Json]:
    size = min(int(query["size"]), 50)  # a platform that gives less than it is asked for
    start = (int(query["page"]) - 1) * size
    return rows[start : start + size]
