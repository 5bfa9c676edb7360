"""Between the console and Halmos: `adapter.py REQUEST REPORT`, inside the application's own environment.

Halmos asks forge to build; forge is given the console's compiler and nothing to download.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

Json = dict[str, Any]
HOME = Path(__file__).resolve().parents[1]
PROVED, REFUTED = 0, 1
CHECKS = re.compile(r"\bfunction\s+((?:check|invariant)_\w*)\s*\(")
ADVICE = "The counter-example shows inputs for which the assertion does not hold. Mend the code, or the property."
NOTES = {
    2: "The path was not decided within the solver's time.",
    3: "Not every path could be followed.",
    4: "Every path reverts; the assertion is never reached.",
    5: "Something in the test is not supported.",
}
MACHINES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def main(request_path: str, report_path: str) -> None:
    request = json.loads(Path(request_path).read_text())
    version = run(halmos("--version")).stdout.split()
    report: Json = {"protocol": 1, "tool": {"name": "Halmos", "version": version[-1] if version else "unknown"}}
    if request["task"] == "scan":
        report |= scan(request)
    elif (built := run([str(forge() / "forge"), "--version"])).returncode == 0:
        report["findings"] = []
    else:
        report["error"] = built.stderr[-1000:] or "forge does not run"
    Path(report_path).write_text(json.dumps(report))


def halmos(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "halmos", *arguments]


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{forge()}:{os.environ['PATH']}", "NO_COLOR": "1", "FOUNDRY_OFFLINE": "true"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def forge() -> Path:
    """The folder of the binary for this machine."""
    name = f"forge-{platform.system().lower()}-{MACHINES.get(platform.machine(), platform.machine())}"
    return HOME / "node_modules/@foundry-rs" / name / "bin"


def scan(request: Json) -> Json:
    places = functions_of(request["sources"])
    if not places:
        return {"summary": "There is no function named check_… to prove.", "findings": [], "checks": []}
    for name, text in request["sources"].items():
        path = Path("src") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    settings: Json = {"src": "src", "out": "out", "solc": request["compiler"]["path"], "libs": []}
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    Path("foundry.toml").write_text("\n".join(["[profile.default]", *lines, "offline = true", "ast = true", ""]))
    seconds = max(int(request["limits"]["seconds"] * 0.6), 10)
    done = run(halmos("--json-output", "out.json", "--no-status", "--solver-timeout-assertion", f"{seconds}s"))
    try:
        answer = json.loads(Path("out.json").read_text())
    except (OSError, ValueError):
        return {"error": (done.stderr + done.stdout).strip()[-3000:] or "Halmos ended without saying why"}
    return told(answer, places)


def told(answer: Json, places: dict[str, Json]) -> Json:
    findings: list[Json] = []
    checks: list[Json] = []
    for contract, results in answer.get("test_results", {}).items():
        file = contract.rpartition(":")[0].removeprefix("src/")
        for result in results:
            name, code = f"{contract.rpartition(':')[2]}.{result['name']}", result["exitcode"]
            outcome = {PROVED: "proved", REFUTED: "refuted"}.get(code, "unknown")
            checks.append({"name": name[:300], "outcome": outcome, "note": NOTES.get(code, "")})
            if outcome != "proved":
                findings.append(finding(name, result, outcome, places, file))
    proved = sum(each["outcome"] == "proved" for each in checks)
    return {"summary": f"{proved} of {len(checks)} properties proved", "findings": findings, "checks": checks}


def finding(name: str, result: Json, outcome: str, places: dict[str, Json], file: str) -> Json:
    refuted = outcome == "refuted"
    function = result["name"]
    place = {**places.get(function.partition("(")[0], {"file": file}), "function": function[:300]}
    return {
        "rule": "assertion-refuted" if refuted else "assertion-undecided",
        "severity": "high" if refuted else "medium",
        "title": f"{name} {'does not hold' if refuted else 'could not be decided'}"[:300],
        "text": "" if refuted else NOTES.get(result["exitcode"], ""),
        "advice": ADVICE if refuted else "Make the property smaller, or give the verifier more time.",
        "counterexample": "\n".join(example(each) for each in result.get("models") or [])[:4000] if refuted else "",
        "place": place,
    }


def example(found: Json) -> str:
    """One set of inputs, an input a line."""
    lines = []
    for value in found.get("model", {}).values():
        kind, number = value.get("solidity_type", ""), value.get("value")
        shown = f"0x{number:040x}" if kind == "address" and isinstance(number, int) else str(number)
        lines.append(f"{kind} {value.get('variable_name', '')} = {shown}")
    return "\n".join(lines)


def functions_of(sources: dict[str, str]) -> dict[str, Json]:
    """Where each property stands, by its name."""
    found: dict[str, Json] = {}
    for file, text in sources.items():
        for match in CHECKS.finditer(text):
            found.setdefault(match[1], {"file": file, "line": text.count("\n", 0, match.start()) + 1})
    return found


if __name__ == "__main__":
    main(*sys.argv[1:3])
