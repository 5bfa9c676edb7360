"""The flows of applications: install, upgrade, uninstall, try, and examine a contract.

What takes long goes on without the step that began it, on this machine or on the container engine (`grounds`): a step
starts it, comes back, and reads how it ended. One that does not find what another has built builds, or begins anew.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop

from chains.applications import compiler, protocol
from chains.applications.jobs import Outcome
from chains.applications.manifest import Manifest
from chains.flows.grounds import WAIT_SECONDS, ApplicationFailed, Ground, ground_of
from chains.models import ContractVersion, ReportState, ScanReport
from chains.services import applications as service
from chains.services import reports
from console import flows
from console.errors import ConsoleError, PlatformUnavailable
from console.flows import Blueprint, Done, Later, StepContext, Task
from unions.flows.arguments import actor_of, reason_of

Json = dict[str, Any]

GONE = gettext_noop("What there was of it is gone. Install it once more.")


def plan_install(arguments: Json) -> list[Task]:
    return [
        Task(
            "mark",
            "applications.wait",
            gettext_noop("Note that it is being installed"),
            "applications.give_up",
            already=True,
        ),
        fetching(arguments),
        TRY_IT,
        Task("record", "applications.settle", gettext_noop("Write down that it is installed")),
    ]


def plan_upgrade(arguments: Json) -> list[Task]:
    return [
        Task(
            "mark",
            "applications.wait",
            gettext_noop("Note that it is being upgraded"),
            "applications.keep",
            already=True,
        ),
        fetching(arguments),
        TRY_IT,
        Task("record", "applications.change_over", gettext_noop("Change over to the new version")),
        Task("clean", "applications.clean", gettext_noop("Remove the old version once nobody uses it")),
    ]


def plan_uninstall(arguments: Json) -> list[Task]:
    return [
        Task(
            "mark",
            "applications.wait",
            gettext_noop("Note that it is being uninstalled"),
            "applications.keep",
            already=True,
        ),
        Task("remove", "applications.clean", gettext_noop("Remove it once nobody uses it"), lasting=GONE),
        Task("record", "applications.record_removed", gettext_noop("Write down that it is gone")),
    ]


def plan_try(arguments: Json) -> list[Task]:
    return [Task("try", "applications.look", RUN_ONCE, "applications.stop_trying")]


def plan_scan(arguments: Json) -> list[Task]:
    return [
        Task(
            "mark",
            "applications.wait",
            gettext_noop("Note that the contract is being examined"),
            "applications.drop_scan",
            already=True,
        ),
        Task("scan", "applications.scan", gettext_noop("Examine the contract"), "applications.stop_scan"),
    ]


def fetching(arguments: Json) -> Task:
    title = gettext_noop("Install its packages and hold them against their hashes")
    if arguments.get("wanted", {}).get("image"):
        title = gettext_noop("Fetch the image and hold it against its digest")
    return Task("build", "applications.build", title, "applications.unbuild")


RUN_ONCE = gettext_noop("Run it once, with nothing to examine")
TRY_IT = Task("try", "applications.try", RUN_ONCE, "applications.stop_trying")

flows.register(Blueprint(service.INSTALL, gettext_noop("Install the application %(name)s"), plan_install))
flows.register(Blueprint(service.UPGRADE, gettext_noop("Upgrade the application %(name)s"), plan_upgrade))
flows.register(Blueprint(service.UNINSTALL, gettext_noop("Uninstall the application %(name)s"), plan_uninstall))
flows.register(Blueprint(service.TRY, gettext_noop("See whether the application %(name)s works"), plan_try))
flows.register(
    Blueprint(reports.SCAN, gettext_noop("Have the contract %(name)s examined by %(application)s"), plan_scan)
)


@flows.step("applications.wait", local=True)
def wait(context: StepContext) -> Done:
    """Done by the service; runs only when a flow that had stopped goes on."""
    return Done()


# --- runs -------------------------------------------------------------------------------------------------------------


def tried(context: StepContext) -> tuple[Ground, Manifest, protocol.Report | protocol.Failed] | Later:
    """One run with nothing to examine."""
    wanted = context.flow_arguments["wanted"]
    ground = ground_of(wanted)
    manifest = ground.ready(context, wanted)
    if isinstance(manifest, Later):
        return manifest
    found = ground.run(context, f"try-{context.key}", manifest, protocol.health_request(manifest))
    return found if isinstance(found, Later) else (ground, manifest, answered(context, *found))


def answered(context: StepContext, outcome: Outcome, raw: bytes | None) -> protocol.Report | protocol.Failed:
    """What the run has reported, or why that is nothing to go by; the log keeps its words."""
    about = {"seconds": outcome.seconds, "memory_mb": outcome.memory_mb, "ended": outcome.ended, "code": outcome.code}
    context.log(gettext_noop("How the run ended"), **about, output=protocol.seen(outcome.log)[-4000:])
    try:
        return protocol.read_report(outcome, raw)
    except protocol.Failed as problem:
        return problem


# --- steps: installing ------------------------------------------------------------------------------------------------


@flows.step("applications.build")
def build(context: StepContext) -> Done | Later:
    wanted = context.flow_arguments["wanted"]
    ground = ground_of(wanted)
    found = ground.ready(context, wanted)
    return found if isinstance(found, Later) else Done({"host": ground.host})


@flows.step("applications.unbuild")
def unbuild(context: StepContext) -> Done | Later:
    wanted = context.flow_arguments["wanted"]
    return ground_of(wanted).unbuild(wanted) or Done()


@flows.step("applications.stop_trying")
def stop_trying(context: StepContext) -> Done | Later:
    return ground_of(context.flow_arguments["wanted"]).stop(f"try-{context.forward_key}") or Done()


@flows.step("applications.try")
def try_it(context: StepContext) -> Done | Later:
    """It must work before it counts as installed."""
    seen = tried(context)
    if isinstance(seen, Later):
        return seen
    ground, manifest, found = seen
    if isinstance(found, protocol.Failed):
        raise ApplicationFailed(str(found))
    _record_health(context, ground, found)
    return Done({"host": ground.host, "tool": found.version, "manifest": manifest.raw})


@flows.step("applications.look")
def look(context: StepContext) -> Done | Later:
    """Whether it works is written down, either way."""
    seen = tried(context)
    if isinstance(seen, Later):
        return seen
    ground, _manifest, found = seen
    _record_health(context, ground, found)
    if isinstance(found, protocol.Failed):
        raise ApplicationFailed(str(found))
    return Done({"host": ground.host, "tool": found.version})


def _record_health(context: StepContext, ground: Ground, found: protocol.Report | protocol.Failed) -> None:
    service.record_health(
        installation=context.flow_arguments["installation"],
        digest=context.flow_arguments["wanted"]["digest"],
        host=ground.host,
        tool_version=found.version if isinstance(found, protocol.Report) else "",
        problem=str(found) if isinstance(found, protocol.Failed) else "",
    )


@flows.step("applications.settle", local=True)
def settle(context: StepContext) -> Done:
    service.settle(installation=context.flow_arguments["installation"], actor=actor_of(context))
    return Done()


@flows.step("applications.give_up", local=True)
def give_up(context: StepContext) -> Done:
    actor, problem = reason_of(context)
    service.give_up(
        installation=context.flow_arguments["installation"], actor=actor or actor_of(context), problem=problem
    )
    return Done()


@flows.step("applications.change_over", local=True)
def change_over(context: StepContext) -> Done:
    seen = context.outcome("try")
    service.change_over(
        installation=context.flow_arguments["installation"],
        actor=actor_of(context),
        wanted=context.flow_arguments["wanted"],
        manifest=seen["manifest"],
        host=seen["host"],
        tool=seen["tool"],
    )
    return Done()


@flows.step("applications.keep", local=True)
def keep(context: StepContext) -> Done:
    service.keep(installation=context.flow_arguments["installation"])
    return Done()


@flows.step("applications.clean")
def clean(context: StepContext) -> Done | Later:
    """Remove a build; whoever is using it right now may end first."""
    old = context.flow_arguments["old"]
    if ScanReport.objects.filter(
        application=old["name"], application_version=old["version"], state=ReportState.RUNNING
    ).exists():
        return Later(WAIT_SECONDS)
    ground_of(old).remove(context, old)
    return Done()


@flows.step("applications.record_removed", local=True)
def record_removed(context: StepContext) -> Done:
    service.record_removed(installation=context.flow_arguments["installation"], actor=actor_of(context))
    return Done()


# --- steps: examining -------------------------------------------------------------------------------------------------


@flows.step("applications.scan")
def scan(context: StepContext) -> Done | Later:
    """The report, or why there is none; that is no failure of the flow: somebody asked, and this is the answer."""
    row = ScanReport.objects.select_related("version").get(pk=context.flow_arguments["report"])
    if row.state != ReportState.RUNNING:
        return Done({"state": str(row.state)})
    try:
        found, seconds, proves = _scanned(context, row)
    except PlatformUnavailable:
        raise  # time can heal it
    except ConsoleError as problem:
        found, seconds, proves = protocol.Failed(problem.detail), 0.0, False
    if isinstance(found, Later):
        return found
    if isinstance(found, protocol.Failed):
        reports.record_failure(report_id=row.pk, problem=str(found), seconds=seconds)
        return Done({"state": "failed"})
    count = reports.record_report(report_id=row.pk, told=found, seconds=seconds, proves=proves)
    return Done({"state": "done", "findings": count})


def _scanned(context: StepContext, row: ScanReport) -> tuple[protocol.Report | protocol.Failed | Later, float, bool]:
    """What the run has reported, how many seconds it took, and whether the application proves things."""
    wanted = context.flow_arguments["wanted"]
    ground = ground_of(wanted)
    manifest = ground.ready(context, wanted)
    if isinstance(manifest, Later):
        return manifest, 0.0, False
    tool = compiler.found() if manifest.needs.compiler else None
    request = _request(manifest, row.version, tool)
    found = ground.run(context, f"scan-{context.key}", manifest, request, tool.shown if tool else ())
    if isinstance(found, Later):
        return found, 0.0, False
    return answered(context, *found), found[0].seconds, reports.PROVES in manifest.gives


def _request(manifest: Manifest, version: ContractVersion, tool: compiler.Compiler | None) -> Json:
    """An image has no use for a compiler of this machine: it is told which one the contract was compiled by."""
    told: Json = tool.as_told(version.compiler_settings) if tool else {}
    if manifest.image is not None:
        told = {"version": version.compiler, "settings": version.compiler_settings}
    return protocol.scan_request(
        manifest,
        contract=version.entry_name,
        file=version.entry.rpartition(":")[0] or next(iter(version.sources)),
        sources=version.sources,
        compiler=told,
        options={},
    )


@flows.step("applications.stop_scan")
def stop_scan(context: StepContext) -> Done | Later:
    return ground_of(context.flow_arguments["wanted"]).stop(f"scan-{context.forward_key}") or Done()


@flows.step("applications.drop_scan", local=True)
def drop_scan(context: StepContext) -> Done:
    _actor, problem = reason_of(context)
    reports.fail_report(report_id=context.flow_arguments["report"], problem=problem)
    return Done()
