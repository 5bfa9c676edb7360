"""What the console asks of an application, and what it takes for an answer. `schemas/report.json` is the contract."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_noop
from jsonschema import Draft202012Validator

from chains.applications.jobs import Outcome
from chains.applications.manifest import Manifest
from console.cleansing import LOST, storable
from console.sentences import kept

VERSION = 1
SCHEMA = Draft202012Validator(json.loads((Path(__file__).resolve().parent / "schemas/report.json").read_text()))
# Whatever could make a terminal or a reader see something else than what stands there.
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
Json = dict[str, Any]

ENDINGS = {
    "time": gettext_noop("It did not end in the time that it is given, and was ended."),
    "memory": gettext_noop("It used more memory than it is given, and was ended."),
    "killed": gettext_noop("It was killed, most likely because it used more memory than it is given."),
    "cpu": gettext_noop("It used more processor time than it is given, and was ended."),
    "processes": gettext_noop("It started more processes than it is given, and was ended."),
    "output": gettext_noop("It wrote without end, and was ended."),
    "stopped": gettext_noop("It was stopped."),
}
NO_WALLS = kept(gettext_noop("This machine cannot run programs apart from the console: %(problem)s"))
NOT_STARTED = kept(gettext_noop("It could not be started: %(problem)s"))
CRASHED = kept(gettext_noop("It ended with code %(code)s and left no report. Its last words: %(words)s"))
SILENT = gettext_noop("It ended without a report.")
NO_FILE = gettext_noop("What it left as its report is not a plain file.")
TOO_LARGE = gettext_noop("Its report is too large.")
NO_JSON = gettext_noop("Its report is not JSON.")
WRONG = kept(gettext_noop("Its report is not right at %(place)s: %(problem)s"))
TOLD = kept(gettext_noop("The application itself says: %(words)s"))


class Failed(Exception):
    """There is no report to go by; the sentence says why."""


@dataclass(frozen=True)
class Report:
    """A report that was checked; its texts hold nothing that cannot be seen or kept."""

    tool: str
    version: str
    summary: str
    findings: tuple[Json, ...]
    checks: tuple[Json, ...]


def health_request(manifest: Manifest) -> Json:
    return {"protocol": VERSION, "task": "health", "application": manifest.name}


def scan_request(
    manifest: Manifest, *, contract: str, file: str, sources: dict[str, str], compiler: Json, options: Json
) -> Json:
    return {
        "protocol": VERSION,
        "task": "scan",
        "application": manifest.name,
        "contract": contract,
        "file": file,
        "sources": sources,
        "compiler": compiler,
        "options": options,
        "limits": {"seconds": manifest.needs.seconds, "memory_mb": manifest.needs.memory_mb},
    }


def read_report(outcome: Outcome, raw: bytes | None) -> Report:
    """The report of a run; Failed with the reason when there is none, or none that can be believed."""
    if outcome.ended in ENDINGS:
        raise Failed(ENDINGS[outcome.ended])
    if outcome.ended in ("walls", "start"):
        raise Failed((NO_WALLS if outcome.ended == "walls" else NOT_STARTED) % {"problem": seen(outcome.log)[:500]})
    if outcome.report == "missing":
        words = {"code": outcome.code, "words": seen(outcome.log).strip()[-1000:] or "–"}
        raise Failed(SILENT if outcome.code == 0 else CRASHED % words)
    if outcome.report != "there" or raw is None:
        raise Failed(TOO_LARGE if outcome.report == "too_large" else NO_FILE)
    return _checked(raw)


def _checked(raw: bytes) -> Report:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise Failed(NO_JSON) from None
    error = next(iter(SCHEMA.iter_errors(body)), None)
    if error is not None:
        place = "/".join(map(str, error.absolute_path))[:100] or "report"
        raise Failed(WRONG % {"place": place, "problem": seen(error.message)[:200]})
    body = _all_seen(body)
    if "error" in body:
        raise Failed(TOLD % {"words": body["error"]})
    return Report(
        tool=body["tool"]["name"],
        version=body["tool"]["version"],
        summary=body.get("summary", ""),
        findings=tuple(body["findings"]),
        checks=tuple(body.get("checks", ())),
    )


def _all_seen(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _all_seen(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_all_seen(each) for each in value]
    return seen(value) if isinstance(value, str) else value


def seen(text: str) -> str:
    """The text as far as it can be seen and kept."""
    return UNSEEN.sub(LOST, str(storable(text)))
