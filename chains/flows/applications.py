"""The flows of applications: install, upgrade, uninstall, try, and examine a contract.

What takes long is a job (`chains.applications.jobs`): a step starts it, comes back, and reads how it ended. It lives on
one machine, and so does what is built there; a step that finds neither on its own machine builds, or begins anew.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext_lazy, gettext_noop

from chains.applications import compiler, environments, jobs, protocol
from chains.applications.manifest import BadManifest, Manifest, read, warehouse
from chains.models import ReportState, ScanReport
from chains.services import applications as service
from chains.services import reports
from console import flows
from console.errors import ConsoleError
from console.flows import Blueprint, Done, Later, StepContext, Task
from console.sentences import kept
from unions.flows.arguments import actor_of, reason_of

Json = dict[str, Any]
MOST_STARTS = 3  # of one job, when its program was lost
LOOK_SECONDS = 1.0
WAIT_SECONDS = 3.0

NOT_BUILT = kept(gettext_noop("Its packages could not be installed: %(problem)s"))
NOT_HERE = gettext_noop("This machine does not have it, and the warehouse has another version by now; upgrade it.")
NO_NPM = gettext_noop("It needs npm, and there is none on this machine.")
LOST = gettext_noop("The program was lost again and again, together with its worker.")
GONE = gettext_noop("Its files are gone. Install it once more.")


class ApplicationFailed(ConsoleError):
    status, code, title = 409, "application_failed", gettext_lazy("The application does not work")


def plan_install(arguments: Json) -> list[Task]:
    return [
        Task(
            "mark",
            "applications.wait",
            gettext_noop("Note that it is being installed"),
            "applications.give_up",
            already=True,
        ),
        BUILD,
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
        BUILD,
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
        Task("remove", "applications.clean", gettext_noop("Remove its files once nobody uses it"), lasting=GONE),
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


BUILD = Task(
    "build",
    "applications.build",
    gettext_noop("Install its packages and hold them against their hashes"),
    "applications.unbuild",
)
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


# --- jobs -------------------------------------------------------------------------------------------------------------


def driven(
    context: StepContext, job: str, spec: Callable[[], Json], request: Json | None = None
) -> jobs.Outcome | Later:
    """The outcome of the job, which is started where it is not there; until then, when to come back."""
    found = jobs.look(job)
    if isinstance(found, jobs.Outcome):
        return found
    position = context.position or {}
    if found == jobs.RUNNING:
        return Later(LOOK_SECONDS, position)
    starts = position.get("starts", 0)
    if starts >= MOST_STARTS:
        raise ApplicationFailed(LOST)
    jobs.start(job, spec(), request)
    return Later(LOOK_SECONDS / 2, {"starts": starts + 1})


def built(context: StepContext, wanted: Json) -> Manifest | Later:
    """The application as it stands on this machine; built now, where it is not there yet."""
    name, label, digest = wanted["name"], wanted["label"], wanted["digest"]
    job = f"build-{name}-{label}"
    if jobs.look(job) == jobs.ABSENT and environments.is_built(name, label, digest):
        try:
            return read(environments.home_of(name, label) / "app", name)
        except BadManifest as problem:
            raise ApplicationFailed(str(problem)) from None
    manifest = warehouse().manifests.get(name)
    if manifest is None or manifest.digest != digest:
        raise ApplicationFailed(NOT_HERE)
    if manifest.npm and not environments.npm_command():
        raise ApplicationFailed(NO_NPM)
    outcome = driven(context, job, lambda: environments.build_spec(manifest))
    if isinstance(outcome, Later):
        return outcome
    jobs.forget(job)
    said = protocol.seen(outcome.log)
    context.log(gettext_noop("What the installation said"), output=said[-4000:], seconds=outcome.seconds)
    if not environments.is_built(name, label, digest):
        ending = protocol.ENDINGS.get(outcome.ended, "")
        raise ApplicationFailed(NOT_BUILT % {"problem": ending or _last_words(said)})
    return Later(0, {})


def _last_words(log: str) -> str:
    """The lines that say what went wrong."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return " ".join([line for line in lines if "error" in line.lower()][-2:] or lines[-2:])[:600] or "–"


def tried(context: StepContext, manifest: Manifest) -> protocol.Report | protocol.Failed | Later:
    """One run with nothing to examine."""
    job = f"try-{context.key}"
    outcome = driven(context, job, lambda: environments.run_spec(manifest), protocol.health_request(manifest))
    return outcome if isinstance(outcome, Later) else answered(context, job, outcome)


