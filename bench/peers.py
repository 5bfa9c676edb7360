"""Programs that others have written, in an environment of their own under var/bench/: never in the product's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "var/bench/peers"
PACKAGES = ("ethereum-etl==2.4.2", "aiohttp==3.14.5", "orjson==3.13.0")
# ethereum-etl's own choice of this one does not run on Python 3.11 and newer.
INSTEAD = ("parsimonious==0.10.0", "regex==2026.11.19")


def peers() -> Path:
    """The environment's folder of programs; made when it is first wanted."""
    programs, ready = FOLDER / "bin", FOLDER / ".ready"
    wanted = "\n".join((*PACKAGES, *INSTEAD))
    if not ready.exists() or ready.read_text() != wanted:
        print("installing the peers …", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True)
        install = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *PACKAGES], check=True, stdout=sys.stderr)
        subprocess.run([*install, "--no-deps", *INSTEAD], check=True, stdout=sys.stderr)
        ready.write_text(wanted)
    return programs
