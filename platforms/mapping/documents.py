"""Reading YAML and JSON from strangers: bounded in size, in nesting and in what aliases unfold to.

Scalars are read as YAML 1.2 reads them: `on`, `yes`, `2018-09-24`, `22:15` and `007` are texts. Keys are always texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable
from typing import Any

import yaml
from django.utils.translation import gettext_noop

from console.errors import Invalid
from console.sentences import kept

MAX_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 100
MAX_NODES = 300_000  # after every alias has been unfolded

TWICE = kept(gettext_noop("%(key)s is there twice"))
NO_KEY = gettext_noop("a key has to be a text")
TOO_LARGE = kept(gettext_noop("larger than %(limit)s MB"))
NO_OBJECT = gettext_noop("an object is expected at the top")
UNREADABLE = kept(gettext_noop("cannot be read: %(words)s"))
TOO_DEEP = kept(gettext_noop("nested deeper than %(limit)s levels, or referring to itself"))
TOO_MUCH = kept(gettext_noop("unfolds to more than %(limit)s values"))

Path = tuple[str | int, ...]


class _Loader(yaml.CSafeLoader):
    """YAML 1.2's scalars. Two equal keys: the last one counts, as in most vendors' files."""

    once = False

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        self.flatten_mapping(node)
        made: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            key = _key(self.construct_object(key_node, deep=True), key_node)
            if self.once and key in made:
                raise yaml.constructor.ConstructorError(None, None, TWICE % {"key": key}, key_node.start_mark)
            made[key] = self.construct_object(value_node, deep=deep)
        return made


class _StrictLoader(_Loader):
    """The same, and two equal keys are a mistake."""

    once = True


def _key(value: Any, node: yaml.Node) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise yaml.constructor.ConstructorError(None, None, NO_KEY, node.start_mark)


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag.endswith((":null", ":merge"))]
    for letter, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
for _tag, _pattern, _letters in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^(?:[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+)$", "-+0123456789"),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_letters))


def read_document(text: str, *, field: str, once: bool = False, most: int = MAX_NODES) -> dict[str, Any]:
    """The object at the top of a YAML or JSON text; Invalid says what is wrong and in which line.

    With `once`, a key that stands twice in one object is an error. `most` is how many values there may be.
    """
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise Invalid.field(field, TOO_LARGE % {"limit": MAX_BYTES // 1024 // 1024})
    document = _from_json(text, field) if text.lstrip()[:1] == "{" and not once else None
    if document is None:
        document = _from_yaml(text, field, _StrictLoader if once else _Loader, most)
    if not isinstance(document, dict):
        raise Invalid.field(field, NO_OBJECT)
    _measure(document, field, most)
    return document


def _from_json(text: str, field: str) -> Any:
    """JSON is read seventy times faster than YAML; None when it is not JSON, for the other reader to look at."""
    try:
        return json.loads(text, parse_constant=lambda name: name)
    except RecursionError as problem:
        raise _too_deep(field) from problem
    except ValueError:
        return None


def _from_yaml(text: str, field: str, loader: type[yaml.CSafeLoader], most: int) -> Any:
    try:
        _refuse_excess(text, field, most)
        return yaml.load(text, Loader=loader)  # noqa: S506 - a CSafeLoader
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        raise Invalid.field(field, f"{line}{problem.problem or problem}") from problem
    except (yaml.YAMLError, RecursionError, ValueError) as problem:
        raise Invalid.field(field, (UNREADABLE % {"words": problem})[:300]) from problem


def _refuse_excess(text: str, field: str, most: int) -> None:
    """Look before building: what builds nodes calls itself for every level, and depth enough would end the process."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.CSafeLoader)):
        if count > 2 * most:  # every value is an event, every list and object two, and every key one
            raise Invalid.field(field, TOO_MUCH % {"limit": most})
        if isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _too_deep(field)
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            depth -= 1


def _too_deep(field: str) -> Invalid:
    return Invalid.field(field, TOO_DEEP % {"limit": MAX_DEPTH})


def _measure(document: Any, field: str, most: int) -> None:
    """Refuse what is nested too deep, refers to itself, or unfolds to too much (an alias bomb)."""
    sizes: dict[int, int] = {}

    def size(node: Any, depth: int) -> int:
        if not isinstance(node, dict | list):
            return 1
        if depth > MAX_DEPTH:
            raise _too_deep(field)
        if id(node) not in sizes:
            children = node.values() if isinstance(node, dict) else node
            sizes[id(node)] = 1 + sum(size(child, depth + 1) for child in children)
        if sizes[id(node)] > most:
            raise Invalid.field(field, TOO_MUCH % {"limit": most})
        return sizes[id(node)]

    size(document, 0)


class Lines:
    """Where in a text the parts of its document stand."""

    def __init__(self, text: str) -> None:
        try:
            self._root = yaml.compose(text, Loader=_Loader)
        except (yaml.YAMLError, RecursionError, ValueError):
            self._root = None  # read by the JSON reader only: no lines

    def of(self, path: Path) -> int | None:
        """The line, counted from one, of the deepest part of the path that is there."""
        node, line = self._root, None
        for part in path:
            if node is None:
                return line
            found = _step(node, part)
            if found is None:
                return line or node.start_mark.line + 1
            node, line = found
        return line or (node.start_mark.line + 1 if node is not None else None)


def _step(node: yaml.Node, part: str | int) -> tuple[yaml.Node, int] | None:
    """The child, and the line that its key, or itself in a list, stands in."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and 0 <= part < len(node.value):
        child = node.value[part]
        return child, child.start_mark.line + 1
    return None
