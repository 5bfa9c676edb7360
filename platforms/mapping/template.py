"""A mapping template, parsed: for each standard interface its steps and its result, or the reason why there is none."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import jsonschema
from django.utils.translation import gettext_noop

from console.errors import Invalid
from console.sentences import kept
from platforms.auth import scheme_schema
from platforms.mapping.documents import Lines, read_document
from platforms.mapping.remembered import remembered
from platforms.mapping.secrets import steps_with_secrets
from platforms.mapping.values import Maker
from platforms.standard import OPERATIONS

MAX_PROBLEMS = 50
MAX_PACE = 86_400  # seconds between two looks at a job
MAX_VALUES = 15_000  # in a mapping; the longest that was seen has 1,200
MALFORMED = kept(gettext_noop("The mapping is malformed: %(problem)s"))
NO_SECONDS = kept(gettext_noop("%(path)s is no number of seconds, up to %(limit)s"))
NO_ADDRESS = kept(gettext_noop("the mapping has no address %(name)s"))
NO_ENTRY = kept(gettext_noop("the mapping's auth has no entry %(name)s"))
REGISTERED_ADDRESSES = ("default", "on_prem")  # whoever registers the platform gives them
_HEADER = re.compile(r"\.headers(?:\.([A-Za-z0-9_-]+)|\[['\"]([^'\"]+)['\"]\])")


@dataclass(frozen=True)
class Interface:
    """How one standard interface is answered."""

    name: str
    steps: tuple[dict[str, Any], ...]
    result: Any
    gone: Any = None  # a condition on an answer that means: the thing is not there (any more)
    known: dict[str, Any] = field(default_factory=dict)  # values, each as soon as it can be made
    page_size: int = 0  # the most rows that the platform gives on a page, if it says so

    @cached_property
    def writes(self) -> bool:
        """Changes something on the platform. A login does not."""
        return self.name in OPERATIONS and OPERATIONS[self.name].writes

    @cached_property
    def makers(self) -> dict[tuple[int, str], tuple[Any, Maker]]:
        """Its own values made ready, by identity and place; whoever makes one ready keeps it here."""
        return {}

    @cached_property
    def headers(self) -> frozenset[str]:
        """The answers' headers that the interface reads, in lower case."""
        text = json.dumps([self.steps, self.result, self.gone, self.known])
        return frozenset((plain or quoted).lower() for plain, quoted in _HEADER.findall(text))

    @classmethod
    def from_document(cls, name: str, body: dict[str, Any], const: dict[str, Any]) -> Interface:
        steps = steps_with_secrets(_paced(body["steps"], const, f"interfaces.{name}"), f"interfaces.{name}")
        return cls(name, steps, body["result"], body.get("gone"), body.get("known") or {}, body.get("pageSize", 0))


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
    organization: dict[str, str] = field(default_factory=dict)  # field of its resource space -> what to type there
    addresses: dict[str, str] = field(default_factory=dict)  # beside those that the platform is registered with
    document: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)  # as it stands in the file

    @classmethod
    def parse(cls, text: str) -> Template:
        """From YAML or JSON, checked against the template's own schema; Invalid lists lines, places and words.

        The same text may give the same object.
        """
        return _parsed(text)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Template:
        const = document.get("const") or {}
        return cls(
            platform=str(document.get("platform", "")),
            auth=_auth(document.get("auth") or {"kind": "none"}, const),
            const=const,
            errors=tuple(document.get("errors") or ()),
            error_message=tuple(document.get("errorMessage") or ()),
            interfaces={
                name: Interface.from_document(name, body, const)
                for name, body in (document.get("interfaces") or {}).items()
            },
            unsupported=document.get("unsupported") or {},
            organization=document.get("organization") or {},
            addresses=document.get("addresses") or {},
            document=document,
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

    def check_doors(self) -> None:
        """Invalid when a step names an entry of `auth`, or a scheme an address, that is not there."""
        known = {*REGISTERED_ADDRESSES, *self.addresses}
        for party, scheme in self.schemes():
            for name in ("address", "tokenAddress"):
                if scheme.get(name, "default") not in known:
                    place = ".".join(part for part in ("auth", party, name) if part)
                    raise Invalid.field("mapping", f"{place}: {NO_ADDRESS % {'name': scheme[name]}}")
        for interface in self.interfaces.values():
            for step in interface.steps:
                if "auth" in step and ("kind" in self.auth or step["auth"] not in self.auth):
                    place = f"interfaces.{interface.name}.{step['id']}.auth"
                    raise Invalid.field("mapping", f"{place}: {NO_ENTRY % {'name': step['auth']}}")

    def offers(self) -> dict[str, dict[str, Any]]:
        """For every operation of the standard interface whether it is offered, and else the reason if one is given."""
        return {
            name: {"supported": name in self.interfaces, "reason": self.unsupported.get(name, "")}
            for name in OPERATIONS
        }

    def schemes(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every scheme that it names, and for whom (empty: for all)."""
        if "kind" in self.auth:
            yield "", self.auth
        else:
            yield from self.auth.items()


@remembered
def _parsed(text: str) -> Template:
    document = read_mapping(text)
    problems = list(_problems(document, text))
    if problems:
        raise Invalid(MALFORMED % {"problem": problems[0]}, errors={"mapping": problems})
    template = Template.from_document(document)
    template.check_doors()
    return template


def _auth(entry: dict[str, Any], const: dict[str, Any]) -> dict[str, Any]:
    """One scheme, or several by name, with the secrets of their own steps named."""
    if "kind" not in entry:
        return {name: _auth(each, const) for name, each in entry.items()}
    if "steps" not in entry:
        return entry
    return {**entry, "steps": steps_with_secrets(_paced(entry["steps"], const, "auth"), "auth")}


def _paced(steps: list[dict[str, Any]], const: dict[str, Any], place: str) -> list[dict[str, Any]]:
    """The steps with the seconds of every poll as a number: a constant may say them."""
    return [
        {**step, "poll": {**step["poll"], "every": _seconds(step["poll"]["every"], const, f"{place}.{step['id']}")}}
        if "poll" in step
        else step
        for step in steps
    ]


def _seconds(every: Any, const: dict[str, Any], place: str) -> Any:
    if not isinstance(every, dict):
        return every
    found = const.get(every["$from"].removeprefix("$.const."))
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found <= MAX_PACE:
        words = NO_SECONDS % {"path": every["$from"], "limit": MAX_PACE}
        raise Invalid.field("mapping", f"{place}.poll.every: {words}")
    return found


def read_mapping(text: str) -> dict[str, Any]:
    """A mapping's document, not yet checked against its schema."""
    return read_document(text, field="mapping", once=True, most=MAX_VALUES)


def schema() -> dict[str, Any]:
    """The template's own JSON Schema, published for editors."""
    document = json.loads((Path(__file__).parent / "template.schema.json").read_text())
    names = {"enum": sorted(OPERATIONS)}
    document["properties"]["interfaces"]["propertyNames"] = names
    document["properties"]["unsupported"]["propertyNames"] = names
    document["$defs"]["scheme"] = scheme_schema()
    return document


@cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema())


def _problems(document: dict[str, Any], text: str) -> Iterator[str]:
    """`line 12: interfaces.create_network.steps[0]: …`, in the order of the file."""
    errors = list(_validator().iter_errors(document))[: 10 * MAX_PROBLEMS]
    if not errors:
        return
    lines = Lines(text)
    placed = sorted(
        ((lines.of(tuple(each.absolute_path)) or 0, _place(each), each.message[:200]) for each in errors),
    )
    for line, place, message in placed[:MAX_PROBLEMS]:
        yield f"line {line}: {place}: {message}" if line else f"{place}: {message}"


def _place(error: jsonschema.ValidationError) -> str:
    parts = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    return parts.lstrip(".") or "top"
