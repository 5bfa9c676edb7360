"""Applications from the warehouse to the report: the real engine, real builds, a real program that examines."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chains.applications import environments, jobs
from chains.applications.manifest import warehouse
from chains.models import (
    Blockchain,
    Contract,
    ContractState,
    ContractVersion,
    Finding,
    FindingState,
    Installation,
    InstallationState,
    ReportState,
    ScanReport,
)
from chains.services.applications import (
    install_application,
    try_application,
    uninstall_application,
    upgrade_application,
)
from chains.services.findings import latest_reports, open_findings
from chains.services.reports import accept_finding, reopen_finding, scan_contract
from console.errors import Conflict, Invalid, Missing, NotAllowed
from console.flows import engine
from console.models import AuditEntry, Flow, FlowState, Step
from console.services.flows import cancel_flow
from tests.chains.programs import GOOD, application, without_walls
from tests.console.flowkit import hurry
from tests.console.races import at_once
from tests.unions.cast import Cast

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(without_walls()), reason=without_walls() or "-"),
]
SOURCE = """contract Permits {
    // TODO: dates
    function mine() public view returns (bool) { return tx.origin == msg.sender; }
}
"""


@pytest.fixture
def shelf(settings: Any, tmp_path: Path) -> Path:
    """The warehouse's second folder; the data directory is the test's own."""
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    settings.APPLICATIONS_DIR = tmp_path / "shelf"
    settings.APPLICATIONS_DIR.mkdir()
    return settings.APPLICATIONS_DIR


@pytest.fixture
def version(cast: Cast, chain: Callable[..., tuple[Blockchain, object]]) -> ContractVersion:
    row, _ledger = chain()
    contract = Contract.objects.create(uid="ct-1", blockchain=row, owner=cast.tax, name="Permits", name_key="permits")
    sources = {"Permits.sol": SOURCE}
    return ContractVersion.objects.create(contract=contract, number=1, sources=sources, entry="Permits.sol:Permits")


def run(until: Callable[[], bool] = lambda: False, seconds: float = 90) -> None:
    """Be the worker until every flow has ended, or something is true."""
    end = time.monotonic() + seconds
    while Flow.objects.open().exists() and not until():
        assert time.monotonic() < end, list(Step.objects.values_list("name", "state", "error"))
        hurry()
        for step_id in engine.due_steps():
            engine.run_step(step_id)
        time.sleep(0.02)


def installed(cast: Cast, name: str = "ruler") -> Installation:
    install_application(actor=cast.root, name=name)
    run()
    return Installation.objects.get(name=name)


def last_flow() -> Flow:
    return Flow.objects.latest("created_at")


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("number").values_list("action", flat=True))


# --- the warehouse ----------------------------------------------------------------------------------------------------


def test_an_application_is_installed_tried_used_upgraded_and_uninstalled(
    cast: Cast, shelf: Path, version: ContractVersion
) -> None:
    application(shelf)
    row = installed(cast)
    assert (last_flow().state, row.state, row.health, row.tool_version) == ("done", "installed", "up", "1.0")
    home = environments.home_of(row.name, row.label)
    assert {"app", "env"} <= {each.name for each in home.iterdir()}
    with pytest.raises(Conflict):
        install_application(actor=cast.root, name="ruler")
    with pytest.raises(Conflict):
        upgrade_application(actor=cast.root, name="ruler")  # nothing newer

    report = scan_contract(actor=cast.alice, uid="ct-1", application="ruler")
    with pytest.raises(Conflict):
        scan_contract(actor=cast.alice, uid="ct-1", application="ruler")
    run()
    report.refresh_from_db()
    assert (report.state, report.tool, report.summary, report.problem) == ("done", "Ruler 1.0", "measured", "")
    found = list(report.findings.values_list("severity", "rule", "file", "line", "column"))
    assert found == [("low", "todo", "Permits.sol", 2, None), ("high", "tx-origin", "Permits.sol", 3, 57)]
    assert [each.rule for each in open_findings(version, "high")] == ["tx-origin"]

    application(shelf, GOOD.replace('"version": "1.0"', '"version": "2.0"'), version="2.0")
    upgrade_application(actor=cast.root, name="ruler")
    run()
    row.refresh_from_db()
    assert (last_flow().state, row.state, row.version, row.tool_version) == ("done", "installed", "2.0", "2.0")
    assert not home.exists(), "the old one is gone"

    uninstall_application(actor=cast.root, name="ruler")
    run()
    row.refresh_from_db()
    assert (last_flow().state, row.state) == ("done", InstallationState.ABSENT)
    assert not (home.parent).exists()
    assert ScanReport.objects.get() == report, "reports stay"
    with pytest.raises(Invalid):
        scan_contract(actor=cast.alice, uid="ct-1", application="ruler")
    wanted = ["install_asked", "installed", "upgrade_asked", "upgraded", "uninstall_asked", "uninstalled"]
    assert [each.rpartition(".")[2] for each in actions() if each.startswith("chains.application.")] == wanted


def test_what_does_not_work_is_not_installed_and_nothing_of_it_stays(cast: Cast, shelf: Path) -> None:
    application(shelf, "raise SystemExit('no such tool')")
    row = installed(cast)
    assert (last_flow().state, row.state) == (FlowState.UNDONE, InstallationState.ABSENT)
    assert "no such tool" in row.problem
    assert not environments.home_of(row.name, row.label).exists()
    assert not list((jobs.folder_of("x").parent).iterdir())
    application(shelf)
    assert installed(cast).state == "installed", "and it can be tried again"


def test_packages_whose_hashes_are_others_are_not_installed(cast: Cast, shelf: Path, tmp_path: Path) -> None:
    """A wheel is there by this name, but not with this content."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "nothing-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("nothing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: nothing\nVersion: 1.0\n")
        wheel.writestr("nothing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("nothing-1.0.dist-info/RECORD", "")
    home = application(shelf, packages={"python": "requirements.txt"})
    (home / "requirements.txt").write_text(f"nothing==1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(wheels))
        row = installed(cast)
    assert (last_flow().state, row.state) == (FlowState.UNDONE, InstallationState.ABSENT)
    assert "HASH" in row.problem.upper(), row.problem


def test_a_failed_upgrade_leaves_what_was_there(cast: Cast, shelf: Path) -> None:
    application(shelf)
    before = installed(cast)
    application(shelf, "raise SystemExit('worse')", version="2.0")
    upgrade_application(actor=cast.root, name="ruler")
    run()
    row = Installation.objects.get()
    assert (last_flow().state, row.state, row.label, row.health) == ("undone", "installed", before.label, "up")
    assert [each.name for each in environments.home_of(row.name, row.label).parent.iterdir()] == [before.label]


def test_an_installation_that_is_cancelled_ends_its_program(cast: Cast, shelf: Path) -> None:
    application(shelf, "import time; time.sleep(60)")
    install_application(actor=cast.root, name="ruler")
    run(until=lambda: Step.objects.filter(name="build", state="done").exists())
    run(until=lambda: any(jobs.look(each.name) == jobs.RUNNING for each in jobs.folder_of("x").parent.iterdir()))
    cancel_flow(actor=cast.root, flow_id=last_flow().pk)
    run()
    row = Installation.objects.get()
    assert (last_flow().state, row.state) == (FlowState.CANCELLED, InstallationState.ABSENT)
    assert not environments.home_of(row.name, row.label).exists()


def test_another_machine_builds_what_it_does_not_have(cast: Cast, shelf: Path, version: ContractVersion) -> None:
    application(shelf)
    row = installed(cast)
    environments.remove(row.name, row.label)  # as on a worker's machine that has never had it
    scan_contract(actor=cast.alice, uid="ct-1", application="ruler")
    run()
    assert ScanReport.objects.get().state == ReportState.DONE
    environments.remove(row.name, row.label)
    application(shelf, GOOD + "\n# changed")
    try_application(actor=cast.root, name="ruler")
    run()
    assert "has another version by now" in last_flow().error["detail"]


def test_only_administrators_have_a_say_about_installations(cast: Cast, shelf: Path) -> None:
    application(shelf)
    with pytest.raises(NotAllowed):
        install_application(actor=cast.alice, name="ruler")
    with pytest.raises(Missing):
        install_application(actor=cast.root, name="none")
    installed(cast)
    for verb in (upgrade_application, uninstall_application, try_application):
        with pytest.raises(NotAllowed):
            verb(actor=cast.alice, name="ruler")
        with pytest.raises(Missing):
            verb(actor=cast.root, name="none")
    assert Flow.objects.filter(kind__startswith="applications.").count() == 1


def test_the_warehouse_says_what_is_wrong_with_a_folder(shelf: Path) -> None:
    assert {"slither", "halmos"} <= set(warehouse().manifests)
    assert warehouse().broken == []
    application(shelf)
    application(shelf, name="slither")
    application(shelf, name="odd", version="one two")
    application(shelf, name="loose", packages={"python": "requirements.txt"})
    (shelf / "loose/requirements.txt").write_text("--index-url https://elsewhere.example\nslither-analyzer\n")
    application(shelf, name="linked")
    (shelf / "linked/adapter.py").unlink()
    (shelf / "linked/adapter.py").symlink_to("/etc/passwd")
    (shelf / "empty").mkdir()
    found = warehouse()
    assert found.manifests["ruler"].summary == "Measures contracts."
    assert "ruler" not in {each.name for each in found.broken}
    problems = {each.name: each.problem for each in found.broken}
    assert set(problems) == {"slither", "odd", "loose", "linked", "empty"}
    assert "index-url" in problems["loose"]
    assert "adapter.py" in problems["linked"]
    assert "version" in problems["odd"]


# --- examining --------------------------------------------------------------------------------------------------------


def test_a_program_that_is_lost_is_begun_anew_and_a_step_that_runs_twice_keeps_one_report(
    cast: Cast, shelf: Path, version: ContractVersion
) -> None:
    """Its cell is killed, as together with its worker; and a worker dies before it has said that it is through."""
    application(shelf, GOOD.replace('    if request["task"] == "scan":\n', SLOWLY))
    installed(cast)
    scan_contract(actor=cast.alice, uid="ct-1", application="ruler")
    run(until=lambda: any(_runs(job) for job in jobs.folder_of("x").parent.iterdir()))
    jobs._children[-1].kill()
    run()
    report = ScanReport.objects.get()
    assert (report.state, report.findings.count()) == (ReportState.DONE, 2)
    step = Step.objects.get(name="scan")
    Step.objects.filter(pk=step.pk).update(state="ready", due_at=step.started_at, ended_at=None)
    Flow.objects.filter(pk=step.flow_id).update(state=FlowState.RUNNING, ended_at=None)
    run()
    assert (ScanReport.objects.get().findings.count(), last_flow().state) == (2, FlowState.DONE)
    assert actions().count("chains.contract.scanned") == 1


SLOWLY = """    if request["task"] == "scan":
        import time; time.sleep(1.5)
"""


def _runs(folder: Path) -> bool:
    return folder.name.startswith("scan-") and jobs.look(folder.name) == jobs.RUNNING


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise SystemExit(3)", "ended with code 3"),
        (
            "report = {**report, 'error': 'It is odd.'}; del report['findings']\n"
            "        pathlib.Path(sys.argv[2]).write_text(json.dumps(report))",
            "The application itself says: It is odd.",
        ),
    ],
)
def test_an_application_that_fails_gives_a_failed_report(
    cast: Cast, shelf: Path, version: ContractVersion, body: str, words: str
) -> None:
    """It works when it is tried; on a contract it does not."""
    code = GOOD.replace(
        '    if request["task"] == "scan":\n',
        f'    if request["task"] == "scan":\n        {body}\n        sys.exit()\n',
        1,
    )
    application(shelf, code)
    installed(cast)
    scan_contract(actor=cast.alice, uid="ct-1", application="ruler")
    run()
    report = ScanReport.objects.get()
    assert (report.state, words in report.problem) == (ReportState.FAILED, True), report.problem
    assert (report.findings.count(), last_flow().state) == (0, FlowState.DONE)
    assert open_findings(version, "info") == []


