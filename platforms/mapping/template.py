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
from platforms.mapping.secrets import steps_with_secrets
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
        template = cls.from_document(document)
        template.check_planes()
        return template

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Template:
        return cls(
            platform=str(document.get("platform", "")),
            auth=_auth(document.get("auth") or {"kind": "none"}),
            const=document.get("const") or {},
            errors=tuple(document.get("errors") or ()),
            error_message=tuple(document.get("errorMessage") or ()),
            interfaces={
                name: Interface(
                    name,
                    steps_with_secrets(body["steps"], f"interfaces.{name}"),
                    body.get("result", {}),
                    body.get("gone"),
                )
                for name, body in (document.get("interfaces") or {}).items()
            },
            unsupported=document.get("unsupported") or {},
        )

    def auth_for(self, category: str, plane: str = "") -> dict[str, Any]:
        """The scheme for a party: one for all, or by category (`platform`, `cloud`, `on_prem`).

        `plane` is the entry that a step names by its own `auth`: a second door of the platform, for all parties.
        """
        if plane:
            return self.auth[plane]
        if "kind" in self.auth:
            return self.auth
        return self.auth.get(category or "platform") or self.auth.get("platform") or {"kind": "none"}

    def check_planes(self) -> None:
        """Invalid when a step names an entry of `auth` that is not there."""
        for interface in self.interfaces.values():
            for step in interface.steps:
                if "auth" in step and ("kind" in self.auth or step["auth"] not in self.auth):
                    place = f"interfaces.{interface.name}.{step['id']}.auth"
                    raise Invalid.field("mapping", f"{place}: the mapping's auth has no entry {step['auth']}")


def _auth(entry: dict[str, Any]) -> dict[str, Any]:
    """One scheme, or several by name, with the secrets of their own steps named."""
    if "kind" not in entry:
        return {name: _auth(each) for name, each in entry.items()}
    if "steps" not in entry:
        return entry
    return {**entry, "steps": steps_with_secrets(entry["steps"], "auth")}


def schema() -> dict[str, Any]:
    """The template's own JSON Schema, published for editors."""
    document = json.loads((Path(__file__).parent / "template.schema.json").read_text())
    document["properties"]["interfaces"]["propertyNames"] = {"enum": sorted(OPERATIONS)}
    return document


@cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema())
