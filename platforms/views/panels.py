"""What upper floors add to the pages of platforms: a column of figures in the list, parts of a platform's own page.

`platform_panels.add(SubjectPanel("unions", "unions/_platform_panel.html", context))` and
`add_figure(Figure(_("Unions"), unions_by_platform))`, called in the app's `ready()`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from console.models import User
from console.shell import SubjectPanels
from platforms.models import Platform

platform_panels: SubjectPanels[Platform] = SubjectPanels()


@dataclass(frozen=True)
class Figure:
    """A number for each platform. `of` gives them for a list of platforms in one query: user, ids -> id -> number."""

    title: Any
    of: Callable[[User, Sequence[int]], dict[int, int]]


_figures: list[Figure] = []


def add_figure(figure: Figure) -> None:
    _figures.append(figure)


def figure_titles() -> list[Any]:
    return [figure.title for figure in _figures]


def figures_for(user: User, platforms: Sequence[Platform]) -> dict[int, list[tuple[Any, int]]]:
    """For each platform `(title, number)` of every figure."""
    ids = [platform.pk for platform in platforms]
    counted = [(figure.title, figure.of(user, ids)) for figure in _figures]
    return {pk: [(title, numbers.get(pk, 0)) for title, numbers in counted] for pk in ids}
