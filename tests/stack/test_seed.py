"""The first command, as a newcomer gives it: `make run`, what it prints, what it builds, and what it leaves behind."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import Any

import pytest

from console.environment import ROOT
from tests.stack import sandbox
from tests.stack.caller import Caller
from tests.stack.product import Product, until

ROWS = {
    "organizations": "orgcode",
    "platforms": "oemtype",
    "registrations": "id",
    "proposals": "id",
    "unions": "unionid",
    "blockchains": "externalid",
    "nodes": "externalid",
}
# The tools' own folders, where tests that run beside this one write; the DATA_DIR of whoever has not said another; and
# what people write while tests run.
NOT_THE_PRODUCTS = (
    *(".venv", "__pycache__", ".*_cache", ".hypothesis", "/test-results", "/node_modules"),
    *("/var", "*.py", "*.md", "*.html"),
)


@dataclass
class FirstCommand(Product):
    """`make run` in a shell of its own that has set nothing else, with a home that is empty."""

    command: tuple[str, ...] = ("make", "run")

    def variables(self) -> dict[str, str]:
        for folder in (self.home, self.temporary):
            folder.mkdir(exist_ok=True)
        chosen = {"SEED": self.seed} if self.seed else {}
        folders = {"HOME": str(self.home), "TMPDIR": str(self.temporary), "DATA_DIR": str(self.data_dir)}
        return {"PATH": os.environ["PATH"], "PORT": str(self.port), **folders, **chosen}

    def signal(self, number: Signals) -> None:
        """As a terminal does on Ctrl-C: to everything that runs in the foreground."""
        os.killpg(self.supervisor, number)

    @property
    def home(self) -> Path:
        return self.data_dir.parent / "home"

    @property
    def temporary(self) -> Path:
        return self.data_dir.parent / "temporary"


@pytest.fixture
def first(tmp_path: Path) -> Iterator[FirstCommand]:
    """Set-up was done before, as it is when the tests run, so that `make run` only runs."""
    subprocess.run(["make", "setup-run"], cwd=ROOT, env=_without_make(), check=True, stdout=subprocess.DEVNULL)
    command = FirstCommand(tmp_path / "data", seed="")
    try:
        yield command
    finally:
        command.end()


@pytest.mark.timeout(600)  # two starts, each of which may take its time beside other tests
def test_the_scenario_is_there_once_and_nothing_is_left(first: FirstCommand) -> None:
    began = time.time()
    administrator = _started(first)
    _is_the_scenario(administrator)
    before, height = _everything(first, administrator), _height(administrator)
    _writes_nowhere_else(first)
    _ctrl_c_ends_all_of_it(first)

    login = first.login
    administrator = _started(first)
    assert first.login == login
    assert _everything(first, administrator) == before
    until(lambda: _height(administrator) > height, seconds=60, what="the chain goes on")
    _is_the_scenario(administrator)
    _ctrl_c_ends_all_of_it(first)
    _wrote_nowhere_else(first, since=began)


def test_without_a_seed_there_is_the_sandbox_and_nothing_else(first: FirstCommand, product: Product) -> None:
    first.seed = "none"
    administrator = _started(first)
    assert [row["oemtype"] for row in administrator.all("platforms")] == ["sandbox"]
    assert [administrator.all(path) for path in ROWS if path != "platforms"] == [[]] * (len(ROWS) - 1)
    assert first.login[0] == product.login[0]
    assert first.login[1] != product.login[1], "the password is made, for each data directory"
    _ctrl_c_ends_all_of_it(first)


def _started(first: FirstCommand) -> Caller:
    """The first thing that it says on standard output is that it is ready, and the login is true."""
    first.start()
    assert first.address == f"http://127.0.0.1:{first.port}"
    return Caller.signed_in(first, *first.login)


def _ctrl_c_ends_all_of_it(first: FirstCommand) -> None:
    assert len(first.processes()) >= 8
    first.stop()
    assert first.processes() == {}
    assert [line.partition(" ")[0] for line in first.printed] == ["ready:"]


def _is_the_scenario(administrator: Caller) -> None:
    organizations = administrator.all("organizations")
    assert sorted(row["category"] for row in organizations) == ["cloud", "cloud", "on_prem"]
    (union,) = administrator.all("unions")
    assert (union["name"], union["state"]) == ("Residence permits", "active")
    members = {row["orgcode"] for row in union["members"] if row["state"] == "active"}
    assert members == {row["orgcode"] for row in organizations}
    until(lambda: _height(administrator) > 0, seconds=60, what="the chain is read")
    until(lambda: _running(administrator) == members, seconds=60, what="each member's node runs")


def _running(administrator: Caller) -> set[str]:
    return {row["orgcode"] for row in administrator.all("nodes") if row["state"] == "running"}


def _height(administrator: Caller) -> int:
    (blockchain,) = administrator.all("blockchains")
    return administrator.get(f"blockchains/{blockchain['id']}/ledger")["height"] or 0


def _everything(product: Product, administrator: Caller) -> dict[str, list[Any]]:
    """What the console shows, and what the platform itself says it has."""
    shown = {path: sorted(row[name] for row in administrator.all(path)) for path, name in ROWS.items()}
    kept = {"networkId": sandbox.networks, "chainId": sandbox.chains, "nodeId": sandbox.nodes}
    return shown | {f"sandbox {name}": sorted(row[name] for row in rows(product)) for name, rows in kept.items()}


def _writes_nowhere_else(first: FirstCommand) -> None:
    """Every file that its processes hold open for writing is in the data directory."""
    open_files = {path for pid in first.processes() for path in _open_for_writing(pid)}
    assert first.data_dir / "console.sqlite3" in open_files
    assert {path for path in open_files if first.data_dir not in path.parents} == set()


def _open_for_writing(pid: int) -> Iterator[Path]:
    for link in Path(f"/proc/{pid}/fd").glob("*"):
        with contextlib.suppress(OSError):  # closed, or ended, in the meantime
            flags = re.search(r"flags:\s+(\d+)", Path(f"/proc/{pid}/fdinfo/{link.name}").read_text())
            path = link.readlink()
            if flags and int(flags[1], 8) & os.O_ACCMODE != os.O_RDONLY and path.is_file():
                yield path


def _wrote_nowhere_else(first: FirstCommand, *, since: float) -> None:
    """Neither at home, nor among temporary files, nor beside the code."""
    assert sorted(path.name for path in first.data_dir.parent.iterdir()) == ["data", "home", "temporary"]
    assert [*first.home.iterdir(), *first.temporary.iterdir()] == []
    left_out = [f"--exclude={name}" for name in NOT_THE_PRODUCTS]
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--others", *left_out], cwd=ROOT, capture_output=True, text=True, check=True
    )
    untracked = [ROOT / name for name in listed.stdout.split("\0") if name]
    assert [path for path in untracked if path.exists() and path.lstat().st_mtime >= since] == []


def _without_make() -> dict[str, str]:
    """`make test` tells its children that a make is their parent; a newcomer's has none."""
    return {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
