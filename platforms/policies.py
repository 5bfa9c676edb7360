"""Who may do what to platforms."""

from __future__ import annotations

from django.utils.translation import gettext as _

from console.models import User
from console.policies import ALLOWED, Verdict, may_administer, not_now
from platforms.models import Platform, PlatformKind, PlatformState


def may_register_platform(actor: User) -> Verdict:
    """Administrators of the console."""
    return may_administer(actor)


def may_use_studio(actor: User) -> Verdict:
    """Administrators: what comes out of the studio is a registration."""
    return may_administer(actor)


def may_see_platform_details(actor: User) -> Verdict:
    """Addresses, files, findings and tenants are for administrators and auditors."""
    return ALLOWED if actor.is_auditor else may_administer(actor)


def may_update_platform(actor: User, platform: Platform) -> Verdict:
    """Administrators, once the platform is official: before that its registration is under way."""
    return may_administer(actor) and _official(platform)


def may_retire_platform(actor: User, platform: Platform) -> Verdict:
    """Administrators; what hangs on the platform is judged by the service."""
    return may_administer(actor) and _official(platform)


def may_operate_platform(actor: User, platform: Platform) -> Verdict:
    """Administrators may call the standard interface directly, on official platforms."""
    return may_administer(actor) and _official(platform)


def may_upgrade_nodes(actor: User, platform: Platform) -> Verdict:
    """Administrators, where the console runs the nodes itself."""
    allowed = may_administer(actor) and _official(platform)
    if allowed and platform.kind != PlatformKind.EVM:
        return not_now(_("The platform runs its nodes itself."))
    return allowed


def _official(platform: Platform) -> Verdict:
    if platform.state == PlatformState.OFFICIAL:
        return ALLOWED
    if platform.state in (PlatformState.STAGED, PlatformState.CHECKING):
        return not_now(_("The platform is still being registered."))
    return not_now(_("The platform is not in service (%(state)s).") % {"state": platform.get_state_display()})
