"""Paths: RFC 9535 without `..` and without regular expressions, compiled once, read-only over plain JSON.

`$` is the whole document of a call (`in`, `const`, `call`, `steps`; in conditions also `body`, `status`, `headers`),
`@` at the start of a path is the current row of a list. A `$` inside a filter is always the document.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jsonpath
from django.utils.translation import gettext_noop
from jsonpath.filter import BaseExpression, FilterQuery, RootFilterQuery
from jsonpath.segments import JSONPathChildSegment
from jsonpath.selectors import Filter, IndexSelector, NameSelector

from console.sentences import kept

MAX_LENGTH = 500  # characters
MISSING = object()
OUTSIDE = kept(gettext_noop("%(path)s stands outside of a list"))
NO_START = gettext_noop("a path starts with $ or @")
TOO_LONG = kept(gettext_noop("a path has at most %(limit)s characters"))
NOT_ONE = gettext_noop("one path is expected")
NO_DESCENT = gettext_noop("`..` is not allowed in paths")
NO_NESTING = gettext_noop("a filter inside of a filter is not allowed in paths")
_ROW = "@"  # where the row lies in the document while a path that needs both is read

_ENVIRONMENT = jsonpath.JSONPathEnvironment(strict=True)
for _name in ("match", "search"):  # a regular expression can take for ever
    del _ENVIRONMENT.function_extensions[_name]


@dataclass(frozen=True)
class Path:
    """A compiled path. `keys` is set when it can match once at most: the names and indexes to walk."""

    text: str
    from_row: bool
    query: jsonpath.JSONPath
    keys: tuple[str | int, ...] | None
    needs_document: bool  # starts at the row, and a filter in it looks at the document

    @property
    def singular(self) -> bool:
        return self.keys is not None

    def find(self, document: dict[str, Any], row: Any = MISSING) -> list[Any]:
        """Every value that the path matches. LookupError when it starts at a row and there is none."""
        if self.from_row and row is MISSING:
            raise LookupError(OUTSIDE % {"path": self.text})
        if self.keys is not None:
            return _walk(row if self.from_row else document, self.keys)
        if self.needs_document:
            return list(self.query.findall({**document, _ROW: row}))
        return list(self.query.findall(row if self.from_row else document))


def _walk(node: Any, keys: tuple[str | int, ...]) -> list[Any]:
    for key in keys:
        node = step_into(node, key)
    return [] if node is MISSING else [node]


def step_into(node: Any, key: str | int) -> Any:
    """The field or the element; MISSING when there is none."""
    if isinstance(key, str):
        return node.get(key, MISSING) if isinstance(node, dict) else MISSING
    return node[key] if isinstance(node, list) and -len(node) <= key < len(node) else MISSING


@functools.lru_cache(maxsize=8192)
def compiled(text: str) -> Path:
    """The path, ready to be read. ValueError says what is wrong with it."""
    if not isinstance(text, str) or not text.startswith(("$", "@")):
        raise ValueError(NO_START)
    if len(text) > MAX_LENGTH:
        raise ValueError(TOO_LONG % {"limit": MAX_LENGTH})
    from_row = text.startswith("@")
    query = _parsed("$" + text[1:] if from_row else text)
    _refuse_forbidden(query)
    keys = _keys(query)
    needs_document = from_row and any(isinstance(each, RootFilterQuery) for each in filter_queries(query))
    if needs_document:
        query = _parsed(f"$['{_ROW}']{text[1:]}")
    return Path(text, from_row, query, keys, needs_document)


def _parsed(text: str) -> jsonpath.JSONPath:
    try:
        query = _ENVIRONMENT.compile(text)
    except Exception as problem:  # the library's errors share no base, and deep nesting ends in RecursionError
        raise ValueError(str(problem).splitlines()[0]) from problem
    if not isinstance(query, jsonpath.JSONPath):
        raise ValueError(NOT_ONE)
    return query


def filter_queries(query: jsonpath.JSONPath) -> Iterator[FilterQuery]:
    """The paths inside of the path's filters."""
    for segment in query.segments:
        for selector in segment.selectors:
            if isinstance(selector, Filter):
                yield from queries_in(selector.expression)


def queries_in(expression: BaseExpression) -> Iterator[FilterQuery]:
    """The paths inside of one filter."""
    if isinstance(expression, FilterQuery):
        yield expression
    for child in expression.children():
        yield from queries_in(child)


def _refuse_forbidden(query: jsonpath.JSONPath, *, inside: bool = False) -> None:
    for segment in query.segments:
        if not isinstance(segment, JSONPathChildSegment):
            raise ValueError(NO_DESCENT)
        if inside and any(isinstance(selector, Filter) for selector in segment.selectors):
            raise ValueError(NO_NESTING)
    if not inside:
        for each in filter_queries(query):
            _refuse_forbidden(each.path, inside=True)


def _keys(query: jsonpath.JSONPath) -> tuple[str | int, ...] | None:
    keys: list[str | int] = []
    for segment in query.segments:
        if len(segment.selectors) != 1:
            return None
        selector = segment.selectors[0]
        if isinstance(selector, NameSelector):
            keys.append(selector.name)
        elif isinstance(selector, IndexSelector):
            keys.append(selector.index)
        else:
            return None
    return tuple(keys)
