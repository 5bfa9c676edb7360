"""What keeps a version from being deployed: open findings of a severity that the union, or the chain, has chosen."""

from __future__ import annotations

from django.utils.translation import gettext as _

from chains.models import Contract, ContractRule, ContractVersion, Finding, ReportState, ScanReport, Severity
from chains.services.findings import latest_reports, open_findings
from console.errors import Blocked, Blocker

SHOWN = 50


def refuse_blocked(contract: Contract, version: ContractVersion) -> None:
    """Blocked, with every finding and the way out; also when nothing has examined the version yet."""
    least = ContractRule.of(contract.blockchain).blocking_severity
    if least == Severity.NONE:
        return
    page = f"/contracts/{contract.uid}"
    words = {"severity": Severity(least).label.lower()}
    if not latest_reports(version):
        text = _(
            "The rule for contracts here asks for a version without open findings of severity %(severity)s or more, "
            "and nothing has examined this one: have an application examine it first."
        )
        if ScanReport.objects.filter(version=version, state=ReportState.DONE).exists():
            text = _(
                "The rule for contracts here asks for a version without open findings of severity %(severity)s or "
                "more. What has looked at this one had nothing to prove: write properties, or have another "
                "application examine it."
            )
        raise Blocked([Blocker("not_examined", text % words, page)], code="not_examined")
    found = open_findings(version, least)
    if found:
        detail = _("Open findings of severity %(severity)s or more keep this version from being deployed.") % words
        raise Blocked([_blocker(each, page) for each in found[:SHOWN]], detail=detail, code="blocked_by_findings")


def _blocker(finding: Finding, page: str) -> Blocker:
    place = f"{finding.file}:{finding.line}" if finding.file and finding.line else finding.file or finding.function
    text = _("%(title)s (%(severity)s%(place)s): mend it and prepare another version, or accept it with a reason.")
    words = {
        "title": finding.title,
        "severity": finding.get_severity_display().lower(),
        "place": f", {place}" if place else "",
    }
    return Blocker("finding", text % words, page)
