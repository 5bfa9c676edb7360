"""The ways to mend each kind of drift. The floor above adds its own (`add_way`, `add_note`).

A way either asks the organizations that it touches, and is then a plan that is carried out once they agree, or is an
administrator's word about records alone. What is not offered is said, with the reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import Resolver404, resolve

from console.flows import Task
from console.models import User
from console.policies import ALLOWED, Verdict
from unions.models import Drift, Organization

Json = dict[str, Any]


def always(drift: Drift) -> Verdict:
    return ALLOWED


def nobody(drift: Drift) -> list[Organization]:
    return []


@dataclass(frozen=True)
class Way:
    """One way. `may` says why it is not open for this drift. With a `plan` those whom `asked` names are asked first;
    with `apply` an administrator confirms, and it is done at once, in the records alone; with `page` another page does
    it, where there is such a page."""

    name: str
    title: Any  # lazy translations
    explanation: Any
    asked: Callable[[Drift], list[Organization]] = nobody
    plan: Callable[[Json], list[Task]] | None = None
    apply: Callable[[User, Drift], None] | None = None
    page: Callable[[Drift], str] | None = None
    may: Callable[[Drift], Verdict] = always
    destroys: bool = False


_ways: dict[str, list[Way]] = defaultdict(list)
_notes: dict[str, list[Any]] = defaultdict(list)


def add_way(kind: str, way: Way) -> None:
    if any(each.name == way.name for each in _ways[kind]):
        raise ValueError(f"the way {way.name} of {kind} is there already")
    _ways[kind].append(way)


def add_note(kind: str, text: object) -> None:
    """Say what is not offered for a kind, and what to do instead."""
    _notes[kind].append(text)


def ways_of(kind: str) -> list[Way]:
    return list(_ways[kind])


def way_named(kind: str, name: str) -> Way | None:
    return next((way for way in _ways[kind] if way.name == name), None)


def page_of(way: Way, drift: Drift) -> str:
    """Where the way leads, if that page is there."""
    path = way.page(drift) if way.page is not None else ""
    try:
        return path if path and resolve(path) else ""
    except Resolver404:
        return ""


def notes_of(kind: str) -> list[Any]:
    return list(_notes[kind])
