"""Programs that ask by REST and, when the console dies under them, ask again with the same key, as clients should."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from django.utils import timezone

CALL_SECONDS = 30.0  # of one attempt
PATIENCE = 120.0  # of one request, with all its attempts
PAUSE = 0.2
AGAIN = frozenset({429, 502, 503, 504})


@dataclass(frozen=True)
class Heard:
    """What a request was answered in the end, and when its last attempt began."""

    status: int
    body: Any
    attempts: int
    asked_at: datetime

    @property
    def problem(self) -> str:
        """The code of a refusal; empty when there is none."""
        return str(self.body.get("code", self.status)) if self.status >= 400 else ""


@dataclass
class Caller:
    """One token, used by several threads; it knows how many requests are under way."""

    address: str
    token: str
    cut_off: Counter[str] = field(default_factory=Counter)  # attempts that came to nothing, by reason
    broken: list[str] = field(default_factory=list)  # answers that no client should ever see
    _under_way: int = 0
    _changes: threading.Condition = field(default_factory=threading.Condition)

    def ask(self, method: str, path: str, body: Any = None, *, key: str = "") -> Heard:
        """Ask until there is an answer, whatever becomes of the web process meanwhile."""
        headers = {"Authorization": f"Bearer {self.token}", **({"Idempotency-Key": key} if key else {})}
        deadline, attempts = time.monotonic() + PATIENCE, 0
        while True:
            attempts, asked_at = attempts + 1, timezone.now()
            try:
                with self._counted():
                    answer = httpx.request(
                        method, f"{self.address}/api/v1/{path}", json=body, headers=headers, timeout=CALL_SECONDS
                    )
                if answer.status_code not in AGAIN:
                    return self._heard(answer, attempts, asked_at)
                reason = f"answered {answer.status_code}"
            except httpx.ConnectError:
                reason = "nobody there"
            except httpx.TransportError as problem:
                reason = f"cut off while it was under way ({type(problem).__name__})"
            self.cut_off[reason] += 1
            if time.monotonic() > deadline:
                raise TimeoutError(f"{method} {path} is not answered: {reason}")
            time.sleep(PAUSE)

    def await_console(self) -> None:
        """Wait until somebody listens."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{self.address}/healthz", timeout=CALL_SECONDS)
                return
            time.sleep(PAUSE)

    def await_request(self, seconds: float) -> bool:
        """Wait until a request is under way; whether one is."""
        with self._changes:
            return self._changes.wait_for(lambda: self._under_way > 0, seconds)

    def _heard(self, answer: httpx.Response, attempts: int, asked_at: datetime) -> Heard:
        if answer.status_code >= 500:
            self.broken.append(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}")
        body = answer.json() if answer.headers["Content-Type"].endswith("json") else {}
        return Heard(answer.status_code, body, attempts, asked_at)

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        self._add(1)
        try:
            yield
        finally:
            self._add(-1)

    def _add(self, number: int) -> None:
        with self._changes:
            self._under_way += number
            self._changes.notify_all()
