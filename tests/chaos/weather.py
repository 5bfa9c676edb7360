"""What goes wrong on the platform, and how often. All of it is drawn from one seed."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from tests.platforms.plane import Fault

BUSY = {"status": 503, "effect": False, "body": {"error": {"code": "BUSY", "text": "Come back later."}}}
BROKEN = {"status": 500, "effect": False, "body": {"error": {"code": "OOPS", "text": "Something broke."}}}
GATEWAY = {"status": 502, "body": {"error": {"code": "GATEWAY", "text": "The gateway got no answer."}}}
REFUSED = {"status": 409, "effect": False, "body": {"error": {"code": "FULL", "text": "Your quota is used up."}}}

FAULTS: dict[str, tuple[Fault, int]] = {  # its name, what the plane does, its weight
    "busy (503)": (BUSY, 6),
    "broken (500), nothing done": (BROKEN, 3),
    "gateway (502), done": (GATEWAY, 3),
    "reset, nothing done": ("reset", 4),
    "reset, done": ("reset-after", 4),
    "time-out, done": ("hang-after", 1),
    "nonsense, done": ("html", 2),
    "refused (409)": (REFUSED, 1),
}
JOB_FAILS = 0.03
CALM = 0.0


class Weather:
    """Chance in the place of a plane's `faults` (by route) and `fails` (by kind of job)."""

    def __init__(self, seed: str) -> None:
        self.chance = random.Random(seed)
        self.roughness = CALM
        self.seen: Counter[str] = Counter()

    def faults(self, route: str) -> list[Fault]:
        """At most one fault for a call that comes in now."""
        if self.chance.random() >= self.roughness:
            return []
        name = self.chance.choices(list(FAULTS), [weight for _fault, weight in FAULTS.values()])[0]
        if name == "refused (409)" and route.startswith("GET"):
            return []  # platforms refuse changes
        self.seen[name] += 1
        return [FAULTS[name][0]]

    def job(self, kind: str) -> str:
        """How a job fails; empty when it does not."""
        if not self.roughness or self.chance.random() >= JOB_FAILS:
            return ""
        how = self.chance.choice(("clean", "dirty"))
        self.seen[f"job failed, {how}"] += 1
        return how


class Drawn(dict[str, Any]):
    """A mapping whose values are drawn when they are asked for."""

    def __init__(self, draw: Any) -> None:
        super().__init__()
        self._draw = draw

    def get(self, key: str, default: Any = None) -> Any:
        return self._draw(key) or default
