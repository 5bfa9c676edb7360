"""Template values: literals, selections by path, conversions. Pure functions over plain JSON."""

from __future__ import annotations

import functools
import json
import math
import re
import string
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from django.utils.translation import gettext_noop

from console.errors import PlatformRefused
from console.sentences import kept
from platforms.mapping.paths import MISSING, OUTSIDE, Path, compiled, step_into

Json = dict[str, Any]
Maker = Callable[[Json, Any], Any]  # of a document, and of a row or MISSING
__all__ = ["MISSING", "Unfit", "convert", "evaluate", "holds", "maker", "text_of"]

EXPRESSIONS = {
    "$from": frozenset({"$from", "$as", "$enum", "$else", "$default", "$optional", "$pick"}),
    "$each": frozenset({"$each", "$item", "$default", "$optional"}),
    "$join": frozenset({"$join", "$with"}),
    "$const": frozenset({"$const"}),
}
PICKS = ("first", "only", "count", "all")
CONVERSIONS = ("integer", "number", "string", "boolean", "hexInteger", "json")
UNCONVERTIBLE = (ValueError, TypeError, LookupError, OverflowError, OSError)
CONDITION_WORDS = ("status",)  # may stand in a condition without `$.`
_SHOWN = 60  # characters of a value in an error

UNFIT = "mapping_failed"
NO_FIT = gettext_noop("The platform and its mapping do not fit together. An administrator has to look at this.")
SAYS = kept(gettext_noop("The platform says: %(problem)s"))
MAPPING_AT = kept(gettext_noop("MAPPING at %(place)s: %(problem)s"))
NO_TEXT = kept(gettext_noop("a text is expected, found %(found)s"))
NO_LIST = kept(gettext_noop("%(path)s is %(found)s where a list is expected"))
TOO_MANY = kept(gettext_noop("%(path)s matches %(count)s values where one is expected"))
ABSENT = kept(gettext_noop("%(path)s is not there"))
NOT_IN_ENUM = kept(gettext_noop("%(value)s is none of %(known)s"))
NOT_CONVERTED = kept(gettext_noop("cannot convert %(value)s to %(wanted)s"))
AN_OBJECT, A_LIST, A_TIME = gettext_noop("an object"), gettext_noop("a list"), gettext_noop("a time")
A_PART, A_NAME = gettext_noop("a part of a text"), gettext_noop("a name")


class Unfit(Exception):
    """A value that the template cannot make; carries the place."""

    def __init__(self, place: str, text: str) -> None:
        self.place, self.text = place, text
        super().__init__(f"{place}: {text}")

    def as_refusal(self) -> PlatformRefused:
        note = MAPPING_AT % {"place": self.place, "problem": self.text}
        return PlatformRefused(NO_FIT, code=UNFIT, note=note)


def evaluate(value: Any, document: Json, *, row: Any = MISSING, place: str = "") -> Any:
    """The plain JSON that a template value makes; MISSING when it is optional and not there. Raises Unfit."""
    return maker(value, place)(document, row)


def maker(value: Any, place: str = "") -> Maker:
    """`evaluate` made ready: what a template value makes of a document and a row, read many times. Raises Unfit."""
    if isinstance(value, list):
        return _listing([maker(each, f"{place}[{i}]") for i, each in enumerate(value)])
    if not isinstance(value, dict):
        return lambda _document, _row: value
    if "$from" in value:
        return _from(value, place)
    if "$each" in value:
        return _each(value, place)
    if "$const" in value:
        literal = value["$const"]
        return lambda _document, _row: literal
    if "$join" in value:
        return _joining(value, place)
    return _object({key: maker(each, f"{place}.{key}") for key, each in value.items()})


def _listing(makers: list[Maker]) -> Maker:
    return lambda document, row: [made for each in makers if (made := each(document, row)) is not MISSING]


def _object(makers: dict[str, Maker]) -> Maker:
    items = tuple(makers.items())
    return lambda document, row: {key: made for key, each in items if (made := each(document, row)) is not MISSING}


def _joining(value: Json, place: str) -> Maker:
    parts, between = maker(value["$join"], place), str(value.get("$with", ""))
    return lambda document, row: between.join(text_of(part, place) for part in parts(document, row))


