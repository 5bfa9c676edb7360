"""The observer: walks all live chains in slices, reads many at once, writes in bulk.

Where the driver has a follower, all readings share one event loop. Every other driver is synchronous code that waits
for the network; there each reading has a thread of its own. The observer never waits for any of them: it takes what
has arrived, writes that, claims what is due next, and comes back for the rest at its next tick. Bounds keep the others
going when a platform hangs: it gets a part of the threads or places only, a reading spends a budget and then stops
between two calls, and what has not answered by its deadline counts as failed and is asked again later and later.

Two workers never read one chain at once: a chain is claimed by a conditional UPDATE, and a reading is written down
only if its claim still holds.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from chains.limits import limit
from chains.observing.following import Following, begin_all
from chains.observing.reading import NO_ANSWER, NOT_STORED, Key, Reading, Target, read_chain
from chains.observing.targets import targets_of
from chains.services import ledger
from chains.services.claims import claim_chains, due_chains
from platforms.drivers.base import follower_of

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.1  # readings that arrive this close to each other share a transaction
LOOK_SECONDS = 0.01
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
        self._followed: set[int] = set()  # platforms whose chains are read without threads

    @property
    def under_way(self) -> int:
        return len(self._started)

    def tick(self, *, patience: float) -> int:
        """Read what is due for about `patience` seconds; returns how many readings were written.

        Ends at once when nothing is due and nothing is under way. What is still under way at the end is taken in by
        the next tick.
        """
        written, until = 0, time.monotonic() + patience
        arrived: list[Reading] = []
        while True:
            claimed = self._claim()  # first, so that something is read while the others are written
            written += self._write(arrived)
            self._give_up()
            left = until - time.monotonic()
            if left <= 0 or not (claimed or arrived or self._answering()):
                return written + self._write(self._arrivals(0))
            arrived = self._arrivals(min(left, IDLE_SECONDS) if self._answering() else 0)

    # --- taking -----------------------------------------------------------------------------------------------------

    def _claim(self) -> int:
        """Begin to read the chains that are due, as far as the bounds allow."""
        room = _Room(self._started.values(), self._followed)
        if not room.all:
            return 0
        chosen = [chain for chain, platform in due_chains(room.full, room.all) if room.take(platform)]
        if not chosen:
            return 0
        targets, failed = targets_of(claim_chains(chosen))
        self._write(failed)
        self._begin(targets)
        return len(targets) + len(failed)

    def _begin(self, targets: Iterable[Target]) -> None:
        followings = []
        for target in targets:
            self._started[target.key] = started = _Started(target, time.monotonic())
            follower = follower_of(target.driver)
            if follower is not None:
                started.following = Following(target, follower, self._arrived.put)
                followings.append(started.following)
                self._followed.add(target.platform)
            else:
                name = f"chain-{target.blockchain}"
                threading.Thread(target=self._run, args=(target,), name=name, daemon=True).start()
        if followings:
            begin_all(followings)

    def _run(self, target: Target) -> None:
        self._arrived.put(read_chain(target))

    # --- giving -----------------------------------------------------------------------------------------------------

    def _answering(self) -> bool:
        return any(not started.given_up for started in self._started.values())

    def _arrivals(self, patience: float) -> list[Reading]:
        """What has arrived within `patience`, and what arrives right behind it."""
        found: dict[Key, Reading] = {}
        try:
            self._take_in(self._arrived.get(timeout=patience) if patience > 0 else self._arrived.get_nowait(), found)
        except queue.Empty:
            return []
        self._gather()
        with contextlib.suppress(queue.Empty):
            for _reading in range(self._arrived.qsize()):
                self._take_in(self._arrived.get_nowait(), found)
        return list(found.values())

    def _gather(self) -> None:
        """Wait for more, but not until those that are under way run out: the loop is to have something to do."""
        until = time.monotonic() + GATHER_SECONDS
        while time.monotonic() < until and self._arrived.qsize() < len(self._started) / 2:
            time.sleep(LOOK_SECONDS)

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
            self._begin([replace(reading.target, known=known)])
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


class _Room:
    """How many more readings may begin: those with a thread and those without, and of one platform."""

    def __init__(self, started: Iterable[_Started], followed: set[int]) -> None:
        self._followed = followed
        self._busy = Counter(each.target.platform for each in started)
        self._of_one = {True: max(1, limit("OBSERVE_AT_ONCE") // 2), False: limit("OBSERVE_THREADS_PER_PLATFORM")}
        taken = sum(number for platform, number in self._busy.items() if platform in followed)
        self._places = limit("OBSERVE_AT_ONCE") - taken
        self._threads = limit("OBSERVE_THREADS") - (self._busy.total() - taken)

    @property
    def all(self) -> int:
        return max(0, self._places) + max(0, self._threads)

    @property
    def full(self) -> list[int]:
        return [platform for platform in self._busy if not self._has_room(platform)]

    def take(self, platform: int) -> bool:
        if not self._has_room(platform):
            return False
        self._busy[platform] += 1
        if platform in self._followed:
            self._places -= 1
        else:
            self._threads -= 1
        return True

    def _has_room(self, platform: int) -> bool:
        """A platform that hangs leaves threads, and half of the places, to the others."""
        follows = platform in self._followed
        return (self._places if follows else self._threads) > 0 and self._busy[platform] < self._of_one[follows]


@functools.lru_cache(maxsize=1)
def observer() -> Observer:
    """This process's observer."""
    return Observer()
