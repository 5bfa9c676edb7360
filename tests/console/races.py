"""Many calls at the same moment."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.db import connection

from console.errors import ConsoleError


def at_once(*calls: Callable[[], Any]) -> Counter[str]:
    """Run all calls as nearly at the same moment as threads allow; how each ended: "done", or the error's code."""
    barrier, endings = threading.Barrier(len(calls)), []

    def run(call: Callable[[], Any]) -> None:
        try:
            barrier.wait(timeout=20)
            call()
            endings.append("done")
        except ConsoleError as problem:
            endings.append(problem.code)
        except Exception as problem:
            endings.append(repr(problem))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(endings) == len(calls)
    return Counter(endings)
