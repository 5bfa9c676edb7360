"""`make bench`: every benchmark in a process and a data directory of its own; a table, and JSON under var/bench/.

`python -m bench.run mapped mapping` measures these only.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.tools import services

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "var/bench"
EMBEDDED, PRODUCTION = "SQLite, embedded broker", "PostgreSQL, Redis"
STORING = ("flows", "ledger", "mapped_ledger", "observing")  # measured on both
BIG = ("ledger_pages",)  # on PostgreSQL only
ALL = ("flows", "mapped", "mapping", "ledger", "mapped_ledger", "observing", "ledger_pages")


def main(wanted: list[str]) -> int:
    unknown = sorted(set(wanted) - set(ALL))
    if unknown:
        raise SystemExit(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(ALL)}")
    results: dict[str, dict[str, Any]] = {}
    chosen = [name for name in ALL if name in wanted or not wanted]
    failed = 0
    for name in chosen:
        if name not in BIG:
            failed += not _measure(results, name, EMBEDDED if name in STORING else "", {})
        if name in STORING + BIG:
            failed += not _measure_in_production(results, name)
    _write(results)
    return 1 if failed else 0


def _measure_in_production(results: dict[str, dict[str, Any]], name: str) -> bool:
    """On servers that hold nothing yet."""
    try:
        with services.postgres() as database, services.redis() as broker:
            return _measure(results, name, PRODUCTION, {"DATABASE_URL": database, "BROKER_URL": broker})
    except services.Unavailable as problem:
        print(f"{name} not measured on {PRODUCTION}: {problem}")
        return True


def _measure(results: dict[str, dict[str, Any]], name: str, on: str, environment: dict[str, str]) -> bool:
    """Whether it came to its end; what others have measured is not lost with it."""
    title = f"{name} ({on})" if on else name
    print(f"measuring {title} …", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="console-bench-") as folder:
        plain = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "BROKER_URL")}
        own = {"DATA_DIR": folder, "PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "console.settings"}
        done = subprocess.run(
            [sys.executable, "-m", f"bench.{name}"],
            cwd=ROOT,
            env={**plain, **environment, **own, "LOG_LEVEL": "ERROR", "PYTHONWARNINGS": "ignore"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
    if done.returncode:
        print(f"{title} failed with code {done.returncode}", file=sys.stderr)
        return False
    results[title] = json.loads(done.stdout.splitlines()[-1])
    return True


def _write(results: dict[str, dict[str, Any]]) -> None:
    width = max((len(name) for figures in results.values() for name in figures), default=0)
    for title, figures in results.items():
        print(f"\n{title}")
        for name, value in figures.items():
            print(f"  {name:<{width}}  {value:>10}")
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    machine = {"python": platform.python_version(), "machine": platform.machine(), "cores": os.cpu_count()}
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}.json"
    path.write_text(json.dumps({"commit": commit, "machine": machine, "results": results}, indent=2))
    print(f"\nRatios compare within one run; the other figures move with the machine's load. Written to {path}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
