"""One chain, one anvil process: its state is on disk, it is restarted when it dies and saved when it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import gzip
import json
import logging
import os
import shutil
import signal
import socket
import time
from pathlib import Path
from typing import Any

import aiohttp

logger = logging.getLogger(__name__)

SAVE_SECONDS = 2.0  # a chain that moves is saved this often
BYTES_SAVED_PER_SECOND = 2_000_000  # a long one less often
STATE_INTERVAL = 60  # anvil's own writing, which goes on while nothing happens
START_SECONDS = 20.0
START_ATTEMPTS = 3
STOP_SECONDS = 3.5
RPC_SECONDS = 10.0
MAX_BACKOFF = 30.0
PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)  # before any fork


class KernelFailed(Exception):
    """The process does not come up, or does not answer."""


class EndedAtOnce(KernelFailed):
    """The process ended before it answered: its port was taken in between, or the program does not run here."""


class Kernel:
    """An anvil that keeps running until `stop`. `port` is on the loopback address.

    `generation` grows with every process: after a crash the newest blocks may be gone, and what was read before
    must be read again. `born` is the genesis block's time in seconds.
    """

    def __init__(
        self, binary: Path | None, folder: Path, evm_chain_id: int, born: int, session: aiohttp.ClientSession
    ) -> None:
        self.evm_chain_id, self._born = evm_chain_id, born
        self.port = 0
        self.generation = 0
        self.started_at = 0.0
        self._binary, self._folder, self._session = binary, folder, session
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = self._ready = False

    @property
    def running(self) -> bool:
        return self._ready and self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self.running else None

    @property
    def state_bytes(self) -> int:
        return max((path.stat().st_size for path in (self._state, self._saved) if path.exists()), default=0)

    async def start(self) -> None:
        """Come up with the state of last time; KernelFailed when it does not (and it is tried again and again)."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._tasks:
            await self._await_keeper()
            return
        try:
            for attempts_left in reversed(range(START_ATTEMPTS)):
                try:
                    await self._spawn()
                    break
                except EndedAtOnce:
                    if not attempts_left:
                        raise
        finally:
            self._tasks = [asyncio.create_task(self._keep()), asyncio.create_task(self._keep_saved())]

    async def stop(self) -> None:
        """Save the state and go. anvil writes its state when it is told to end."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._end_process()

    def remove_state(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    async def rpc(self, method: str, *params: Any) -> Any:
        return (await self.batch([(method, list(params))]))[0]

    async def batch(self, calls: list[tuple[str, list[Any]]]) -> list[Any]:
        """Several JSON-RPC calls in one request, answered in order; KernelFailed on any error."""
        if not calls:
            return []
        body = [{"jsonrpc": "2.0", "id": n, "method": m, "params": p} for n, (m, p) in enumerate(calls)]
        patience = aiohttp.ClientTimeout(total=RPC_SECONDS)
        try:
            async with self._session.post(f"http://127.0.0.1:{self.port}", json=body, timeout=patience) as response:
                answers = await response.json(content_type=None)
            by_id = {answer["id"]: answer for answer in answers}
            failed = next((answer["error"] for answer in answers if "error" in answer), None)
            if failed is None:
                return [by_id[n]["result"] for n in range(len(calls))]
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as problem:
            raise KernelFailed(f"the node does not answer: {problem or type(problem).__name__}") from problem
        raise KernelFailed(str(failed.get("message", failed)) if isinstance(failed, dict) else str(failed))

    @property
    def _state(self) -> Path:
        return self._folder / "state.json"

    @property
    def _saved(self) -> Path:
        return self._folder / "saved.json"

    # --- the process ------------------------------------------------------------------------------------------------

    async def _spawn(self) -> None:
        if self._binary is None:
            raise KernelFailed("no anvil on this computer: run `make setup`, or name the binary in ANVIL")
        lock = await self._lock()
        try:
            await asyncio.to_thread(self._choose_state)
            port = _free_port()
            self._process = await self._execute(self._binary, port, lock)
        finally:
            os.close(lock)
        self.port = port
        await self._await_answer()
        # A genesis of its own at every start would be another block 0; but its time sets the clock back as well.
        await self.rpc("evm_setTime", int(time.time()))
        self.generation += 1
        self.started_at = time.time()
        self._ready = True

    async def _execute(self, binary: Path, port: int, lock: int) -> asyncio.subprocess.Process:
        arguments = (
            f"--host 127.0.0.1 --port {port} --chain-id {self.evm_chain_id} --timestamp {self._born} --accounts 4 "
            f"--silent --state-interval {STATE_INTERVAL} --transaction-block-keeper 1000000 --prune-history 64"
        ).split()
        return await asyncio.create_subprocess_exec(
            str(binary),
            *arguments,
            "--state",
            str(self._state),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=self._folder,
            env={"HOME": str(self._folder), "PATH": os.environ.get("PATH", "")},
            pass_fds=(lock,),
            start_new_session=True,
            preexec_fn=_die_with(os.getpid()),
        )

    async def _await_answer(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_SECONDS
        while loop.time() < deadline:
            if self._process is None or self._process.returncode is not None:
                raise EndedAtOnce(f"anvil ended with code {self._process.returncode if self._process else '?'}")
            with contextlib.suppress(KernelFailed):
                if await self.rpc("eth_chainId") == hex(self.evm_chain_id):  # and not somebody who took the port first
                    return
            await asyncio.sleep(0.03)
        await self._end_process()
        raise KernelFailed("anvil did not answer in time")

    async def _await_keeper(self) -> None:
        """Started already: the keeper brings it up, or not."""
        deadline = time.monotonic() + START_SECONDS
        while not self.running:
            if time.monotonic() > deadline:
                raise KernelFailed("the process does not come up")
            await asyncio.sleep(0.05)

    async def _end_process(self) -> None:
        process, self._ready = self._process, False
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            logger.warning("the node of chain %s did not end by itself", self.evm_chain_id)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _keep(self) -> None:
        backoff = 0.2
        while not self._stopping:
            if self._process is not None:
                code = await self._process.wait()
                self._ready = False
                logger.warning("the node of chain %s ended with code %s; starting it again", self.evm_chain_id, code)
            await asyncio.sleep(backoff)
            try:
                await self._spawn()
                backoff = 0.2
            except (KernelFailed, OSError, ValueError, EOFError) as problem:
                backoff = min(MAX_BACKOFF, backoff * 2)
                logger.warning("the node of chain %s does not come up: %s", self.evm_chain_id, problem)

    async def _lock(self) -> int:
        """A lock that the process inherits: the next one waits until an orphan has saved its state and is gone."""
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return descriptor
            except OSError:
                if time.monotonic() > deadline:
                    os.close(descriptor)
                    raise KernelFailed("another process still holds this chain's state") from None
                await asyncio.sleep(0.05)

    # --- the state --------------------------------------------------------------------------------------------------

    def _choose_state(self) -> None:
        """The file that goes furthest. anvil writes its own in place, so a crash may have cut it off; ours is whole."""
        best: tuple[int, int, Path] | None = None
        for path in (self._state, self._saved):
            if not path.exists():
                continue
            height = _height(path.read_bytes())
            if height is None:
                logger.warning("chain %s: %s is damaged", self.evm_chain_id, path.name)
                path.replace(self._folder / "damaged.json")
            else:
                best = max(best or (-1, 0, path), (height, path.stat().st_mtime_ns, path))
        if best is not None and best[2] != self._state:
            shutil.copyfile(best[2], self._state)

    async def _keep_saved(self) -> None:
        """Save whenever the head has moved: atomically, and not at all while the chain is idle."""
        saved: tuple[int, str] | None = None
        while True:
            await asyncio.sleep(max(SAVE_SECONDS, self._saved_bytes() / BYTES_SAVED_PER_SECOND))
            try:
                head = await self.rpc("eth_getBlockByNumber", "latest", False)
                mark = (self.generation, head["hash"])
                if mark != saved:
                    await self._save()
                    saved = mark
            except (KernelFailed, OSError, ValueError, EOFError) as problem:
                logger.info("chain %s could not be saved: %s", self.evm_chain_id, problem)

    async def _save(self) -> None:
        packed = await self.rpc("anvil_dumpState")
        await asyncio.to_thread(self._replace_saved, packed)

    def _replace_saved(self, packed: str) -> None:
        temporary = self._folder / "saved.new"
        temporary.write_bytes(gzip.decompress(bytes.fromhex(packed.removeprefix("0x"))))
        temporary.replace(self._saved)

    def _saved_bytes(self) -> int:
        return self._saved.stat().st_size if self._saved.exists() else 0


def _height(state: bytes) -> int | None:
    """How far a state goes; None for one that is not whole."""
    try:
        return int(str(json.loads(state)["best_block_number"]), 0)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _die_with(parent: int) -> Any:
    """Linux: the child gets SIGTERM when the sandbox dies, however it dies; anvil then saves its state."""

    def prepare() -> None:
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died in between
            os._exit(1)

    return prepare


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
