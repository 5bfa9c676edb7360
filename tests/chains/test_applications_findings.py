"""Which findings count: the last report of each application that came to its end, and what nobody has accepted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction

from chains.models import (
    Blockchain,
    Contract,
    ContractVersion,
    Finding,
    FindingSeverity,
    ReportState,
    ScanReport,
)
from chains.services.findings import open_findings
from tests.unions.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def version(cast: Cast, chain: Callable[..., tuple[Blockchain, object]]) -> ContractVersion:
    row, _ledger = chain()
    contract = Contract.objects.create(uid="ct-1", blockchain=row, owner=cast.tax, name="Permits", name_key="permits")
    sources = {"Permits.sol": "contract Permits {}"}
    return ContractVersion.objects.create(contract=contract, number=1, sources=sources, entry="Permits.sol:Permits")


def report(version: ContractVersion, application: str, *severities: str, failed: bool = False) -> ScanReport:
    made = ScanReport.objects.create(
        version=version, application=application, title=application.capitalize(), application_version="1"
    )
    for number, severity in enumerate(severities, 1):
        Finding.objects.create(
            report=made, number=number, rule=f"r-{number}", severity=severity, title=f"{severity} {number}"
        )
    made.fail("It crashed.") if failed else made.finish()
    made.save()
    return made


def test_only_the_last_report_of_each_application_counts(version: ContractVersion) -> None:
    assert open_findings(version, "info") == []
    report(version, "slither", "high", "high")
    report(version, "halmos", "low", "high", "info")
    report(version, "slither", "medium")
    report(version, "slither", failed=True)
    assert [str(each) for each in open_findings(version, "info")] == ["high 2", "medium 1", "low 1", "info 3"]
    assert [str(each) for each in open_findings(version, "low")] == ["high 2", "medium 1", "low 1"]
    assert [str(each) for each in open_findings(version, FindingSeverity.HIGH)] == ["high 2"]
    first = open_findings(version, "high")[0]
    first.accept(None, "The caller is checked before.")
    first.save()
    assert open_findings(version, "high") == []


def test_the_database_refuses_what_makes_no_sense(version: ContractVersion) -> None:
    done = report(version, "slither", "high")
    wrong = [
        lambda: ScanReport.objects.filter(pk=done.pk).update(ended_at=None),
        lambda: ScanReport.objects.filter(pk=done.pk).update(state=ReportState.FAILED),
        lambda: Finding.objects.update(reason="because"),
        lambda: Finding.objects.update(state="accepted"),
        lambda: Finding.objects.update(severity="dreadful"),
        lambda: [
            ScanReport.objects.create(version=version, application="a", title="A", application_version="1")
            for _twice in range(2)
        ],
    ]
    for each in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            each()