def test_a_scan_that_is_cancelled_is_a_failed_report(cast: Cast, shelf: Path, version: ContractVersion) -> None:
    code = GOOD.replace(
        '    if request["task"] == "scan":\n',
        '    if request["task"] == "scan":\n        import time; time.sleep(60)\n',
    )
    application(shelf, code)
    installed(cast)
    scan_contract(actor=cast.alice, uid="ct-1", application="ruler")
    run(until=lambda: any(each.name.startswith("scan-") for each in jobs.folder_of("x").parent.iterdir()))
    cancel_flow(actor=cast.root, flow_id=last_flow().pk)
    run()
    assert ScanReport.objects.get().state == ReportState.FAILED
    assert not list(jobs.folder_of("x").parent.iterdir())


def test_what_was_accepted_stays_accepted_on_the_same_version(
    cast: Cast, shelf: Path, version: ContractVersion
) -> None:
    application(shelf)
    installed(cast)
    Contract.objects.update(state=ContractState.RUNNING, address="0x1")  # so that the others see it
    scan_contract(actor=cast.alice, uid="ct-1", application="ruler")
    run()
    finding = open_findings(version, "high")[0]
    number = AuditEntry.objects.count()
    for person, error in ((cast.bob, NotAllowed), (cast.carol, Missing)):
        with pytest.raises(error):
            accept_finding(actor=person, finding_id=finding.pk, reason="I say so")
    with pytest.raises(Invalid):
        accept_finding(actor=cast.alice, finding_id=finding.pk, reason="  ")
    with pytest.raises(Conflict):
        reopen_finding(actor=cast.alice, finding_id=finding.pk)
    assert AuditEntry.objects.count() == number
    accept_finding(actor=cast.alice, finding_id=finding.pk, reason="Only people call it.")
    with pytest.raises(Conflict):
        accept_finding(actor=cast.alice, finding_id=finding.pk, reason="Twice")
    assert open_findings(version, "high") == []
    scan_contract(actor=cast.alice, uid="ct-1", application="ruler")
    run()
    assert open_findings(version, "high") == []
    newest = Finding.objects.latest("pk")
    assert (newest.state, newest.reason, newest.accepted_by) == (
        FindingState.ACCEPTED,
        "Only people call it.",
        cast.alice,
    )
    reopen_finding(actor=cast.alice, finding_id=newest.pk)
    assert [each.pk for each in open_findings(version, "high")] == [newest.pk]
    version.sources = {}
    version.save()
    with pytest.raises(Conflict):
        scan_contract(actor=cast.alice, uid="ct-1", application="ruler")
    for person, error in ((cast.bob, NotAllowed), (cast.carol, Missing)):
        with pytest.raises(error):
            scan_contract(actor=person, uid="ct-1", application="ruler")


