"""Local references (`#/…`) of a document, followed with an end: none leaves the file, none runs in circles."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from django.utils.translation import gettext_noop

from console.sentences import kept

IN_A_CIRCLE = kept(gettext_noop("the reference %(reference)s refers to itself"))
LEAVES = kept(gettext_noop("the reference %(reference)s leaves the file; only local ones (#/…) are followed"))
NOWHERE = kept(gettext_noop("the reference %(reference)s points nowhere"))
NUMBER = re.compile(r"[0-9]{1,9}")  # of an element; str.isdigit() takes what int() does not


class BadReference(ValueError):
    """A reference that leaves the document, points nowhere or at itself."""


class TooTangled(ValueError):
    """Schemas so deep in each other that they are not worth the time."""


class Document:
    """A document whose nodes may be references to other nodes of it."""

    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root
        self.looks_left: int | None = None  # None: nobody counts

    def spend(self) -> None:
        """Count one look at a schema; TooTangled when whoever counts has had enough."""
        if self.looks_left is None:
            return
        self.looks_left -= 1
        if self.looks_left < 0:
            raise TooTangled(gettext_noop("the schemas refer to each other too often to be checked"))

    def resolve(self, node: Any) -> Any:
        """The node, or what its `$ref` points to in the end."""
        seen: set[str] = set()
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            reference = node["$ref"]
            if reference in seen:
                raise BadReference(IN_A_CIRCLE % {"reference": reference})
            seen.add(reference)
            node = self._pointed(reference)
        return node

    def _pointed(self, reference: str) -> Any:
        if not reference.startswith("#"):
            raise BadReference(LEAVES % {"reference": reference})
        node: Any = self.root
        for part in reference[1:].split("/")[1:]:
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(node, list) and NUMBER.fullmatch(key) and int(key) < len(node):
                node = node[int(key)]
            elif isinstance(node, dict) and key in node:
                node = node[key]
            else:
                raise BadReference(NOWHERE % {"reference": reference})
        return node


def foreign_references(node: Any, place: str = "") -> list[tuple[str, str]]:
    """(place, reference) for every reference that leaves the document, the first fifty.

    Vendors' own fields and examples may point where they like: nobody follows them.
    """
    found: list[tuple[str, str]] = []
    stack = [(node, place)]
    seen: set[int] = set()  # YAML aliases make one node stand in many places
    while stack and len(found) < 50:
        current, where = stack.pop()
        if not isinstance(current, dict | list) or id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, dict):
            reference = current.get("$ref")
            if isinstance(reference, str) and not reference.startswith("#"):
                found.append((where or "top", reference))
            followed = ((str(key), each) for key, each in current.items() if not _is_aside(str(key)))
            stack.extend((each, f"{where}.{key}" if where else key) for key, each in followed)
        else:
            stack.extend((each, f"{where}[{i}]") for i, each in enumerate(current))
    return found


def _is_aside(key: str) -> bool:
    return key.startswith("x-") or key in ("example", "examples")
