"""The frame of the pages: what the floors above hand in, each in its `AppConfig.ready()`.

The ground floor knows none of them: it draws a navigation, a dashboard and a search from what is registered here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import models

from console.models import User

Allowed = Callable[[User], bool]
S = TypeVar("S", bound=models.Model)


def everyone(user: User) -> bool:
    return True


def administrators(user: User) -> bool:
    return user.is_administrator


def overseers(user: User) -> bool:
    """Administrators and auditors."""
    return user.is_administrator or user.is_auditor


@dataclass(frozen=True)
class Entry:
    """One line of the navigation. `title` is a lazy translation, `url_name` is reversed, `icon` is one of Tabler's.

    `badge` gives a number (0: none) that is asked for on every page, so it must be one cheap query.
    """

    title: Any
    url_name: str
    icon: str
    order: int
    shown: Allowed = everyone
    badge: Callable[[User], int] | None = None


@dataclass(frozen=True)
class Panel:
    """A part of the dashboard: a template, and what it is rendered with. `width` is of 12 columns."""

    name: str
    template: str
    context: Callable[[User], dict[str, Any]]
    order: int = 100
    width: int = 6
    shown: Allowed = everyone


@dataclass(frozen=True)
class SubjectPanel(Generic[S]):
    """A part of a page about one object: a template, and what it is rendered with."""

    name: str
    template: str
    context: Callable[[User, S], dict[str, Any]]
    order: int = 100


class SubjectPanels(Generic[S]):
    """The parts that floors above have added to the page of one kind of object: chains to a union's, for example."""

    def __init__(self) -> None:
        self._panels: dict[str, SubjectPanel[S]] = {}

    def add(self, panel: SubjectPanel[S]) -> None:
        if panel.name in self._panels:
            raise ValueError(f"the panel {panel.name} is there already")
        self._panels[panel.name] = panel

    def rendered_for(self, user: User, subject: S) -> list[tuple[str, dict[str, Any]]]:
        """`(template, context)` in order."""
        panels = sorted(self._panels.values(), key=lambda panel: panel.order)
        return [(panel.template, panel.context(user, subject)) for panel in panels]


@dataclass(frozen=True)
class Hit:
    """Something that a search has found."""

    title: str
    detail: str
    url: str
    icon: str


@dataclass(frozen=True)
class Source:
    """A place to search in: words in, at most `limit` hits out, only what the user may see."""

    title: Any
    find: Callable[[User, str, int], Iterable[Hit]]
    order: int = 100


_entries: dict[str, Entry] = {}
_panels: dict[str, Panel] = {}
_sources: dict[str, Source] = {}
_addresses: dict[str, Callable[[str], str | None]] = {}
_words: dict[str, Any] = {}


def add_entry(entry: Entry) -> None:
    _entries[entry.url_name] = entry


def add_panel(panel: Panel) -> None:
    _panels[panel.name] = panel


def add_source(name: str, source: Source) -> None:
    _sources[name] = source


def add_address(model: type[models.Model], url_of: Callable[[str], str | None]) -> None:
    """Where the page of an object is: primary key in, address out. Flows and the audit log link to their subjects."""
    _addresses[model._meta.label_lower] = url_of


def add_words(words: Mapping[str, Any]) -> None:
    """What audit actions and kinds of flows are called: `{"unions.proposal.voted": _("Vote cast")}`, lazy."""
    _words.update(words)


def words_for(name: str) -> str:
    """An audit action or a kind of flow in the reader's language; without words of its own, the name made readable."""
    if name in _words:
        return str(_words[name])
    plain = name.split(".", 1)[-1].replace(".", " ").replace("_", " ")
    return plain[:1].upper() + plain[1:]


def entries_for(user: User) -> list[Entry]:
    return sorted((entry for entry in _entries.values() if entry.shown(user)), key=lambda entry: entry.order)


def panels_for(user: User) -> list[Panel]:
    return sorted((panel for panel in _panels.values() if panel.shown(user)), key=lambda panel: panel.order)


def sources() -> list[Source]:
    return sorted(_sources.values(), key=lambda source: source.order)


def address_of(label: str, primary_key: str) -> str | None:
    """The page of the object that a flow or an audit entry names; None when it has none."""
    url_of = _addresses.get(label)
    return url_of(primary_key) if url_of else None
