"""Lists in pages, by a cursor: `nextCursor` of the answer before, or `page:N` to open the N-th page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from platforms.sandbox.errors import BadRequest

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
MAX_NUMBER = 2**63
MAX_DIGITS = 20


@dataclass(frozen=True)
class Page:
    items: list[Any]
    next_cursor: str | None
    total: int

    def as_json(self) -> dict[str, Any]:
        return {"items": self.items, "nextCursor": self.next_cursor, "total": self.total}


@dataclass(frozen=True)
class Place:
    """Where a list is to be opened: at a page, or at an entry that stays the same while the list grows."""

    limit: int
    page: int = 1
    at: int | None = None

    @classmethod
    def of(cls, request: web.Request) -> Place:
        """From `cursor` and `limit` of the query."""
        limit = whole_number(request, "limit", low=1, high=MAX_LIMIT)
        cursor = request.query.get("cursor", "")
        kind, _, text = cursor.partition(":")
        if not cursor:
            return cls(limit or DEFAULT_LIMIT)
        number = parse_number(text) if text.isdecimal() else None
        if kind not in ("page", "at") or number is None or (kind == "page" and number < 1):
            raise BadRequest("cursor: neither a nextCursor nor page:N with N from 1 on.")
        return cls(limit or DEFAULT_LIMIT, page=number) if kind == "page" else cls(limit or DEFAULT_LIMIT, at=number)

    def start(self, total: int, *, anchor: Callable[[int], int]) -> int:
        """How many entries come before; `anchor` counts those before the entry that the cursor names."""
        if self.at is None:
            return (self.page - 1) * self.limit
        return min(max(0, anchor(self.at)), total)

    def next(self, following: int | None) -> str | None:
        return None if following is None else f"at:{following}"


def paged(items: Sequence[Any], place: Place) -> Page:
    """A page of a short list that is at hand as a whole."""
    start = place.start(len(items), anchor=lambda number: number)
    end = start + place.limit
    return Page(list(items[start:end]), place.next(end if end < len(items) else None), len(items))


def whole_number(request: web.Request, name: str, *, low: int = 0, high: int = MAX_NUMBER) -> int | None:
    """A number of the query, decimal or 0x-hexadecimal; None when it is not given."""
    text = request.query.get(name, "")
    if not text:
        return None
    number = parse_number(text)
    if number is None or not low <= number <= high:
        raise BadRequest(f"{name}: a whole number from {low} to {high} is expected.")
    return number


def parse_number(text: str) -> int | None:
    if len(text) > MAX_DIGITS:
        return None
    try:
        return int(text, 16) if text[:2] in ("0x", "0X") else int(text) if text.isdecimal() and text.isascii() else None
    except ValueError:
        return None
