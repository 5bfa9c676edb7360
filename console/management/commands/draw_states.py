"""Draw the states of everything that has states."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandParser
from django.db import models
from django.utils import translation
from django_fsm import FSMField

from console.environment import ROOT
from console.models import Delivery, DeliveryState, Step
from console.models.flows import CLAIMED

FLOORS = ("console", "platforms", "unions", "chains")
PREFACE = """# States

What can become of each thing that has a state. An arrow is a method of the model, called under a lock by a service or
by the flow engine. A *claim* is one conditional UPDATE by a worker; one that is lost is claimed by the next.

Written by `python manage.py draw_states`; edit the models instead.
"""
CLAIM = "*claim*"  # no method: one conditional UPDATE, so that two workers never both have it
CLAIMS: dict[type[models.Model], dict[Any, Any]] = {
    Step: dict(CLAIMED),
    Delivery: dict.fromkeys((DeliveryState.WAITING, DeliveryState.SENDING), DeliveryState.SENDING),
}

Edge = tuple[str, str, str]  # from, by, to


class Command(BaseCommand):
    help = "Write docs/states.md: a diagram for every model that has states."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", type=Path, default=ROOT / "docs" / "states.md")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        file.write_text(drawn())
        self.stdout.write(f"{file}: {sum(1 for _ in fields())} diagrams")


def drawn() -> str:
    """The whole file."""
    with translation.override("en"):
        return "\n".join([PREFACE, *(_section(field) for field in fields())])


def fields() -> Iterator[FSMField]:
    """Every field that holds a state, floor by floor."""
    for floor in FLOORS:
        for model in apps.get_app_config(floor).get_models():
            yield from (field for field in model._meta.get_fields() if isinstance(field, FSMField))


def edges_of(field: FSMField) -> list[Edge]:
    """Every move, in the order of the states."""
    order = [str(value) for value, _label in field.choices or ()]
    moves = [(str(each.source), each.name, str(each.target)) for each in field.get_all_transitions(field.model)]
    moves += [(str(source), CLAIM, str(target)) for source, target in CLAIMS.get(field.model, {}).items()]
    return sorted(moves, key=lambda edge: (order.index(edge[0]), order.index(edge[2]), edge[1]))


def _section(field: FSMField) -> str:
    choices = [(str(value), str(label)) for value, label in field.choices or ()]
    moves = edges_of(field)
    left = {source for source, _by, _to in moves}
    lines = [f'    state "{label}" as {value}' for value, label in choices]
    lines.append(f"    [*] --> {field.get_default()}")
    lines += [f"    {source} --> {to}: {names}" for (source, to), names in _bundled(moves).items()]
    lines += [f"    {value} --> [*]" for value, _label in choices if value not in left]
    title = str(field.model._meta.verbose_name).capitalize()
    return "\n".join([f"## {title} (`{field.model._meta.label}`)\n", "```mermaid", "stateDiagram-v2", *lines, "```\n"])


def _bundled(moves: list[Edge]) -> dict[tuple[str, str], str]:
    """One arrow between two states, whatever takes it."""
    arrows: dict[tuple[str, str], str] = {}
    for source, by, target in moves:
        before = arrows.get((source, target))
        arrows[source, target] = f"{before}, {by}" if before else by
    return arrows
