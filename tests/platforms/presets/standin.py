"""A stand-in for a platform: a real HTTP server on the loopback that answers from routes and remembers what it saw."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True)
class Seen:
    """A request as it came over the wire. `values` are the path's parameters, decoded."""

    method: str
    target: str  # as it stood in the request line, still encoded
    headers: dict[str, str]
    content: bytes
    values: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json.loads(self.content) if self.content else None

    @property
    def call(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Reply:
    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Answering = Callable[[Seen], Any]


class StandIn:
    """`with StandIn() as platform:`; a subclass lists its `routes`: (method, path with {names}, its own method)."""

    routes: tuple[tuple[str, str, str], ...] = ()
    prefix = ""  # before every route
    in_address = False  # whether the prefix belongs to the address that is registered

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self.seen: list[Seen] = []
        self.lock = threading.RLock()
        self._routes: list[tuple[str, re.Pattern[str], Answering]] = []
        self._instead: dict[str, list[Reply]] = {}
        self._to_lose: list[str] = []
        for method, path, name in self.routes:
            self.on(method, self.prefix + path, getattr(self, name))

    def on(self, method: str, path: str, answering: Answering) -> None:
        names = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
        self._routes.append((method, re.compile(f"{names}$"), answering))

    def instead(self, call: str, *replies: Reply) -> None:
        """The next answers to `GET /path`, before the usual ones."""
        self._instead.setdefault(call, []).extend(replies)

    def lose(self, call: str) -> None:
        """Do what `POST /path` asks for, once, and break the connection instead of answering."""
        self._to_lose.append(call)

    def lost(self, call: str) -> bool:
        with self.lock:
            if call not in self._to_lose:
                return False
            self._to_lose.remove(call)
            return True

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_problem: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def calls(self, method: str = "", ending: str = "") -> list[Seen]:
        return [each for each in self.seen if each.method.startswith(method) and each.path.endswith(ending)]

    def admitted(self, request: Seen) -> Reply | None:
        """None for whoever may come in, else the refusal."""
        return None

    def answer(self, request: Seen) -> Reply:
        for method, pattern, answering in self._routes:
            found = pattern.match(request.path) if method == request.method else None
            if found:
                values = {name: unquote(value) for name, value in found.groupdict().items()}
                known = Seen(request.method, request.target, request.headers, request.content, values)
                with self.lock:
                    self.seen.append(known)
                    planned = self._instead.get(known.call)
                    made = planned.pop(0) if planned else self.admitted(known) or answering(known)
                return made if isinstance(made, Reply) else Reply(made)
        with self.lock:
            self.seen.append(request)
        return Reply({"message": f"no route for {request.call}"}, 404)


def _handler(platform: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Seen(self.command, self.path, headers, content)
            reply = platform.answer(request)
            if platform.lost(request.call):
                self.close_connection = True
                return
            body = b"" if reply.body is None else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in {"content-type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _do

        def log_message(self, *_parts: object) -> None:
            return None

    return Handler
