"""A mapping template, parsed: for each standard interface its steps and its result, or the reason why there is none."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from console.errors import Invalid
from platforms.mapping.documents import read_document
from platforms.standard import OPERATIONS


@dataclass(frozen=True)
class Interface:
    """How one standard interface is answered."""

    name: str
    steps: tuple[dict[str, Any], ...]
    result: Any
    gone: Any = None  # a condition on an answer that means: the thing is not there (any more)


@dataclass(frozen=True)
class Template:
    """A whole mapping."""

    platform: str
    auth: dict[str, Any]
    const: dict[str, Any] = field(default_factory=dict)
    errors: tuple[dict[str, Any], ...] = ()
    error_message: tuple[str, ...] = ()
    interfaces: dict[str, Interface] = field(default_factory=dict)
    unsupported: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Template:
        """From YAML or JSON, checked against the template's own schema; Invalid lists places and words."""
        document = read_document(text, field="mapping")
        problems = [
            f"{'.'.join(map(str, each.absolute_path)) or 'top'}: {each.message[:200]}"
            for each in sorted(_validator().iter_errors(document), key=lambda each: str(each.absolute_path))
        ]
        if problems:
            raise Invalid(f"The mapping is malformed: {problems[0]}", errors={"mapping": problems[:50]})
        return cls.from_document(document)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Template:
        return cls(
            platform=str(document.get("platform", "")),
            auth=document.get("auth") or {"kind": "none"},
            const=document.get("const") or {},
            errors=tuple(document.get("errors") or ()),
            error_message=tuple(document.get("errorMessage") or ()),
            interfaces={
                name: Interface(name, tuple(body["steps"]), body.get("result", {}), body.get("gone"))
                for name, body in (document.get("interfaces") or {}).items()
            },
            unsupported=document.get("unsupported") or {},
        )

    def auth_for(self, category: str) -> dict[str, Any]:
        """The scheme for a party: one for all, or by category (`platform`, `cloud`, `on_prem`)."""
        if "kind" in self.auth:
            return self.auth
        return self.auth.get(category or "platform") or self.auth.get("platform") or {"kind": "none"}


def schema() -> dict[str, Any]:
    """The template's own JSON Schema, published for editors."""
    document = json.loads((Path(__file__).parent / "template.schema.json").read_text())
    document["properties"]["interfaces"]["propertyNames"] = {"enum": sorted(OPERATIONS)}
    return document


@cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema())
