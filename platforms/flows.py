"""The flows of this floor: a platform's registration, and a changing operation on an administrator's word."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from console import flows
from console.errors import ConsoleError, Invalid, Missing, PlatformRefused, PlatformUnavailable
from console.flows import Blueprint, Done, Later, StepContext, Task
from console.models import Flow, User
from platforms import standard
from platforms.drivers import credentials_of, driver_for
from platforms.drivers.base import Credentials, Pending, read, trace_of
from platforms.mapping.check import Report, check_files
from platforms.models import Draft, Health, Platform, PlatformKind
from platforms.observe import ask_health, ask_tenants
from platforms.services import drafts, registry
from platforms.steps import GONE, log_trace, perform

STAYS_UPGRADED = gettext_noop(
    "Nodes that run the new image keep it, the others keep theirs. See to what is named, and let the upgrade go on."
)
PATIENCE = 3  # attempts to reach a platform that is being registered

# --- plans ----------------------------------------------------------------------------------------------------------


def plan_register(arguments: dict[str, Any]) -> list[Task]:
    return [
        Task(
            "stage",
            "",
            gettext_noop("Put into the staging area"),
            undo="platforms.refuse_registration",
            already=True,
        ),
        Task("check", "platforms.check_files", gettext_noop("Check API file and mapping")),
        Task("probe", "platforms.probe", gettext_noop("Ask the platform how it is")),
        Task("read", "platforms.read_reports", gettext_noop("Read what the platform reports")),
        Task("accept", "platforms.accept", gettext_noop("Make the platform official")),
    ]


def plan_operate(arguments: dict[str, Any]) -> list[Task]:
    return [Task("operate", "platforms.operate", gettext_noop("Let the platform do it"))]


def plan_read_draft(arguments: dict[str, Any]) -> list[Task]:
    return [Task("read", "platforms.read_draft", gettext_noop("Read the API file"))]


def plan_upgrade(arguments: dict[str, Any]) -> list[Task]:
    """One node after the other: each begins only when the one before it is up and its chain goes on."""
    return [
        Task(
            f"node:{node}",
            "platforms.upgrade_node",
            gettext_noop("Bring the node %(node)s to the new image"),
            lasting=STAYS_UPGRADED,
            arguments={"node": node},
            title_values={"node": node},
        )
        for node in arguments["nodes"]
    ]


UPGRADE = flows.register(Blueprint("platforms.upgrade", gettext_noop("Upgrade the nodes of %(name)s"), plan_upgrade))
REGISTER = flows.register(
    Blueprint("platforms.register", gettext_noop("Register the platform %(name)s"), plan_register)
)
OPERATE = flows.register(
    Blueprint("platforms.operate", gettext_noop("Operation %(operation)s on %(name)s"), plan_operate)
)

READ_DRAFT = flows.register(
    Blueprint("platforms.read_draft", gettext_noop("Read the API file of the draft %(name)s"), plan_read_draft)
)

# --- registration ---------------------------------------------------------------------------------------------------

Action = Callable[[StepContext], Any]


def for_the_requester(action: Action) -> Action:
    """Reasons become part of the record: they are written in the language of whoever asked."""

    @functools.wraps(action)
    def inner(context: StepContext) -> Any:
        user = _actor(context)
        with translation.override((user and user.language) or settings.LANGUAGE_CODE):
            return action(context)

    return inner


def impatient(action: Action) -> Action:
    """A platform that cannot be reached is tried a few times, and then its registration is refused."""

    @functools.wraps(action)
    def inner(context: StepContext) -> Any:
        try:
            return action(context)
        except PlatformUnavailable as problem:
            if context.attempt < PATIENCE:
                raise
            raise PlatformRefused(problem.detail, code=problem.code, note=problem.note) from problem

    return inner


@flows.step("platforms.check_files")
@for_the_requester
def check_the_files(context: StepContext) -> Done:
    """The static check, and the samples run dry. A native driver has no files and says what it can do itself."""
    platform = registry.begin_check(platform_id=context.flow_arguments["platform"])
    if platform.kind != PlatformKind.MAPPED:
        offered = driver_for(platform).capabilities()
        return Done({"warnings": 0, "capabilities": {name: vars(each) for name, each in offered.items()}})
    version = platform.version
    if version is None:
        raise PlatformRefused(_("The platform has no files."))
    report = check_files(version.api_file, version.mapping, version.samples)
    registry.record_findings(version_id=version.pk, findings=report.findings)
    context.log(f"{len(report.errors)} errors, {len(report.warnings)} warnings in the files")
    if not report.passed:
        raise Invalid(_files_refused(report), code="files_refused")
    offers, asked = (report.template.offers(), report.template.organization) if report.template else ({}, {})
    return Done({"warnings": len(report.warnings), "capabilities": offers, "organization_fields": asked})


def _files_refused(report: Report) -> str:
    shown = "\n".join(f"{each.file}: {each.whole}" for each in report.errors[:10])
    count = len(report.errors)
    words = ngettext("The files have an error.", "The files have %(count)d errors.", count) % {"count": count}
    return f"{words}\n{shown}"


@flows.step("platforms.probe")
@for_the_requester
@impatient
def probe(context: StepContext) -> Done:
    """Is it there, and does it accept the credential?"""
    platform = _platform(context)
    health = ask_health(driver_for(platform), _credentials(platform))
    context.log(f"the platform is {health.status}")
    if health.status == "down":
        words = _("The platform says that it is down. %(detail)s") % {"detail": health.detail}
        raise PlatformUnavailable(words.strip())
    return Done({"status": health.status, "version": health.version, "detail": health.detail})


@flows.step("platforms.read_reports")
@for_the_requester
@impatient
def read_reports(context: StepContext) -> Done:
    """Its tenants, and how many networks it has."""
    platform = _platform(context)
    driver, credentials = driver_for(platform), _credentials(platform)
    offered = driver.capabilities()
    outcome: dict[str, int] = {}
    if offered["list_tenants"].supported:
        tenants = ask_tenants(driver, credentials)
        outcome["tenants"] = registry.record_tenants(platform_id=platform.pk, tenants=tenants)
    if offered["list_networks"].supported:
        networks: Any = read(driver, "list_networks", standard.EmptyRequest(), credentials)
        outcome["networks"] = len(networks.items)
    return Done(outcome)


@flows.step("platforms.accept", local=True)
@for_the_requester
def accept(context: StepContext) -> Done:
    checked = context.outcome("check")
    if "capabilities" not in checked:
        raise PlatformRefused(_("The files were not checked, so nobody knows what the platform can do."))
    platform = registry.accept_platform(
        platform_id=context.flow_arguments["platform"],
        actor=_actor(context),
        is_default=context.flow_arguments["is_default"],
        capabilities=checked["capabilities"],
        organization_fields=checked.get("organization_fields"),
        health=context.outcome("probe") or {"status": Health.UNKNOWN, "version": "", "detail": ""},
    )
    return Done({"oemtype": platform.oemtype, "is_default": platform.is_default})


@flows.step("platforms.refuse_registration", local=True)
@for_the_requester
def refuse_registration(context: StepContext) -> Done:
    """The flow is being taken back: whatever it failed on is the reason."""
    error = Flow.objects.values_list("error", flat=True).get(pk=context.flow_id) or {}
    reason = "\n".join(str(error[name]) for name in ("detail", "note") if error.get(name))
    reason = reason or _("The registration was cancelled.")
    registry.refuse_platform(platform_id=context.flow_arguments["platform"], actor=_actor(context), reason=reason)
    return Done()


# --- raw operations -------------------------------------------------------------------------------------------------


@flows.step("platforms.operate")
def operate(context: StepContext) -> Done | Later:
    """One changing operation of the standard interface, with the platform's own credential."""
    platform, operation = _platform(context), context.flow_arguments["operation"]
    request = standard.OPERATIONS[operation].request.model_validate(context.flow_arguments["request"])
    answer, wait = perform(context, platform, operation, request, _credentials(platform))
    if wait is not None:
        return wait
    return Done({"answer": answer.model_dump(mode="json") if answer is not None else None})


