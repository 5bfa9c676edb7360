"""What the mapping studio shows of a draft: what its API file offers, and how far each standard operation is."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from console.errors import Invalid
from platforms.mapping.apifile import ApiFile, ApiOperation
from platforms.mapping.check import ERROR, WARNING, Finding, Report, check_files, said
from platforms.mapping.documents import Lines
from platforms.mapping.dryrun import DryRun, dry_run
from platforms.mapping.samples import Sample, parse_samples, read_samples
from platforms.mapping.template import read_mapping
from platforms.models import ApiState, Draft
from platforms.services.drafts import api_of
from platforms.standard import OPERATIONS

MAPPED, UNSUPPORTED, MISSING = "mapped", "unsupported", "missing"
_PLACE = re.compile(r"^(?:interfaces\.|unsupported\.)?([a-z_]+)")


@dataclass
class Line:
    """One operation of the standard interface, as the draft has it."""

    name: str
    state: str = MISSING
    reason: str = ""  # why the platform cannot do it
    number: int | None = None  # the line of the mapping where it begins
    findings: list[Finding] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)  # operations of the API file
    run: DryRun | None = None

    @property
    def errors(self) -> int:
        return sum(each.level == ERROR for each in self.findings)

    @property
    def warnings(self) -> int:
        return sum(each.level == WARNING for each in self.findings)


@dataclass
class Workbench:
    """A draft, looked at."""

    draft: Draft
    api: ApiFile | None
    report: Report | None  # none while the API file is being read
    document: dict[str, Any]  # the mapping, as far as it can be read
    raw_samples: dict[str, Any]
    samples: dict[str, Sample]
    lines: dict[str, Line]

    def findings_in(self, file: str) -> list[Finding]:
        """Those about one of the files."""
        return [each for each in (self.report.findings if self.report else []) if each.file == file]

    @property
    def counts(self) -> dict[str, int]:
        found = dict.fromkeys((MAPPED, UNSUPPORTED, MISSING), 0)
        for line in self.lines.values():
            found[line.state] += 1
        return found


def look(draft: Draft) -> Workbench:
    """Check the draft and say of each standard operation how far it is. No network, nothing written."""
    api = api_of(draft)
    document = _read(draft.mapping)
    raw, problems = _samples(draft.samples)
    report = _report(draft, api, raw, problems)
    try:
        samples = read_samples(raw)
    except Invalid:
        samples = {}
    lines = _lines(draft.mapping, document)
    if report is not None:
        for finding in report.findings:
            match = _PLACE.match(finding.place)
            if match and match[1] in lines and finding.file != "api_file":
                lines[match[1]].findings.append(finding)
        for name, run in report.dry_runs.items():
            lines[name].run = run
    return Workbench(draft, api, report, document, raw, samples, lines)


def _report(draft: Draft, api: ApiFile | None, raw: Any, problems: list[Finding]) -> Report | None:
    if draft.api_state == ApiState.READING:
        return None
    report = check_files("", draft.mapping, raw, api=api)
    if api is None:  # it was read before, or there is none
        why = Invalid(errors={"api_file": draft.api_problems}) if draft.api_problems else None
        problems = [*(said(why, "api_file") if why else ()), *problems]
        report.findings = [each for each in report.findings if each.file != "api_file"]
    report.findings = [*problems, *report.findings]
    return report


def _read(text: str) -> dict[str, Any]:
    try:
        return read_mapping(text) if text.strip() else {}
    except Invalid:
        return {}


def _samples(text: str) -> tuple[dict[str, Any], list[Finding]]:
    try:
        return parse_samples(text), []
    except Invalid as problem:
        return {}, said(problem, "samples")


def _lines(text: str, document: dict[str, Any]) -> dict[str, Line]:
    interfaces, unsupported = (_object(document.get(key)) for key in ("interfaces", "unsupported"))
    places = Lines(text)
    made = {}
    for name in OPERATIONS:
        line = made[name] = Line(name)
        if name in interfaces:
            line.state, line.number = MAPPED, places.of(("interfaces", name))
            line.calls = list(dict.fromkeys(calls_of(interfaces[name])))
        elif name in unsupported:
            line.state, line.number = UNSUPPORTED, places.of(("unsupported", name))
            line.reason = str(unsupported[name])
    return made


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def calls_of(interface: Any) -> list[str]:
    """The operations of the API file that an interface calls."""
    steps = _object(interface).get("steps")
    return [str(each["op"]) for each in (steps if isinstance(steps, list) else ()) if "op" in _object(each)]


def used_by(bench: Workbench) -> dict[str, list[str]]:
    """For each operation of the API file the standard operations that call it."""
    found: dict[str, list[str]] = {}
    for line in bench.lines.values():
        for call in line.calls:
            operation = bench.api.find(call) if bench.api else None
            if operation is not None:
                found.setdefault(operation.id, []).append(line.name)
    return found


def matching(api: ApiFile, words: str) -> list[ApiOperation]:
    """The API file's operations in which every word is found: in the name, the path, the method or the summary."""
    wanted = words.lower().split()[:8]
    return [each for each in api.operations.values() if all(word in _searched(each) for word in wanted)]


def _searched(operation: ApiOperation) -> str:
    about = operation.definition
    tags = about.get("tags")
    texts = [operation.id, operation.method, operation.path, about.get("summary"), about.get("description")]
    texts += tags if isinstance(tags, list) else []
    return " ".join(str(each) for each in texts if each).lower()


@dataclass(frozen=True)
class Exchange:
    """One call of a dry run: what would be sent, and the sample that answered it."""

    request: dict[str, Any]
    status: int | None = None
    answer: Any = None


def run_now(bench: Workbench, name: str) -> DryRun | None:
    """The operation's run on its sample, also while other parts of the files have errors; None where it cannot run."""
    line = bench.lines[name]
    template = bench.report.template if bench.report else None
    if line.run is None and template is not None and bench.api is not None and name in bench.samples:
        line.run = dry_run(template, bench.api, bench.samples[name]) if name in template.interfaces else None
    return line.run


def exchanges(run: DryRun, sample: Sample) -> list[Exchange]:
    """Each request of a dry run beside the answer that it got, in the order in which they were used."""
    left = {step: deque(answers) for step, answers in sample.answers.items()}
    made = []
    for request in run.requests:
        answers = left.get(request["step"])
        answer = answers.popleft() if answers else None
        made.append(Exchange(request, answer.status, answer.body) if answer else Exchange(request))
    return made
