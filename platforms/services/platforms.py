"""What administrators do with platforms: register, change, retire. A flow carries a registration through."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from console import audit, flows
from console.errors import Blocked, Blocker, Conflict, Invalid, Missing
from console.flows import blueprint_named
from console.models import Flow, User
from console.models.flows import OPEN_FLOW_STATES
from console.policies import require
from console.secrets import Sealed
from console.transactions import joins_transaction, locked_or_missing, use_case
from platforms import reads
from platforms.dependants import hand_all_over, hanging_by_kind, release_all, under_way_on
from platforms.mapping.check import Report, check_files
from platforms.mapping.template import Template
from platforms.models import Health, Platform, PlatformKind, PlatformVersion
from platforms.policies import may_register_platform, may_retire_platform, may_update_platform
from platforms.services.registry import lock_the_default, make_default, take_in_mapping
from platforms.services.requests import Registration, Setup, client_certificate_end, read_registration, read_setup

FILES = ("api_file", "mapping", "samples")
CALLED = ("base_url", "on_prem_base_url", "ca_certificate", "credentials")  # after a change the health is unknown


@dataclass(frozen=True)
class Started:
    """A platform, and the flow that was started for it."""

    platform: Platform
    flow: Flow


def register_platform(*, actor: User, **given: Any) -> Started:
    """Put a platform into the staging area and start the flow that checks, asks and accepts it.

    Raises NotAllowed, Conflict (the oemtype is taken), NotSupported (native kinds), Invalid naming every field.
    """
    require(may_register_platform(actor))
    return _stage(actor, read_registration(given))


@use_case
def _stage(actor: User, wanted: Registration) -> Started:
    if Platform.objects.live().filter(oemtype=wanted.oemtype).exists():
        words = _("A platform is registered under “%(oemtype)s” already.") % {"oemtype": wanted.oemtype}
        raise Conflict.field("oemtype", words)
    setup = wanted.setup
    platform = Platform.objects.create(oemtype=wanted.oemtype, kind=wanted.kind, registered_by=actor, **setup.row)
    if wanted.kind == PlatformKind.MAPPED:
        platform.version = _new_version(platform, setup, actor)
        platform.client_certificate_expires_at = client_certificate_end(setup)
        platform.save(update_fields=["version", "client_certificate_expires_at"])
    audit.record(
        "platforms.platform.staged",
        actor=actor,
        target=platform,
        oemtype=wanted.oemtype,
        base_url=setup.base_url,
        on_prem_base_url=setup.on_prem_base_url,
    )
    flow = flows.start(
        blueprint_named("platforms.register"),
        subject=platform,
        requested_by=actor,
        arguments={
            "platform": platform.pk,
            "is_default": setup.is_default,
            "network_ids": list(wanted.network_ids),
        },
        title_values={"name": platform.name},
        answer={"oemtype": platform.oemtype, "state": platform.state},
    )
    return Started(platform, flow)


def update_platform(*, actor: User, oemtype: str, **given: Any) -> Platform:
    """Change name, addresses, credentials, certificate, default or files of an official platform.

    Changed files become a new version, which is checked before anything changes; what hangs on the platform stays.
    What is not given stays as it was. Raises Missing, NotAllowed, Conflict, Invalid naming every field.
    """
    seen = reads.platform_named(actor, oemtype)
    require(may_update_platform(actor, seen))
    before = setup_of(seen)
    wanted = read_setup(given, before=before, kind=seen.kind)
    changed = [name for name in vars(wanted) if getattr(wanted, name) != getattr(before, name)]
    if "is_default" in changed and not wanted.is_default:
        raise Invalid.field("is_default", _("There is always a default platform: make another one the default."))
    report = checked(wanted) if set(changed) & set(FILES) else None
    return _change(actor, seen, wanted, changed, report) if changed else seen


def setup_of(platform: Platform) -> Setup:
    """The platform as it is set up now."""
    version, sealed = platform.version, platform.credentials
    return Setup(
        name=platform.name,
        cloudtype=platform.cloudtype,
        kernel=platform.kernel,
        base_url=platform.base_url,
        on_prem_base_url=platform.on_prem_base_url,
        ca_certificate=platform.ca_certificate,
        credentials=json.loads(sealed.reveal()) if isinstance(sealed, Sealed) and sealed else {},
        api_file=version.api_file if version else "",
        mapping=version.mapping if version else "",
        samples=version.samples if version else {},
        is_default=platform.is_default,
    )


def checked(setup: Setup) -> Report:
    """The files' check; Invalid with every error at its file."""
    report = check_files(setup.api_file, setup.mapping, setup.samples)
    if not report.passed:
        errors: dict[str, list[str]] = {}
        for each in report.errors:
            errors.setdefault(each.file, []).append(each.whole)
        words = _("The platform's files have errors: %(first)s") % {"first": report.errors[0].whole}
        raise Invalid(words, errors=errors)
    return report


@use_case
def _change(actor: User, seen: Platform, wanted: Setup, changed: list[str], report: Report | None) -> Platform:
    if "is_default" in changed:
        lock_the_default()
    platform = _locked(actor, seen)
    for name, value in wanted.row.items():
        if name in changed:
            setattr(platform, name, value)
    if report is not None:
        platform.version = _new_version(platform, wanted, actor, report)
        take_in_mapping(platform, report.template)
    if "is_default" in changed:
        make_default(platform)
    if platform.kind == PlatformKind.MAPPED:
        _note_client_certificate(platform, client_certificate_end(wanted))
    _touch(platform, changed)
    audit.record("platforms.platform.updated", actor=actor, target=platform, changed=changed)
    return platform


