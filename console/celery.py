"""The Celery application. Its messages are nudges; `console/flows` holds what must not be lost."""

import os

from celery import Celery
from celery.signals import worker_process_init

from console.processes import end_with_supervised_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")

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
