"""A node that answers as it is told to: in another form than it should, or too slowly."""

from __future__ import annotations

import contextlib
import json
import math
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
HASHES = [f"0x{number:064x}" for number in range(300)]
ACCOUNT = "0x" + "a" * 40
NUMBER, HEIGHT = 5, 20
TOO_MANY = b'{"jsonrpc": "2.0", "id": null, "error": {"code": -32600, "message": "batch too large"}}'
SMALL = {
    "eth_chainId": hex(NUMBER),
    "eth_blockNumber": hex(HEIGHT),
    "net_peerCount": "0x1",
    "web3_clientVersion": "Liar/v1.0.0",
}


class LyingNode:
    """Blocks of one transaction each. `change` makes another answer of a method's own; `body` stands for all of them.
    What asks for more than `most` calls at once waits until `close`; more than `takes` get one error for all."""

    def __init__(self, ip: str = "127.0.0.1", port: int = 0) -> None:
        self.most: float = math.inf
        self.takes: float = math.inf
        self.asked: list[int] = []  # how many calls at once
        self._closed = threading.Event()
        self.change: Any = lambda method, answer: answer
        self.body: bytes | None = None
        handler = type("Handler", (_Handler,), {"node": self})
        self.server = ThreadingHTTPServer((ip, port), handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    @property
    def chain_id(self) -> str:
        """The chain 5 with this one node, as a chain that is only observed."""
        return known_as(self)

    def let(self, calls: list[Json]) -> None:
        """Return when these may be answered."""
        self.asked.append(len(calls))
        if len(calls) > self.most:
            self._closed.wait()

    def close(self) -> None:
        self._closed.set()
        self.server.shutdown()
        self.server.server_close()

    def answer(self, call: Json) -> Json:
        about = {"jsonrpc": "2.0", "id": call["id"]}
        truth = self.truth(call["method"], call["params"])
        if truth is None:
            return {**about, "error": {"code": -32601, "message": "it does not exist"}}
        return {**about, "result": self.change(call["method"], truth)}

    def truth(self, method: str, params: list[Any]) -> Any:
        if method in SMALL:
            return SMALL[method]
        if method not in ("eth_getBlockByNumber", "eth_getBlockReceipts", "eth_getBlockTransactionCountByNumber"):
            return None
        height = HEIGHT if params[0] == "latest" else int(params[0], 16)
        transaction = HASHES[height + 5]
        if method == "eth_getBlockTransactionCountByNumber":
            return "0x1"
        if method == "eth_getBlockByNumber":
            whole = {"hash": transaction, "value": "0x7", "nonce": "0x3", "from": ACCOUNT, "to": None, "input": "0x01"}
            return {
                "number": hex(height),
                "hash": HASHES[height + 1],
                "parentHash": HASHES[height],
                "timestamp": "0x65000000",
                "transactions": [whole if params[1] else transaction],
                "whatever": [1, 2.5, None, {"else": "there is"}],
            }
        log = {"address": ACCOUNT, "topics": [HASHES[9]], "data": "0x", "removed": False}
        receipt = {"transactionHash": transaction, "blockHash": HASHES[height + 1], "gasUsed": "0x5208"}
        return [{**receipt, "from": ACCOUNT, "to": None, "contractAddress": ACCOUNT, "logs": [log]}]


def known_as(*nodes: LyingNode) -> str:
    """The chain 5 with these nodes, as a chain that is only observed."""
    return f"{NUMBER}@{','.join(f'127.0.0.1:{each.port}' for each in nodes)}"


class _Handler(BaseHTTPRequestHandler):
    node: LyingNode

    def do_POST(self) -> None:
        calls = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.node.let(calls)
        body = TOO_MANY if len(calls) > self.node.takes else self.node.body
        if body is None:
            body = json.dumps([self.node.answer(each) for each in reversed(calls)]).encode()
        with contextlib.suppress(OSError):  # whoever asked has gone
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass
