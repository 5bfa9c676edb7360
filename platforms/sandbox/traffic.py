"""A little traffic, so that ledgers are worth looking at: transfers, a small contract, now and then a failure.

A chain mines a block for each transaction and none without, so an idle chain does not grow; and a chain that has grown
beyond `quietAfter` blocks gets one transaction a minute only, so that one left alone for weeks does not either.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable

from platforms.sandbox.counter import CODE, INCREMENT
from platforms.sandbox.kernel import Kernel, KernelFailed
from platforms.sandbox.store import Json, Store

logger = logging.getLogger(__name__)

DEFAULTS = {"enabled": True, "perMinute": 20, "quietAfter": 2000}
QUIET_SECONDS = 60.0
LOOK_SECONDS = 0.5
ETHER = 10**18
FAILING_CALL = "0xdeadbeef"  # no such function: the contract reverts
CALL_GAS = hex(200_000)
_DICE = random.Random()  # noqa: S311 - nothing here is secret


class Traffic:
    """Sends transactions to every running chain, each at its own pace."""

    def __init__(self, store: Store, kernels: Callable[[], dict[str, Kernel]]) -> None:
        self._store, self._kernels = store, kernels
        self._due: dict[str, float] = {}
        self._contracts: dict[str, tuple[int, str]] = {}  # chain → generation of its process, contract
        self._task: asyncio.Task[None] | None = None
        self.sent = 0

    @property
    def settings(self) -> Json:
        return {**DEFAULTS, **self._store.settings.get("traffic", {})}

    def set(self, changes: Json) -> None:
        self._store.settings["traffic"] = {**self._store.settings.get("traffic", {}), **changes}
        self._due.clear()
        self._store.save()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            settings = self.settings
            if settings["enabled"]:
                running = {name: kernel for name, kernel in self._kernels().items() if kernel.running}
                sent = (self._maybe(name, kernel, settings) for name, kernel in running.items())
                for problem in await asyncio.gather(*sent, return_exceptions=True):
                    if isinstance(problem, Exception):
                        logger.error("no transaction", exc_info=problem)
            await asyncio.sleep(min(LOOK_SECONDS, 30 / settings["perMinute"]))

    async def _maybe(self, name: str, kernel: Kernel, settings: Json) -> None:
        now = asyncio.get_running_loop().time()
        if self._due.get(name, 0) > now or self._store.chains.get(name, {}).get("state") != "RUNNING":
            return
        try:
            await self._send(name, kernel)
            height = int(await kernel.rpc("eth_blockNumber"), 16)
        except KernelFailed as problem:
            logger.info("no transaction for %s: %s", name, problem)
            height = 0
        seconds = QUIET_SECONDS if height > settings["quietAfter"] else 60 / settings["perMinute"]
        self._due[name] = now + seconds * _DICE.uniform(0.6, 1.4)

    async def _send(self, name: str, kernel: Kernel) -> None:
        accounts = await kernel.rpc("eth_accounts")
        sender, receiver = _DICE.sample(accounts, 2)
        contract = await self._contract(name, kernel)
        choice = _DICE.random()
        if contract is None or choice < 0.04:
            transaction = {"from": sender, "data": CODE}
        elif choice < 0.55:
            transaction = {"from": sender, "to": receiver, "value": hex(_DICE.randrange(ETHER // 100, ETHER))}
        elif choice < 0.9:
            transaction = {"from": sender, "to": contract, "data": INCREMENT}
        else:
            transaction = {"from": sender, "to": contract, "data": FAILING_CALL, "gas": CALL_GAS}
        sent = await kernel.rpc("eth_sendTransaction", transaction)
        self.sent += 1
        if "to" not in transaction:
            await self._remember(name, kernel, sent)

    async def _contract(self, name: str, kernel: Kernel) -> str | None:
        """The chain's contract, if it is still there after the last restart of its process."""
        known = self._contracts.get(name)
        if known is not None and known[0] == kernel.generation:
            return known[1]
        address = self._store.chains.get(name, {}).get("contract")
        if address and await kernel.rpc("eth_getCode", address, "latest") != "0x":
            self._contracts[name] = (kernel.generation, address)
            return address
        return None

    async def _remember(self, name: str, kernel: Kernel, sent: str) -> None:
        for _attempt in range(20):
            receipt = await kernel.rpc("eth_getTransactionReceipt", sent)
            if receipt is not None:
                break
            await asyncio.sleep(0.05)
        else:
            return
        chain = self._store.chains.get(name)
        if chain is not None and receipt.get("contractAddress"):
            chain["contract"] = receipt["contractAddress"]
            self._contracts[name] = (kernel.generation, chain["contract"])
            self._store.save()
