"""The sandbox's memory: one JSON document, replaced as a whole, so that a crash leaves the old or the new one."""

from __future__ import annotations

import json
import os
import secrets
import time
from pathlib import Path
from typing import Any

Json = dict[str, Any]
KEPT_JOBS = 1000  # ended ones; the oldest are forgotten, with their idempotency keys


class Store:
    """Networks, chains, nodes and jobs by id. `save` after every change; used by one event loop only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        empty: Json = {"networks": {}, "chains": {}, "nodes": {}, "jobs": {}, "keys": {}, "counter": 0, "settings": {}}
        self._data: Json = {**empty, **(json.loads(path.read_text()) if path.exists() else {})}

    @property
    def networks(self) -> dict[str, Json]:
        return self._data["networks"]

    @property
    def chains(self) -> dict[str, Json]:
        return self._data["chains"]

    @property
    def nodes(self) -> dict[str, Json]:
        return self._data["nodes"]

    @property
    def jobs(self) -> dict[str, Json]:
        return self._data["jobs"]

    @property
    def keys(self) -> dict[str, Json]:
        """Who asked and the idempotency key → job and what was asked."""
        return self._data["keys"]

    @property
    def settings(self) -> Json:
        """What the switches were set to."""
        return self._data["settings"]

    def next_number(self) -> int:
        self._data["counter"] += 1
        return self._data["counter"]

    def save(self) -> None:
        self._forget_old_jobs()
        temporary = self._path.with_suffix(".new")
        with temporary.open("w") as file:
            json.dump(self._data, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)

    def _forget_old_jobs(self) -> None:
        if len(self.jobs) < 2 * KEPT_JOBS:
            return
        ended = [job_id for job_id, job in self.jobs.items() if job["state"] not in ("QUEUED", "RUNNING")]
        for job_id in ended[:-KEPT_JOBS]:
            del self.jobs[job_id]
        for key in [key for key, entry in self.keys.items() if entry["jobId"] not in self.jobs]:
            del self.keys[key]


def new_id(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(8)}"


def now_ms() -> int:
    return int(time.time() * 1000)
