"""Template values: literals, selections by path, conversions. Pure functions over plain JSON."""

from __future__ import annotations

import functools
import json
import math
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from django.utils.translation import gettext_noop

from console.errors import PlatformRefused
from console.sentences import kept
from platforms.mapping.paths import MISSING, Path, compiled

__all__ = ["MISSING", "Unfit", "convert", "evaluate", "holds", "text_of"]

EXPRESSIONS = {
    "$from": frozenset({"$from", "$as", "$enum", "$else", "$default", "$optional", "$pick"}),
    "$each": frozenset({"$each", "$item", "$default", "$optional"}),
    "$join": frozenset({"$join", "$with"}),
    "$const": frozenset({"$const"}),
}
PICKS = ("first", "only", "count", "all")
CONVERSIONS = ("integer", "number", "string", "boolean", "hexInteger", "json")
CONDITION_WORDS = ("status",)  # may stand in a condition without `$.`
_SHOWN = 60  # characters of a value in an error

MAPPING_AT = kept(gettext_noop("MAPPING at %(place)s: %(problem)s"))
NO_TEXT = kept(gettext_noop("a text is expected, found %(found)s"))
NO_LIST = kept(gettext_noop("%(path)s is %(found)s where a list is expected"))
TOO_MANY = kept(gettext_noop("%(path)s matches %(count)s values where one is expected"))
ABSENT = kept(gettext_noop("%(path)s is not there"))
NOT_IN_ENUM = kept(gettext_noop("%(value)s is none of %(known)s"))
NOT_CONVERTED = kept(gettext_noop("cannot convert %(value)s to %(wanted)s"))
AN_OBJECT, A_LIST, A_TIME = gettext_noop("an object"), gettext_noop("a list"), gettext_noop("a time")


class Unfit(Exception):
    """A value that the template cannot make; carries the place."""

    def __init__(self, place: str, text: str) -> None:
        self.place, self.text = place, text
        super().__init__(f"{place}: {text}")

    def as_refusal(self) -> PlatformRefused:
        return PlatformRefused(MAPPING_AT % {"place": self.place, "problem": self.text}, code="mapping_failed")


def evaluate(value: Any, document: dict[str, Any], *, row: Any = MISSING, place: str = "") -> Any:
    """The plain JSON that a template value makes; MISSING when it is optional and not there. Raises Unfit."""
    if isinstance(value, list):
        items = (evaluate(each, document, row=row, place=f"{place}[{i}]") for i, each in enumerate(value))
        return [item for item in items if item is not MISSING]
    if not isinstance(value, dict):
        return value
    if "$from" in value:
        return _converted(_selected(value, document, row, place), value, place)
    if "$each" in value:
        return _each(value, document, row, place)
    if "$const" in value:
        return value["$const"]
    if "$join" in value:
        parts = evaluate(value["$join"], document, row=row, place=place)
        return str(value.get("$with", "")).join(text_of(part, place) for part in parts)
    made = {key: evaluate(each, document, row=row, place=f"{place}.{key}") for key, each in value.items()}
    return {key: each for key, each in made.items() if each is not MISSING}


def text_of(value: Any, place: str) -> str:
    """A scalar as it stands in an address, a header or a joined text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise Unfit(place, NO_TEXT % {"found": _kind(value)})


def _each(value: dict[str, Any], document: dict[str, Any], row: Any, place: str) -> Any:
    """One item for each row; `null` is a platform's way of saying: none."""
    path = _path(value["$each"], place)
    rows = _find(path, document, row, place)
    if path.singular:
        if not rows:
            return _absent(value, value["$each"], place)
        rows = [] if rows[0] is None else rows[0]
        if not isinstance(rows, list):
            raise Unfit(place, NO_LIST % {"path": path.text, "found": _kind(rows)})
    item = value["$item"]
    items = [evaluate(item, document, row=each, place=f"{place}[{i}]") for i, each in enumerate(rows)]
    return [each for each in items if each is not MISSING]


def _path(text: Any, place: str) -> Path:
    try:
        return compiled(text)
    except (ValueError, TypeError) as problem:
        raise Unfit(place, str(problem)) from problem


def _find(path: Path, document: dict[str, Any], row: Any, place: str) -> list[Any]:
    try:
        return path.find(document, row)
    except LookupError as problem:
        raise Unfit(place, str(problem)) from problem


def _selected(value: dict[str, Any], document: dict[str, Any], row: Any, place: str) -> Any:
    found = _find(_path(value["$from"], place), document, row, place)
    pick = value.get("$pick")
    if pick == "all":
        return found
    if pick == "count":
        return len(found)
    if len(found) > 1 and pick != "first":
        raise Unfit(place, TOO_MANY % {"path": value["$from"], "count": len(found)})
    return found[0] if found else MISSING


def _absent(value: dict[str, Any], path: str, place: str) -> Any:
    if "$default" in value:
        return value["$default"]
    if value.get("$optional"):
        return MISSING
    raise Unfit(place, ABSENT % {"path": path})


