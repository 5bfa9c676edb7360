"""The platform's original API file: its operations by operationId and by `METHOD /path`. OpenAPI 3.x, Swagger 2.0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from console.errors import Invalid
from platforms.mapping.documents import read_document

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


@dataclass(frozen=True)
class ApiOperation:
    """One call that the platform offers. `path` still holds its `{parameters}`."""

    id: str
    method: str
    path: str
    parameters: tuple[dict[str, Any], ...]
    definition: dict[str, Any]

    @property
    def path_parameters(self) -> set[str]:
        return {part[1:-1] for part in self.path.replace("{", "\0{").replace("}", "}\0").split("\0") if part[:1] == "{"}


class ApiFile:
    """A parsed API file. References resolve within the file only."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.version = str(document.get("openapi") or document.get("swagger") or "")
        if not self.version.startswith(("3.0", "3.1", "2.0")):
            raise Invalid.field("api_file", "neither OpenAPI 3.0 or 3.1 nor Swagger 2.0")
        self.base_path = str(document.get("basePath", "")).rstrip("/") if self.version == "2.0" else ""
        self.operations: dict[str, ApiOperation] = {}
        self._by_route: dict[str, ApiOperation] = {}
        self._collect()

    @classmethod
    def parse(cls, text: str) -> ApiFile:
        """From YAML or JSON; Invalid names the line."""
        return cls(read_document(text, field="api_file"))

    def find(self, name: str) -> ApiOperation | None:
        """By operationId, or by `METHOD /path` as the file spells it."""
        return self.operations.get(name) or self._by_route.get(" ".join(str(name).split()))

    def resolve(self, node: Any) -> Any:
        """The node, or what its local `$ref` points to. Invalid for remote, unknown and circular references."""
        seen: set[str] = set()
        while isinstance(node, dict) and "$ref" in node:
            reference = str(node["$ref"])
            if not reference.startswith("#/"):
                raise Invalid.field("api_file", f"the reference {reference} leaves the file")
            if reference in seen:
                raise Invalid.field("api_file", f"the reference {reference} refers to itself")
            seen.add(reference)
            node = self._pointed(reference)
        return node

    def _pointed(self, reference: str) -> Any:
        node: Any = self.document
        for part in reference[2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~").replace("%7B", "{").replace("%7D", "}")
            if not isinstance(node, dict) or key not in node:
                raise Invalid.field("api_file", f"the reference {reference} points nowhere")
            node = node[key]
        return node

    def _collect(self) -> None:
        paths = self.document.get("paths")
        if not isinstance(paths, dict) or not paths:
            raise Invalid.field("api_file", "has no paths")
        for path, item in paths.items():
            item = self.resolve(item)
            if not isinstance(item, dict):
                raise Invalid.field("api_file", f"paths.{path}: an object is expected")
            for method in METHODS:
                if isinstance(item.get(method), dict):
                    self._add(str(path), method, item, item[method])

    def _add(self, path: str, method: str, item: dict[str, Any], definition: dict[str, Any]) -> None:
        route = f"{method.upper()} {path}"
        name = str(definition.get("operationId") or route)
        if name in self.operations:
            raise Invalid.field("api_file", f"the operationId {name} is used twice")
        parameters = tuple(
            self.resolve(each) for each in (*item.get("parameters", ()), *definition.get("parameters", ()))
        )
        operation = ApiOperation(name, method.upper(), path, parameters, definition)
        self.operations[name] = self._by_route[route] = operation
