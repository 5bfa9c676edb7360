"""Between the console and Slither: `adapter.py REQUEST REPORT`, inside the application's own environment.

Slither wants a compiler that writes combined JSON; the console's speaks standard JSON. So Slither is given this very
file as its compiler (`solc` mode), which asks the console's and turns the answer round.
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
COMPILER, SOURCES = "ADAPTER_COMPILER", Path("src")
MOST_FINDINGS = 2000
WANTED = ["abi", "userdoc", "devdoc", "evm.bytecode", "evm.deployedBytecode", "evm.methodIdentifiers"]


def main(request_path: str, report_path: str) -> None:
    request = json.loads(Path(request_path).read_text())
    report = {"protocol": 1, "tool": {"name": "Slither", "version": slither("--version").stdout.strip()}}
    if request["task"] == "scan":
        report |= scan(request)
    else:
        report["findings"] = []
    Path(report_path).write_text(json.dumps(report))


def slither(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "slither", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)


def scan(request: Json) -> Json:
    for name, text in request["sources"].items():
        place = SOURCES / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    compiler = Path("solc")
    compiler.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).resolve()}" solc "$@"\n')
    compiler.chmod(0o755)
    environment = {**os.environ, COMPILER: request["compiler"]["path"], "PATH": f"{Path.cwd()}:{os.environ['PATH']}"}
    done = slither(
        request["file"], "--solc", str(compiler.resolve()), "--json", str(Path("out.json").resolve()), "--fail-none",
        "--disable-color", cwd=SOURCES, env=environment,
    )  # fmt: skip
    try:
        answer = json.loads(Path("out.json").read_text())
    except (OSError, ValueError):
        return {"error": told(done.stderr)}
    if not answer.get("success"):
        return {"error": told(answer.get("error") or done.stderr)}
    found = answer.get("results", {}).get("detectors", [])
    known = detectors() if found else {}
    findings = [finding(each, known.get(each["check"], {})) for each in found[:MOST_FINDINGS]]
    return {"summary": f"{len(found)} findings in {len(request['sources'])} files", "findings": findings}


def told(text: str) -> str:
    """The end of what Slither said, where the reason stands."""
    return text.rpartition("InvalidCompilation: ")[2].strip()[-3000:] or "Slither ended without saying why"


def detectors() -> dict[str, Json]:
    """What Slither says of each kind of finding: its title, and what to do about it."""
    listed = slither("--list-detectors-json")
    try:
        return {each["check"]: each for each in json.loads(listed.stdout)}
    except (ValueError, TypeError, KeyError):
        return {}


def finding(found: Json, detector: Json) -> Json:
    text = found.get("description", "").strip()
    return {
        "rule": found["check"][:100],
        "severity": SEVERITIES.get(found.get("impact", ""), "info"),
        "title": str(detector.get("title") or found["check"])[:300],
        "text": text[:4000],
        "advice": str(detector.get("recommendation") or "").strip()[:4000],
        "place": place_of(found.get("elements", [])),
    }


def place_of(elements: list[Json]) -> Json:
    """Where the most exact element stands: a statement before a function before a contract."""
    ranks = {"node": 0, "variable": 1, "function": 2}
    for element in sorted(elements, key=lambda each: ranks.get(each.get("type", ""), 3)):
        mapping = element.get("source_mapping") or {}
        if lines := mapping.get("lines"):
            place = {"file": mapping["filename_relative"][:300], "line": lines[0]}
            if mapping.get("starting_column"):
                place["column"] = mapping["starting_column"]
            parent = (
                element
                if element.get("type") == "function"
                else (element.get("type_specific_fields") or {}).get("parent", {})
            )
            if parent.get("type") == "function":
                fields = parent.get("type_specific_fields") or {}
                place["function"] = str(fields.get("signature") or parent["name"])[:300]
            return place
    return {}


# --- as Slither's compiler --------------------------------------------------------------------------------------------


def solc(arguments: list[str]) -> int:
    compiler = os.environ[COMPILER]
    if "--version" in arguments:
        return subprocess.run([compiler, "--version"], check=False).returncode
    here = Path.cwd()
    sources = {str(path.relative_to(here)): {"content": path.read_text()} for path in sorted(here.rglob("*.sol"))}
    asked = {
        "language": "Solidity",
        "sources": sources,
        "settings": {"outputSelection": {"*": {"*": WANTED, "": ["ast"]}}},
    }
    done = subprocess.run(
        [compiler, "--standard-json"], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    answer = json.loads(done.stdout or "{}")
    wrong = [each for each in answer.get("errors", []) if each.get("severity") == "error"]
    if wrong or "sources" not in answer:
        print("\n".join(each.get("formattedMessage", "") for each in wrong) or done.stderr, file=sys.stderr)
        return 1
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False).stdout
    print(json.dumps(combined(answer, version.strip().split("Version: ")[-1])))
    return 0


def combined(answer: Json, version: str) -> Json:
    contracts = {}
    for file, named in answer.get("contracts", {}).items():
        for name, made in named.items():
            code, running = made["evm"]["bytecode"], made["evm"]["deployedBytecode"]
            contracts[f"{file}:{name}"] = {
                "abi": made["abi"],
                "bin": code["object"],
                "bin-runtime": running["object"],
                "srcmap": code.get("sourceMap", ""),
                "srcmap-runtime": running.get("sourceMap", ""),
                "userdoc": made["userdoc"],
                "devdoc": made["devdoc"],
                "hashes": made["evm"].get("methodIdentifiers", {}),
            }
    files = sorted(answer["sources"], key=lambda file: answer["sources"][file]["id"])
    return {
        "contracts": contracts,
        "sourceList": files,
        "sources": {file: {"AST": answer["sources"][file]["ast"]} for file in files},
        "version": version,
    }


if __name__ == "__main__":
    if sys.argv[1] == "solc":
        sys.exit(solc(sys.argv[2:]))
    main(*sys.argv[1:3])
