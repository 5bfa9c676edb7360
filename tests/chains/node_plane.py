"""A blockchain node on this machine, for the gateway: a program of its own behind HTTP, well or ill behaved."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

Json = dict[str, Any]


class NodePlane:
    """Answers every call with its method; `mood` says how it misbehaves. `asked` holds bodies, `keys` their headers."""

    def __init__(self) -> None:
        self.mood = ""
        self.asked: list[Any] = []
        self.keys: list[str] = []
        self.wanted_key = ""
        self.released = threading.Event()
        handler = type("Handler", (_Handler,), {"node": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server.server_address[1]}"

    @property
    def address(self) -> str:
        return f"http://{self.host}/rpc"

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    node: NodePlane
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.node.asked.append(body)
        self.node.keys.append(self.headers.get("Authorization", ""))
        if self.node.wanted_key and self.node.keys[-1] != self.node.wanted_key:
            return self._say(401, {"message": f"no entry at {self.node.host}"})
        mood = self.node.mood
        if mood == "hang":
            self.node.released.wait(10)
            return None
        if mood == "garbage":
            return self._say(200, "<html>")
        if mood == "shapeless":
            return self._say(200, {"hello": "there"})
        if mood == "huge":
            return self._say(200, {"jsonrpc": "2.0", "id": 0, "result": "x" * (5 * 1024 * 1024)})
        calls = body if isinstance(body, list) else [body]
        answers = [self._answer(each) for each in reversed(calls)]  # in any order
        return self._say(200, answers if isinstance(body, list) else answers[0])

    def _answer(self, call: Json) -> Json:
        about: Json = {"jsonrpc": "2.0", "id": call["id"], "node": self.node.host}
        if self.node.mood == "refuse":
            return about | {"error": {"code": -32000, "message": f"nonce too low at {self.node.host}"}}
        return about | {"result": call["method"]}

    def _say(self, status: int, body: Any) -> None:
        text = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def anvil(binary: Path, *options: str) -> Iterator[str]:
    """A real EVM chain; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [str(binary), "--port", str(port), "--chain-id", "4242", "--accounts", "2", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(10)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            body = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
            if httpx.post(address, json=body, trust_env=False).json()["result"] == hex(4242):
                return
        except (httpx.HTTPError, ValueError, KeyError):
            assert process.poll() is None, "anvil has ended"
        assert time.monotonic() < deadline, "anvil does not answer"
        time.sleep(0.05)
