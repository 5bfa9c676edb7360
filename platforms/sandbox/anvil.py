"""Finding the kernel: Foundry's anvil, whose binary comes inside an npm package."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = "node_modules/@foundry-rs/anvil-*/bin/anvil"  # one for each kind of computer


def find_anvil() -> Path | None:
    """`ANVIL`, what `make setup` installed, or the PATH; None where there is none."""
    installed = [path for folder in (ROOT / "var/tools", ROOT) for path in sorted(folder.glob(PACKAGES))]
    candidates = [os.environ.get("ANVIL"), *installed, shutil.which("anvil")]
    return next((Path(each) for each in candidates if each and os.access(each, os.X_OK)), None)
