"""Readings without threads: very many at once on one event loop, where the driver has a follower.

A reading is the generator of `reading.py`, as for a thread. Here it also hands over what it has portion by portion,
while it reads on, and asks for the next stretches of a ledger before it needs them.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from chains.limits import limit
from chains.observing.reading import TAKE, Ask, Reader, Reading, Target
from console.errors import ConsoleError
from platforms.drivers.base import Follower, read
from platforms.standard import Request

# Two threads have something to do here all the time. Whoever comes back from waiting gets its turn sooner than usual.
SWITCH_SECONDS = 0.0005
AT_ONCE = 4  # questions of one reading under way: what is answered out of turn must not leave the node idle
GARBAGE = 50_000  # new objects before the collector looks at them
UNTAKEN = 2  # portions of one reading that wait to be written, before it pauses


class Following:
    """One reading under way. `taken` says that a portion of it has been taken in, `stop` that nobody wants the rest."""

    def __init__(self, target: Target, follower: Follower, give: Callable[[Reading], None]) -> None:
        self._target, self._follower, self._give = target, follower, give
        self._room = asyncio.Semaphore(UNTAKEN)
        self._task: asyncio.Task[None] | None = None

    def taken(self) -> None:
        event_loop().call_soon_threadsafe(self._room.release)

    def stop(self) -> None:
        event_loop().call_soon_threadsafe(self._stop)

    def begin(self) -> None:
        """On the loop."""
        self._task = asyncio.create_task(self._follow())

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _follow(self) -> None:
        reader, asking = Reader(self._target, portions=True), _Asking(self._target, self._follower)
        with reader.failures_noted():
            try:
                await self._carry(reader, asking)
            finally:
                asking.close()
        self._give(reader.reading)

    async def _carry(self, reader: Reader, asking: _Asking) -> None:
        steps = reader.steps()
        with contextlib.suppress(StopIteration):
            asked = next(steps)
            while True:
                try:
                    answer = await (self._hand_over(reader.reading) if asked is TAKE else asking.answer(asked))
                except ConsoleError as problem:
                    asked = steps.throw(problem)
                else:
                    asked = steps.send(answer)

    async def _hand_over(self, reading: Reading) -> None:
        await self._room.acquire()
        self._give(reading)


def begin_all(readings: Sequence[Following]) -> None:
    """The loop is woken up once for all of them."""

    def begin() -> None:
        for each in readings:
            each.begin()

    event_loop().call_soon_threadsafe(begin)


class _Asking:
    """What a reading asks its platform, and what it will ask next."""

    def __init__(self, target: Target, follower: Follower) -> None:
        self._target, self._follower = target, follower
        self._ahead: dict[Request, asyncio.Task[Any]] = {}
        self._room = asyncio.Semaphore(AT_ONCE)

    async def answer(self, ask: Ask) -> Any:
        target, follower = self._target, self._follower
        if ask.operation not in follower.operations:
            return await asyncio.to_thread(read, target.driver, ask.operation, ask.request, target.credentials)
        begun = self._ahead.pop(ask.request, None)
        for request in ask.ahead:
            if request not in self._ahead:
                self._ahead[request] = asyncio.create_task(self._read(ask.operation, request))
        return await (begun or follower.read(ask.operation, ask.request))

    async def _read(self, operation: str, request: Request) -> Any:
        async with self._room:
            return await self._follower.read(operation, request)

    def close(self) -> None:
        """Nobody wants the rest, nor hears of its failures."""
        for task in self._ahead.values():
            task.cancel()
            task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())


@functools.lru_cache(maxsize=1)
def event_loop() -> asyncio.AbstractEventLoop:
    """This process's loop, in a thread of its own that ends with the process.

    What is loaded by now stays: the garbage collector need not walk through all of Django again and again, which would
    cost more than the readings themselves; nor through what is being read after every 700 new objects.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE, 20, 20)
    sys.setswitchinterval(SWITCH_SECONDS)
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(limit("OBSERVE_THREADS"), thread_name_prefix="following"))
    threading.Thread(target=loop.run_forever, name="following", daemon=True).start()
    return loop
