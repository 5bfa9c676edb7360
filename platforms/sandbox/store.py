"""The sandbox's memory: one JSON document, replaced as a whole, so that a crash leaves the old or the new one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

Json = dict[str, Any]


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
    def keys(self) -> dict[str, str]:
        """Idempotency key → job."""
        return self._data["keys"]

    @property
    def settings(self) -> Json:
        return self._data["settings"]

    def next_number(self) -> int:
        self._data["counter"] += 1
        return self._data["counter"]

    def save(self) -> None:
        temporary = self._path.with_suffix(".new")
        with temporary.open("w") as file:
            json.dump(self._data, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
