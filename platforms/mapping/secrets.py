"""Secrets in a template, by name only: `{$secret: password}` is filled from a credential when a request is sent.

A template is turned once, when it is parsed, so that nothing in a request's or an answer's data can ever be taken for
the name of a secret. Until then the place holds a text that says what goes there, which is what a dry run shows.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop

from console.errors import Invalid
from console.sentences import kept

SENT = ("query", "header", "body")
FIELDS = ("ak", "sk", "token", "username", "password")

JOINED = gettext_noop("a secret stands alone, it cannot be joined to a text")
MEANINGLESS = kept(gettext_noop("%(name)s has no meaning beside $secret"))
NOT_AMONG = kept(gettext_noop("%(name)s is not among %(known)s"))
NO_LABEL = gettext_noop("$derive is a text that tells this password from others")


class Secret(str):
    """Where a credential's field goes, or with a `label` the password that is derived from it."""

    __slots__ = ("label", "name")
    name: str
    label: str

    def __new__(cls, name: str, label: str = "") -> Secret:
        made = super().__new__(cls, f"<secret: {name}{', derived' if label else ''}>")
        made.name, made.label = name, label
        return made


def steps_with_secrets(steps: Any, place: str) -> tuple[dict[str, Any], ...]:
    """The steps with a `Secret` for every `$secret` in what they send; not in paths, which are written down."""
    return tuple(
        {key: named(value, f"{place}.{step['id']}.{key}") if key in SENT else value for key, value in step.items()}
        for step in steps
    )


def named(value: Any, place: str) -> Any:
    """The value with a `Secret` for every `$secret`. Invalid says which is wrong, and where."""
    if isinstance(value, list):
        return [named(each, f"{place}[{i}]") for i, each in enumerate(value)]
    if not isinstance(value, dict) or "$const" in value:
        return value
    if "$secret" in value:
        return _secret(value, place)
    made = {key: named(each, f"{place}.{key}") for key, each in value.items()}
    if "$join" in made and any(isinstance(part, Secret) for part in _parts(made["$join"])):
        raise Invalid.field("mapping", f"{place}: {JOINED}")
    return made


def _parts(joined: Any) -> list[Any]:
    return joined if isinstance(joined, list) else [joined]


def _secret(value: dict[str, Any], place: str) -> Secret:
    unknown = set(value) - {"$secret", "$derive"}
    if unknown:
        raise Invalid.field("mapping", f"{place}: {MEANINGLESS % {'name': sorted(unknown)[0]}}")
    if value["$secret"] not in FIELDS:
        words = NOT_AMONG % {"name": repr(value["$secret"]), "known": ", ".join(FIELDS)}
        raise Invalid.field("mapping", f"{place}: {words}")
    label = value.get("$derive", "")
    if not isinstance(label, str):
        raise Invalid.field("mapping", f"{place}: {NO_LABEL}")
    return Secret(value["$secret"], label)


def secret_names(value: Any) -> tuple[str, ...]:
    """The fields of a credential that the value names, each once."""
    if isinstance(value, Secret):
        return (value.name,)
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list | tuple):
        return ()
    return tuple(dict.fromkeys(name for each in value for name in secret_names(each)))
