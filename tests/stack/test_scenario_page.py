"""The page that plays the scenario with curl: its blocks, pasted one after the other, do what it says."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from console.environment import ROOT
from tests.stack import sandbox
from tests.stack.caller import Caller
from tests.stack.product import Product, running

PAGE = ROOT / "docs/scenario.md"
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PASTED_SECONDS = 300


@pytest.mark.timeout(480)
def test_its_blocks_can_be_pasted_one_after_the_other(tmp_path: Path) -> None:
    """On a console of its own: the page takes the first tenants, as others do."""
    if lacking := [name for name in ("bash", "curl", "python3") if shutil.which(name) is None]:
        pytest.skip(f"the page needs {', '.join(lacking)}")
    with running(tmp_path / "data") as product:
        said = _pasted(_commands(product))
        administrator = Caller.signed_in(product, *product.login)
        (union,) = administrator.all("unions?state=deleted")
        assert (union["name"], union["state"]) == ("Building permits", "deleted"), said
        flows = administrator.all("flows")
        assert {flow["state"] for flow in flows} == {"done"}, said
        assert {"unions.create", "unions.join", "unions.quit", "unions.delete"} <= {flow["kind"] for flow in flows}
        assert sandbox.networks(product) == [], said


def _commands(product: Product) -> str:
    """All of the page's blocks, with those values that it asks its reader for."""
    commands = "\n".join(BLOCK.findall(PAGE.read_text()))
    login, password = product.login
    assert f"token {login} " in commands
    asked_for = {"ADDRESS": product.address, "PASSWORD": password, "DATA_DIR": str(product.data_dir)}
    for name, value in asked_for.items():
        line = f"{name}={shlex.quote(value)}"
        commands, times = re.subn(rf"^{name}=.*$", lambda _, line=line: line, commands, flags=re.MULTILINE)
        assert times == 1, f"the page says {times} times what {name} is"
    return commands


def _pasted(commands: str) -> str:
    """What they print; one that fails ends the rest."""
    done = subprocess.run(
        ["bash", "-e", "-c", commands],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PASTED_SECONDS,
    )
    said = f"{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, said
    return said
