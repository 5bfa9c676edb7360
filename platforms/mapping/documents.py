"""Reading YAML and JSON from strangers: bounded in size, in nesting and in what aliases unfold to."""

from __future__ import annotations

from typing import Any

import yaml

from console.errors import Invalid

MAX_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 100
MAX_NODES = 500_000  # after every alias has been unfolded


class _Loader(yaml.CSafeLoader):
    """YAML 1.2's idea of a boolean and of a date: `on`, `yes` and `2018-09-24` are texts."""


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag not in ("tag:yaml.org,2002:timestamp",)]
    for letter, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def read_document(text: str, *, field: str) -> dict[str, Any]:
    """The mapping at the top of a YAML or JSON text; Invalid says what is wrong and in which line."""
    if len(text.encode()) > MAX_BYTES:
        raise Invalid.field(field, f"larger than {MAX_BYTES // 1024 // 1024} MB")
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - a CSafeLoader
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else "?"
        raise Invalid.field(field, f"line {line}: {problem.problem}") from problem
    except (yaml.YAMLError, RecursionError, ValueError) as problem:
        raise Invalid.field(field, f"cannot be read: {problem}"[:300]) from problem
    if not isinstance(document, dict):
        raise Invalid.field(field, "an object is expected at the top")
    _measure(document, field)
    return document


def _measure(document: Any, field: str) -> None:
    """Refuse what is nested too deep, refers to itself, or unfolds to too much (an alias bomb)."""
    sizes: dict[int, int] = {}

    def size(node: Any, depth: int) -> int:
        if not isinstance(node, dict | list):
            return 1
        if depth > MAX_DEPTH:
            raise Invalid.field(field, f"nested deeper than {MAX_DEPTH} levels, or referring to itself")
        if id(node) not in sizes:
            children = node.values() if isinstance(node, dict) else node
            sizes[id(node)] = 1 + sum(size(child, depth + 1) for child in children)
        if sizes[id(node)] > MAX_NODES:
            raise Invalid.field(field, f"unfolds to more than {MAX_NODES} values")
        return sizes[id(node)]

    size(document, 0)