def text_of(value: Any, place: str) -> str:
    """A scalar as it stands in an address, a header or a joined text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise Unfit(place, NO_TEXT % {"found": _kind(value)})


def _each(value: Json, place: str) -> Maker:
    """One item for each row; `null` is a platform's way of saying: none."""
    path, item = _path(value["$each"], place), _row_maker(value["$item"])

    def make(document: Json, row: Any) -> Any:
        rows = _find(path, document, row, place)
        if path.singular:
            if not rows:
                return _absent(value, path.text, place)
            rows = [] if rows[0] is None else rows[0]
            if not isinstance(rows, list):
                raise Unfit(place, NO_LIST % {"path": path.text, "found": _kind(rows)})
        return _items(item, document, rows, place)

    return make


def _row_maker(value: Any) -> Maker:
    """`maker` for rows: where an object takes fields of the row as they are or converted, without a detour for each."""
    whole = maker(value)
    if not isinstance(value, dict) or value.keys() & EXPRESSIONS.keys() or "$secret" in value:
        return whole
    fields = tuple((key, *_field_of_row(each, f".{key}"), maker(each, f".{key}")) for key, each in value.items())
    if not any(name for _key, name, _change, _make in fields):
        return whole

    def make(document: Json, row: Any) -> Any:
        if not isinstance(row, dict):
            return whole(document, row)
        made: Json = {}
        for key, name, change, usual in fields:
            found = None if name is None else row.get(name)
            if found is not None:
                made[key] = found if change is None else change(found)
            elif (one := usual(document, row)) is not MISSING:
                made[key] = one
        return made

    return make


def _field_of_row(value: Any, place: str) -> tuple[str | None, Callable[[Any], Any] | None]:
    """The one field of the row that a value is made of, if it is, and what is made of it."""
    if not isinstance(value, dict) or "$from" not in value or value.get("$pick") not in (None, "first", "only"):
        return None, None
    path = _path(value["$from"], place)
    if not path.from_row or path.keys is None or len(path.keys) != 1 or not isinstance(path.keys[0], str):
        return None, None
    return path.keys[0], _changing(value, place)


def _items(item: Maker, document: Json, rows: list[Any], place: str) -> list[Any]:
    made: list[Any] = []
    for index, each in enumerate(rows):
        try:
            one = item(document, each)
        except Unfit as problem:
            raise Unfit(f"{place}[{index}]{problem.place}", problem.text) from problem
        if one is not MISSING:
            made.append(one)
    return made


def _path(text: Any, place: str) -> Path:
    try:
        return compiled(text)
    except (ValueError, TypeError) as problem:
        raise Unfit(place, str(problem)) from problem


def _find(path: Path, document: Json, row: Any, place: str) -> list[Any]:
    try:
        return path.find(document, row)
    except LookupError as problem:
        raise Unfit(place, str(problem)) from problem


def _from(value: Json, place: str) -> Maker:
    """A selection, and what is made of the one value that it finds."""
    path, change = _path(value["$from"], place), _changing(value, place)
    wants_null = "$default" not in value and not value.get("$optional")
    look = _looking(path, value.get("$pick"), place)

    def make(document: Json, row: Any) -> Any:
        found = look(document, row)
        if found is MISSING or (found is None and not wants_null):
            return value["$else"] if wants_null and "$else" in value else _absent(value, path.text, place)
        return found if change is None else change(found)

    return make


def _looking(path: Path, pick: str | None, place: str) -> Maker:
    """Finds the one value that the path is to give; MISSING when there is none."""
    if path.keys is not None and pick in (None, "first", "only"):
        return _walking(path, path.keys, place)

    def look(document: Json, row: Any) -> Any:
        found = _find(path, document, row, place)
        if pick == "all":
            return found
        if pick == "count":
            return len(found)
        if len(found) > 1 and pick != "first":
            raise Unfit(place, TOO_MANY % {"path": path.text, "count": len(found)})
        return found[0] if found else MISSING

    return look


def _walking(path: Path, keys: tuple[str | int, ...], place: str) -> Maker:
    """The common case, without a detour: a path that matches once at most."""

    def look(document: Json, row: Any) -> Any:
        node = row if path.from_row else document
        if node is MISSING:
            raise Unfit(place, OUTSIDE % {"path": path.text})
        for key in keys:
            node = step_into(node, key)
        return node

    if path.from_row and len(keys) == 1 and isinstance(keys[0], str):
        name = keys[0]
        return lambda document, row: row.get(name, MISSING) if isinstance(row, dict) else look(document, row)
    return look


