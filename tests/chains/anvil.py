"""A real node with a ledger of one's own making: anvil, filled with blocks, transactions and logs."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from console.processes import end_with_parent
from platforms.sandbox.anvil import find_anvil
from tests.tools.services import free_port

START_SECONDS = 30.0
# Whoever calls it gets a log with one topic and 32 bytes of data.
LOGGER = "602a6000527f" + "ab" * 32 + "60206000a100"
DEPLOY = f"0x60{len(LOGGER) // 2:02x}80600b6000396000f3{LOGGER}"


class AnvilChain:
    """A chain that makes a block when it is told to."""

    def __init__(self, port: int, pid: int) -> None:
        self.port, self.pid = port, pid
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
        self.accounts: list[str] = []
        self.logger = ""

    @property
    def chain_id(self) -> str:
        """As the driver of the kind `evm` names a chain that is only observed."""
        return f"31337@127.0.0.1:{self.port}"

    def call(self, method: str, *parameters: Any) -> Any:
        return self.batch([(method, *parameters)])[0]

    def batch(self, calls: list[tuple[Any, ...]]) -> list[Any]:
        body = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}
            for number, (method, *parameters) in enumerate(calls)
        ]
        answers = {each["id"]: each for each in self._http.post("/", json=body).json()}
        return [answers[number]["result"] for number in range(len(calls))]

    def start(self) -> AnvilChain:
        deadline = time.monotonic() + START_SECONDS
        while not self.accounts:
            try:
                self.accounts = self.call("eth_accounts")
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        sent = self.call("eth_sendTransaction", {"from": self.accounts[0], "data": DEPLOY})
        self.call("evm_mine")
        self.logger = self.call("eth_getTransactionReceipt", sent)["contractAddress"]
        return self

    def mine(self, blocks: int, *, transactions: int = 4, mark: int = 0) -> None:
        """Blocks of so many transactions, every second one with a log. `mark` tells branches apart."""
        for _block in range(blocks):
            if transactions:
                self.batch([("eth_sendTransaction", self._transaction(number, mark)) for number in range(transactions)])
            self.call("evm_mine")

    def _transaction(self, number: int, mark: int) -> dict[str, str]:
        sender = self.accounts[number % len(self.accounts)]
        to = self.logger if number % 2 else self.accounts[-1]
        return {"from": sender, "to": to, "value": hex(0 if number % 2 else 1 + mark), "gas": hex(60_000)}

    @property
    def height(self) -> int:
        return int(self.call("eth_blockNumber"), 16)


@contextmanager
def anvil_chain(*arguments: str) -> Iterator[AnvilChain]:
    port = free_port()
    command = [str(find_anvil()), "--silent", "--port", str(port), "--no-mining", "--order", "fifo", *arguments]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, preexec_fn=end_with_parent)
    try:
        yield AnvilChain(port, process.pid).start()
    finally:
        process.kill()
        process.wait()
