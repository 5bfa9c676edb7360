"""Applications of the tests' own: real separate programs with a manifest, some of them hostile."""

from __future__ import annotations

import functools
import json
import os
import textwrap
import time
from pathlib import Path
from typing import Any

import yaml

from chains.applications import jobs, walls

GOOD = """
    import json, pathlib, sys
    request = json.loads(pathlib.Path(sys.argv[1]).read_text())
    report = {"protocol": 1, "tool": {"name": "Ruler", "version": "1.0"}, "findings": []}
    if request["task"] == "scan":
        report["summary"] = "measured"
        for file, text in request["sources"].items():
            for number, line in enumerate(text.splitlines(), 1):
                if "tx.origin" in line:
                    report["findings"].append({
                        "rule": "tx-origin", "severity": "high", "title": "Who began is asked, not who calls",
                        "text": "Anybody in between acts for the sender.", "advice": "Use msg.sender.",
                        "place": {"file": file, "line": number, "column": line.index("tx.origin") + 1},
                    })
                if "TODO" in line:
                    report["findings"].append({
                        "rule": "todo", "severity": "low", "title": "Something is left to do",
                        "place": {"file": file, "line": number},
                    })
    pathlib.Path(sys.argv[2]).write_text(json.dumps(report))
"""


@functools.cache
def without_walls() -> str:
    """Why programs cannot be run apart on this machine; empty when they can."""
    pid = os.fork()
    if pid == 0:
        try:
            walls.enter()
        except walls.NoWalls:
            os._exit(1)
        os._exit(0)
    return "" if os.waitpid(pid, 0)[1] == 0 else "this machine does not let namespaces be made"


def application(folder: Path, code: str = GOOD, *, name: str = "ruler", version: str = "1.0", **changes: Any) -> Path:
    """A folder of a warehouse with one application, which is the code."""
    needs = {"seconds": 20, "cpu_seconds": 10, "memory_mb": 200, "disk_mb": 16, "processes": 16}
    said = {"needs": needs, "packages": {}, "entry": ["python", "adapter.py"], **changes}
    home = on_a_shelf(folder, name, version, **said)
    (home / "adapter.py").write_text(textwrap.dedent(code))
    return home


def on_a_shelf(shelf: Path, name: str, version: str, **said: Any) -> Path:
    """A folder of a warehouse with the manifest of one application, of whatever kind."""
    home = shelf / name
    home.mkdir(parents=True, exist_ok=True)
    manifest = {
        "name": name,
        "title": name.capitalize(),
        "version": version,
        "publisher": "Tests",
        "licence": "Apache-2.0",
        "homepage": "https://ruler.example",
        "summary": {"en": "Measures contracts.", "zh-hans": "测量合约。"},
        "gives": ["contract-scan"],
        **said,
    }
    (home / "manifest.yaml").write_text(yaml.safe_dump(manifest, allow_unicode=True))
    return home


def finished(
    job: str, spec: dict[str, Any], request: dict[str, Any] | None = None, seconds: float = 60
) -> jobs.Outcome:
    """Run the job to its end, here."""
    jobs.start(job, spec, request)
    return awaited(job, seconds)


def awaited(job: str, seconds: float = 60) -> jobs.Outcome:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = jobs.look(job)
        if isinstance(found, jobs.Outcome):
            return found
        assert found == jobs.RUNNING, (found, (jobs.folder_of(job) / "cell.log").read_text())
        time.sleep(0.02)
    raise AssertionError(
        f"{job} still runs after {seconds} s: {json.dumps(list(map(str, jobs.folder_of(job).iterdir())))}"
    )
