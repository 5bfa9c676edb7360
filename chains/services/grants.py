"""Access grants of the gateway: made and revoked by an organization's administrators."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from chains.gateway.methods import METHODS, OF_PRESET
from chains.models import AccessGrant, Blockchain, Preset
from chains.policies import may_grant_access, may_revoke_grant, require_gateway
from console import audit
from console.errors import Conflict, Invalid, Missing
from console.models import User
from console.policies import require
from console.transactions import locked_or_missing, use_case
from unions.models import Membership, Organization
from unions.policies import may_manage_organization

MAX_QUOTA = 100_000_000
MAX_RATE = 1_000_000
MAX_GRANTS = 200  # in force, of one organization on one chain


@use_case
def create_grant(
    *,
    actor: User,
    blockchain: str,
    orgcode: str,
    preset: str = Preset.READ,
    methods: Sequence[str] = (),
    username: str = "",
    purpose: str = "",
    quota_per_day: int = 10_000,
    rate_per_minute: int = 120,
    expires_at: datetime | None = None,
) -> AccessGrant:
    """Let a user of an organization, or with no `username` all its members, reach a chain through the console.

    Raises Missing (no such chain in sight), NotAllowed, Conflict, NotSupported, Invalid.
    """
    organization = locked_or_missing(Organization.objects.visible_to(actor), orgcode=orgcode)
    chain = _chain_to_grant(actor, organization, blockchain)
    _refuse_too_many(chain, organization)
    _refuse_limits(quota_per_day, rate_per_minute, expires_at)
    grant = AccessGrant.objects.create(
        blockchain=chain,
        organization=organization,
        user=_member(organization, username),
        purpose=purpose.strip(),
        preset=preset,
        methods=_methods(preset, methods),
        quota_per_day=quota_per_day,
        rate_per_minute=rate_per_minute,
        expires_at=expires_at,
        created_by=actor,
    )
    audit.record(
        "chains.grant.created",
        actor=actor,
        target=chain,
        grant=grant.pk,
        orgcode=orgcode,
        username=username,
        methods=grant.methods,
        quota_per_day=quota_per_day,
        rate_per_minute=rate_per_minute,
        expires_at=expires_at.isoformat() if expires_at else None,
    )
    return grant


@use_case
def revoke_grant(*, actor: User, grant_id: int) -> AccessGrant:
    """End a grant at once; a second time changes nothing."""
    grant = locked_or_missing(AccessGrant.objects.visible_to(actor), pk=grant_id)
    require(may_revoke_grant(actor, grant))
    if grant.revoked_at is None:
        grant.revoked_at = timezone.now()
        grant.save(update_fields=["revoked_at"])
        about = {"grant": grant.pk, "orgcode": grant.organization.orgcode}
        audit.record("chains.grant.revoked", actor=actor, target=grant.blockchain, **about)
    return grant


def _chain_to_grant(actor: User, organization: Organization, uid: str) -> Blockchain:
    """The chain, if the actor may let the organization's people reach it."""
    rows = Blockchain.objects.visible_to(actor).select_related("business_chain__platform")
    chain = rows.filter(uid=uid).first()
    if chain is None:
        raise Missing(_("There is no such chain."))
    if may_manage_organization(actor, organization):
        require_gateway(chain)  # the reason has a code of its own
    require(may_grant_access(actor, chain, organization))
    return chain


def _methods(preset: str, methods: Sequence[str]) -> list[str]:
    """Those of the preset, or the chosen ones, once each and in one order."""
    if preset != Preset.CUSTOM:
        if methods:
            raise Invalid.field("methods", _("Methods are chosen with the preset “custom” only."))
        return list(OF_PRESET[Preset(preset)])
    unknown = [each for each in methods if each not in METHODS]
    if unknown:
        words = {"name": unknown[0][:100]}
        raise Invalid.field("methods", _("%(name)s is not among the methods that can be granted.") % words)
    if not methods:
        raise Invalid.field("methods", _("Choose at least one method."))
    return [each for each in METHODS if each in methods]


def _member(organization: Organization, username: str) -> User | None:
    if not username.strip():
        return None
    rows = Membership.objects.filter(organization=organization, user__username=username.strip(), user__is_active=True)
    found = rows.select_related("user").first()
    if found is None:
        raise Invalid.field("username", _("%(name)s has no member of this name.") % {"name": organization.name})
    return found.user


def _refuse_limits(quota_per_day: int, rate_per_minute: int, expires_at: datetime | None) -> None:
    if not 1 <= quota_per_day <= MAX_QUOTA:
        raise Invalid.field("quota_per_day", _("1 to %(limit)s calls.") % {"limit": MAX_QUOTA})
    if not 1 <= rate_per_minute <= MAX_RATE:
        raise Invalid.field("rate_per_minute", _("1 to %(limit)s calls.") % {"limit": MAX_RATE})
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid.field("expires_at", _("This time has passed."))


def _refuse_too_many(chain: Blockchain, organization: Organization) -> None:
    rows = AccessGrant.objects.filter(blockchain=chain, organization=organization, revoked_at=None)
    if rows.count() >= MAX_GRANTS:
        words = {"name": organization.name, "limit": MAX_GRANTS}
        raise Conflict(_("%(name)s has %(limit)s grants on this chain; revoke one first.") % words)
