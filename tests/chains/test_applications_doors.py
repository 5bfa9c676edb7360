"""Applications by page and by REST: who sees and may do what, and what the answers say. Nothing is built here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chains.applications.manifest import warehouse
from chains.models import (
    ApplicationHealth,
    Blockchain,
    ContainerEngine,
    Contract,
    ContractState,
    ContractVersion,
    Finding,
    Installation,
    InstallationState,
    ScanReport,
)
from chains.services.engine import record_engine
from console.models import AuditEntry, Flow
from tests.chains.images import image_application
from tests.chains.programs import application
from tests.chains.test_pages import browser, page, words
from tests.rest import assert_problem, client
from tests.unions.cast import Cast, auditor

pytestmark = pytest.mark.django_db(transaction=True)
API = "/api/v1"
SOURCE = "contract Permits {\n    // TODO: dates <b>\n    uint256 x;\n}\n"


@pytest.fixture(autouse=True)
def shelf(settings: Any, tmp_path: Path) -> Path:
    settings.APPLICATIONS_DIR = tmp_path
    application(tmp_path)
    return tmp_path


@pytest.fixture
def ruler(cast: Cast) -> Installation:
    """As it stands when it was installed."""
    manifest = warehouse().manifests["ruler"]
    return Installation.objects.create(
        name="ruler", version="1.0", digest=manifest.digest, manifest=manifest.raw, state=InstallationState.INSTALLED,
        health=ApplicationHealth.UP, tool_version="1.0", installed_by=cast.root,
    )  # fmt: skip


@pytest.fixture
def version(cast: Cast, chain: Callable[..., tuple[Blockchain, object]]) -> ContractVersion:
    row, _ledger = chain()
    contract = Contract.objects.create(
        uid="ct-1", blockchain=row, owner=cast.tax, name="Permits", name_key="permits", address="0x1",
        state=ContractState.RUNNING,
    )  # fmt: skip
    sources = {"Permits.sol": SOURCE}
    return ContractVersion.objects.create(contract=contract, number=1, sources=sources, entry="Permits.sol:Permits")


def report(version: ContractVersion, findings: int = 2) -> ScanReport:
    made = ScanReport.objects.create(
        version=version, application="ruler", title="Ruler", application_version="1.0", tool="Ruler 1.0",
        summary="measured",
        checks=[{"name": "check_sum()", "outcome": "refuted"}],
    )  # fmt: skip
    for number in range(1, findings + 1):
        Finding.objects.create(
            report=made, number=number, rule="todo", severity="low" if number % 2 else "high",
            title=f"Left to do {number}", file="Permits.sol", line=2, advice="Do it.",
            counterexample="uint256 amount = 16",
        )  # fmt: skip
    made.finish()
    made.save()
    return made


# --- REST -------------------------------------------------------------------------------------------------------------


def test_the_warehouse_is_listed_narrowed_and_paged(cast: Cast, ruler: Installation) -> None:
    everything = client(cast.alice).get(f"{API}/applications").json()
    assert [each["name"] for each in everything["results"]] == ["halmos", "ruler", "slither"]
    shown = client(cast.alice).get(f"{API}/applications/ruler").json()
    assert (shown["state"], shown["version"], shown["installed_version"]) == ("installed", "1.0", "1.0")
    assert (shown["upgrade_available"], shown["health"]) == (False, "up")
    assert (shown["needs"]["memory_mb"], shown["gives"], shown["licence"]) == (200, ["contract-scan"], "Apache-2.0")
    halmos = client(cast.alice).get(f"{API}/applications", {"gives": "formal-verification"}).json()
    assert [(each["name"], each["state"], each["health"]) for each in halmos["results"]] == [
        ("halmos", "absent", "unknown")
    ]
    paged = client(cast.alice).get(f"{API}/applications", {"page_size": 1, "page": 2}).json()
    assert (paged["count"], paged["results"][0]["name"]) == (3, "ruler")
    assert client(cast.alice).get(f"{API}/applications", {"state": "installed", "q": "tests"}).json()["count"] == 1
    turned = client(cast.alice).get(f"{API}/applications", {"ordering": "-title"}).json()["results"]
    assert [each["title"] for each in turned] == sorted((each["title"] for each in turned), reverse=True)
    assert_problem(client(cast.alice).get(f"{API}/applications", {"ordering": "colour"}), 422, "ordering")
    assert_problem(client(cast.alice).get(f"{API}/applications", {"colour": "red"}), 422, "colour")
    assert_problem(client(cast.alice).get(f"{API}/applications/none"), 404)
    assert_problem(client().get(f"{API}/applications"), 401)


def test_installing_answers_with_a_flow_once_for_one_key(cast: Cast) -> None:
    number = AuditEntry.objects.count()
    for person, status in ((cast.alice, 403), (auditor(), 403), (None, 401)):
        assert_problem(client(person).post(f"{API}/applications/ruler/install"), status)
    assert_problem(client(cast.root).post(f"{API}/applications/none/install"), 404)
    assert_problem(client(cast.root).post(f"{API}/applications/ruler/uninstall"), 404)
    assert (Flow.objects.count(), Installation.objects.count(), AuditEntry.objects.count()) == (0, 0, number)
    key = {"HTTP_IDEMPOTENCY_KEY": "once"}
    first = client(cast.root).post(f"{API}/applications/ruler/install", **key)
    assert first.status_code == 202, first.content
    assert first["Location"] == f"{API}/flows/{first.json()['flow']}"
    assert client(cast.root).post(f"{API}/applications/ruler/install", **key).json() == first.json()
    assert_problem(client(cast.root).post(f"{API}/applications/ruler/install"), 409)
    assert Flow.objects.count() == 1
    flow = client(cast.root).get(f"{API}/flows/{first.json()['flow']}").json()
    assert [step["name"] for step in flow["steps"]] == ["mark", "build", "try", "record"]


def test_an_image_needs_an_engine_and_is_refused_with_the_reason_where_none_is_named(
    cast: Cast, shelf: Path, settings: Any, version: ContractVersion
) -> None:
    reference = f"registry.example/tools/shipped@sha256:{'a1' * 32}"
    image_application(shelf, {"reference": reference}, name="shipped")
    settings.APPLICATIONS_ENGINE = ""
    refused = client(cast.root).post(f"{API}/applications/shipped/install")
    assert_problem(refused, 409)
    assert "no container engine is named for applications" in refused.json()["detail"]
    assert (Flow.objects.count(), Installation.objects.count()) == (0, 0)
    shown = client(cast.alice).get(f"{API}/applications/shipped").json()
    digest = reference.partition("@")[2]
    assert shown["image"] == {"name": "registry.example/tools/shipped", "digest": digest, "from_archive": False}
    assert client(cast.alice).get(f"{API}/applications/ruler").json()["image"] is None
    seen = words(page(cast.root, "/applications/shipped"))
    for text in (digest, "registry.example/tools/shipped", "None is named."):
        assert text in seen, text
    assert "no container engine is named for applications" in page(cast.root, "/applications/shipped")
    assert "None is named." in words(page(cast.root, "/applications"))
    assert "Container engine for applications" not in words(page(cast.alice, "/applications"))
    assert_problem(client(cast.root).get(f"{API}/application-engine"), 404)
    assert_problem(client(cast.alice).get(f"{API}/application-engine"), 403)

    manifest = warehouse().manifests["shipped"]
    Installation.objects.create(
        name="shipped", version="1.0", digest=manifest.digest, manifest=manifest.raw, state=InstallationState.INSTALLED
    )
    door = f"{API}/contracts/ct-1/scan"
    assert_problem(client(cast.alice).post(door, {"application": "shipped"}, format="json"), 422, "application")
    assert_problem(client(cast.root).post(f"{API}/applications/shipped/try"), 409)
    assert Flow.objects.count() == 0


def test_the_engine_is_shown_to_who_operates_the_console(
    cast: Cast, shelf: Path, settings: Any, version: ContractVersion
) -> None:
    image_application(shelf, {"reference": f"registry.example/tools/shipped@sha256:{'a1' * 32}"}, name="shipped")
    settings.APPLICATIONS_ENGINE = "tcp://engine.example:2376"
    unseen = client(cast.root).get(f"{API}/application-engine").json()
    assert (unseen["address"], unseen["health"]) == ("tcp://engine.example:2376", "unknown")
    assert "not yet" in words(page(cast.root, "/applications"))
    record_engine(at="tcp://old.example:2376", health="up", problem="")
    record_engine(at=settings.APPLICATIONS_ENGINE, health="down", problem="It burns.", host="e-1", cpus=4, memory=2**33)
    known = client(auditor()).get(f"{API}/application-engine").json()
    assert (known["health"], known["problem"], known["cpus"], known["memory"]) == ("down", "It burns.", 4, 2**33)
    assert ContainerEngine.objects.count() == 1
    for path in ("/applications", "/applications/shipped"):
        assert "It burns." in words(page(cast.root, path))
        assert "engine.example" not in page(cast.alice, path)
    manifest = warehouse().manifests["shipped"]
    Installation.objects.create(
        name="shipped", version="1.0", digest=manifest.digest, manifest=manifest.raw, state=InstallationState.INSTALLED
    )
    started = client(cast.alice).post(f"{API}/contracts/ct-1/scan", {"application": "shipped"}, format="json")
    assert started.status_code == 202
    assert Flow.objects.get(pk=started.json()["flow"]).arguments["wanted"]["image"] is True


def test_a_contract_is_examined_on_demand_of_its_owner(
    cast: Cast, ruler: Installation, version: ContractVersion
) -> None:
    door = f"{API}/contracts/ct-1/scan"
    for person, status in ((cast.bob, 403), (cast.carol, 404), (auditor(), 403), (None, 401)):
        assert_problem(client(person).post(door, {"application": "ruler"}, format="json"), status)
    assert_problem(client(cast.alice).post(door, {"application": "slither"}, format="json"), 422, "application")
    assert_problem(client(cast.alice).post(door, {}, format="json"), 422, "application")
    assert_problem(client(cast.alice).post(door, {"application": "ruler", "version": 7}, format="json"), 409)
    started = client(cast.alice).post(door, {"application": "ruler"}, format="json")
    assert started.status_code == 202, started.content
    assert started.json()["contract"] == "ct-1"
    assert_problem(client(cast.alice).post(door, {"application": "ruler"}, format="json"), 409)
    running = client(cast.bob).get(f"{API}/reports/{started.json()['report']}").json()
    assert (running["state"], running["findings"], running["version"]) == ("running", [], 1)


def test_reports_are_read_by_those_who_see_the_contract(cast: Cast, version: ContractVersion) -> None:
    made = report(version, 3)
    door = f"{API}/contracts/ct-1/reports"
    body = client(cast.bob).get(door).json()
    assert (body["count"], body["results"][0]["open"]) == (1, {"high": 1, "medium": 0, "low": 2, "info": 0})
    finding = body["results"][0]["findings"][0]
    assert (finding["severity"], finding["place"]["file"], finding["place"]["line"]) == ("high", "Permits.sol", 2)
    assert (finding["advice"], finding["counterexample"]) == ("Do it.", "uint256 amount = 16")
    assert client(cast.bob).get(door, {"state": "failed"}).json()["count"] == 0
    assert_problem(client(cast.carol).get(door), 404)
    assert_problem(client(cast.carol).get(f"{API}/reports/{made.pk}"), 404)
    costs = []
    for _each in range(2):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client(cast.bob).get(door)
        costs.append(len(queries))
        for _more in range(4):
            report(version, 5)
    assert costs[0] == costs[1]


def test_a_finding_is_accepted_with_a_reason_and_counts_again(cast: Cast, version: ContractVersion) -> None:
    finding = report(version).findings.get(severity="high")
    door = f"{API}/findings/{finding.pk}"
    for person, status in ((cast.bob, 403), (cast.carol, 404), (auditor(), 403)):
        assert_problem(client(person).post(f"{door}/accept", {"reason": "fine"}, format="json"), status)
    assert_problem(client(cast.alice).post(f"{door}/accept", {"reason": " "}, format="json"), 422, "reason")
    accepted = client(cast.alice).post(f"{door}/accept", {"reason": "known"}, format="json")
    assert (accepted.status_code, accepted.json()["state"], accepted.json()["accepted_by"]) == (
        200,
        "accepted",
        "alice",
    )
    entry = AuditEntry.objects.get(action="chains.finding.accepted")
    assert (entry.actor, entry.data["reason"], entry.data["rule"]) == (cast.alice, "known", "todo")
    assert_problem(client(cast.alice).post(f"{door}/accept", {"reason": "known"}, format="json"), 409)
    assert client(cast.alice).post(f"{door}/reopen").json()["state"] == "open"


# --- pages ------------------------------------------------------------------------------------------------------------


def test_the_warehouse_and_an_application_have_pages(cast: Cast, ruler: Installation, shelf: Path) -> None:
    seen = words(page(cast.alice, "/applications"))
    for text in ("Slither", "Halmos", "Ruler", "Measures contracts.", "AGPL-3.0-only"):
        assert text in seen
    assert "Slither" not in words(page(cast.alice, "/applications?gives=formal-verification"))
    assert "No application matches" in words(page(cast.alice, "/applications?q=nothing-of-it"))
    assert "/applications/ruler" in page(cast.alice, "/search?q=ruler")
    (shelf / "odd").mkdir()
    assert "no manifest.yaml" in page(cast.root, "/applications")
    assert "no manifest.yaml" not in page(cast.alice, "/applications")
    Installation.objects.update(problem="/srv/secret/place does not work", health=ApplicationHealth.DOWN)
    home = "/applications/ruler"
    assert "/srv/secret/place" in page(cast.root, home)
    assert "/srv/secret/place" not in page(cast.alice, home)
    assert 'data-confirm="' in page(cast.root, home)
    assert f'action="{home}/uninstall"' not in page(cast.alice, home)
    assert browser(cast.alice).get("/applications/none").status_code == 404
    assert browser().get("/applications").status_code == 302


def test_buttons_start_flows_that_the_page_shows(cast: Cast, ruler: Installation) -> None:
    home = "/applications/ruler"
    assert browser(cast.alice).post(f"{home}/uninstall").status_code == 403
    assert browser(cast.root).post(f"{home}/upgrade")["Location"] == home
    assert Flow.objects.count() == 0, "the warehouse has nothing newer"
    assert browser(cast.root).post(f"{home}/try")["Location"] == home
    assert "Run it once, with nothing to examine" in words(page(cast.root, home))
    assert browser(cast.root).post("/applications/slither/install").status_code == 302
    live = page(cast.root, "/applications/slither", live=True)
    assert "hold them against their hashes" in live
    assert "<html" not in live
    row = Installation.objects.get(name="slither")
    assert browser(cast.root).get(f"/applications/by-number/{row.pk}")["Location"] == "/applications/slither"


def test_a_report_has_a_page_with_the_lines_it_speaks_of(
    cast: Cast, ruler: Installation, version: ContractVersion
) -> None:
    made = report(version)
    home = f"/reports/{made.pk}"
    raw = page(cast.bob, home)
    seen = words(raw)
    for text in ("Examined by Ruler", "Left to do 1", "Permits.sol:2", "Do it.", "uint256 amount = 16", "Refuted"):
        assert text in seen, text
    assert "TODO: dates &lt;b&gt;" in raw
    assert "Left to do 1" not in words(page(cast.bob, f"{home}?severity=high"))
    finding = made.findings.get(severity="high")
    accept = f"/findings/{finding.pk}/accept"
    assert accept in page(cast.alice, home)
    assert accept not in raw
    assert browser(cast.carol).get(home).status_code == 404
    assert browser(cast.bob).get(accept).status_code == 403
    assert "Left to do 2" in words(page(cast.alice, accept))
    assert browser(cast.alice).post(accept, {"reason": ""}).status_code == 422
    assert browser(cast.alice).post(accept, {"reason": "It is known."})["Location"] == home
    assert "Accepted by alice: It is known." in words(page(cast.bob, home))
    assert browser(cast.alice).post(f"/findings/{finding.pk}/reopen")["Location"] == home
    started = browser(cast.alice).post("/contracts/ct-1/scan", {"application": "ruler"})
    assert started["Location"] == f"/reports/{ScanReport.objects.latest('pk').pk}"
    assert "The contract is being examined." in words(page(cast.bob, started["Location"]))


def test_a_report_that_had_nothing_to_prove_says_so(cast: Cast, ruler: Installation, version: ContractVersion) -> None:
    made = report(version, 0)
    ScanReport.objects.filter(pk=made.pk).update(examined=False, checks=[], summary="No properties.")
    seen = words(page(cast.bob, f"/reports/{made.pk}"))
    assert "this report does not count as an examination" in seen
    assert "Nothing to prove" in seen
    assert "Nothing was found" not in seen
    assert "Open findings" not in seen
    seen = words(page(cast.bob, "/contracts/ct-1"))
    assert "Nothing to prove" in seen
    assert "Nothing open" not in seen
    assert client(cast.bob).get(f"{API}/reports/{made.pk}").json()["examined"] is False


def test_pages_speak_chinese(cast: Cast, ruler: Installation, version: ContractVersion) -> None:
    made = report(version)
    door = browser(cast.root)
    for path, text in (("/applications", "应用"), ("/applications/ruler", "测量合约"), (f"/reports/{made.pk}", "反例")):
        assert text in door.get(path, headers={"accept-language": "zh-hans"}).content.decode()
