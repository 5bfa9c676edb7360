"""Applications that are images, on a real container engine: from the warehouse to the report, kept apart."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chains.applications import engine as reaching
from chains.applications import images
from chains.applications.engine import engine as named_engine
from chains.applications.manifest import warehouse
from chains.models import ContainerEngine, ContractVersion, Installation, InstallationState, ScanReport
from chains.services import engine as engines
from chains.services.applications import (
    install_application,
    try_application,
    uninstall_application,
    upgrade_application,
)
from chains.services.reports import scan_contract
from console.errors import PlatformRefused
from console.models import FlowState, Step, StepLog
from console.services.flows import cancel_flow
from platforms.hosts.runs import RunWish
from tests.chains.images import TAG, from_archive, image, image_application
from tests.chains.test_applications_flows import installed, last_flow, run
from tests.chains.test_applications_flows import version as version
from tests.platforms.hosts.registry import PASSWORD, USERNAME, missing_for_registry, private_registry
from tests.tools.engines import Host, missing_for_engines, running_hosts
from tests.tools.images import SHELL
from tests.unions.cast import Cast

REASON = missing_for_engines() or ("" if SHELL.exists() else "there is no static busybox on this machine")
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.skipif(bool(REASON), reason=REASON or "-")]


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("archives")


@pytest.fixture(scope="module")
def machine() -> Iterator[Host]:
    with running_hosts("127.0.22.1") as (host,):
        yield host


def name_engine(settings: Any, host: Host, folder: Path) -> None:
    """As an operator does: the address, and the files of TLS."""
    tls = folder / f"tls-{host.ip}"
    tls.mkdir(exist_ok=True)
    (tls / "ca.pem").write_text(host.authority.pem)
    (tls / "cert.pem").write_text(host.tlscert)
    (tls / "key.pem").write_text("")
    settings.APPLICATIONS_ENGINE = f"tcp://{host.ip}:{host.port}"
    settings.APPLICATIONS_ENGINE_TLS = tls


@pytest.fixture
def shelf(settings: Any, tmp_path: Path, machine: Host) -> Iterator[Path]:
    settings.DATA_DIR = tmp_path / "data"
    settings.APPLICATIONS_DIR = tmp_path / "shelf"
    settings.APPLICATIONS_DIR.mkdir()
    name_engine(settings, machine, tmp_path)
    yield settings.APPLICATIONS_DIR
    left = machine.podman("ps", "--all", "--format", "{{.Names}}").split()
    for each in images_on(machine):
        machine.podman("rmi", "--force", each)
    for name in left:
        machine.podman("rm", "--force", name)
    machine.podman("volume", "prune", "--force")
    assert left == [], "no container stays"


def images_on(host: Host) -> list[str]:
    return sorted(set(host.podman("images", "--all", "--quiet", "--no-trunc").split()))


def words_of(step: str) -> str:
    lines = StepLog.objects.filter(step__name=step).order_by("pk")
    return "\n".join(str(line.data.get("output", "")) for line in lines)


# --- from the warehouse to the report ---------------------------------------------------------------------------------


def test_an_image_is_installed_tried_used_upgraded_and_uninstalled(
    cast: Cast, shelf: Path, archives: Path, machine: Host, version: ContractVersion
) -> None:
    from_archive(shelf, archives)
    row = installed(cast)
    assert (last_flow().state, row.state, row.health, row.tool_version) == ("done", "installed", "up", "1.0")
    assert row.host == f"tcp://{machine.ip}:{machine.port}"
    first = images_on(machine)
    assert len(first) == 1

    report = scan_contract(actor=cast.alice, uid="ct-1", application="ruler")
    run()
    report.refresh_from_db()
    assert (report.state, report.tool, report.summary, report.problem) == ("done", "Ruler 1.0", "measured", "")
    found = [(each.severity, each.rule, each.file, each.line, each.advice) for each in report.findings.all()]
    assert found == [("high", "tx-origin", "Permits.sol", 3, "Use msg.sender.")]
    assert machine.left() == [], "nothing of a run stays"

    from_archive(shelf, archives, version="2.0")
    upgrade_application(actor=cast.root, name="ruler")
    run()
    row.refresh_from_db()
    assert (last_flow().state, row.state, row.version, row.tool_version) == ("done", "installed", "2.0", "2.0")
    second = images_on(machine)
    assert len(second) == 1
    assert second != first, "the old one is gone"

    uninstall_application(actor=cast.root, name="ruler")
    run()
    row.refresh_from_db()
    assert (last_flow().state, row.state) == ("done", InstallationState.ABSENT)
    assert (images_on(machine), machine.left()) == ([], [])
    assert ScanReport.objects.get() == report, "reports stay"


def test_an_upgrade_to_what_does_not_work_leaves_what_was_there(
    cast: Cast, shelf: Path, archives: Path, machine: Host
) -> None:
    from_archive(shelf, archives)
    before = installed(cast)
    first = images_on(machine)
    from_archive(shelf, archives, "fails", version="2.0")
    upgrade_application(actor=cast.root, name="ruler")
    run()
    row = Installation.objects.get()
    assert (last_flow().state, row.state, row.label, row.health) == ("undone", "installed", before.label, "up")
    assert "It ended with code 3 and left no report. Its last words: no such tool" in str(last_flow().error)
    assert images_on(machine) == first


def test_an_archive_of_another_content_never_reaches_the_engine(
    cast: Cast, shelf: Path, archives: Path, machine: Host
) -> None:
    home = from_archive(shelf, archives)
    archive = next(home.glob("*.tar"))
    content = archive.read_bytes()
    archive.unlink()
    archive.write_bytes(content.replace(b"Use msg.sender", b"Use tx.origin!"))
    row = installed(cast)
    assert (last_flow().state, row.state) == (FlowState.UNDONE, InstallationState.ABSENT)
    assert "has another SHA-256 than the manifest names" in row.problem
    assert images_on(machine) == []


@pytest.mark.skipif(bool(missing_for_registry()), reason=missing_for_registry() or "-")
def test_an_image_is_pulled_by_its_digest_with_the_credentials_of_its_registry(
    cast: Cast, shelf: Path, archives: Path, settings: Any, tmp_path: Path, version: ContractVersion
) -> None:
    archive, _sum = image(archives)
    with (
        private_registry("127.0.22.9") as registry,
        running_hosts("127.0.22.2", registries=registry.trusted) as (host,),
    ):
        name = registry.push(host, archive, TAG, "tools/ruler:1")
        who = [f"--username={USERNAME}", f"--password={PASSWORD}", f"--authfile={tmp_path}/auth"]
        host.podman("login", "--tls-verify=false", *who, registry.address)
        digest = registry.digest_of("tools/ruler", "1")
        assert images_on(host) == []
        name_engine(settings, host, tmp_path)
        reference = f"{name.rpartition(':')[0]}@{digest}"
        said = {"reference": reference, "command": ["good"]}
        image_application(shelf, said)
        row = installed(cast)
        assert (last_flow().state, row.state) == (FlowState.UNDONE, InstallationState.ABSENT)
        assert "could not get it" in row.problem, "nobody pulls without credentials"

        settings.APPLICATIONS_REGISTRY_AUTH = tmp_path / "auth"
        row = installed(cast)
        assert (last_flow().state, row.state, row.health) == ("done", "installed", "up"), row.problem
        image_application(shelf, {**said, "reference": reference[:-8] + "0" * 8}, version="2.0")
        upgrade_application(actor=cast.root, name="ruler")
        run()
        row.refresh_from_db()
        assert (last_flow().state, row.version) == (FlowState.UNDONE, "1.0"), "the registry has no such digest"

        host.podman("rmi", "--force", *images_on(host))  # as when somebody cleans up there
        scan_contract(actor=cast.alice, uid="ct-1", application="ruler")
        run()
        assert ScanReport.objects.get().state == "done", "what the engine has lost is fetched again"
        uninstall_application(actor=cast.root, name="ruler")
        run()
        assert (images_on(host), host.left()) == ([], [])
        assert not StepLog.objects.filter(data__icontains=PASSWORD).exists()


# --- what keeps it apart ----------------------------------------------------------------------------------------------


def test_it_has_no_network_no_rights_nothing_to_write_on_and_no_more_processes_than_it_is_given(
    cast: Cast, shelf: Path, archives: Path, machine: Host
) -> None:
    from_archive(shelf, archives, "looks", machine.ip, str(machine.port))
    assert installed(cast).state == InstallationState.INSTALLED
    said = words_of("try")
    assert "capabilities 0000000000000000" in said
    assert "user 0," not in said
    assert "network: 1 1" in said, "its own loopback device and no other"
    assert "an't fork" in said
    for word in ("reached", "wrote to", "filled", "started"):
        assert word not in said
    uninstall_application(actor=cast.root, name="ruler")
    run()


@pytest.mark.parametrize(
    ("command", "needs", "words"),
    [
        ("sleeps", {"seconds": 2}, "did not end in the time"),
        ("hogs", {}, "more memory than it is given"),
        ("burns", {"cpu_seconds": 1}, "more processor time than it is given"),
        ("chatters", {}, "report is too large"),
    ],
)
def test_what_exceeds_its_limits_is_ended_and_said_so(
    cast: Cast, shelf: Path, archives: Path, machine: Host, command: str, needs: dict[str, Any], words: str
) -> None:
    limits = {"seconds": 30, "cpu_seconds": 20, "memory_mb": 64, "disk_mb": 8, "processes": 16, **needs}
    from_archive(shelf, archives, command, needs=limits)
    row = installed(cast)
    assert (last_flow().state, row.state) == (FlowState.UNDONE, InstallationState.ABSENT)
    assert words in row.problem
    assert (images_on(machine), machine.left()) == ([], [])


# --- who is lost on the way -------------------------------------------------------------------------------------------


def test_a_run_whose_worker_was_lost_goes_on_and_is_read_by_the_next(
    cast: Cast, shelf: Path, archives: Path, machine: Host, version: ContractVersion
) -> None:
    """Nothing of a run is in the worker's memory; and one that dies before it has said so begins the run anew."""
    from_archive(shelf, archives, "slow")
    installed(cast)
    scan_contract(actor=cast.alice, uid="ct-1", application="ruler")
    run(until=lambda: "scan-" in machine.podman("ps", "--format", "{{.Names}}"))
    (name,) = machine.podman("ps", "--format", "{{.Names}}").split()
    machine.podman("rm", "--force", name)
    run(until=lambda: "scan-" in machine.podman("ps", "--format", "{{.Names}}"))
    machine.cut()
    run(until=lambda: Step.objects.filter(name="scan", error__isnull=False).exists())
    machine.mend()
    reaching._there.cache_clear()  # as in a process that has never met the engine
    run()
    report = ScanReport.objects.get()
    assert (report.state, report.findings.count()) == ("done", 1)
    step = Step.objects.get(name="scan")
    Step.objects.filter(pk=step.pk).update(state="ready", due_at=step.started_at, ended_at=None)
    type(step.flow).objects.filter(pk=step.flow_id).update(state="running", ended_at=None)
    run()
    assert ScanReport.objects.get().findings.count() == 1
    assert machine.left() == []


