"""Contracts examined by applications: asked for here, written down here, and what people say to what was found."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from chains.applications.engine import address
from chains.applications.protocol import Report
from chains.models import (
    Contract,
    ContractVersion,
    Finding,
    FindingState,
    Installation,
    ReportState,
    ScanReport,
)
from chains.policies import NO_ENGINE, may_accept_finding, may_scan
from chains.services.applications import named
from console import audit, flows
from console.errors import Conflict, Invalid
from console.flows import blueprint_named
from console.models import User
from console.policies import require
from console.transactions import joins_transaction, locked_or_missing, use_case

SCAN = "applications.scan"
CAPABILITY, PROVES = "contract-scan", "formal-verification"
STOPPED = gettext_noop("It was stopped.")
MOST_REASON = 1000
Json = dict[str, Any]


@use_case
def scan_contract(*, actor: User, uid: str, application: str, version: int | None = None) -> ScanReport:
    """Promise to have an application examine a version of a contract, the newest if none is named.

    Raises Missing, NotAllowed, Conflict (no sources, or being examined already), Invalid naming `application`.
    """
    contract = locked_or_missing(Contract.objects.visible_to(actor), uid=uid)
    rows = contract.versions.order_by("-number")
    chosen = (rows if version is None else rows.filter(number=version)).first()
    require(may_scan(actor, chosen, contract))
    if chosen is None:
        raise Conflict(_("The contract has no version yet."))
    installed = Installation.objects.filter(name=application).first()
    if installed is None or not installed.usable or CAPABILITY not in installed.gives:
        raise Invalid.field("application", _("No application of this name that examines contracts is installed."))
    if installed.is_image and not address():
        raise Invalid.field("application", NO_ENGINE)
    if chosen.reports.filter(application=application, state=ReportState.RUNNING).exists():
        raise Conflict(_("This application is examining the version already."))
    return _promise(actor, chosen, installed)


def _promise(actor: User, version: ContractVersion, installed: Installation) -> ScanReport:
    report = ScanReport.objects.create(
        version=version,
        application=installed.name,
        title=installed.title,
        application_version=installed.version,
        started_by=actor,
    )
    words = {"application": installed.title, "name": version.contract.name}
    report.flow = flows.start(
        blueprint_named(SCAN),
        subject=version.contract,
        requested_by=actor,
        arguments={"report": report.pk, "wanted": named(installed)},
        title_values=words,
        answer={"report": str(report.pk), "contract": version.contract.uid},
    )
    report.save(update_fields=["flow"])
    audit.record(
        "chains.contract.scan_asked",
        actor=actor,
        target=version.contract,
        version=version.number,
        application=installed.name,
        application_version=installed.version,
    )
    return report


# --- called by the flow's steps ---------------------------------------------------------------------------------------


@use_case
def record_report(*, report_id: int, told: Report, seconds: float, proves: bool) -> int:
    """Keep what was found; what somebody has accepted of the same version before stays accepted.

    Who proves (`proves`) and had nothing to prove has examined nothing: no news is no proof.
    """
    row = locked_or_missing(ScanReport.objects.all(), pk=report_id)
    if row.state != ReportState.RUNNING:
        return row.findings.count()
    row.tool, row.summary, row.seconds = f"{told.tool} {told.version}"[:200], told.summary, seconds
    row.checks = list(told.checks)
    row.examined = bool(told.checks or told.findings or not proves)
    row.finish()
    row.save()
    accepted = _accepted_before(row)
    findings = [_finding(row, number, each) for number, each in enumerate(told.findings, start=1)]
    for finding in findings:
        if (before := accepted.get(finding.same)) is not None:
            finding.accept(before.accepted_by, before.reason)
            finding.accepted_at = before.accepted_at
    Finding.objects.bulk_create(findings)
    _record_end(row, findings=len(findings), examined=row.examined)
    return len(findings)


def _accepted_before(row: ScanReport) -> dict[Any, Finding]:
    """Of the report before this one."""
    rows = ScanReport.objects.filter(version=row.version_id, application=row.application, state=ReportState.DONE)
    before = rows.exclude(pk=row.pk).order_by("-pk").first()
    if before is None:
        return {}
    accepted = before.findings.filter(state=FindingState.ACCEPTED).select_related("accepted_by")
    return {finding.same: finding for finding in accepted}


def _finding(row: ScanReport, number: int, found: Json) -> Finding:
    place = found.get("place", {})
    return Finding(
        report=row,
        number=number,
        **{name: found[name] for name in ("rule", "severity", "title")},
        **{name: found.get(name, "") for name in ("text", "advice", "counterexample")},
        **{name: place.get(name) for name in ("line", "column")},
        **{name: place.get(name, "") for name in ("file", "function")},
    )


@joins_transaction
def fail_report(*, report_id: int, problem: str, seconds: float | None = None) -> None:
    """There is no report to go by, and why."""
    row = ScanReport.objects.select_for_update(of=("self",)).get(pk=report_id)
    if row.state == ReportState.RUNNING:
        row.seconds = seconds
        row.fail(problem or STOPPED)
        row.save()
        _record_end(row, problem=problem[:500])


@use_case
def record_failure(*, report_id: int, problem: str, seconds: float) -> None:
    fail_report(report_id=report_id, problem=problem, seconds=seconds)


def _record_end(row: ScanReport, **about: Any) -> None:
    audit.record(
        "chains.contract.scanned",
        actor=row.started_by,
        target=row.version.contract,
        version=row.version.number,
        application=row.application,
        state=str(row.state),
        **about,
    )


# --- what people say to it --------------------------------------------------------------------------------------------


@use_case
def accept_finding(*, actor: User, finding_id: int, reason: str) -> Finding:
    """It is known and borne: it keeps nothing from being deployed any more. The reason is kept with who gave it."""
    finding = _finding_of(actor, finding_id)
    require(may_accept_finding(actor, finding))
    reason = reason.strip()
    if not 1 <= len(reason) <= MOST_REASON:
        raise Invalid.field("reason", _("Say why, in at most %(limit)s characters.") % {"limit": MOST_REASON})
    if finding.state == FindingState.ACCEPTED:
        raise Conflict(_("It is accepted already."))
    finding.accept(actor, reason)
    finding.save()
    _record_said("chains.finding.accepted", actor, finding, reason=reason)
    return finding


@use_case
def reopen_finding(*, actor: User, finding_id: int) -> Finding:
    """It counts again."""
    finding = _finding_of(actor, finding_id)
    require(may_accept_finding(actor, finding))
    if finding.state == FindingState.OPEN:
        raise Conflict(_("It is open already."))
    finding.open_again()
    finding.save()
    _record_said("chains.finding.reopened", actor, finding)
    return finding


def _finding_of(actor: User, finding_id: int) -> Finding:
    rows = Finding.objects.filter(report__in=ScanReport.objects.visible_to(actor))
    return locked_or_missing(rows.select_related("report__version__contract__owner"), pk=finding_id)


def _record_said(action: str, actor: User, finding: Finding, **about: Any) -> None:
    version = finding.report.version
    audit.record(
        action,
        actor=actor,
        target=version.contract,
        version=version.number,
        finding=finding.pk,
        rule=finding.rule,
        severity=finding.severity,
        **about,
    )