def _absent(value: Json, path: str, place: str) -> Any:
    if "$default" in value:
        return value["$default"]
    if value.get("$optional"):
        return MISSING
    raise Unfit(place, ABSENT % {"path": path})


def _changing(value: Json, place: str) -> Callable[[Any], Any] | None:
    """`$enum` or `$as`, made ready; None when what is found stays as it is."""
    if "$enum" in value:
        return _mapping(value, place)
    if "$as" not in value:
        return None
    wanted = value["$as"]
    turn, name = _conversion(wanted), named_conversion(wanted)

    def change(found: Any) -> Any:
        try:
            return None if found is None else turn(found)
        except UNCONVERTIBLE as problem:
            raise Unfit(place, NOT_CONVERTED % {"value": _shown(found), "wanted": name}) from problem

    return change


def _mapping(value: Json, place: str) -> Callable[[Any], Any]:
    """YAML keys may be numbers or booleans, JSON's are texts: both find their entry."""
    table: dict[str | None, Any] = {}
    for key, made in value["$enum"].items():
        table.setdefault(enum_key(key), made)

    def change(found: Any) -> Any:
        wanted = enum_key(found)
        if wanted in table:
            return table[wanted]
        if "$else" in value:
            return value["$else"]
        known = ", ".join(sorted(key or "?" for key in table))
        raise Unfit(place, NOT_IN_ENUM % {"value": _shown(found), "known": known})

    return change


def enum_key(value: Any) -> str | None:
    """A scalar as a key of `$enum`; None for what cannot be one."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def convert(found: Any, wanted: Any, place: str) -> Any:
    """`found` as one of CONVERSIONS, as `{time: …}`, as a `{part: …}` of a text or a `{name: …}` made of it.

    Times become ISO 8601 texts, `json` a text too.
    """
    try:
        return _conversion(wanted)(found)
    except UNCONVERTIBLE as problem:
        name = named_conversion(wanted)
        raise Unfit(place, NOT_CONVERTED % {"value": _shown(found), "wanted": name}) from problem


def _conversion(wanted: Any) -> Callable[[Any], Any]:
    """The conversion made ready."""
    if not isinstance(wanted, dict):
        return _SIMPLE[wanted]
    if "part" in wanted:
        return lambda found: _part(found, int(wanted["part"]), str(wanted["of"]))
    if "name" in wanted:
        return lambda found: _name(found, str(wanted["name"]), wanted.get("most"))
    form, zone = str(wanted["time"]), str(wanted.get("zone", "+00:00"))
    return _iso(zone) if form == "iso" else lambda found: _time(found, form, zone).isoformat()


def _iso(zone: str) -> Callable[[Any], str]:
    """The commonest time: ISO 8601 to ISO 8601 with its zone."""
    read = datetime.fromisoformat

    def turn(found: Any) -> str:
        moment = read(found)  # TypeError for what is no text
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone_of(zone))).isoformat()

    return turn


def named_conversion(wanted: Any) -> str:
    """What a conversion makes, for sentences."""
    if not isinstance(wanted, dict):
        return str(wanted)
    return A_PART if "part" in wanted else A_NAME if "name" in wanted else A_TIME


def _part(found: Any, number: int, between: str) -> str:
    """One part of an id that is made of several; LookupError where it has fewer."""
    if not isinstance(found, str):
        raise ValueError("not a text")
    return found.split(between)[number]


def _name(found: Any, letters: str, most: int | None) -> str:
    """What a platform takes for a name: characters that it does not take are left out."""
    text, allowed = text_of(found, ""), _letters(letters)
    if not allowed & set(string.ascii_uppercase):
        text = text.lower()
    return "".join(each for each in text if each in allowed)[:most]


@functools.lru_cache(maxsize=64)
def _letters(text: str) -> frozenset[str]:
    """`a-z0-9-` as characters: ranges, and what stands alone."""
    found: set[str] = set()
    for first, last, alone in re.findall(r"([a-zA-Z0-9])-([a-zA-Z0-9])|([a-zA-Z0-9_.-])", text):
        found |= {alone} if alone else {chr(code) for code in range(ord(first), ord(last) + 1)}
    return frozenset(found)


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


@functools.lru_cache(maxsize=64)
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
