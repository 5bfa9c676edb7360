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

from django.utils import timezone

from chains.following import Following
from chains.limits import limit
from chains.models import Blockchain, TransactionDetails
from chains.reading import NO_ANSWER, NOT_STORED, Key, Reading, Target, Tip, read_chain
from chains.services import ledger
from console.errors import ConsoleError
from platforms.drivers import driver_for
from platforms.drivers.base import follower_of
from unions.spaces import credentials_for

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.02  # readings that arrive this close to each other share a transaction
GATHER_LONGEST = 0.2
IDLE_SECONDS = 0.1


@dataclass
class _Started:
    target: Target
    at: float  # when it began, or brought its last portion
    given_up: bool = False
    following: Following | None = None  # else it has a thread


class Observer:
    """Reads chains from one process. Use it from one thread."""

    def __init__(self) -> None:
        self._arrived: queue.SimpleQueue[Reading] = queue.SimpleQueue()
        self._started: dict[Key, _Started] = {}

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
        self._started[target.key] = started = _Started(target, time.monotonic())
        follower = follower_of(target.driver)
        if follower is not None:
            started.following = Following(target, follower, self._arrived.put)
        else:
            name = f"chain-{target.blockchain}"
            threading.Thread(target=self._run, args=(target,), name=name, daemon=True).start()

    def _run(self, target: Target) -> None:
        self._arrived.put(read_chain(target))

    # --- giving -----------------------------------------------------------------------------------------------------

    def _answering(self) -> bool:
        return any(not started.given_up for started in self._started.values())

    def _arrivals(self, patience: float) -> list[Reading]:
        """What has arrived within `patience`, and what arrives right behind it."""
        found: dict[Key, Reading] = {}
        wait, enough = patience, 0.0
        while True:
            try:
                reading = self._arrived.get(timeout=wait) if wait > 0 else self._arrived.get_nowait()
            except queue.Empty:
                return list(found.values())
            self._take_in(reading, found)
            enough = enough or time.monotonic() + GATHER_LONGEST
            wait = GATHER_SECONDS if found else 0
            if time.monotonic() > enough:
                return list(found.values())

    def _take_in(self, reading: Reading, found: dict[Key, Reading]) -> None:
        key = reading.target.key
        started = self._started.get(key)
        if started is None:
            return  # it was given up, and its claim is gone
        if reading.goes_on and started.following is not None:
            started.at = time.monotonic()
            started.following.taken()
        else:
            del self._started[key]
        if started.given_up:
            return
        if reading.look_below is not None and not reading.error:
            known = ledger.stored_below(reading.target.blockchain, reading.look_below)
            self._read(replace(reading.target, known=known))
        elif key in found:
            found[key].absorb(reading)
        else:
            found[key] = reading

    def _write(self, readings: list[Reading]) -> int:
        """Write them down. What goes on although a portion of it was not written is stopped: nothing follows a gap."""
        kept = self._stored(readings)
        for reading in readings:
            if reading.goes_on and reading.target.blockchain not in kept:
                self._stop(reading.target.key)
        return len(kept)

    def _stored(self, readings: list[Reading]) -> set[int]:
        """All in one transaction; if that fails, one by one, so that one chain's nonsense is its own problem."""
        if not readings:
            return set()
        try:
            return ledger.store_readings(readings)
        except Exception:
            logger.exception("%s readings could not be written", len(readings))
        if len(readings) > 1:
            return set().union(*(self._stored([reading]) for reading in readings))
        (reading,) = readings
        if reading.summary is None:
            return set()  # not even the failure can be written: the claim runs out and somebody tries again
        return self._stored([Reading(reading.target, error=NOT_STORED)])

    def _give_up(self) -> None:
        """Say of those that are late that they do not answer; a thread ends when its driver's patience does."""
        deadline = limit("OBSERVE_DEADLINE_SECONDS")
        late = [each for each in self._started.values() if time.monotonic() - each.at > deadline and not each.given_up]
        for started in late:
            started.given_up = True
            if started.following is not None:
                self._stop(started.target.key)
        text = NO_ANSWER % {"seconds": round(deadline)}
        self._write([Reading(started.target, error=text) for started in late])

    def _stop(self, key: Key) -> None:
        started = self._started.pop(key, None)
        if started is not None and started.following is not None:
            started.following.stop()


def target_of(row: Blockchain) -> Target:
    """What a reading needs to know of a claimed chain. Raises what the driver's making raises."""
    chain = row.business_chain
    platform = chain.platform
    driver = driver_for(platform)
    details_due = timezone.now() - timedelta(seconds=limit("OBSERVE_DETAILS_SECONDS"))
    return replace(
        _stub(row),
        driver=driver,
        in_ranges="get_ledger_range" in getattr(follower_of(driver), "operations", ()),
        credentials=credentials_for(platform, creator=chain.creator, member=chain.creator),
        tip=None if row.tip_height is None else Tip(row.tip_height, row.tip_hash),  # type: ignore[attr-defined]
        catch_up_blocks=limit("OBSERVE_CATCH_UP_BLOCKS"),
        lacking=row.lacking,  # type: ignore[attr-defined]
        wanted=row.lacking_as == TransactionDetails.WANTED,  # type: ignore[attr-defined]
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
        keep_blocks=row.keep_blocks,  # type: ignore[attr-defined]
        max_blocks=limit("OBSERVE_BLOCKS_PER_READING"),
        budget_seconds=limit("OBSERVE_BUDGET_SECONDS"),
    )


@functools.lru_cache(maxsize=1)
def observer() -> Observer:
    """This process's observer."""
    return Observer()
