"""What a template value makes: its shape, followed through literals, paths, lists, enums and conversions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop

from platforms.mapping.check.findings import Findings, Spot
from platforms.mapping.check.scope import BROKEN_SHAPE, Read, Scope, View, kinds_text, read_path
from platforms.mapping.shapes import Shape, literal_schema
from platforms.mapping.values import EXPRESSIONS, enum_key, named_conversion

TIME = "time-made"  # the format of a text that went through `$as: {time: …}`

_CONVERTED = {
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "hexInteger": {"type": "integer"},
    "json": {"type": "string"},
}
_CONVERTIBLE = {
    "integer": {"integer", "number", "string"},
    "number": {"integer", "number", "string"},
    "boolean": {"boolean", "integer", "string"},
    "hexInteger": {"string"},
}


@dataclass(frozen=True)
class Made:
    """The shape of what is made, and whether it may be absent."""

    shape: Shape
    optional: bool = False


def make(value: Any, scope: Scope, spot: Spot, findings: Findings) -> Made:
    """What the value makes."""
    if isinstance(value, list):
        items = [make(each, scope, spot.index(i), findings).shape for i, each in enumerate(value)]
        return Made(Shape.of({"type": "array", "items": Shape.any_of(items) if items else False}))
    if not isinstance(value, dict):
        return Made(Shape.of(literal_schema(value)))
    kind = next((name for name in (*EXPRESSIONS, "$secret") if name in value), "")
    if kind:
        return _MAKERS[kind](value, scope, spot, findings)
    fields = {name: make(each, scope, spot.key(name), findings) for name, each in value.items()}
    return Made(
        Shape.of(
            {
                "type": "object",
                "properties": {name: made.shape for name, made in fields.items()},
                "required": [name for name, made in fields.items() if not made.optional],
                "additionalProperties": False,
            }
        )
    )


def _const(value: Any, scope: Scope, spot: Spot, findings: Findings) -> Made:
    return Made(Shape.of(literal_schema(value["$const"])))


def _secret(value: Any, scope: Scope, spot: Spot, findings: Findings) -> Made:
    return Made(Shape.of({"type": "string"}))


def _join(value: Any, scope: Scope, spot: Spot, findings: Findings) -> Made:
    for index, each in enumerate(value["$join"]):
        made = make(each, scope, spot.key("$join", shown="").index(index), findings)
        if made.shape.kinds is not None and made.shape.kinds & {"object", "array"}:
            findings.error(
                spot, gettext_noop("Only texts and numbers can be joined, not %(found)s."), found=kinds_text(made.shape)
            )
    return Made(Shape.of({"type": "string"}))


def _each(value: Any, scope: Scope, spot: Spot, findings: Findings) -> Made:
    read = read_path(value["$each"], scope, spot.key("$each", shown=""), findings)
    if read is None:
        return Made(BROKEN_SHAPE, bool(value.get("$optional")))
    row = read.view if read.many else _rows(read, value["$each"], spot, findings)
    if row is None:
        return Made(BROKEN_SHAPE)
    item = make(value["$item"], scope.with_row(row), spot.item(), findings)
    return Made(
        Shape.of({"type": "array", "items": item.shape}), bool(value.get("$optional")) and "$default" not in value
    )


def _rows(read: Read, path: str, spot: Spot, findings: Findings) -> View | None:
    """The elements of the one list that the path finds."""
    if read.shape.kinds is not None and "array" not in read.shape.kinds:
        findings.error(
            spot,
            gettext_noop("%(path)s is %(found)s where a list is expected."),
            path=path,
            found=kinds_text(read.shape),
        )
        return None
    return read.view.element()


def _from(value: Any, scope: Scope, spot: Spot, findings: Findings) -> Made:
    optional = bool(value.get("$optional")) and "$default" not in value
    read = read_path(value["$from"], scope, spot.key("$from", shown=""), findings)
    if read is None:
        return Made(BROKEN_SHAPE, optional)
    shape = _picked(read, value, spot, findings)
    if "$enum" in value:
        shape = _mapped(shape, value, spot, findings)
    elif "$as" in value:
        shape = _converted(shape, value, spot, findings)
    if "$default" in value:
        shape = Shape.any_of([shape, _literal(value["$default"], shape)])
    return Made(shape, optional)


def _literal(value: Any, beside: Shape) -> Shape:
    """A default's shape. It stands for a time where a time is made; null is no value of its own."""
    if value is None:
        return Shape.of({"type": "null"})
    schema = literal_schema(value)
    return Shape.of({**schema, "format": TIME} if TIME in beside.formats else schema)


def _picked(read: Read, value: Any, spot: Spot, findings: Findings) -> Shape:
    pick = value.get("$pick")
    if not read.many:
        if pick is not None:
            findings.warning(
                spot, gettext_noop("%(path)s finds one value at most; $pick is not needed."), path=value["$from"]
            )
        return Shape.of({"type": "integer"}) if pick == "count" else read.shape
    if pick is None:
        findings.error(
            spot,
            gettext_noop("%(path)s can find many values: say with $pick which (first, only, count, all)."),
            path=value["$from"],
        )
        return BROKEN_SHAPE
    if pick == "count":
        return Shape.of({"type": "integer"})
    return Shape.of({"type": "array", "items": read.shape}) if pick == "all" else read.shape


def _mapped(shape: Shape, value: Any, spot: Spot, findings: Findings) -> Shape:
    """The outputs of `$enum`; every value that the file names has one, or there is `$else`."""
    table = value["$enum"]
    if shape.kinds is not None and shape.kinds & {"object", "array"}:
        message = gettext_noop("$enum maps texts, numbers and booleans; this is %(found)s.")
        findings.error(spot, message, found=kinds_text(shape))
        return BROKEN_SHAPE
    if shape.values is not None:
        named = {key for each in shape.values if (key := enum_key(each)) is not None}
        holes = sorted(named - set(table))
        if holes and "$else" not in value:
            message = gettext_noop("$enum has no entry for %(values)s, which the API file names. Add it, or $else.")
            findings.error(spot.key("$enum", shown=""), message, values=", ".join(holes))
        strange = sorted(set(table) - named)
        if strange:
            message = gettext_noop("$enum maps %(values)s, which the API file does not name.")
            findings.warning(spot.key("$enum", shown=""), message, values=", ".join(strange))
    outputs = [*table.values(), *([value["$else"]] if "$else" in value else [])]
    return Shape.any_of(Shape.of(literal_schema(each)) for each in outputs)


def _converted(shape: Shape, value: Any, spot: Spot, findings: Findings) -> Shape:
    wanted = value["$as"]
    name = named_conversion(wanted)
    if isinstance(wanted, dict) and "time" in wanted:
        fitting = {"integer", "number", "string"} if wanted["time"] in ("ms", "s") else {"string"}
        made = Shape.of({"type": "string", "format": TIME})
    elif isinstance(wanted, dict):
        fitting = {"string"} if "part" in wanted else {"integer", "number", "string", "boolean"}
        made = Shape.of({"type": "string"})
    else:
        fitting = _CONVERTIBLE.get(wanted, set())
        made = Shape.of(_CONVERTED[wanted])
    if fitting and shape.kinds and not shape.kinds & fitting:
        message = gettext_noop("%(path)s is %(found)s, which cannot become %(wanted)s.")
        findings.error(spot, message, path=value["$from"], found=kinds_text(shape), wanted=name)
        return BROKEN_SHAPE
    return made


_MAKERS = {"$from": _from, "$each": _each, "$join": _join, "$const": _const, "$secret": _secret}
