"""Organizations: made when a registration is approved, looked after by their own administrators."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from console import audit
from console.blockers import require_unblocked
from console.errors import Blocked, Conflict, Invalid, Missing
from console.models import User
from console.policies import require
from console.transactions import joins_transaction, locked_or_missing, use_case
from platforms.certificates import read_bundle
from platforms.models import Tenant
from unions.addresses import read_nodelist
from unions.blockers import machine_blockers
from unions.codes import new_code
from unions.models import (
    Category,
    Machine,
    MemberRole,
    Membership,
    Organization,
    OrganizationState,
    Registration,
    RegistrationState,
    ResourceSpace,
    SpaceKind,
)
from unions.names import key_of, read_name
from unions.policies import may_manage_organization
from unions.services.spaces import MAX_SECRET, TENANT_FIELDS, SpaceRequest


@joins_transaction
def refuse_taken(wanted: SpaceRequest, *, prefix: str = "", by_pending: bool = True) -> None:
    """Conflict when the name, the tenant or a machine belongs to somebody already.

    Whoever asks first holds it until the decision (`by_pending`); at the decision only what is bound counts.
    """
    pending = (
        Registration.objects.filter(state=RegistrationState.PENDING) if by_pending else Registration.objects.none()
    )
    errors: dict[str, list[str]] = {}
    if (
        Organization.objects.filter(name_key=key_of(wanted.name)).exists()
        or pending.filter(name_key=key_of(wanted.name)).exists()
    ):
        errors[f"{prefix}name"] = [_("There is an organization of this name already.")]
    if wanted.tenantid and _tenant_taken(wanted, pending):
        errors[f"{prefix}tenantid"] = [_("This tenant space is bound to another organization.")]
    asked_for = _machines_asked_for(pending) if wanted.nodelist else set()
    for index, (ip, port) in enumerate(wanted.nodelist):
        if (ip, port) in asked_for or Machine.objects.filter(ip=ip, port=port).exists():
            errors[f"{prefix}nodelist.{index}"] = [_("This machine is bound to another organization.")]
    if errors:
        raise Conflict(_("Part of this belongs to another organization."), errors=errors)


def _tenant_taken(wanted: SpaceRequest, pending: Any) -> bool:
    bound = ResourceSpace.objects.filter(platform=wanted.platform, tenantid=wanted.tenantid, kind=SpaceKind.TENANT)
    return bound.exists() or pending.filter(platform=wanted.platform, tenantid=wanted.tenantid).exists()


def _machines_asked_for(pending: Any) -> set[tuple[str, int]]:
    """Machines of registrations that wait for a decision; those are few."""
    rows = pending.filter(category=Category.ON_PREM).values_list("details", flat=True)
    return {(machine["ip"], machine["port"]) for details in rows for machine in details.get("nodelist", [])}


@joins_transaction
def create_organization(wanted: SpaceRequest, *, owner: User) -> Organization:
    """The organization, its resource space, and its first administrator."""
    organization = Organization.objects.create(orgcode=new_code("org"), name=wanted.name, category=wanted.category)
    cloud = wanted.category == Category.CLOUD
    space = ResourceSpace.objects.create(
        organization=organization,
        kind=SpaceKind.TENANT if cloud else SpaceKind.PHYSICAL,
        platform=wanted.platform,
        tenantid=wanted.tenantid,
        tenantname=wanted.tenantname,
        projectid=wanted.projectid,
        projectname=wanted.projectname,
        tlscert_expires_at=wanted.certificate_expiry,
        **{name: value or None for name, value in wanted.secret().items()},
    )
    Machine.objects.bulk_create(Machine(space=space, ip=ip, port=port) for ip, port in wanted.nodelist)
    Membership.objects.create(user=owner, organization=organization, role=MemberRole.ADMINISTRATOR)
    return organization


@joins_transaction
def _locked_with_space(actor: User, orgcode: str) -> tuple[Organization, ResourceSpace]:
    """Both locked, the space first: whoever plans work locks spaces, and then points to their organizations."""
    space = ResourceSpace.objects.select_for_update(of=("self",)).filter(organization__orgcode=orgcode).first()
    organization = locked_or_missing(Organization.objects.visible_to(actor), orgcode=orgcode)
    require(may_manage_organization(actor, organization))
    if space is None:
        raise Missing()
    return organization, space


@use_case
def update_organization(*, actor: User, orgcode: str, changes: dict[str, Any]) -> Organization:
    """Change name, credentials or machines. `changes` holds only what is to change."""
    organization, space = _locked_with_space(actor, orgcode)
    _rename(organization, changes)
    _change_space(space, changes)
    if "nodelist" in changes:
        _change_machines(space, changes["nodelist"])
    space.save()
    organization.save()
    audit.record("unions.organization.updated", actor=actor, target=organization, changed=sorted(changes))
    return organization


def _rename(organization: Organization, changes: dict[str, Any]) -> None:
    if "name" not in changes:
        return
    name = read_name(changes["name"])
    if Organization.objects.filter(name_key=key_of(name)).exclude(pk=organization.pk).exists():
        raise Conflict.field("name", _("There is an organization of this name already."))
    organization.name = name


def _change_space(space: ResourceSpace, changes: dict[str, Any]) -> None:
    wrong_kind = ("tlscert", "nodelist") if space.kind == SpaceKind.TENANT else TENANT_FIELDS
    for field in wrong_kind:
        if changes.get(field):
            raise Invalid.field(field, _("This does not fit the organization's category."))
    if "projectid" in changes:
        _change_project(space, str(changes["projectid"] or "").strip())
    keys = [field for field in ("ak", "sk", "token") if field in changes]
    for field in keys:
        value = str(changes[field] or "").strip()
        if len(value) > MAX_SECRET:
            raise Invalid.field(field, _("At most %(limit)s characters.") % {"limit": MAX_SECRET})
        setattr(space, field, value or None)
    if keys and not space.token and not (space.ak and space.sk):
        raise Invalid.field(keys[0], _("Access key and secret key are needed, or a token."))
    if "tlscert" in changes and space.kind == SpaceKind.PHYSICAL:
        text = str(changes["tlscert"] or "").strip() + "\n"
        if not text.strip():
            raise Invalid.field("tlscert", _("The machines need their certificate: give a new one, or leave this out."))
        space.tlscert_expires_at = read_bundle(text).expires_at
        space.tlscert = text


def _change_project(space: ResourceSpace, projectid: str) -> None:
    """The project must be the tenant's, as far as the platform has told us which that is."""
    tenant = Tenant.objects.filter(platform=space.platform, tenantid=space.tenantid).first()
    if tenant is not None and tenant.projectid and projectid != tenant.projectid:
        raise Invalid.field("projectid", _("This project does not belong to the tenant."))
    space.projectid, space.projectname = projectid, tenant.projectname if tenant and projectid else ""