def use_version(*, actor: User, oemtype: str, number: int) -> Platform:
    """Go back to, or forward to, another version of the files. All of them were checked when they came in."""
    seen = reads.platform_named(actor, oemtype)
    require(may_update_platform(actor, seen))
    version = seen.versions.filter(number=number).first()
    if version is None:
        raise Missing(_("The platform has no version %(number)s.") % {"number": number})
    ends = client_certificate_end(replace(setup_of(seen), mapping=version.mapping))
    return _switch(actor, seen, version, Template.parse(version.mapping), ends)


@use_case
def _switch(
    actor: User, seen: Platform, version: PlatformVersion, template: Template, ends: datetime | None
) -> Platform:
    platform = _locked(actor, seen)
    if version.pk == platform.version_id:
        raise Conflict(_("The platform uses this version already."))
    platform.version = version
    take_in_mapping(platform, template)
    _note_client_certificate(platform, ends)
    _touch(platform, ["version"])
    audit.record("platforms.platform.version_used", actor=actor, target=platform, version=version.number)
    return platform


@use_case
def retire_platform(*, actor: User, oemtype: str, hand_over_to: str = "", release: bool = False) -> Platform:
    """Take an official platform out of service.

    What hangs on it is handed over to another platform, or released: the console lets go of it, and on the platform
    everything stays. Without either it is refused while anything hangs on it, and then what is named.
    """
    if hand_over_to and release:
        raise Invalid.field("release", _("Hand over or release: not both."))
    lock_the_default()
    platform = locked_or_missing(Platform.objects.visible_to(actor), pk=reads.platform_named(actor, oemtype).pk)
    require(may_retire_platform(actor, platform))
    target = _successor(platform, hand_over_to) if hand_over_to else None
    hanging = hanging_by_kind(platform)
    if hanging and target is None and not release:
        words = _("Before the platform can be retired, these have to be moved or ended: %(things)s.")
        way_out = _("%(things)s: hand them over, or release them.")
        blockers = [Blocker(each.code, way_out % {"things": each}, each.link) for each in hanging.values()]
        detail = words % {"things": "; ".join(map(str, hanging.values()))}
        raise Blocked(blockers, detail=detail, code="platform_in_use")
    _refuse_work(platform)
    if target is not None:
        hand_all_over(platform, target, actor)
    else:
        release_all(platform, actor)
    was_default = platform.is_default
    platform.retire()
    platform.credentials = platform.client_certificate_expires_at = None
    platform.save()
    if was_default and target is not None:
        make_default(target)
        target.save(update_fields=["is_default"])
    left = {name: each.count for name, each in hanging.items()}
    audit.record(
        "platforms.platform.retired", actor=actor, target=platform, hand_over_to=hand_over_to, release=release, had=left
    )
    return platform


def _successor(platform: Platform, oemtype: str) -> Platform:
    """The platform that is to take over what hangs on the one that goes."""
    rows = Platform.objects.official().filter(kind=platform.kind).exclude(pk=platform.pk)
    target = rows.filter(oemtype=oemtype).first()
    if target is None:
        raise Invalid.field("hand_over_to", _("There is no other platform of this name and kind in service."))
    return target


def _refuse_work(platform: Platform) -> None:
    """Nothing may be in the middle of something when its platform goes."""
    work = [flow.title_text for flow in reads.flows_of(platform) if flow.state in OPEN_FLOW_STATES]
    work += under_way_on(platform)
    if work:
        words = _("Something is being done on the platform just now; it has to end first: %(things)s.")
        raise Conflict(words % {"things": "; ".join(list(dict.fromkeys(work))[:10])}, code="work_under_way")


@joins_transaction
def _locked(actor: User, seen: Platform) -> Platform:
    """The row as it was seen, locked and judged again."""
    platform = locked_or_missing(Platform.objects.visible_to(actor), pk=seen.pk)
    require(may_update_platform(actor, platform))
    if platform.revision != seen.revision:
        raise Conflict(_("Somebody else changed this at the same moment; look again and retry."))
    return platform


def _note_client_certificate(platform: Platform, ends: datetime | None) -> None:
    """Another certificate is warned of anew."""
    if platform.client_certificate_expires_at != ends:
        platform.client_certificate_expires_at, platform.client_certificate_warned_at = ends, None


def _touch(platform: Platform, changed: Iterable[str]) -> None:
    platform.revision += 1
    if set(changed) & {*CALLED, *FILES, "version"}:
        platform.health, platform.health_detail, platform.health_at = Health.UNKNOWN, "", None
    if set(changed) & {"base_url", "on_prem_base_url"}:
        platform.certificate_expires_at = platform.certificate_warned_at = None
    platform.save()


def _new_version(platform: Platform, setup: Setup, actor: User, report: Report | None = None) -> PlatformVersion:
    latest = platform.versions.order_by("-number").values_list("number", flat=True).first() or 0
    return PlatformVersion.objects.create(
        platform=platform,
        number=latest + 1,
        api_file=setup.api_file,
        mapping=setup.mapping,
        samples=setup.samples,
        findings=[each.as_dict() for each in report.findings] if report else [],
        created_by=actor,
    )
