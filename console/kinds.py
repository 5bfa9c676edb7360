"""The kinds of notifications: what each is called, and in which group people say whether they want mail.

Each floor hands in its own kinds when its app is ready; a webhook chooses among them by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

TEST = "test"  # what a webhook is sent to try it out; no notification has this kind


class Group(TextChoices):
    """What mail is wanted for, or not."""

    ANSWERS = "answers", _("Questions to you, and how they were decided")
    REGISTRATIONS = "registrations", _("Registrations")
    WORK = "work", _("Work that concerns you")
    OPERATION = "operation", _("Operation and alerts")


@dataclass(frozen=True)
class Kind:
    """One kind of notification. `title` is a lazy translation."""

    name: str
    title: Any
    group: Group
    for_webhooks: bool = True


_kinds: dict[str, Kind] = {}


def add(name: str, title: object, group: Group, *, for_webhooks: bool = True) -> None:
    _kinds[name] = Kind(name, title, group, for_webhooks)


def all_kinds() -> list[Kind]:
    """Every kind, in the order of the groups."""
    order = list(Group)
    return sorted(_kinds.values(), key=lambda kind: (order.index(kind.group), kind.name))


def events() -> list[Kind]:
    """The kinds that a webhook may be told."""
    return [kind for kind in all_kinds() if kind.for_webhooks]


def is_event(name: str) -> bool:
    """Whether a webhook is told of this kind. One that nobody has handed in is nobody's choice, but it is told."""
    return name not in _kinds or _kinds[name].for_webhooks


def may_be_chosen(name: str) -> bool:
    return name in _kinds and _kinds[name].for_webhooks


def title_of(name: str) -> str:
    return str(_kinds[name].title) if name in _kinds else name


def group_of(name: str) -> Group:
    """The group of a kind; what nobody has handed in is work."""
    return _kinds[name].group if name in _kinds else Group.WORK


add("flow", _("Work has failed and was left half-way"), Group.WORK)
add("decision", _("Work needs a decision"), Group.WORK)

# Two webhooks that fail would tell each other of it for ever.
add("webhook", _("A webhook was paused"), Group.OPERATION, for_webhooks=False)
