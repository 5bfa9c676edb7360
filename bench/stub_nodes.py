"""Very many nodes in one process: each loopback address is one, and answers JSON-RPC with a chain of one block.

`python -m bench.stub_nodes` prints the port; nodes are 127.1.0.1, 127.1.0.2 … of that port. Those whose number ends in
nine take every call and never answer when it is addressed as `PORT hang` on standard input; `PORT answer` ends that.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BLOCK = {
    "number": "0x0",
    "hash": "0x" + "5a" * 32,
    "parentHash": "0x" + "00" * 32,
    "timestamp": "0x6b0cb277",
    "logsBloom": "0x" + "00" * 256,
    "miner": "0x" + "00" * 20,
    "gasLimit": "0x1c9c380",
    "gasUsed": "0x0",
    "transactions": [],
}
ANSWERS: dict[str, Any] = {
    "eth_chainId": hex(1337),
    "eth_getBlockByNumber": BLOCK,
    "eth_getBlockTransactionCountByNumber": "0x0",
    "eth_getBlockReceipts": [],
}


def address_of(number: int, port: int) -> str:
    return f"127.1.{number // 250}.{number % 250 + 1}:{port}"


class _Node(asyncio.Protocol):
    hanging = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._received = transport, b""
        _one, _two, high, low = transport.get_extra_info("sockname")[0].split(".")
        self._hangs = (int(high) * 250 + int(low) - 1) % 10 == 9

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self._received = body[length:]
        if self._hangs and _Node.hanging:
            return
        answer = json.dumps(
            [{"jsonrpc": "2.0", "id": each["id"], "result": ANSWERS[each["method"]]} for each in json.loads(body)]
        ).encode()
        self._transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(answer), answer)
        )


class StubNodes:
    """`with StubNodes() as nodes`: a process of its own."""

    def __enter__(self) -> StubNodes:
        command = [sys.executable, "-m", "bench.stub_nodes"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def say(self, word: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        self._process.stdout.readline()

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Node, "0.0.0.0", 0, backlog=2000)
    print(server.sockets[0].getsockname()[1], flush=True)
    while word := await asyncio.to_thread(sys.stdin.readline):
        _Node.hanging = word.strip() == "hang"
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