def test_what_nobody_comes_back_for_is_ended_and_removed(shelf: Path, archives: Path, machine: Host) -> None:
    from_archive(shelf, archives, "sleeps")
    manifest = warehouse().manifests["ruler"]
    at = named_engine()
    assert images.fetch(at, manifest)
    images.start(at, "run-late", manifest, {})
    images.start(at, "run-young", manifest, {})
    late = time.time() - images.LATE_SECONDS - 1
    begun = RunWish("run-lost", images.is_there(at, manifest), b"{}", late, 2**26, 2**20, 1.0, 5, 8, ("sleeps",))
    at.begin(begun)
    machine.podman("volume", "create", "--label=concord.run=run-half", f"--label=concord.until={late}", "run-half")
    assert images.reap(at) == 1, "a volume whose worker died before there was a container"
    assert "run-half" not in machine.left()
    states = {each.name: each.running for each in at.all()}
    assert states == {"run-late": True, "run-young": True, "run-lost": False}, "what runs past its time is ended"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(images, "KEPT_SECONDS", 0)
        assert images.reap(at) == 1
    assert {each.name for each in at.all()} == {"run-late", "run-young"}
    with pytest.raises(PlatformRefused) as refused:
        at.begin(replace(begun, name="run-none", image="sha256:" + "0" * 64))
    assert refused.value.code == "no_image"
    for name in ("run-late", "run-young"):
        at.forget(name)
        at.forget(name)
    assert machine.left() == []


