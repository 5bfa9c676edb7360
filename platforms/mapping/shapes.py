"""What a value can be, seen through a JSON Schema of an API file or of the standard interface.

A `Shape` is a small set of alternatives (oneOf, anyOf), each flat: references followed, allOf merged. Children are
looked at only when asked for, so a schema that contains itself costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django.utils.translation import gettext_noop

from platforms.mapping.apifile import ApiFile, ApiOperation
from platforms.mapping.references import Document, TooTangled

MAX_ALTERNATIVES = 64
MAX_DEPTH = 40
Kinds = frozenset[str]
Ref = tuple[Any, Document]  # a schema, and the document that its references belong to

_NOTHING = Document({})


@dataclass(frozen=True)
class Flat:
    """One alternative. `types` is None where the schema does not say."""

    types: Kinds | None = None
    properties: dict[str, tuple[Ref, ...]] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    additional: bool | Ref | None = None  # None: not said
    items: Ref | None = None
    enum: tuple[Any, ...] | None = None
    format: str = ""


class Shape:
    """The alternatives of a value. Without any, nothing is known of it."""

    def __init__(self, flats: Iterable[Flat] = ()) -> None:
        self.flats = tuple(flats) or (Flat(),)

    @classmethod
    def of(cls, schema: Any, document: Document = _NOTHING) -> Shape:
        return cls(_flatten(schema, document, 0))

    @classmethod
    def any_of(cls, shapes: Iterable[Shape]) -> Shape:
        return cls(flat for shape in shapes for flat in shape.flats)

    @classmethod
    def of_sample(cls, values: Sequence[Any]) -> Shape:
        """What values that were seen can be; their texts and numbers stand for others of their kind."""
        return cls.any_of(cls.of(_sample_schema(value, 0)) for value in values)

    @cached_property
    def kinds(self) -> Kinds | None:
        """JSON types without null; None when any alternative does not say."""
        if any(flat.types is None for flat in self.flats):
            return None
        return frozenset().union(*(flat.types or () for flat in self.flats)) - {"null"}

    @cached_property
    def nullable(self) -> bool:
        return any("null" in (flat.types or ()) for flat in self.flats)

    @cached_property
    def values(self) -> tuple[Any, ...] | None:
        """Every value that it can have; None when not listed."""
        listed = [flat.enum for flat in self.flats if flat.types != {"null"}]
        if not listed or any(enum is None for enum in listed):
            return None
        return tuple(value for enum in listed for value in enum or () if value is not None)

    @cached_property
    def formats(self) -> frozenset[str]:
        return frozenset(flat.format for flat in self.flats if flat.format)

    @cached_property
    def is_binary(self) -> bool:
        return any(flat.format == "binary" or "file" in (flat.types or ()) for flat in self.flats)

    @cached_property
    def names(self) -> list[str]:
        """The fields that it is known to have."""
        return list(dict.fromkeys(name for flat in self.flats for name in flat.properties))

    @cached_property
    def required(self) -> frozenset[str]:
        """The fields that it has whatever alternative it is."""
        objects = [flat.required for flat in self.flats if flat.types is None or "object" in flat.types]
        return frozenset.intersection(*objects) if objects else frozenset()

    @cached_property
    def is_closed(self) -> bool:
        """No field beyond those named."""
        objects = [flat for flat in self.flats if flat.types is None or "object" in flat.types]
        return bool(objects) and all(flat.additional is False for flat in objects)

    def child(self, name: str) -> Shape | None:
        """The field's shape; None when no alternative knows it."""
        found: list[Shape] = []
        for flat in self.flats:
            if name in flat.properties:
                found.extend(Shape.of(*ref) for ref in flat.properties[name])
            elif isinstance(flat.additional, tuple):
                found.append(Shape.of(*flat.additional))
            elif flat.additional is True or _says_nothing(flat):
                found.append(Shape())
        return Shape.any_of(found) if found else None

    def children(self) -> Shape | None:
        """What any field's value can be: for `.*`."""
        named = [child for name in self.names if (child := self.child(name)) is not None]
        others = [Shape.of(*flat.additional) for flat in self.flats if isinstance(flat.additional, tuple)]
        if any(flat.additional is True or _says_nothing(flat) for flat in self.flats):
            return Shape()
        return Shape.any_of([*named, *others]) if named or others else None

    def element(self) -> Shape | None:
        """A list's element; None when it cannot be a list."""
        lists = [flat for flat in self.flats if flat.types is None or "array" in flat.types]
        if not lists:
            return None
        return Shape.any_of(Shape.of(*flat.items) if flat.items else Shape() for flat in lists)