def _change_machines(space: ResourceSpace, nodelist: Any) -> None:
    pairs = read_nodelist(nodelist)
    for index, (ip, port) in enumerate(pairs):
        if Machine.objects.filter(ip=ip, port=port).exclude(space=space).exists():
            raise Conflict.field(f"nodelist.{index}", _("This machine is bound to another organization."))
    keep = Q(pk__in=[])
    for ip, port in pairs:
        keep |= Q(ip=ip, port=port)
    leaving = list(space.machines.exclude(keep))
    if leaving and (blockers := machine_blockers(space, leaving)):
        raise Blocked(blockers)
    space.machines.filter(pk__in=[machine.pk for machine in leaving]).delete()
    present = set(space.machines.values_list("ip", "port"))
    Machine.objects.bulk_create(
        Machine(space=space, ip=ip, port=port) for ip, port in pairs if (ip, port) not in present
    )


@use_case
def close_organization(*, actor: User, orgcode: str) -> Organization:
    """End an organization: its tenant or machines are free, its credentials forgotten, its people out of it.

    What it did stays on record under its name, which others may take. Blocked while it is in a union or has work or
    answers open, and then what is named.
    """
    organization, space = _locked_with_space(actor, orgcode)
    require_unblocked("organization", organization)
    space.machines.all().delete()
    space.release()
    space.save()
    Membership.objects.filter(organization=organization).delete()
    organization.state = OrganizationState.CLOSED
    organization.save()
    audit.record("unions.organization.closed", actor=actor, target=organization, orgcode=organization.orgcode)
    return organization


@use_case
def add_member(*, actor: User, orgcode: str, username: str, role: str) -> Membership:
    """Give a user a role in the organization, or another one."""
    organization = locked_or_missing(Organization.objects.visible_to(actor), orgcode=orgcode)
    require(may_manage_organization(actor, organization))
    if role not in MemberRole.values:
        raise Invalid.field("role", _("One of administrator, operator, viewer."))
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise Invalid.field("username", _("There is no user of this name."))
    _keep_one_administrator(organization, user, role)
    membership, _created = Membership.objects.update_or_create(
        user=user, organization=organization, defaults={"role": role}
    )
    audit.record("unions.member.added", actor=actor, target=organization, username=username, role=role)
    return membership


@use_case
def remove_member(*, actor: User, orgcode: str, username: str) -> None:
    """Take a user's role in the organization away."""
    organization = locked_or_missing(Organization.objects.visible_to(actor), orgcode=orgcode)
    require(may_manage_organization(actor, organization))
    membership = Membership.objects.filter(organization=organization, user__username=username).first()
    if membership is None:
        raise Missing(_("This user is not a member of the organization."))
    _keep_one_administrator(organization, membership.user, "")
    membership.delete()
    audit.record("unions.member.removed", actor=actor, target=organization, username=username)


def _keep_one_administrator(organization: Organization, user: User, role: str) -> None:
    """An organization without an administrator could never be managed again."""
    administrators = Membership.objects.filter(organization=organization, role=MemberRole.ADMINISTRATOR)
    if role != MemberRole.ADMINISTRATOR and list(administrators.values_list("user_id", flat=True)) == [user.pk]:
        raise Conflict(_("The organization needs at least one administrator."))
