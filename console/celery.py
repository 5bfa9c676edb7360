"""The Celery application. Its messages are nudges; `console/flows` holds what must not be lost."""

import contextlib
import logging
import os
import signal
from typing import Any

from celery import Celery
from celery.signals import worker_process_init, worker_ready

from console.processes import end_with_supervised_parent

logger = logging.getLogger(__name__)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
# Checks are of the code, which `make check` makes; here they would load every page into every worker.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("console")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_finalize.connect
def read_timetables(sender: Celery, **_: object) -> None:
    """Every app's `tasks.BEAT` is its part of the timetable."""
    from importlib import import_module
    from importlib.util import find_spec

    for floor in ("console", "platforms", "unions", "chains"):
        if find_spec(f"{floor}.tasks"):
            sender.conf.beat_schedule.update(getattr(import_module(f"{floor}.tasks"), "BEAT", {}))


@worker_process_init.connect
def end_with_the_worker(**_: object) -> None:
    """A worker that is killed leaves no pool behind that goes on with what others take over."""
    end_with_supervised_parent()


@worker_ready.connect
def go_when_a_process_is_lost(sender: Any, **_: object) -> None:
    """On the embedded broker the processes of a pool share one queue with one lock.

    Who is killed while it waits there keeps the lock, and no other process of the pool ever gets work again. So the
    worker goes, and whoever watches over it starts another. With Redis each process has a pipe of its own.
    """
    pool = getattr(sender.pool, "_pool", None)
    if pool is not None and hasattr(pool, "on_process_down") and pool.on_process_down is None:
        pool.on_process_down = lambda process: _go(pool, process)


def _go(pool: Any, process: Any) -> None:
    killed = (process.exitcode or 0) < 0
    if not killed or getattr(
        process, "_controlled_termination", False
    ):  # that one was stopped by the pool, in its task
        return
    logger.error("process %s was killed; the worker ends, so that another one begins anew", process.pid)
    for each in list(pool._pool):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each.pid, signal.SIGKILL)
    os._exit(1)
