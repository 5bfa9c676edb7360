"""Long lists by key: a slice begins behind a row, not behind a number of rows, so that it costs the same anywhere.

A cursor is `below-HEIGHT[.INDEX]` or `above-HEIGHT[.INDEX]`, or `end` for the last slice. A list may have several
sources, each with an index of its own that gives its rows in order; their rows are merged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from django.db.models import Q, QuerySet

COUNTED = 1000  # rows beyond are not counted: of a party they lie far apart, and each costs a look
PAGED = 10_000  # rows that can be reached by the number of a page
MAX = 2**63 - 1
END = "end"
_CURSOR = re.compile(r"(below|above)-(\d{1,19})(?:\.(\d{1,10}))?", re.ASCII)


@dataclass(frozen=True)
class Cursor:
    """Where a slice begins: the rows on one side of a key."""

    below: bool
    key: tuple[int, ...]

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None when the text is no cursor."""
        found = _CURSOR.fullmatch(text)
        if found is None or int(found[2]) > MAX:
            return None
        return cls(found[1] == "below", tuple(int(each) for each in found.groups()[1:] if each is not None))

    def __str__(self) -> str:
        return f"{'below' if self.below else 'above'}-{'.'.join(map(str, self.key))}"


@dataclass(frozen=True)
class Slice:
    """A part of a list, and the cursors of the parts around it; empty where there is none."""

    rows: list[Any]
    earlier: str = ""  # towards the beginning of the list
    later: str = ""

    @property
    def object_list(self) -> list[Any]:
        return self.rows

    @property
    def is_first(self) -> bool:
        return not self.earlier


@dataclass(frozen=True)
class KeyedList:
    """The rows of all sources, by `fields`; the greatest key first unless it is `ascending`."""

    sources: Sequence[QuerySet[Any]]
    fields: tuple[str, ...]
    ascending: bool = False

    def count(self) -> tuple[int, bool]:
        """How many rows, and whether that is all of them: counting ends at `COUNTED`."""
        rows = [source.order_by(*self.fields) for source in self.sources]  # in the order of its index, so along it
        if len(rows) == 1:
            found = rows[0].values(self.fields[0])[: COUNTED + 1].count()
        else:
            found = len({pk for each in rows for pk in each.values_list("pk", flat=True)[: COUNTED + 1]})
        return min(found, COUNTED), found <= COUNTED

    def slice(self, size: int, cursor: Cursor | None = None, *, offset: int = 0) -> Slice:
        """From the cursor on, or from the beginning; one before the first row is the beginning."""
        if cursor is not None and cursor.below == self.ascending:
            rows, more = self._fetch(size, cursor, backwards=True)
            if more:
                return Slice(rows, self._before(rows), self._behind(rows))
            return self.slice(size)
        rows, more = self._fetch(size, cursor, offset=offset)
        begun = cursor is not None or offset > 0
        return Slice(rows, self._before(rows) if begun else "", self._behind(rows) if more else "")

    def last(self, size: int) -> Slice:
        """The end of the list."""
        rows, more = self._fetch(size, None, backwards=True)
        return Slice(rows, self._before(rows) if more else "")

    def _fetch(
        self, size: int, cursor: Cursor | None, *, backwards: bool = False, offset: int = 0
    ) -> tuple[list[Any], bool]:
        """So many rows in the list's order, and whether there are more in the direction of reading."""
        rising = self.ascending != backwards
        order = [name if rising else f"-{name}" for name in self.fields]
        most, alone = offset + size + 1, len(self.sources) == 1
        found: dict[int, Any] = {}
        for source in self.sources:
            rows = source.filter(_beside(self.fields, cursor)) if cursor else source
            found |= {row.pk: row for row in rows.order_by(*order)[offset if alone else 0 : most]}
        rows_of_all = sorted(found.values(), key=self._key, reverse=not rising)[0 if alone else offset : most]
        more = len(rows_of_all) > size
        rows_of_all = rows_of_all[:size]
        return (rows_of_all[::-1] if backwards else rows_of_all), more

    def _key(self, row: Any) -> tuple[int, ...]:
        return tuple(getattr(row, name) for name in self.fields)

    def _before(self, rows: list[Any]) -> str:
        return str(Cursor(self.ascending, self._key(rows[0]))) if rows else ""

    def _behind(self, rows: list[Any]) -> str:
        return str(Cursor(not self.ascending, self._key(rows[-1]))) if rows else ""


def _beside(fields: tuple[str, ...], cursor: Cursor) -> Q:
    """The rows on the cursor's side of its key. The first field's bound stands alone, for the index to begin at."""
    word = "lt" if cursor.below else "gt"
    if len(fields) == 1 or len(cursor.key) == 1:
        return Q(**{f"{fields[0]}__{word}": cursor.key[0]})
    first, second = fields
    height, index = cursor.key
    beyond = Q(**{f"{first}__{word}": height}) | Q(**{first: height, f"{second}__{word}": index})
    return Q(**{f"{first}__{word}e": height}) & beyond
