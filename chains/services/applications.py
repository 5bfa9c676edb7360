"""Applications installed, upgraded, tried and uninstalled; each is a flow, and here is what it writes down."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from chains.applications.manifest import Manifest, warehouse
from chains.models import ApplicationHealth, Installation, InstallationState
from chains.policies import may_install, may_try, may_uninstall, may_upgrade
from console import audit, flows
from console.errors import Missing
from console.flows import blueprint_named
from console.models import User
from console.policies import may_administer, require
from console.transactions import joins_transaction, locked_or_missing, use_case

INSTALL, UPGRADE, UNINSTALL, TRY = (
    "applications.install",
    "applications.upgrade",
    "applications.uninstall",
    "applications.try",
)
STOPPED = gettext_noop("The installation was stopped.")
MOST_WORDS = 2000
Json = dict[str, Any]


def install_application(*, actor: User, name: str) -> Installation:
    """Promise to build it apart from the console, from packages that are held against their hashes.

    Raises NotAllowed, Missing (not in the warehouse), Conflict (there, or being worked on).
    """
    require(may_administer(actor))
    manifest = warehouse().manifests.get(name)
    if manifest is None:
        raise Missing()
    return _install(actor=actor, manifest=manifest)


@use_case
def _install(*, actor: User, manifest: Manifest) -> Installation:
    Installation.objects.get_or_create(name=manifest.name)
    row = locked_or_missing(Installation.objects.all(), name=manifest.name)
    require(may_install(actor, manifest, row))
    row.begin(version=manifest.version, digest=manifest.digest, manifest=manifest.raw, by=actor)
    _promise(row, INSTALL, actor, {"wanted": _named(manifest)})
    audit.record("chains.application.install_asked", actor=actor, target=row, **_named(manifest))
    return row


def upgrade_application(*, actor: User, name: str) -> Installation:
    """Promise to build what the warehouse has now beside what is installed, and to change over once it works."""
    return _upgrade(actor=actor, name=name, manifest=warehouse().manifests.get(name))


@use_case
def _upgrade(*, actor: User, name: str, manifest: Manifest | None) -> Installation:
    row = locked_or_missing(_there(), name=name)
    require(may_upgrade(actor, manifest, row))
    if manifest is None:
        raise Missing()
    row.begin_upgrade()
    arguments = {"wanted": _named(manifest), "old": named(row)}
    _promise(row, UPGRADE, actor, arguments)
    audit.record("chains.application.upgrade_asked", actor=actor, target=row, **_named(manifest))
    return row


@use_case
def uninstall_application(*, actor: User, name: str) -> Installation:
    """Promise to remove its files once nobody uses it; its reports stay."""
    row = locked_or_missing(_there(), name=name)
    require(may_uninstall(actor, row))
    row.begin_removing()
    _promise(row, UNINSTALL, actor, {"old": named(row)})
    audit.record("chains.application.uninstall_asked", actor=actor, target=row, **named(row))
    return row


@use_case
def try_application(*, actor: User, name: str) -> Installation:
    """Promise to run it once, with nothing to examine, and to write down whether it works."""
    row = locked_or_missing(_there(), name=name)
    require(may_try(actor, row))
    _promise(row, TRY, actor, {"wanted": named(row)})
    return row


def _there() -> Any:
    return Installation.objects.exclude(state=InstallationState.ABSENT)


def _named(manifest: Manifest) -> Json:
    build = {"name": manifest.name, "version": manifest.version, "label": manifest.label, "digest": manifest.digest}
    return {**build, "image": manifest.image is not None}


def named(row: Installation) -> Json:
    """Which build of which application, as flows keep it."""
    build = {"name": row.name, "version": row.version, "label": row.label, "digest": row.digest}
    return {**build, "image": row.is_image}


def _promise(row: Installation, kind: str, actor: User, arguments: Json) -> None:
    row.flow = flows.start(
        blueprint_named(kind),
        subject=row,
        requested_by=actor,
        arguments={"installation": row.pk, **arguments},
        title_values={"name": row.title},
        answer={"application": row.name},
    )
    row.save()


# --- called by the flows' steps ---------------------------------------------------------------------------------------


@use_case
def record_health(*, installation: int, digest: str, host: str, tool_version: str, problem: str) -> None:
    """What one run has shown, unless another build is in use by now."""
    row = locked_or_missing(Installation.objects.all(), pk=installation)
    if row.digest == digest and row.state != InstallationState.ABSENT:
        row.health = ApplicationHealth.DOWN if problem else ApplicationHealth.UP
        row.problem, row.host, row.checked_at = problem[:MOST_WORDS], host, timezone.now()
        row.tool_version = tool_version[:80] or row.tool_version
        row.save()


@joins_transaction
def settle(*, installation: int, actor: User | None) -> None:
    """It is installed."""
    row = _locked(installation)
    row.settle()
    row.save()
    audit.record("chains.application.installed", actor=actor, target=row, **named(row))


@joins_transaction
def give_up(*, installation: int, actor: User | None, problem: str) -> None:
    """It could not be installed, or somebody stopped it; nothing of it is there."""
    row = _locked(installation)
    if row.state == InstallationState.INSTALLING:
        row.give_up((problem or STOPPED)[:MOST_WORDS])
        row.save()
        audit.record("chains.application.not_installed", actor=actor, target=row, reason=problem[:500])


@joins_transaction
def change_over(*, installation: int, actor: User | None, wanted: Json, manifest: Json, host: str, tool: str) -> None:
    """The new build is used from now on."""
    row = _locked(installation)
    row.end_upgrade(version=wanted["version"], digest=wanted["digest"], manifest=manifest)
    row.health, row.problem, row.host, row.checked_at = ApplicationHealth.UP, "", host, timezone.now()
    row.tool_version = tool[:80]
    row.save()
    audit.record("chains.application.upgraded", actor=actor, target=row, **named(row))


@joins_transaction
def keep(*, installation: int) -> None:
    """What was begun with it is taken back: it stays as it was."""
    row = _locked(installation)
    if row.state == InstallationState.UPGRADING:
        row.end_upgrade()
    elif row.state == InstallationState.REMOVING:
        row.keep()
    row.save()


@joins_transaction
def record_removed(*, installation: int, actor: User | None) -> None:
    row = _locked(installation)
    row.remove()
    row.save()
    audit.record("chains.application.uninstalled", actor=actor, target=row, **named(row))


def _locked(installation: int) -> Installation:
    return Installation.objects.select_for_update(of=("self",)).get(pk=installation)
