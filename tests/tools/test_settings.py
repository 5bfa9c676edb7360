"""Every setting is explained, and nothing is explained that is no setting."""

from __future__ import annotations

import re

from chains.limits import Limits
from console.environment import ROOT, Environment

FIRST_CELL = re.compile(r"^\|([^|]*)\|", re.MULTILINE)
NAME = re.compile(r"`([A-Z0-9_]+)`")


def test_every_variable_is_in_the_settings_page() -> None:
    cells = FIRST_CELL.findall((ROOT / "docs/settings.md").read_text())
    explained = {name for cell in cells for name in NAME.findall(cell)}
    assert explained == {name.upper() for known in (Environment, Limits) for name in known.model_fields}
