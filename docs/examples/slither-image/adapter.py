"""Between the console and Slither, inside an image: reads /concord/request.json, prints the report.

What is printed is the report and nothing else; /tmp is the only place to write, and gone afterwards.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

Json = dict[str, Any]
SEVERITIES = {"High": "high", "Medium": "medium", "Low": "low", "Informational": "info", "Optimization": "info"}
SOURCES, ANSWER = Path("src"), Path("answer.json")  # below /tmp, where a run begins


def main() -> None:
    request = json.loads(Path(os.environ["CONCORD_REQUEST"]).read_text())
    version = subprocess.run(["slither", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    report: Json = {"protocol": 1, "tool": {"name": "Slither", "version": version}}
    report |= scan(request) if request["task"] == "scan" else {"findings": []}
    print(json.dumps(report))


def scan(request: Json) -> Json:
    for name, text in request["sources"].items():
        place = SOURCES / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    command = ["slither", request["file"], "--json", str(ANSWER.resolve()), "--fail-none", "--disable-color"]
    done = subprocess.run(command, cwd=SOURCES, capture_output=True, text=True, check=False)
    print(done.stderr[-8000:], file=sys.stderr)
    try:
        answer = json.loads(ANSWER.read_text())
    except (OSError, ValueError):
        return {"error": done.stderr.strip()[-3000:] or "Slither ended without saying why"}
    if not answer.get("success"):
        return {"error": str(answer.get("error") or done.stderr).strip()[-3000:] or "Slither gave no reason"}
    found = answer.get("results", {}).get("detectors", [])
    return {"summary": f"{len(found)} findings", "findings": [finding(each) for each in found[:2000]]}


def finding(found: Json) -> Json:
    return {
        "rule": found["check"][:100],
        "severity": SEVERITIES.get(found.get("impact", ""), "info"),
        "title": found["check"][:300],
        "text": found.get("description", "").strip()[:4000],
        "place": place_of(found.get("elements", [])),
    }


def place_of(elements: list[Json]) -> Json:
    """The most exact of them: a statement before a function before a contract."""
    ranks = {"node": 0, "variable": 1, "function": 2}
    for element in sorted(elements, key=lambda each: ranks.get(each.get("type", ""), 3)):
        mapping = element.get("source_mapping") or {}
        if lines := mapping.get("lines"):
            return {"file": mapping["filename_relative"][:300], "line": lines[0]}
    return {}


if __name__ == "__main__":
    main()
