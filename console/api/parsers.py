"""Reading JSON that the databases behind us can keep."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from console.errors import Invalid

MAX_DEPTH = 100  # levels; far below what the interpreter bears, far above what anybody sends
SHOWN_FAULTS = 20


class SoundJSONParser(JSONParser):
    """JSON without NUL characters, half surrogate pairs, numbers beyond all bounds, or bottomless nesting."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            value = super().parse(stream, media_type, parser_context)
        except RecursionError as problem:
            raise _too_deep() from problem
        errors: dict[str, list[str]] = {}
        for place, text in _faults(value):
            errors.setdefault(place or "body", []).append(text)
            if len(errors) >= SHOWN_FAULTS:
                break
        if errors:
            raise Invalid(_("The request has errors."), errors=errors)
        return value


def _too_deep() -> ParseError:
    return ParseError(_("nested too deeply"))


def _faults(value: Any) -> Iterator[tuple[str, str]]:
    """What cannot be kept, with its dotted path. Walks without recursion: the depth is what is to be judged."""
    open_values: list[tuple[Any, str, int]] = [(value, "", 0)]
    while open_values:
        each, place, depth = open_values.pop()
        if depth > MAX_DEPTH:
            raise _too_deep()
        if isinstance(each, dict):
            for name, inner in each.items():
                if fault := _fault(name):
                    yield place, fault
                open_values.append((inner, f"{place}.{name}" if place else name, depth + 1))
        elif isinstance(each, list):
            open_values.extend((inner, f"{place}.{i}" if place else str(i), depth + 1) for i, inner in enumerate(each))
        elif fault := _fault(each):
            yield place, fault


def _fault(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return _("This number is too large.")
    if not isinstance(value, str):
        return ""
    if "\x00" in value:
        return _("Null characters are not allowed.")
    try:
        value.encode()
    except UnicodeEncodeError:
        return _("This text is not valid Unicode.")
    return ""
