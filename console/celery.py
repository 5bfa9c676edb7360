"""The Celery application. Its messages are nudges; `console/flows` holds what must not be lost."""

import os

from celery import Celery

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
