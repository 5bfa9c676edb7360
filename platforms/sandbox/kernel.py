"""One chain, one anvil process: its state is on disk, it is restarted when it dies and saved when it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import logging
import shutil
import signal
import socket
from pathlib import Path
from typing import Any

import aiohttp

logger = logging.getLogger(__name__)

STATE_SECONDS = 2
START_SECONDS = 20.0
MAX_BACKOFF = 30.0
PR_SET_PDEATHSIG = 1


class KernelFailed(Exception):
    """The process does not come up, or does not answer."""


class Kernel:
    """An anvil that keeps running until `stop`. `port` is on the loopback address."""

    def __init__(self, binary: Path, folder: Path, evm_chain_id: int, session: aiohttp.ClientSession) -> None:
        self.evm_chain_id = evm_chain_id
        self.port = 0
        self._binary, self._folder, self._session = binary, folder, session
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Come up with the state of last time; KernelFailed when it does not."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._mend_state()
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Save the state and go."""
        self._stopping = True
        if self._keeper is not None:
            self._keeper.cancel()
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), 10)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    def remove_state(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    async def rpc(self, method: str, *params: Any) -> Any:
        return (await self.batch([(method, list(params))]))[0]

    async def batch(self, calls: list[tuple[str, list[Any]]]) -> list[Any]:
        """Several JSON-RPC calls in one request, answered in order; KernelFailed on any error."""
        body = [{"jsonrpc": "2.0", "id": n, "method": m, "params": p} for n, (m, p) in enumerate(calls)]
        try:
            async with self._session.post(f"http://127.0.0.1:{self.port}", json=body) as response:
                answers = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, json.JSONDecodeError) as problem:
            raise KernelFailed(f"the node does not answer: {problem}") from problem
        by_id = {answer["id"]: answer for answer in answers}
        failed = next((answer["error"] for answer in answers if "error" in answer), None)
        if failed is not None:
            raise KernelFailed(str(failed.get("message", failed)))
        return [by_id[n]["result"] for n in range(len(calls))]

    @property
    def _state(self) -> Path:
        return self._folder / "state.json"

    def _mend_state(self) -> None:
        """A state cut off by a crash is replaced by the last good one; a good one is kept for next time."""
        good = self._folder / "state.good.json"
        if not self._state.exists():
            return
        try:
            json.loads(self._state.read_text())
            shutil.copyfile(self._state, good)
        except ValueError:
            logger.warning("the state of chain %s is damaged; going back to the last good one", self.evm_chain_id)
            if good.exists():
                shutil.copyfile(good, self._state)
            else:
                self._state.unlink()

    async def _spawn(self) -> None:
        self.port = _free_port()
        arguments = (
            f"--host 127.0.0.1 --port {self.port} --chain-id {self.evm_chain_id} --accounts 4 --silent "
            f"--state-interval {STATE_SECONDS} --transaction-block-keeper 1000000 --prune-history 64"
        ).split()
        self._process = await asyncio.create_subprocess_exec(
            str(self._binary),
            *arguments,
            "--state",
            str(self._state),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            preexec_fn=_die_with_parent,
        )
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_SECONDS
        while loop.time() < deadline:
            if self._process.returncode is not None:
                raise KernelFailed(f"anvil ended with code {self._process.returncode}")
            with contextlib.suppress(KernelFailed):
                await self.rpc("eth_blockNumber")
                return
            await asyncio.sleep(0.05)
        raise KernelFailed("anvil did not answer in time")

    async def _keep(self) -> None:
        backoff = 0.5
        while not self._stopping:
            if self._process is not None:
                await self._process.wait()
            if self._stopping:
                return
            logger.warning("the node of chain %s ended; starting it again", self.evm_chain_id)
            await asyncio.sleep(backoff)
            backoff = min(MAX_BACKOFF, backoff * 2)
            self._mend_state()
            with contextlib.suppress(KernelFailed):
                await self._spawn()
                backoff = 0.5


def _die_with_parent() -> None:
    """Linux: the kernel sends SIGTERM when the sandbox dies, however it dies; and Ctrl-C reaches the sandbox only."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
