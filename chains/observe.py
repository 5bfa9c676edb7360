"""The observer: walks all live chains in slices, reads many at once, writes in bulk.

Why threads: a driver is synchronous code that waits for the network, and it pools its connections across threads;
asyncio could do no more than put it into threads as well. Each reading has a thread of its own, so that a platform
that hangs costs a thread and nothing else: the observer never waits for it. It takes what has arrived, writes that,
claims what is due next, and comes back for the rest at its next tick. Three bounds keep the others going: one
platform gets a few of the threads only, a reading spends a budget and then stops between two calls, and what has not
answered by its deadline counts as failed and is asked again later and later.

Two workers never read one chain at once: a chain is claimed by a conditional UPDATE, and a reading is written down
only if its claim still holds.
"""

from __future__ import annotations

import functools
import logging
import queue
import threading
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from chains.limits import limit
from chains.models import Blockchain
from chains.reading import NO_ANSWER, NOT_STORED, Reading, Target, Tip, read_chain
from chains.services import ledger
from console.errors import ConsoleError
from platforms.drivers import driver_for
from unions.spaces import credentials_for

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.02  # readings that arrive this close to each other share a transaction
IDLE_SECONDS = 0.1


@dataclass
class _Started:
    target: Target
    at: float
    given_up: bool = False


class Observer:
    """Reads chains from one process. Use it from one thread."""

    def __init__(self) -> None:
        self._arrived: queue.SimpleQueue[tuple[UUID, Reading]] = queue.SimpleQueue()
        self._started: dict[tuple[UUID, int], _Started] = {}  # what has a thread, by claim and chain

    @property
    def under_way(self) -> int:
        return len(self._started)

    def tick(self, *, patience: float) -> int:
        """Read what is due for about `patience` seconds; returns how many readings were written.

        Ends at once when nothing is due and nothing is under way. What is still under way at the end is taken in by
        the next tick.
        """
        written, until = 0, time.monotonic() + patience
        while True:
            claimed = self._claim()
            left = until - time.monotonic()
            if not claimed and (left <= 0 or not self._answering()):
                return written + self._write(self._arrivals(0))
            written += self._write(self._arrivals(max(0.0, min(left, IDLE_SECONDS))))
            self._give_up()
            if time.monotonic() >= until:
                return written

    # --- taking -----------------------------------------------------------------------------------------------------

    def _claim(self) -> int:
        """Start a thread for each chain that is due, as far as the bounds allow."""
        busy = Counter(started.target.platform for started in self._started.values())
        most = limit("OBSERVE_THREADS_PER_PLATFORM")
        room = limit("OBSERVE_THREADS") - len(self._started)
        if room <= 0:
            return 0
        full = [platform for platform, number in busy.items() if number >= most]
        chosen: list[int] = []
        for chain, platform in ledger.due_chains(full, room * 4):
            if busy[platform] < most and len(chosen) < room:
                busy[platform] += 1
                chosen.append(chain)
        if not chosen:
            return 0
        rows = list(ledger.claimed(ledger.claim_chains(chosen)))
        for row in rows:
            self._begin(row)
        return len(rows)

    def _begin(self, row: Blockchain) -> None:
        try:
            self._read(target_of(row))
        except ConsoleError as problem:  # no driver for the platform: a reading that fails before it starts
            self._write([Reading(_stub(row), error=problem.detail, heals=False)])

    def _read(self, target: Target) -> None:
        self._started[(target.reader, target.blockchain)] = _Started(target, time.monotonic())
        name = f"chain-{target.blockchain}"
        threading.Thread(target=self._run, args=(target,), name=name, daemon=True).start()

    def _run(self, target: Target) -> None:
        self._arrived.put((target.reader, read_chain(target)))

    # --- giving -----------------------------------------------------------------------------------------------------

    def _answering(self) -> bool:
        return any(not started.given_up for started in self._started.values())

    def _arrivals(self, patience: float) -> list[Reading]:
        """What has arrived within `patience`, and what arrives right behind it."""
        found: list[Reading] = []
        wait = patience
        while True:
            try:
                reader, reading = self._arrived.get(timeout=wait) if wait > 0 else self._arrived.get_nowait()
            except queue.Empty:
                return found
            started = self._started.pop((reader, reading.target.blockchain))
            if started.given_up:
                pass  # it came too late, and its claim is gone
            elif reading.look_below is not None and not reading.error:
                known = ledger.stored_below(reading.target.blockchain, reading.look_below)
                self._read(replace(reading.target, known=known))
            else:
                found.append(reading)
            wait = GATHER_SECONDS if found else 0

    def _write(self, readings: list[Reading]) -> int:
        """All in one transaction; if that fails, one by one, so that one chain's nonsense is its own problem."""
        if not readings:
            return 0
        try:
            return ledger.store_readings(readings)
        except Exception:
            logger.exception("%s readings could not be written", len(readings))
        if len(readings) > 1:
            return sum(self._write([reading]) for reading in readings)
        (reading,) = readings
        if reading.summary is None:
            return 0  # not even the failure can be written: the claim runs out and somebody tries again
        return self._write([Reading(reading.target, error=NOT_STORED)])

    def _give_up(self) -> None:
        """Say of those that are late that they do not answer; their threads end when the driver's patience does."""
        deadline = limit("OBSERVE_DEADLINE_SECONDS")
        late = [each for each in self._started.values() if time.monotonic() - each.at > deadline and not each.given_up]
        for started in late:
            started.given_up = True
        text = NO_ANSWER % {"seconds": round(deadline)}
        self._write([Reading(started.target, error=text) for started in late])


def target_of(row: Blockchain) -> Target:
    """What a reading needs to know of a claimed chain. Raises what the driver's making raises."""
    chain = row.business_chain
    platform = chain.platform
    details_due = timezone.now() - timedelta(seconds=limit("OBSERVE_DETAILS_SECONDS"))
    return replace(
        _stub(row),
        driver=driver_for(platform),
        credentials=credentials_for(platform, creator=chain.creator, member=chain.creator),
        tip=None if row.tip_height is None else Tip(row.tip_height, row.tip_hash),  # type: ignore[attr-defined]
        details=row.details_read_at is None or row.details_read_at <= details_due,
    )


def _stub(row: Blockchain) -> Target:
    """A target that nobody can speak to yet."""
    platform = row.business_chain.platform
    return Target(
        blockchain=row.pk,
        reader=row.reader,  # type: ignore[arg-type]
        platform=platform.pk,
        chain_id=row.external_id,
        network_id=row.business_chain.network,
        driver=None,  # type: ignore[arg-type]
        credentials=None,  # type: ignore[arg-type]
        abilities=frozenset(name for name, about in platform.capabilities.items() if about.get("supported")),
        tip=None,
        details=False,
        keep_blocks=limit("KEEP_BLOCKS"),
        max_blocks=limit("OBSERVE_BLOCKS_PER_READING"),
        budget_seconds=limit("OBSERVE_BUDGET_SECONDS"),
    )


@functools.lru_cache(maxsize=1)
def observer() -> Observer:
    """This process's observer."""
    return Observer()
