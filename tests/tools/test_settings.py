"""Every setting is explained, and nothing is explained that is no setting."""

from __future__ import annotations

import re

import pytest

from chains.limits import Limits
from console.environment import ROOT, Environment

FIRST_CELL = re.compile(r"^\|([^|]*)\|", re.MULTILINE)
NAME = re.compile(r"`([A-Z0-9_]+)`")


def test_every_variable_is_in_the_settings_page() -> None:
    cells = FIRST_CELL.findall((ROOT / "docs/settings.md").read_text())
    explained = {name for cell in cells for name in NAME.findall(cell)}
    assert explained == {name.upper() for known in (Environment, Limits) for name in known.model_fields}


def test_what_is_set_for_one_kernel_goes_before_what_is_set_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "EVM_NODE_MEMORY_MB": "512",
        "EVM_NODE_MEMORY_MB_BESU": "4096",
        "EVM_NODE_CPUS_BESU": "0",
    }.items():
        monkeypatch.setenv(name, value)
    read = Environment()
    assert [read.for_kernel("evm_node_memory_mb", kernel) for kernel in ("ethereum", "quorum", "besu")] == [
        512,
        512,
        4096,
    ]
    assert (read.for_kernel("evm_node_cpus", "besu"), read.for_kernel("evm_node_cpus", "quorum")) == (0, 1.0)
