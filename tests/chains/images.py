"""Applications that are images: one small image, with a script that examines, or misbehaves, as it is told."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from tests.chains.programs import on_a_shelf
from tests.tools.images import pack

TAG = "localhost/ruler-of-tests:1"
NEEDS = {"seconds": 30, "cpu_seconds": 20, "memory_mb": 64, "disk_mb": 8, "processes": 16, "cpus": 1}
RULER = r"""#!/bin/sh
tell() { echo "$*" >&2; }
report() {
  printf '{"protocol": 1, "tool": {"name": "Ruler", "version": "VERSION"}, "summary": "%s", "findings": [%s]}' "$1" "$2"
}
case "$1" in
  good)
    grep='busybox grep'
    if $grep -q '"task": "health"' "$CONCORD_REQUEST"; then report healthy; exit; fi
    line=$(busybox sed 's/\\n/\n/g' "$CONCORD_REQUEST" | $grep -n 'tx.origin' | head -n 1 | cut -d: -f1)
    [ -z "$line" ] && { report measured; exit; }
    report measured '{"rule": "tx-origin", "severity": "high", "title": "Who began is asked",
      "advice": "Use msg.sender.", "place": {"file": "Permits.sol", "line": '"$line"'}}' ;;
  slow) sleep 3; exec "$0" good ;;
  sleeps) exec sleep 600 ;;
  hogs) exec tail -c 200000000 /dev/zero ;;
  burns) while true; do :; done ;;
  chatters) head -c 3000000 /dev/zero | tr '\0' ' ' ;;
  fails) tell "no such tool"; exit 3 ;;
  looks)
    tell "user $(busybox id -u), capabilities $(busybox grep CapEff /proc/self/status | cut -f2)"
    tell "network: $(busybox grep -c : /proc/net/dev) $(busybox grep -c lo: /proc/net/dev)"
    busybox nc -w 1 "$2" "$3" </dev/null && tell "reached the engine"
    for place in /etc /bin /concord /var/tmp /run; do
        echo x 2>/dev/null >"$place/x" && tell "wrote to $place"
    done
    head -c 20000000 /dev/zero 2>/dev/null >/tmp/large && tell "filled the disk"
    ( i=0; while [ $i -lt 100 ]; do sleep 20 & i=$((i+1)); done; tell "started $i" )
    report looked ;;
esac
"""


def image(folder: Path, version: str = "1.0") -> tuple[Path, str]:
    """An archive with the image, and its SHA-256."""
    archive = folder / f"ruler-{version}.tar"
    if not archive.exists():
        script = RULER.replace("VERSION", version)
        pack(archive, tag=TAG, version=version, scripts={"ruler": script}, entrypoint=["sh", "/bin/ruler"])
    return archive, hashlib.sha256(archive.read_bytes()).hexdigest()


def image_application(
    shelf: Path, image: dict[str, Any], *, name: str = "ruler", version: str = "1.0", **changes: Any
) -> Path:
    """A folder of a warehouse with one application, which is the image."""
    return on_a_shelf(shelf, name, version, **{"needs": NEEDS, "image": image, **changes})


def from_archive(
    shelf: Path, folder: Path, *command: str, name: str = "ruler", version: str = "1.0", **changes: Any
) -> Path:
    """The same, loaded from an archive that lies in the folder."""
    archive, digest = image(folder, version)
    said = {"archive": archive.name, "sha256": digest, "command": list(command or ("good",))}
    home = image_application(shelf, said, name=name, version=version, **changes)
    for old in home.glob("*.tar"):
        old.unlink()
    (home / archive.name).hardlink_to(archive)
    return home
