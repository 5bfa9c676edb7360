"""A process of the console: started, listened to, started again when it dies, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from console.environment import ROOT
from console.processes import end_with_parent
from console.supervision.output import Log

FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 30.0
STEADY_SECONDS = 60.0
LONGEST_LINE = 1 << 20


@dataclass(frozen=True)
class Service:
    """What to start, and how patiently to stop it."""

    name: str
    command: Sequence[str]
    stop_seconds: float
    soft_stop: bool = False  # a Celery worker: SIGTERM gives its tasks a few seconds, then hands them back
    tries: int = 4  # before it is up for the first time


@dataclass(frozen=True)
class Surroundings:
    """What every process gets: its environment, where it may write, and the claim's lock, which it holds as well."""

    environment: Mapping[str, str]
    data_dir: Path
    lock: int

    def log_of(self, name: str) -> Log:
        return Log(self.data_dir / "logs", name)


class Child:
    """One service's process, whichever it is at the moment."""

    def __init__(self, service: Service, surroundings: Surroundings) -> None:
        self.service = service
        self.failures = 0
        extra = {"REMAP_SIGTERM": "SIGQUIT"} if service.soft_stop else {}
        self._surroundings = replace(surroundings, environment={**surroundings.environment, **extra})
        self._log = surroundings.log_of(service.name)
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    async def keep_running(self) -> None:
        """Start it, and again whenever it ends, the more patiently the sooner it ended."""
        backoff = FIRST_BACKOFF
        while not self._stopping:
            started = time.monotonic()
            code = await self._run()
            if self._stopping:
                return
            self.failures += 1
            backoff = FIRST_BACKOFF if time.monotonic() - started > STEADY_SECONDS else backoff
            self._log.write(f"ended with code {code}; starting again in {backoff:g} s")
            await asyncio.sleep(backoff)
            backoff = min(LONGEST_BACKOFF, backoff * 2)

    async def stop(self) -> None:
        """Ask, wait, insist; nothing of its session is left afterwards."""
        self._stopping = True
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), self.service.stop_seconds)
        self.kill()
        if process is not None:
            await process.wait()
        self._log.close()

    def kill(self) -> None:
        """The process and whatever it has started in its session."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _run(self) -> int:
        self._process = await start(self.service.command, self._surroundings)
        if self._stopping:
            self.kill()
        listening = asyncio.create_task(listen(self._process.stdout, self._log))
        code = await self._process.wait()
        self.kill()  # what it leaves behind would hold its port or its work
        await listening
        return code


async def run_to_end(command: Sequence[str], name: str, surroundings: Surroundings, *, limit: float = 600.0) -> int:
    """Run a command of its own and return its exit code; it is killed when it takes longer than `limit`."""
    process = await start(command, surroundings)
    return await _until_it_ends(process, process.stdout, surroundings.log_of(name), limit)


async def run_for_answer(
    command: Sequence[str], name: str, surroundings: Surroundings, *, limit: float
) -> tuple[int, str]:
    """Likewise, with what it prints; only standard error goes to its log."""
    process = await start(command, surroundings, stderr=asyncio.subprocess.PIPE)
    answering = asyncio.create_task(cast(asyncio.StreamReader, process.stdout).read())
    code = await _until_it_ends(process, process.stderr, surroundings.log_of(name), limit)
    return code, (await answering).decode(errors="replace").strip()


async def _until_it_ends(
    process: asyncio.subprocess.Process, words: asyncio.StreamReader | None, log: Log, limit: float
) -> int:
    listening = asyncio.create_task(listen(words, log))
    try:
        return await asyncio.wait_for(process.wait(), limit)
    except TimeoutError:
        log.write(f"did not end within {limit:g} s")
        return -1
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        await listening
        log.close()


async def start(
    command: Sequence[str], surroundings: Surroundings, *, stderr: int = asyncio.subprocess.STDOUT
) -> asyncio.subprocess.Process:
    """A session of its own that ends with us."""
    supervisor = os.getpid()

    def prepare() -> None:
        end_with_parent(signal.SIGTERM)
        if os.getppid() != supervisor:  # it died before the wish was made
            os._exit(1)

    return await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env=surroundings.environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
        start_new_session=True,
        pass_fds=(surroundings.lock,),
        preexec_fn=prepare,
        limit=LONGEST_LINE,
    )


async def listen(words: asyncio.StreamReader | None, log: Log) -> None:
    """Pass on every line until the last holder of the pipe has closed it."""
    while words is not None:
        try:
            line = await words.readline()
        except ValueError:  # longer than anybody wants to read; the rest of it comes as the next line
            continue
        if not line:
            return
        if text := line.decode(errors="replace").rstrip():
            log.write(text)
