"""`python -m tests.chaos.crowd`: four workers on Redis, and 500 flows, while the broker forgets everything it holds.

FLOWS=500 FLUSHES=5. Every flow has five local steps; every step writes one notification, so none may be missing and
none may be there twice.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path

import redis

from tests.chaos.__main__ import surroundings
from tests.chaos.processes import Console, throw_away
from tests.tools.services import Unavailable

PATIENCE = 600.0


def main() -> int:
    flows, flushes = int(os.environ.get("FLOWS") or "500"), int(os.environ.get("FLUSHES") or "5")
    folder = Path(tempfile.mkdtemp(prefix="console-crowd-"))
    try:
        with surroundings("postgres", folder) as redis_port:
            return _trial(folder, redis_port or 0, flows, flushes)
    except Unavailable as problem:
        print(f"Not run: {problem}")
        return 3
    finally:
        throw_away(folder)


def _trial(folder: Path, redis_port: int, count: int, flushes: int) -> int:
    from django.core.management import call_command

    from bench import work  # the settings read the environment
    from console.flows import start
    from console.models import Flow, Notification, User
    from console.transactions import whole

    call_command("migrate", verbosity=0)
    user = User.objects.create_user("crowd", "", "crowd")
    console = Console(folder, redis_port, workers=4, app="bench.work", web=False)
    began = time.monotonic()
    try:
        console.start()
        broker = redis.Redis(port=redis_port)
        one_more = partial(start, work.LOCAL, subject=None, requested_by=user, arguments={})
        for _number in range(count - flushes):  # one is left for each flush, so that something is open at each
            whole(one_more)
        flushed: list[int] = []
        while time.monotonic() < began + PATIENCE:
            console.revive()
            left = Flow.objects.open().count()
            if len(flushed) < flushes and left <= count * (flushes - len(flushed)) / (flushes + 1):
                whole(one_more)
                broker.flushall()
                flushed.append(left + 1)
            elif not left:
                break
            time.sleep(0.05)
    finally:
        console.stop()
    ends = Counter(Flow.objects.values_list("state", flat=True))
    written = Notification.objects.count()
    print(
        f"{count} flows, 4 workers of 2 processes, {time.monotonic() - began:.0f} s; flushed with {flushed} flows open"
    )
    print(f"flows by end: {dict(ends)}; writes: {written} of {count * work.STEPS}", flush=True)
    return 0 if ends == {"done": count} and written == count * work.STEPS and len(flushed) == flushes else 1


if __name__ == "__main__":
    sys.exit(main())
