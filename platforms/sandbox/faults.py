"""The sandbox's own switch for trouble: what shall befall the next jobs. Kept on disk, across restarts.

`fail`      the job fails half-way: what it made is there and stays there;
`hang`      the job stays RUNNING until it is cancelled or what it works on is deleted;
`nonsense`  the job does its work, but whoever asks for it gets an unknown state, then HTML.
"""

from __future__ import annotations

from typing import Literal, get_args

from platforms.sandbox.store import Json, Store, now_ms

Fault = Literal["fail", "hang", "nonsense"]
FAULTS: tuple[str, ...] = get_args(Fault)
HOW_TO = (
    'POST {"fault": "fail" | "hang" | "nonsense", "times": 1, "on": ["createNetwork", ...]?} sets the fault of the '
    "next job(s); GET shows what is pending; DELETE clears it. Without `on` any kind of job is hit."
)


class Faults:
    """A queue of pending faults; each new job takes the first that fits it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def pending(self) -> list[Json]:
        return self._store.settings.setdefault("faults", [])

    def add(self, fault: Fault, times: int, kinds: list[str]) -> None:
        self.pending.append({"fault": fault, "times": times, "on": kinds, "setAt": now_ms()})
        self._store.save()

    def clear(self) -> None:
        self.pending.clear()
        self._store.save()

    def take(self, kind: str) -> str:
        """The fault of a new job of this kind, or nothing. The caller saves the store together with the job."""
        for entry in self.pending:
            if not entry["on"] or kind in entry["on"]:
                entry["times"] -= 1
                if entry["times"] <= 0:
                    self.pending.remove(entry)
                return entry["fault"]
        return ""
