"""`make bench`: every benchmark in a process and a data directory of its own; a table, and JSON under var/bench/."""

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


def main() -> int:
    results: dict[str, dict[str, Any]] = {}
    _measure(results, "flows", EMBEDDED, {})
    _measure(results, "mapped", "", {})
    _measure(results, "ledger", EMBEDDED, {})
    try:
        with services.postgres() as database, services.redis() as broker:
            environment = {"DATABASE_URL": database, "BROKER_URL": broker}
            _measure(results, "flows", PRODUCTION, environment)
            _measure(results, "ledger", PRODUCTION, environment)
    except services.Unavailable as problem:
        print(f"not measured on {PRODUCTION}: {problem}")
    _write(results)
    return 0 if results else 1


def _measure(results: dict[str, dict[str, Any]], name: str, on: str, environment: dict[str, str]) -> None:
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
        raise SystemExit(f"{title} failed with code {done.returncode}")
    results[title] = json.loads(done.stdout.splitlines()[-1])


def _write(results: dict[str, dict[str, Any]]) -> None:
    width = max(len(name) for figures in results.values() for name in figures)
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
    sys.exit(main())
