"""Every setting is explained, and nothing is explained that is no setting."""

from __future__ import annotations

import re

from chains.limits import Limits
from console.environment import ROOT, Environment

ROW = re.compile(r"^\| `([A-Z_]+)`", re.MULTILINE)


def test_every_variable_is_in_the_settings_page() -> None:
    explained = set(ROW.findall((ROOT / "docs/settings.md").read_text()))
    assert explained == {name.upper() for known in (Environment, Limits) for name in known.model_fields}
