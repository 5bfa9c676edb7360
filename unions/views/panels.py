"""What an upper floor adds to this floor's pages: nodes under a union's members, chains on an organization's page.

`union_panels.add(UnionPanel("chains", "chains/_union_panel.html", context))`, called in the app's `ready()`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import models

from console.models import User
from unions.models import Organization, Union

S = TypeVar("S", bound=models.Model)


@dataclass(frozen=True)
class SubjectPanel(Generic[S]):
    """A part of a page about one object: a template, and what it is rendered with."""

    name: str
    template: str
    context: Callable[[User, S], dict[str, Any]]
    order: int = 100


class SubjectPanels(Generic[S]):
    """The parts that other floors have added to one page."""

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


union_panels: SubjectPanels[Union] = SubjectPanels()
organization_panels: SubjectPanels[Organization] = SubjectPanels()