def test_other_peoples_images_are_left_alone(cast: Cast, shelf: Path, archives: Path, machine: Host) -> None:
    """An archive brings a name that somebody else has here; and what they have a name for stays when ours is gone."""
    theirs, _sum = image(archives, "2.0")
    machine.podman("load", "--input", str(theirs))
    before = images_on(machine)
    from_archive(shelf, archives)
    assert installed(cast).state == InstallationState.INSTALLED
    assert machine.podman("images", "--quiet", "--no-trunc", TAG).split() == before
    machine.podman("tag", f"{images.REPOSITORY}/ruler:{Installation.objects.get().label}", "localhost/theirs:1")
    uninstall_application(actor=cast.root, name="ruler")
    run()
    assert Installation.objects.get().state == InstallationState.ABSENT
    names = machine.podman("images", "--format", "{{.Repository}}").split()
    assert sorted(names) == ["localhost/ruler-of-tests", "localhost/theirs"]
    assert StepLog.objects.filter(message__startswith="Something else on the engine uses the image").exists()


def test_an_installation_that_is_cancelled_leaves_nothing(
    cast: Cast, shelf: Path, archives: Path, machine: Host
) -> None:
    from_archive(shelf, archives, "sleeps", needs={"seconds": 60})
    install_application(actor=cast.root, name="ruler")
    run(until=lambda: "try-" in machine.podman("ps", "--format", "{{.Names}}"))
    cancel_flow(actor=cast.root, flow_id=last_flow().pk)
    run()
    assert (last_flow().state, Installation.objects.get().state) == (FlowState.CANCELLED, InstallationState.ABSENT)
    assert (images_on(machine), machine.left()) == ([], [])


