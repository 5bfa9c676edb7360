"""Template values: literals, selections by path, conversions. Pure functions over plain JSON.

Paths are RFC 9535 without regular expressions and without `..`. `$` is the whole document of the call
(`in`, `const`, `call`, `steps`, and `body`, `status`, `headers` inside conditions), `@` the current row.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import jsonpath

from console.errors import PlatformRefused

EXPRESSION_KEYS = frozenset({"$from", "$each", "$const", "$join"})
MISSING = object()
_ENVIRONMENT = jsonpath.JSONPathEnvironment(strict=True)


class Unfit(Exception):
    """A value that the template cannot make; carries the place."""

    def __init__(self, place: str, text: str) -> None:
        self.place, self.text = place, text
        super().__init__(f"{place}: {text}")

    def as_refusal(self) -> PlatformRefused:
        return PlatformRefused(f"MAPPING at {self.place}: {self.text}", code="mapping_failed")


@functools.lru_cache(maxsize=4096)
def compiled(path: str) -> tuple[bool, jsonpath.JSONPath, bool]:
    """(starts at the row, the path from its root, at most one match). ValueError for what is forbidden."""
    row = path.startswith("@")
    text = "$" + path[1:] if row else path
    if ".." in text or "match(" in text or "search(" in text:
        raise ValueError("`..` and regular expressions are not allowed in paths")
    try:
        query = _ENVIRONMENT.compile(text)
    except Exception as problem:  # the library's errors share no base
        raise ValueError(str(problem)) from problem
    if not isinstance(query, jsonpath.JSONPath):
        raise ValueError("one path is expected")
    return row, query, query.singular_query()


def evaluate(value: Any, document: dict[str, Any], *, row: Any = MISSING, place: str = "") -> Any:
    """The plain JSON that a template value makes; MISSING when it is optional and not there. Raises Unfit."""
    if isinstance(value, list):
        items = (evaluate(each, document, row=row, place=f"{place}[{i}]") for i, each in enumerate(value))
        return [item for item in items if item is not MISSING]
    if not isinstance(value, dict):
        return value
    if "$const" in value:
        return value["$const"]
    if "$join" in value:
        parts = evaluate(value["$join"], document, row=row, place=place)
        return str(value.get("$with", "")).join(str(part) for part in parts)
    if "$each" in value:
        return _each(value, document, row, place)
    if "$from" in value:
        return _converted(_selected(value, document, row, place), value, place)
    made = {key: evaluate(each, document, row=row, place=f"{place}.{key}") for key, each in value.items()}
    return {key: each for key, each in made.items() if each is not MISSING}


def _each(value: dict[str, Any], document: dict[str, Any], row: Any, place: str) -> list[Any]:
    rows = _find(value["$each"], document, row, place)
    if len(rows) == 1 and isinstance(rows[0], list):
        rows = rows[0]
    elif len(rows) == 1 and rows[0] is None:
        rows = []  # a platform's way of saying: none
    items = [evaluate(value["$item"], document, row=each, place=f"{place}[{i}]") for i, each in enumerate(rows)]
    return [item for item in items if item is not MISSING]


def _find(path: str, document: dict[str, Any], row: Any, place: str) -> list[Any]:
    at_row, query, _singular = compiled(path)
    if at_row and row is MISSING:
        raise Unfit(place, f"{path} stands outside of a list")
    return list(query.findall(row if at_row else document))


def _selected(value: dict[str, Any], document: dict[str, Any], row: Any, place: str) -> Any:
    found = _find(value["$from"], document, row, place)
    pick = value.get("$pick")
    if pick == "all":
        return found
    if pick == "count":
        return len(found)
    if pick == "only" and len(found) > 1:
        raise Unfit(place, f"{value['$from']} matches {len(found)} values where one is expected")
    return found[0] if found else MISSING


def _converted(found: Any, value: dict[str, Any], place: str) -> Any:
    if found is MISSING or found is None:
        if "$default" in value:
            return value["$default"]
        if value.get("$optional"):
            return MISSING
        if found is None and "$enum" not in value:
            return None
        if "$else" in value:
            return value["$else"]
        raise Unfit(place, f"{value['$from']} is not there")
    if "$enum" in value:
        return _mapped(found, value, place)
    if "$as" in value:
        return convert(found, value["$as"], place)
    return found


def _mapped(found: Any, value: dict[str, Any], place: str) -> Any:
    """YAML keys may be numbers or booleans; JSON's may not: both find their entry."""
    table = value["$enum"]
    for key in (found, str(found)):
        if isinstance(key, str | int | float | bool) and key in table:
            return table[key]
    if "$else" in value:
        return value["$else"]
    raise Unfit(place, f"{found!r} is not among {sorted(map(str, table))}")


def convert(found: Any, wanted: Any, place: str) -> Any:
    """`found` as integer, number, string, boolean, hexInteger or `{time: …}`; times become ISO 8601 texts."""
    try:
        if isinstance(wanted, dict):
            return _time(found, str(wanted["time"]), str(wanted.get("zone", "+00:00"))).isoformat()
        return _SIMPLE[wanted](found)
    except (ValueError, TypeError, KeyError, OverflowError, OSError) as problem:
        name = "a time" if isinstance(wanted, dict) else wanted
        raise Unfit(place, f"cannot convert {str(found)[:60]!r} to {name}") from problem


def _integer(found: Any) -> int:
    if isinstance(found, float) and not found.is_integer():
        raise ValueError("not whole")
    return int(found)


def _boolean(found: Any) -> bool:
    return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[str(found).lower()]


_SIMPLE: dict[str, Any] = {
    "integer": _integer,
    "number": float,
    "string": lambda found: found if isinstance(found, str) else str(found),
    "boolean": _boolean,
    "hexInteger": lambda found: int(str(found), 16),
}


def _time(found: Any, form: str, zone: str) -> datetime:
    if form in ("ms", "s"):
        seconds = float(found) / (1000 if form == "ms" else 1)
        return datetime.fromtimestamp(seconds, UTC)
    text = str(found)
    moment = datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)
    return moment if moment.tzinfo else moment.replace(tzinfo=_zone(zone))


def _zone(text: str) -> timezone:
    sign = -1 if text.startswith("-") else 1
    hours, minutes = text.lstrip("+-").split(":")
    return timezone(sign * timedelta(hours=int(hours), minutes=int(minutes)))


def holds(condition: Any, document: dict[str, Any]) -> bool:
    """A condition as data: an object means all of (path or `status` → values), a list means any of."""
    if isinstance(condition, list):
        return any(holds(each, document) for each in condition)
    for path, wanted in condition.items():
        query = f"$.{path}" if path in ("status",) else path
        found = _find(query, document, MISSING, str(path))
        values = wanted if isinstance(wanted, list) else [wanted]
        if not any(_same(each, value) for each in found for value in values):
            return False
    return True


def _same(found: Any, wanted: Any) -> bool:
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)