# --- drafts ---------------------------------------------------------------------------------------------------------


@flows.step("platforms.read_draft")
@for_the_requester
def read_draft(context: StepContext) -> Done:
    """Parse a large API file, which takes seconds; what is wrong with it is kept at the draft."""
    draft = Draft.objects.filter(pk=context.flow_arguments["draft"]).first()
    if draft is None:
        return Done({"skipped": "the draft is gone"})
    reading = drafts.reading_of(draft.api_file, patient=True)
    drafts.record_reading(draft_id=draft.pk, digest=context.flow_arguments["digest"], reading=reading)
    return Done({"state": reading.state})


@flows.step("platforms.upgrade_node")
def upgrade_node(context: StepContext) -> Done | Later:
    """One node of a native platform. One that is gone meanwhile needs no upgrade."""
    driver: Any = driver_for(_platform(context))
    try:
        result = driver.upgrade(context.arguments["node"], position=(context.position or {}).get("driver"))
    except Missing:
        return GONE
    except ConsoleError as problem:
        log_trace(context, "upgrade", trace_of(problem))
        raise
    log_trace(context, "upgrade", result.trace)
    if isinstance(result, Pending):
        return Later(result.seconds, {"driver": result.position})
    return Done({"node": context.arguments["node"]})


# --- small things ---------------------------------------------------------------------------------------------------


def _platform(context: StepContext) -> Platform:
    return Platform.objects.select_related("version").get(pk=context.flow_arguments["platform"])


def _credentials(platform: Platform) -> Credentials:
    return Credentials(platform=credentials_of(platform))


def _actor(context: StepContext) -> User | None:
    return User.objects.filter(pk=context.requested_by_id).first() if context.requested_by_id else None
