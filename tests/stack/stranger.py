"""A node of somebody's own, run as a plain process: it has a chain's first block, and calls one of its nodes."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from platforms.drivers.evm.book import Chain, Node
from tests.tools.images import TARGET
from tests.tools.waiting import until

PORT = 30999
CALLS_AGAIN_SECONDS = 35.0  # geth's own


@contextlib.contextmanager
def stranger(kernel: str, chain: Chain, node: Node) -> Iterator[str]:
    """Who it says that it is."""
    geth = str(TARGET / "bin" / kernel)
    with tempfile.TemporaryDirectory(prefix="stranger-") as folder:
        at = Path(folder)
        (at / "genesis.json").write_text(json.dumps(chain.genesis))
        (at / "config.toml").write_text(
            f'[Node.P2P]\nListenAddr = "{node.ip}:{PORT}"\nNoDiscovery = true\nMaxPeers = 5\n'
            f'StaticNodes = ["{node.enode}"]\n'
        )
        environment = {**os.environ, "PRIVATE_CONFIG": "ignore"}
        silent: dict[str, Any] = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([geth, "--datadir", folder, "init", str(at / "genesis.json")], check=True, **silent)
        flags = ["--config", str(at / "config.toml"), "--networkid", str(chain.number), "--nat", f"extip:{node.ip}"]
        if kernel == "ethereum":
            flags += ["--authrpc.addr", node.ip, "--authrpc.port", str(PORT + 1)]
        running = subprocess.Popen([geth, "--datadir", folder, *flags], **silent)
        try:
            until((at / "geth.ipc").exists, 60, "the stranger runs")
            asked = [geth, "attach", "--exec", "admin.nodeInfo.enode", str(at / "geth.ipc")]
            yield json.loads(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)
        finally:
            running.terminate()
            running.wait(30)