# --- the engine itself ------------------------------------------------------------------------------------------------


def test_the_engine_is_looked_at_and_its_end_is_told(
    cast: Cast, shelf: Path, archives: Path, machine: Host, settings: Any, tmp_path: Path
) -> None:
    engines.check()
    seen = ContainerEngine.objects.get()
    assert (seen.address, seen.health, seen.problem) == (settings.APPLICATIONS_ENGINE, "up", "")
    assert (seen.version != "", seen.cpus > 0, seen.memory > 2**20) == (True, True, True)
    machine.cut()
    engines.check()
    seen.refresh_from_db()
    assert (seen.health, "cannot be reached" in seen.problem, seen.cpus > 0) == ("down", True, True)
    machine.mend()
    engines.check()
    seen.refresh_from_db()
    assert (seen.health, seen.problem) == ("up", "")
    settings.APPLICATIONS_ENGINE_TLS = None
    engines.check()
    seen.refresh_from_db()
    assert (seen.health, "APPLICATIONS_ENGINE_TLS" in seen.problem) == ("down", True)


def test_an_engine_behind_a_socket_does_as_well_and_once_it_is_named_no_more_uninstalling_goes_on(
    cast: Cast, shelf: Path, archives: Path, machine: Host, settings: Any
) -> None:
    settings.APPLICATIONS_ENGINE, settings.APPLICATIONS_ENGINE_TLS = f"unix://{machine.folder}/engine.sock", None
    from_archive(shelf, archives)
    assert installed(cast).host == settings.APPLICATIONS_ENGINE
    try_application(actor=cast.root, name="ruler")
    run()
    assert (last_flow().state, Installation.objects.get().health) == (FlowState.DONE, "up")
    settings.APPLICATIONS_ENGINE = ""
    uninstall_application(actor=cast.root, name="ruler")
    run()
    assert (last_flow().state, Installation.objects.get().state) == ("done", InstallationState.ABSENT)
    assert StepLog.objects.filter(message__startswith="No container engine is named any more").exists()