def response_shape(api: ApiFile, operation: ApiOperation) -> Shape:
    """What the body of a successful answer can be, whatever media type it is labelled with."""
    schemas = [
        schema for body in api.success_bodies(operation) for schema in body.json_schemas or body.schemas.values()
    ]
    return Shape.any_of(Shape.of(schema, api) for schema in schemas)


def _says_nothing(flat: Flat) -> bool:
    """An object of which no field is told, or not even that it is an object."""
    if flat.types is not None and "object" not in flat.types:
        return False
    return not flat.properties and flat.additional is None


def _flatten(schema: Any, document: Document, depth: int) -> list[Flat]:
    if isinstance(schema, Shape):
        return list(schema.flats)
    document.spend()
    if depth > MAX_DEPTH:
        raise TooTangled(gettext_noop("a schema contains itself, or is composed too deeply"))
    schema = document.resolve(schema)
    if not isinstance(schema, dict):
        return [] if schema is False else [Flat()]
    result = [_own(schema, document)]
    for each in _schemas(schema.get("allOf")):
        result = _combined(result, _flatten(each, document, depth + 1))
    for key in ("oneOf", "anyOf"):
        options = [flat for each in _schemas(schema.get(key)) for flat in _flatten(each, document, depth + 1)]
        if options:
            result = _combined(result, options)
    return result


def _schemas(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _combined(left: list[Flat], right: list[Flat]) -> list[Flat]:
    combined = [_merged(a, b) for a in left for b in right]
    if len(combined) > MAX_ALTERNATIVES:
        raise TooTangled(gettext_noop("a schema has too many alternatives to be checked"))
    return combined


def _own(schema: dict[str, Any], document: Document) -> Flat:
    enum = schema.get("enum", [schema["const"]] if "const" in schema else None)
    properties = schema.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    required = schema.get("required")
    additional = schema.get("additionalProperties")
    items = schema.get("items")
    flat = Flat(
        properties={str(name): ((each, document),) for name, each in properties.items()},
        required=frozenset(str(each) for each in required) if isinstance(required, list) else frozenset(),
        additional=additional if isinstance(additional, bool | None) else (additional, document),
        items=(items, document) if isinstance(items, dict | bool | Shape) else None,
        enum=tuple(enum) if isinstance(enum, list) else None,
        format=str(schema.get("format", "")),
    )
    return replace(flat, types=_types(schema, flat))


def _types(schema: dict[str, Any], flat: Flat) -> Kinds | None:
    named = schema.get("type")
    types = {str(each) for each in (named if isinstance(named, list) else [named] if named else [])}
    if not types:
        if flat.properties or flat.additional is not None:
            types = {"object"}
        elif flat.items is not None:
            types = {"array"}
        elif flat.enum:
            types = {kind_of(value) for value in flat.enum}
        else:
            return None
    if schema.get("nullable") is True or schema.get("x-nullable") is True:
        types.add("null")
    return frozenset(types)


def _merged(a: Flat, b: Flat) -> Flat:
    """Both at once (allOf)."""
    types = b.types if a.types is None else a.types if b.types is None else (a.types & b.types) or a.types
    enum = a.enum if b.enum is None else b.enum if a.enum is None else tuple(v for v in a.enum if v in b.enum)
    names = {**a.properties, **b.properties}
    return Flat(
        types=types,
        properties={name: (*a.properties.get(name, ()), *b.properties.get(name, ())) for name in names},
        required=a.required | b.required,
        additional=b.additional if a.additional is None else a.additional,
        items=a.items or b.items,
        enum=enum,
        format=a.format or b.format,
    )


def kind_of(value: Any) -> str:
    """The JSON type of a value; whole numbers are integers."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "integer" if value.is_integer() else "number"
        case str():
            return "string"
        case list():
            return "array"
    return "object"


def _sample_schema(value: Any, depth: int) -> dict[str, Any]:
    kind = kind_of(value)
    if depth > MAX_DEPTH:
        return {}
    if kind == "object":
        return {
            "type": kind,
            "properties": {str(name): _sample_schema(each, depth + 1) for name, each in value.items()},
            "required": [str(name) for name in value],
        }
    if kind == "array":
        elements = [_sample_schema(each, depth + 1) for each in value[:20]]
        return {"type": kind, "items": {"anyOf": elements} if elements else {}}
    return {} if kind == "null" else {"type": kind}


def literal_schema(value: Any) -> dict[str, Any]:
    """The schema of exactly this value."""
    kind = kind_of(value)
    if kind == "object":
        return {
            "type": kind,
            "properties": {str(name): literal_schema(each) for name, each in value.items()},
            "required": [str(name) for name in value],
            "additionalProperties": False,
        }
    if kind == "array":
        elements = [literal_schema(each) for each in value[:50]]
        return {"type": kind, "items": {"anyOf": elements} if elements else False}
    return {"type": kind, "enum": [value]}