def answered(context: StepContext, job: str, outcome: jobs.Outcome) -> protocol.Report | protocol.Failed:
    """What the run has reported, or why that is nothing to go by; the log keeps its words."""
    raw = jobs.report_of(job) if outcome.report == "there" else None
    jobs.forget(job)
    about = {"seconds": outcome.seconds, "memory_mb": outcome.memory_mb, "ended": outcome.ended, "code": outcome.code}
    context.log(gettext_noop("How the run ended"), **about, output=protocol.seen(outcome.log)[-4000:])
    try:
        return protocol.read_report(outcome, raw)
    except protocol.Failed as problem:
        return problem


# --- steps: installing ------------------------------------------------------------------------------------------------


@flows.step("applications.build")
def build(context: StepContext) -> Done | Later:
    found = built(context, context.flow_arguments["wanted"])
    return found if isinstance(found, Later) else Done({"host": socket.gethostname()})


@flows.step("applications.unbuild")
def unbuild(context: StepContext) -> Done | Later:
    wanted = context.flow_arguments["wanted"]
    ending = _ended(f"build-{wanted['name']}-{wanted['label']}")
    if isinstance(ending, Done):
        environments.remove(wanted["name"], wanted["label"])
    return ending


@flows.step("applications.stop_trying")
def stop_trying(context: StepContext) -> Done | Later:
    return _ended(f"try-{context.forward_key}")


def _ended(job: str) -> Done | Later:
    """Have the job end, if it is on this machine."""
    if not jobs.stop(job):
        return Later(LOOK_SECONDS)
    jobs.forget(job)
    return Done()


@flows.step("applications.try")
def try_it(context: StepContext) -> Done | Later:
    """It must work before it counts as installed."""
    manifest = built(context, context.flow_arguments["wanted"])
    found = manifest if isinstance(manifest, Later) else tried(context, manifest)
    if isinstance(found, Later):
        return found
    if isinstance(found, protocol.Failed):
        raise ApplicationFailed(str(found))
    assert isinstance(manifest, Manifest)  # noqa: S101 - for the type checker
    _record_health(context, found)
    return Done({"host": socket.gethostname(), "tool": found.version, "manifest": manifest.raw})


@flows.step("applications.look")
def look(context: StepContext) -> Done | Later:
    """Whether it works is written down, either way."""
    manifest = built(context, context.flow_arguments["wanted"])
    found = manifest if isinstance(manifest, Later) else tried(context, manifest)
    if isinstance(found, Later):
        return found
    _record_health(context, found)
    if isinstance(found, protocol.Failed):
        raise ApplicationFailed(str(found))
    return Done({"host": socket.gethostname(), "tool": found.version})


def _record_health(context: StepContext, found: protocol.Report | protocol.Failed) -> None:
    service.record_health(
        installation=context.flow_arguments["installation"],
        digest=context.flow_arguments["wanted"]["digest"],
        host=socket.gethostname(),
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
    environments.remove(old["name"], old["label"])
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
        found, seconds = _scanned(context, row)
    except ConsoleError as problem:
        found, seconds = protocol.Failed(problem.detail), 0.0
    if isinstance(found, Later):
        return found
    if isinstance(found, protocol.Failed):
        reports.record_failure(report_id=row.pk, problem=str(found), seconds=seconds)
        return Done({"state": "failed"})
    return Done({"state": "done", "findings": reports.record_report(report_id=row.pk, told=found, seconds=seconds)})


def _scanned(context: StepContext, row: ScanReport) -> tuple[protocol.Report | protocol.Failed | Later, float]:
    manifest = built(context, context.flow_arguments["wanted"])
    if isinstance(manifest, Later):
        return manifest, 0.0
    tool = compiler.found() if manifest.needs.compiler else None
    version = row.version
    request = protocol.scan_request(
        manifest,
        contract=version.entry_name,
        file=version.entry.rpartition(":")[0] or next(iter(version.sources)),
        sources=version.sources,
        compiler=tool.as_told(version.compiler_settings) if tool else {},
        options={},
    )
    job = f"scan-{context.key}"
    shown = tool.shown if tool else ()
    outcome = driven(context, job, lambda: environments.run_spec(manifest, shown=shown), request)
    if isinstance(outcome, Later):
        return outcome, 0.0
    return answered(context, job, outcome), outcome.seconds


@flows.step("applications.stop_scan")
def stop_scan(context: StepContext) -> Done | Later:
    return _ended(f"scan-{context.forward_key}")


@flows.step("applications.drop_scan", local=True)
def drop_scan(context: StepContext) -> Done:
    _actor, problem = reason_of(context)
    reports.fail_report(report_id=context.flow_arguments["report"], problem=problem)
    return Done()
