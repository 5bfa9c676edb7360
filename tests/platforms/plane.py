"""A small management plane as a real HTTP server, for every room's tests: health, tenants, networks built by jobs.

Its API file, mapping and samples lie in `plane_files/`. `plane.faults["POST /v1/networks"] = ["reset"]` lets the next
such call go wrong; see `Fault`. `plane.asked` is every call as it came in.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]
FILES = Path(__file__).parent / "plane_files"
API_FILE = (FILES / "openapi.yaml").read_text()
MAPPING = (FILES / "mapping.yaml").read_text()
SAMPLES: Json = yaml.safe_load((FILES / "samples.yaml").read_text())
TOKEN = "operator-token-1"
# "reset", "hang": nothing happens. "reset-after", "hang-after", "html": it happens, but the answer is lost or nonsense.
# {status, headers, body}: it happens, and this is the answer; nothing happens with "effect": False.
Fault = str | Json


@dataclass(frozen=True)
class Asked:
    """One call as it came in."""

    route: str
    path: str
    token: str
    body: Any


@dataclass
class Network:
    id: str
    label: str
    state: str = "BUILDING"
    members: list[Json] = field(default_factory=list)

    def shown(self) -> Json:
        return {"id": self.id, "label": self.label, "state": self.state, "made": 1700000000123, "members": self.members}


class Plane:
    """The state, the faults, and the server's life. `polls` is how often a job says that it is at work."""

    def __init__(self, *, polls: int = 1) -> None:
        self.polls = polls
        self.tokens = {TOKEN: "operator"}
        self.health: Json = {"state": "OK", "release": "1.4.2", "note": ""}
        self.tenants = [{"id": 11, "label": "Tax Bureau", "project": "p-1"}, {"id": 12, "label": "Housing Office"}]
        self.networks: dict[str, Network] = {}
        self.jobs: dict[str, Json] = {}
        self.once: dict[str, Json] = {}  # token of a creation -> what it was answered
        self.faults: dict[str, list[Fault]] = {}
        self.job_ends = "DONE"
        self.asked: list[Asked] = []
        self.connections: set[socket.socket] = set()
        self.over = threading.Event()
        self.lock = threading.RLock()
        self.numbers = itertools.count(1)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"plane": self}))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def routes(self) -> list[str]:
        """Which calls came in, in order."""
        return [each.route for each in self.asked]

    def registration(self, **changes: Any) -> Json:
        """The body of `POST /api/v1/platforms` for this plane."""
        return {
            "oemtype": "testbed",
            "name": "Testbed",
            "kind": "mapped",
            "cloudtype": "cloud",
            "kernel": "ethereum",
            "base_url": self.address,
            "credentials": {"token": TOKEN},
            "api_file": API_FILE,
            "mapping": MAPPING,
            "samples": SAMPLES,
            **changes,
        }

    # --- what it does -------------------------------------------------------------------------------------------------

    def answer(self, method: str, parts: list[str], query: str, body: Any) -> tuple[int, Any]:
        """Status and body of a call."""
        match method, *parts:
            case "GET", "health":
                return 200, self.health
            case "GET", "tenants":
                first = "cursor" not in query
                rows, more = (self.tenants[:1], "second") if first else (self.tenants[1:], None)
                return 200, {"tenants": rows, "next": more}
            case "GET", "networks":
                return 200, {"networks": [each.shown() for each in self.networks.values()]}
            case "POST", "networks":
                return 202, self._create(body)
            case "GET", "networks", network if network in self.networks:
                return 200, self.networks[network].shown()
            case "DELETE", "networks", network if network in self.networks:
                return 202, {"job": "j-0", "network": self.networks.pop(network).id}
            case "POST", "networks", network, "members" if network in self.networks:
                return 202, self._add(network, body)
            case "GET", "jobs", job if job in self.jobs:
                return 200, self._poll(job)
        return 404, NO_NETWORK

    def _create(self, body: Json) -> Json:
        if body["token"] not in self.once:
            network = Network(f"n-{next(self.numbers)}", body["name"], members=[{"id": "m-0", **body["owner"]}])
            self.networks[network.id] = network
            job = f"j-{next(self.numbers)}"
            self.jobs[job] = {"network": network, "polls": 0}
            self.once[body["token"]] = {"job": job, "network": network.id}
        return self.once[body["token"]]

    def _add(self, network: str, body: Json) -> Json:
        member = {"id": f"m-{next(self.numbers)}", "org": body["org"]}
        self.networks[network].members.append(member)
        return {"job": "j-0", "network": network, "member": member["id"]}

    def _poll(self, job: str) -> Json:
        row = self.jobs[job]
        row["polls"] += 1
        if row["polls"] <= self.polls:
            return {"state": "RUNNING"}
        row["network"].state = "LIVE" if self.job_ends == "DONE" else "BROKEN"
        return {"state": self.job_ends, "reason": "" if self.job_ends == "DONE" else "the disk is full"}


NO_NETWORK = {"error": {"code": "NO_NETWORK", "text": "There is no such network."}}


class _Handler(BaseHTTPRequestHandler):
    plane: Plane
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.plane.connections.add(self.connection)

    def finish(self) -> None:
        self.plane.connections.discard(self.connection)
        super().finish()

    def log_message(self, *args: object) -> None:
        pass

    def _any(self) -> None:
        path, _mark, query = self.path.partition("?")
        length = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        parts = path.strip("/").split("/")[1:]
        status, answer, route = 0, None, _route(self.command, parts)
        with self.plane.lock:
            self.plane.asked.append(Asked(route, self.path, token, body))
            waiting = self.plane.faults.get(route)
            fault = waiting.pop(0) if waiting else None
            if token not in self.plane.tokens:
                status, answer = 401, {"error": {"code": "WHO", "text": f"the token {token} is not known"}}
            elif not _prevents(fault):
                status, answer = self.plane.answer(self.command, parts, query, body)
        self._finish(fault, status, answer)

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _any

    def _finish(self, fault: Fault | None, status: int, answer: Any) -> None:
        if isinstance(fault, dict):
            self._send(fault.get("status", status), fault.get("headers", {}), fault.get("body", answer))
        elif fault in ("reset", "reset-after"):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        elif fault in ("hang", "hang-after"):
            self.plane.over.wait(60)
            self.close_connection = True
        elif fault == "html":
            self._send(200, {"content-type": "text/html"}, b"<html>Maintenance</html>")
        else:
            self._send(status, {}, answer)

    def _send(self, status: int, headers: Json, answer: Any) -> None:
        text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        with contextlib.suppress(OSError):
            self.send_response(status)
            for name, value in {"content-type": "application/json", **headers}.items():
                self.send_header(name, str(value))
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)


def _prevents(fault: Fault | None) -> bool:
    """Whether the call comes to nothing."""
    return fault in ("reset", "hang") or (isinstance(fault, dict) and fault.get("effect") is False)


def _route(method: str, parts: list[str]) -> str:
    """The call as the API file names it."""
    names = {"networks": "{network}", "jobs": "{job}"}
    shown = [names.get(parts[i - 1], part) if i == 1 else part for i, part in enumerate(parts)]
    return f"{method} /v1/{'/'.join(shown)}"


@contextlib.contextmanager
def running_plane(**options: Any) -> Iterator[Plane]:
    """A plane that serves until the block ends."""
    plane = Plane(**options)
    try:
        yield plane
    finally:
        plane.close()
