"""Which ports the sandbox listens on: those that are asked for, else those of last time, else free ones."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from platforms.sandbox.identities import write_private


def choose_ports(folder: Path, host: str, port: int, tls_port: int) -> tuple[int, int]:
    """Asked for (0: not) or last time's if it is free, else a free one; written down for next time."""
    last = _last(folder)
    plain = port or _free(host, last.get("port", 0))
    mutual = tls_port or _free(host, last.get("tls_port", 0), but=plain)
    write_private(folder / "ports.json", json.dumps({"port": plain, "tls_port": mutual}))
    return plain, mutual


def _last(folder: Path) -> dict[str, int]:
    try:
        found = json.loads((folder / "ports.json").read_text())
        return {name: port for name, port in found.items() if isinstance(port, int) and 0 < port < 65536}
    except (OSError, ValueError, AttributeError):
        return {}


def _free(host: str, wanted: int, *, but: int = 0) -> int:
    for candidate in (wanted, 0, 0, 0) if wanted else (0, 0, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except OSError:
                continue
            found = probe.getsockname()[1]
            if found != but:
                return found
    raise OSError(f"no free port on {host}")