def test_a_verifier_that_had_nothing_to_prove_has_examined_nothing(
    cast: Cast, shelf: Path, version: ContractVersion
) -> None:
    """A report with findings before it keeps counting; a static analyser that finds nothing has examined."""
    application(shelf, gives=["contract-scan", "formal-verification"])
    application(shelf, name="lint")
    for name in ("ruler", "lint"):
        installed(cast, name)
    scan_contract(actor=cast.alice, uid="ct-1", application="ruler")
    run()
    assert ScanReport.objects.get().examined, "there were findings"
    version.sources = {"Permits.sol": "contract Permits {}"}
    version.save()
    for name in ("ruler", "lint"):
        scan_contract(actor=cast.alice, uid="ct-1", application=name)
        run()
    examined = list(ScanReport.objects.order_by("pk").values_list("application", "state", "examined"))
    assert examined == [("ruler", "done", True), ("ruler", "done", False), ("lint", "done", True)]
    assert [each.rule for each in open_findings(version, "high")] == ["tx-origin"]
    ScanReport.objects.filter(examined=True).delete()
    assert latest_reports(version) == []


# --- at the same moment -----------------------------------------------------------------------------------------------


@pytest.mark.postgres
def test_of_two_at_the_same_moment_one_is_first(cast: Cast, shelf: Path, version: ContractVersion) -> None:
    application(shelf)
    endings = at_once(*[lambda: install_application(actor=cast.root, name="ruler")] * 4)
    assert endings == {"done": 1, "conflict": 3}
    run()
    endings = at_once(*[lambda: scan_contract(actor=cast.alice, uid="ct-1", application="ruler")] * 4)
    assert endings == {"done": 1, "conflict": 3}
    run()
    finding = open_findings(version, "high")[0]
    endings = at_once(*[lambda: accept_finding(actor=cast.alice, finding_id=finding.pk, reason="known")] * 4)
    assert endings == {"done": 1, "conflict": 3}
    endings = at_once(*[lambda: uninstall_application(actor=cast.root, name="ruler")] * 4)
    assert endings == {"done": 1, "conflict": 3}
    run()
    assert [actions().count(f"chains.application.{each}") for each in ("installed", "uninstalled")] == [1, 1]
    assert actions().count("chains.finding.accepted") == 1
