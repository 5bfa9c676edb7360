"""The console's Solidity compiler, as applications are given it: a program that takes a native compiler's options."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy, gettext_noop

from chains.compiling import compiler_version
from console.environment import ROOT
from console.errors import ConsoleError

NONE = gettext_noop("There is no Solidity compiler on this machine, which the application needs.")


@dataclass(frozen=True)
class Compiler:
    """`shown` is what an application must see so that the program at `path` runs."""

    path: str
    version: str
    shown: tuple[str, ...]

    def as_told(self, settings: dict[str, Any]) -> dict[str, Any]:
        """For a request; `settings` are those that the contract was compiled with."""
        return {"path": self.path, "version": self.version, "settings": settings}


class NoCompiler(ConsoleError):
    status, code, title = 503, "no_compiler", gettext_lazy("There is no Solidity compiler here")


def found() -> Compiler:
    """Where set-up has put it; NoCompiler when it has not."""
    home = Path(os.environ.get("SOLC_HOME") or ROOT / "var/tools/solc").resolve()
    program = home / "bin/solc"
    if not program.exists() or not (version := compiler_version()):
        raise NoCompiler(NONE)
    return Compiler(str(program), version, (str(home),))
