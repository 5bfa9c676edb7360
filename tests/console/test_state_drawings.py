"""`docs/states.md` shows the states as they are."""

from __future__ import annotations

from pathlib import Path

from django.core.management import call_command

from console.environment import ROOT
from console.management.commands.draw_states import drawn, edges_of, fields
from console.models import Flow, Step

FILE = ROOT / "docs" / "states.md"


def test_the_committed_drawings_are_true() -> None:
    assert FILE.read_text() == drawn(), "draw them anew: python manage.py draw_states"


def test_the_command_writes_the_file(tmp_path: Path) -> None:
    call_command("draw_states", file=tmp_path / "states.md", verbosity=0)
    assert (tmp_path / "states.md").read_text() == FILE.read_text()


def test_everything_that_has_states_is_drawn() -> None:
    models = [field.model for field in fields()]
    assert {Flow, Step} <= set(models)
    text = drawn()
    for field in fields():
        assert f"(`{field.model._meta.label}`)" in text
        for source, by, target in edges_of(field):
            lines = [line for line in text.splitlines() if line.startswith(f"    {source} --> {target}: ")]
            assert any(by in line.partition(": ")[2].split(", ") for line in lines)


def test_a_step_is_also_claimed() -> None:
    (states,) = [field for field in fields() if field.model is Step]
    assert ("ready", "*claim*", "running") in edges_of(states)
