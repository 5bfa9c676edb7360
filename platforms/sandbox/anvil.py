"""Finding the kernel: Foundry's anvil, whose binary comes inside an npm package."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path("node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil")


def find_anvil() -> Path | None:
    """`ANVIL`, what `make setup` installed, or the PATH; None where there is none."""
    named = os.environ.get("ANVIL")
    on_path = shutil.which("anvil")
    candidates = [named, ROOT / "var/tools" / PACKAGE, ROOT / PACKAGE, on_path]
    return next((Path(each) for each in candidates if each and os.access(each, os.X_OK)), None)
