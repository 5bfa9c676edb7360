"""What applications found in a contract's version, and what people say to it."""

from __future__ import annotations

from chains.models import ContractVersion, Finding, FindingState, ReportState, ScanReport
from chains.models.reports import WORST_FIRST


def latest_reports(version: ContractVersion) -> list[ScanReport]:
    """The last report of each application that came to its end; what failed or runs still says nothing.

    Nor does one that had nothing to prove.
    """
    done = ScanReport.objects.filter(version=version, state=ReportState.DONE, examined=True)
    rows = done.order_by("application", "-pk")
    latest: dict[str, ScanReport] = {}
    for row in rows:
        latest.setdefault(row.application, row)
    return list(latest.values())


def open_findings(version: ContractVersion, at_least: str) -> list[Finding]:
    """Findings that nobody has accepted, of `at_least` this severity (high, medium, low, info), the worst first.

    Of each application only its last report on this version counts.
    """
    wanted = WORST_FIRST[: WORST_FIRST.index(at_least) + 1]
    rows = Finding.objects.filter(report__in=latest_reports(version), state=FindingState.OPEN, severity__in=wanted)
    found = rows.select_related("report").order_by("report__application", "number")
    return sorted(found, key=lambda row: WORST_FIRST.index(row.severity))
