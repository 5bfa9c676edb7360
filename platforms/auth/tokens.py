"""The tokens of one platform: in memory only, one for each credential, fetched once however many ask at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from console.errors import PlatformRefused
from platforms.auth.base import Token

DEFAULT_LIFETIME = 600.0  # seconds, where neither the answer nor the mapping says
EARLY = 30.0  # seconds before its end a token is renewed; of a short-lived one a tenth of its life
REFUSAL_SECONDS = 10.0  # a refused credential is not tried again so soon: platforms lock accounts


@dataclass(frozen=True)
class _Kept:
    text: str = field(repr=False)
    until: float


class TokenKeeper:
    """Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._locks: dict[Hashable, threading.Lock] = {}
        self._kept: dict[Hashable, _Kept] = {}
        self._refused: dict[Hashable, tuple[float, PlatformRefused]] = {}

    def token(
        self, owner: Hashable, fetch: Callable[[], Token], *, lifetime: float | None = None, stale: str = ""
    ) -> tuple[str, bool]:
        """The owner's token, and whether this very call fetched it.

        A new one is fetched when there is none, when it ends soon, or when it is the `stale` one. Raises what `fetch`
        raises; a refusal is repeated for some seconds without asking again.
        """
        found = self._valid(owner, stale)
        if found:
            return found, False
        with self._lock_of(owner):
            found = self._valid(owner, stale)
            if found:
                return found, False
            self._repeat_refusal(owner)
            try:
                fresh = fetch()
            except PlatformRefused as problem:
                self._refused[owner] = (self._clock() + REFUSAL_SECONDS, problem)
                raise
            self._keep(owner, fresh, lifetime)
            return fresh.text, True

    def _valid(self, owner: Hashable, stale: str) -> str:
        kept = self._kept.get(owner)
        return kept.text if kept and kept.text != stale and kept.until > self._clock() else ""

    def _lock_of(self, owner: Hashable) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(owner, threading.Lock())

    def _repeat_refusal(self, owner: Hashable) -> None:
        until, problem = self._refused.get(owner, (0.0, None))
        if problem is not None and until > self._clock():
            raise PlatformRefused(problem.detail, code=problem.code, note=problem.note)

    def _keep(self, owner: Hashable, token: Token, lifetime: float | None) -> None:
        seconds = token.seconds if token.seconds is not None else lifetime or DEFAULT_LIFETIME
        self._refused.pop(owner, None)
        for other in [each for each, kept in list(self._kept.items()) if kept.until < self._clock()]:
            self._kept.pop(other, None)
        self._kept[owner] = _Kept(token.text, self._clock() + seconds - min(EARLY, seconds / 10))
