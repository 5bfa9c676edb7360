"""The static check of a platform's files: no network, and an end however the files are made.

Errors refuse the files. A warning says what the API file leaves open or a sample contradicts; a note, what users will
read. `check_files` never raises for what is wrong with the files: it finds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop

from console.errors import Invalid
from platforms.mapping.apifile import ApiFile
from platforms.mapping.check.conditions import check_condition
from platforms.mapping.check.findings import ERROR, NOTE, WARNING, Finding, Findings, Spot
from platforms.mapping.check.scope import Scope, View, read_path
from platforms.mapping.check.steps import Files, check_interface
from platforms.mapping.documents import Path
from platforms.mapping.dryrun import DryRun, dry_run
from platforms.mapping.references import BadReference, TooTangled, foreign_references
from platforms.mapping.samples import Sample, read_samples
from platforms.mapping.shapes import Shape
from platforms.mapping.template import Template
from platforms.standard import OPERATIONS

__all__ = ["ERROR", "NOTE", "WARNING", "Finding", "Report", "check_files", "said"]

MAX_LOOKS = 100_000  # at schemas, for one check
_LINE = re.compile(r"^line (\d+): (?:(?P<place>[\w.\[\]$-]+): )?(?P<text>.+)$", re.DOTALL)


@dataclass
class Report:
    """What a check has found, and what it read on the way."""

    findings: list[Finding] = field(default_factory=list)
    template: Template | None = None
    api: ApiFile | None = None
    dry_runs: dict[str, DryRun] = field(default_factory=dict)

    @property
    def errors(self) -> list[Finding]:
        return [each for each in self.findings if each.level == ERROR]

    @property
    def warnings(self) -> list[Finding]:
        return [each for each in self.findings if each.level == WARNING]

    @property
    def passed(self) -> bool:
        return not self.errors


def check_files(api_file: str, mapping: str, samples: Any = None, *, api: ApiFile | None = None) -> Report:
    """Everything that can be said about the files without asking the platform.

    `api` is the API file where it has been parsed already: a large one takes seconds.
    """
    report = Report(api=api)
    report.findings = _read(report, api_file, mapping)
    return check_parsed(report, {"api_file": api_file, "mapping": mapping}, samples)


def check_parsed(report: Report, texts: dict[str, str], samples: Any) -> Report:
    """The rest of the check, when the files, whose texts are given, have been read as far as they could be."""
    findings, unreadable = Findings(texts), report.findings
    try:
        known = read_samples(samples or {})
    except Invalid as problem:
        unreadable += said(problem, "samples")
        known = {}
    if report.api is not None and report.template is not None:
        _check(report.api.counted(MAX_LOOKS), report.template, known, findings)
    report.findings = [*unreadable, *findings.all()]
    if report.passed:
        _run_samples(report, known, findings)
        report.findings = findings.all()
    return report


def _read(report: Report, api_file: str, mapping: str) -> list[Finding]:
    """Parse both files; what cannot be read is found with its line."""
    found: list[Finding] = []
    try:
        report.api = report.api or ApiFile.parse(api_file)
    except Invalid as problem:
        found += said(problem, "api_file")
    try:
        report.template = Template.parse(mapping)
    except Invalid as problem:
        found += said(problem, "mapping")
    return found


def said(problem: Invalid, file: str) -> list[Finding]:
    """What a reader complained about, as findings."""
    found = []
    for text in problem.errors.get(file) or [problem.detail]:
        match = _LINE.match(text)
        line, place = (int(match[1]), match["place"] or "") if match else (None, "")
        words = match["text"] if match else text
        found.append(Finding(ERROR, file, place, "%(problem)s", {"problem": words}, line))
    return found


def _check(api: ApiFile, template: Template, samples: dict[str, Sample], findings: Findings) -> None:
    document = template.document
    for place, reference in foreign_references(api.root):
        message = gettext_noop("The reference %(reference)s leaves the file; only local ones (#/…) are followed.")
        findings.error(Spot((), place, "api_file"), message, reference=reference)
    _check_common(document, findings)
    _check_logins(api, template, findings)
    files = Files(api, document, samples, findings, _signed(template))
    for name, body in (document.get("interfaces") or {}).items():
        spot = Spot(("interfaces", name), name)
        try:
            check_interface(files, name, body)
        except (BadReference, TooTangled) as problem:
            findings.error(spot, gettext_noop("The API file cannot be followed: %(problem)s"), problem=problem)
    _check_offer(template, samples, findings)


def _check_common(document: dict[str, Any], findings: Findings) -> None:
    """`errors` and `errorMessage` of the whole mapping."""
    scope = Scope(roots={}, steps={}, quiet=True).with_answer(View(Shape(), None))
    for index, rule in enumerate(document.get("errors") or ()):
        check_condition(rule["when"], scope, Spot(("errors", index, "when"), f"errors[{index}].when"), findings)
    for index, path in enumerate(document.get("errorMessage") or ()):
        read_path(path, scope, Spot(("errorMessage", index), f"errorMessage[{index}]"), findings)


def _check_logins(api: ApiFile, template: Template, findings: Findings) -> None:
    """The calls by which a token is fetched."""
    for party, scheme in template.schemes():
        for index, step in enumerate(scheme.get("steps") or ()):
            entry: Path = ("auth", party) if party else ("auth",)
            path: Path = (*entry, "steps", index, "op")
            if api.find(step["op"]) is None:
                message = gettext_noop("The API file has no operation %(name)s.")
                findings.error(Spot(path, f"auth.{step['id']}.op"), message, name=step["op"])


def _signed(template: Template) -> frozenset[str]:
    """Headers and query parameters that the authentication fills, in lower case and as written."""
    names: set[str] = set()
    for _party, scheme in template.schemes():
        written = str(scheme.get("name") or scheme.get("header") or "X-Api-Key")
        names |= {written, written.lower()}
        if scheme["kind"] == "huawei-aksk":
            names |= {"x-sdk-date", "x-project-id", "x-security-token"}
        if scheme["kind"] == "aws-sigv4":
            names |= {"x-amz-date", "x-amz-security-token"}
    return frozenset(names)


def _check_offer(template: Template, samples: dict[str, Sample], findings: Findings) -> None:
    """What is offered, what is not, and whether anybody says why."""
    for name in sorted(set(template.interfaces) & set(template.unsupported)):
        message = gettext_noop("%(name)s is offered and said to be unsupported.")
        findings.error(Spot(("unsupported", name), f"unsupported.{name}"), message, name=name)
    unsaid = sorted(set(OPERATIONS) - set(template.interfaces) - set(template.unsupported))
    if unsaid:
        message = gettext_noop("Not offered, and nobody says why: %(names)s. Name the reason under unsupported.")
        findings.note(Spot(("unsupported",), "unsupported"), message, names=", ".join(unsaid))
    if "get_health" not in template.interfaces:
        message = gettext_noop("Without get_health the console cannot tell whether the platform is up.")
        findings.warning(Spot(("interfaces",), "interfaces"), message)
    for name in sorted(set(samples) - set(template.interfaces)):
        message = gettext_noop("There is a sample for %(name)s, which the mapping does not offer.")
        findings.warning(Spot((name,), name, "samples"), message, name=name)


def _run_samples(report: Report, samples: dict[str, Sample], findings: Findings) -> None:
    """Dry runs of what has samples: a fault is an error, with its place."""
    if report.template is None or report.api is None:
        return
    for name, sample in samples.items():
        if name not in report.template.interfaces or not sample.answers:
            continue
        outcome = report.dry_runs[name] = dry_run(report.template, report.api, sample)
        if outcome.fault is not None:
            spot = Spot(("interfaces", name), outcome.fault["place"])
            message = gettext_noop("With the sample: %(problem)s")
            findings.error(spot, message, problem=outcome.fault["text"])