def _converted(found: Any, value: dict[str, Any], place: str) -> Any:
    if found is MISSING or (found is None and ("$default" in value or value.get("$optional"))):
        if "$else" in value and "$default" not in value and not value.get("$optional"):
            return value["$else"]
        return _absent(value, value["$from"], place)
    if "$enum" in value:
        return _mapped(found, value, place)
    if "$as" in value and found is not None:
        return convert(found, value["$as"], place)
    return found


def _mapped(found: Any, value: dict[str, Any], place: str) -> Any:
    """YAML keys may be numbers or booleans, JSON's are texts: both find their entry."""
    table = value["$enum"]
    wanted = enum_key(found)
    for key, made in table.items():
        if enum_key(key) == wanted:
            return made
    if "$else" in value:
        return value["$else"]
    known = ", ".join(sorted(enum_key(key) or "?" for key in table))
    raise Unfit(place, NOT_IN_ENUM % {"value": _shown(found), "known": known})


def enum_key(value: Any) -> str | None:
    """A scalar as a key of `$enum`; None for what cannot be one."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def convert(found: Any, wanted: Any, place: str) -> Any:
    """`found` as one of CONVERSIONS or as `{time: …}`; times become ISO 8601 texts, `json` a text too."""
    try:
        if isinstance(wanted, dict):
            return _time(found, str(wanted["time"]), str(wanted.get("zone", "+00:00"))).isoformat()
        return _SIMPLE[wanted](found)
    except (ValueError, TypeError, KeyError, OverflowError, OSError) as problem:
        name = A_TIME if isinstance(wanted, dict) else wanted
        raise Unfit(place, NOT_CONVERTED % {"value": _shown(found), "wanted": name}) from problem


def _integer(found: Any) -> int:
    if isinstance(found, bool):
        raise ValueError("not a number")
    if isinstance(found, str) and not re.fullmatch(r"\s*[+-]?[0-9]{1,80}\s*", found):
        raise ValueError("not digits")
    if isinstance(found, float) and not found.is_integer():
        raise ValueError("not whole")
    return int(found)


def _number(found: Any) -> float | int:
    if isinstance(found, bool):
        raise ValueError("not a number")
    if isinstance(found, int):
        return found
    number = float(found)
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number


def _string(found: Any) -> str:
    if isinstance(found, dict | list):
        return json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    return text_of(found, "")


def _boolean(found: Any) -> bool:
    return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[str(found).lower()]


def _hexadecimal(found: Any) -> int:
    if not isinstance(found, str) or not re.fullmatch(r"\s*(0[xX])?[0-9a-fA-F]{1,80}\s*", found):
        raise ValueError("not hexadecimal digits")
    return int(found, 16)


_SIMPLE: dict[str, Any] = {
    "integer": _integer,
    "number": _number,
    "string": _string,
    "boolean": _boolean,
    "hexInteger": _hexadecimal,
    "json": functools.partial(json.dumps, ensure_ascii=False, separators=(",", ":")),
}


def _time(found: Any, form: str, zone: str) -> datetime:
    if form in ("ms", "s"):
        seconds = float(_number(found)) / (1000 if form == "ms" else 1)
        return datetime.fromtimestamp(seconds, UTC)
    if not isinstance(found, str):
        raise ValueError("not a text")
    moment = datetime.fromisoformat(found) if form == "iso" else datetime.strptime(found, form)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone_of(zone))


def zone_of(text: str) -> timezone:
    """`+08:00` as a time zone; ValueError for anything else."""
    match = re.fullmatch(r"([+-])([0-9]{2}):([0-9]{2})", text)
    if match is None:
        raise ValueError("a zone is written +08:00")
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(-offset if match[1] == "-" else offset)


def holds(condition: Any, document: dict[str, Any], *, place: str = "") -> bool:
    """A condition as data: an object means all of (path or `status` → values), a list means any of.

    No values at all (`[]`) means that the path matches nothing.
    """
    if isinstance(condition, list):
        return any(holds(each, document, place=place) for each in condition)
    for text, wanted in condition.items():
        found = found_by(text, document, place)
        values = wanted if isinstance(wanted, list) else [wanted]
        if not values and not found:
            continue
        if not any(same(each, value) for each in found for value in values):
            return False
    return True


def found_by(text: str, document: dict[str, Any], place: str = "") -> list[Any]:
    """The values that the key of a condition looks at."""
    return _find(_path(f"$.{text}" if text in CONDITION_WORDS else text, place), document, MISSING, place)


def same(found: Any, wanted: Any) -> bool:
    """Equal, and not because a boolean is a number to Python."""
    return bool(found == wanted) and isinstance(found, bool) == isinstance(wanted, bool)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, dict):
        return AN_OBJECT
    return A_LIST if isinstance(value, list) else _shown(value)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
