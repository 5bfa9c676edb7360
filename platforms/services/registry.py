"""What flows and observers record about platforms: checked, accepted, refused, healthy or not."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from console import audit
from console.errors import Conflict
from console.models import User
from console.services.notifications import notify
from console.transactions import joins_transaction, locked_or_missing, use_case
from platforms.mapping.check import Finding
from platforms.mapping.template import Template
from platforms.models import Draft, Platform, PlatformState, PlatformVersion, Tenant

MAX_TENANTS = 10_000


@use_case
def begin_check(*, platform_id: int) -> Platform:
    """The registration flow has begun; again after a crash, nothing changes."""
    platform = locked_or_missing(Platform.objects.all(), pk=platform_id)
    if platform.state == PlatformState.STAGED:
        platform.check_in()
        platform.save()
    return platform


@use_case
def record_findings(*, version_id: int, findings: list[Finding]) -> None:
    """What the static check has found, for everyone who looks at the version later."""
    kept = [each.as_dict() for each in findings]
    PlatformVersion.objects.filter(pk=version_id).update(findings=kept)


@use_case
def record_tenants(*, platform_id: int, tenants: list[dict[str, str]]) -> int:
    """The tenants that the platform reports; those that it no longer reports are dropped. Returns how many."""
    platform = locked_or_missing(Platform.objects.all(), pk=platform_id)
    now = timezone.now()
    reported = {each["tenantid"]: each for each in tenants[:MAX_TENANTS] if 0 < len(each["tenantid"]) <= 100}
    Tenant.objects.bulk_create(
        [Tenant(platform=platform, read_at=now, **_fitting(each)) for each in reported.values()],
        update_conflicts=True,
        unique_fields=["platform", "tenantid"],
        update_fields=["tenantname", "projectid", "projectname", "read_at"],
        batch_size=500,
    )
    Tenant.objects.filter(platform=platform, read_at__lt=now).delete()
    return len(reported)


def _fitting(tenant: dict[str, str]) -> dict[str, str]:
    """Cut to what the columns hold."""
    limits = {"tenantid": 100, "tenantname": 200, "projectid": 100, "projectname": 200}
    return {name: tenant.get(name, "")[:limit] for name, limit in limits.items()}


@joins_transaction
def accept_platform(
    *,
    platform_id: int,
    actor: User | None,
    is_default: bool,
    capabilities: dict[str, Any],
    health: dict[str, str],
    organization_fields: dict[str, str] | None = None,
) -> Platform:
    """Move a checked platform to the official area. The first official one becomes the default."""
    lock_the_default()
    platform = locked_or_missing(Platform.objects.all(), pk=platform_id)
    if platform.state != PlatformState.CHECKING:
        raise Conflict(_("The platform's registration is not under way any more."))
    platform.accept()
    platform.capabilities, platform.organization_fields = capabilities, organization_fields or {}
    platform.health, platform.health_detail = health["status"], health["detail"][:500]
    platform.platform_version, platform.health_at = health["version"][:100], timezone.now()
    if is_default or not default_platforms().exists():
        make_default(platform)
    platform.save()
    Draft.objects.filter(registration=platform).delete()  # its files are the platform's first version now
    audit.record("platforms.platform.accepted", actor=actor, target=platform, is_default=platform.is_default)
    _tell(platform, gettext_noop("The platform %(name)s is registered"))
    return platform


def take_in_mapping(platform: Platform, template: Template | None) -> None:
    """What the mapping says to users: what the platform can do, and what an organization has to type."""
    platform.capabilities = template.offers() if template else {}
    platform.organization_fields = template.organization if template else {}


def default_platforms() -> Any:
    return Platform.objects.official().filter(is_default=True)


@joins_transaction
def lock_the_default() -> None:
    """Whoever may change which platform is the default takes all of them first, in one order: one at a time."""
    list(Platform.objects.live().select_for_update().order_by("pk").values_list("pk"))


@joins_transaction
def make_default(platform: Platform) -> None:
    """This one, and no other; the caller saves it."""
    for other in default_platforms().exclude(pk=platform.pk).select_for_update():
        other.is_default = False
        other.save(update_fields=["is_default"])
    platform.is_default = True


@joins_transaction
def refuse_platform(*, platform_id: int, actor: User | None, reason: str) -> Platform:
    """The registration failed: its reason stays, and nothing else of what was read or handed in as a secret."""
    platform = locked_or_missing(Platform.objects.all(), pk=platform_id)
    if platform.state not in (PlatformState.STAGED, PlatformState.CHECKING):
        return platform
    platform.refuse(reason[:4000])
    platform.credentials = platform.client_certificate_expires_at = None
    platform.save()
    platform.tenants.all().delete()
    audit.record("platforms.platform.refused", actor=actor, target=platform, reason=reason[:1000])
    _tell(platform, gettext_noop("The platform %(name)s was refused"), gettext_noop("Reason: %(reason)s"))
    return platform


@use_case
def record_health(
    *,
    platform_id: int,
    revision: int,
    status: str,
    detail: str,
    version: str = "",
    certificate_expires_at: datetime | None = None,
) -> bool:
    """What a probe has found; False when the platform was changed or retired in the meantime."""
    changes: dict[str, Any] = {"health": status, "health_detail": detail[:500], "health_at": timezone.now()}
    if version:
        changes["platform_version"] = version[:100]
    if certificate_expires_at is not None:
        changes["certificate_expires_at"] = certificate_expires_at
    return Platform.objects.official().filter(pk=platform_id, revision=revision).update(**changes) == 1


def _tell(platform: Platform, title: str, body: str = "") -> None:
    if platform.registered_by is not None:
        notify(
            [platform.registered_by],
            kind="platform",
            title=title,
            body=body,
            parameters={"name": platform.name, "reason": platform.reason[:500]},
            link=f"/platforms/{platform.oemtype}",
            subject=platform,
        )
