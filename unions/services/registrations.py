"""Registering: a user asks for an organization, a rule or an administrator decides."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from console import audit
from console.errors import Conflict, Invalid
from console.models import User
from console.policies import may_administer, require
from console.secrets import Sealed
from console.services.notifications import notify
from console.transactions import joins_transaction, locked_or_missing, use_case
from platforms.models import Platform
from unions.models import Category, Organization, Registration, RegistrationRule, RegistrationState
from unions.policies import may_decide_registration
from unions.services import organizations
from unions.services.spaces import SpaceRequest, read_space_request

administrators = User.objects.filter(console_role="administrator", is_active=True)


@use_case
def register(*, username: str, password: str, email: str, organization: dict[str, Any]) -> Registration:
    """A new account that asks for an organization; approved at once when a rule says so.

    Raises Invalid or Conflict, each naming every field that is wrong (`organization.tenantid`).
    """
    errors = _account_errors(username, password, email)
    try:
        wanted = read_space_request(organization, prefix="organization.")
    except Invalid as problem:
        raise Invalid(_("The registration has errors."), errors={**errors, **problem.errors}) from problem
    if errors:
        raise Invalid(_("The registration has errors."), errors=errors)
    organizations.refuse_taken(wanted, prefix="organization.")
    if User.objects.filter(username__iexact=username).exists():
        raise Conflict.field("username", _("This user name is taken."))
    user = User.objects.create_user(username=username, password=password, email=email)
    return _open(user, wanted)


@use_case
def register_another(*, actor: User, organization: dict[str, Any]) -> Registration:
    """A user who is here already asks for an organization: after a refusal, or for another department."""
    wanted = read_space_request(organization, prefix="organization.")
    if Registration.objects.filter(user=actor, state=RegistrationState.PENDING).exists():
        raise Conflict(_("You have a registration that waits for a decision; wait for it first."))
    organizations.refuse_taken(wanted, prefix="organization.")
    return _open(actor, wanted)


@joins_transaction
def _open(user: User, wanted: SpaceRequest) -> Registration:
    registration = Registration.objects.create(
        user=user,
        organization_name=wanted.name,
        category=wanted.category,
        platform=wanted.platform,
        tenantid=wanted.tenantid,
        details=wanted.public(),
        secrets=json.dumps(wanted.secret()),
    )
    rule = _matching_rule(registration)
    bound = _bind(registration, None) if rule is not None else None
    audit.record("unions.registration.opened", actor=user, target=registration, **wanted.public())
    if rule is not None and bound is not None:
        _record_approval(registration, bound, actor=None, rule=rule.name)
    else:
        notify(
            administrators.all(),
            kind="registration",
            title=gettext_noop("%(name)s asks to be registered"),
            parameters={"name": registration.organization_name},
            link=f"/registrations/{registration.pk}",
            subject=registration,
        )
    return registration


@use_case
def approve_registration(*, actor: User, registration_id: int) -> Registration:
    """Make the organization and bind it to its resource space."""
    registration = locked_or_missing(Registration.objects.visible_to(actor), pk=registration_id)
    require(may_decide_registration(actor, registration))
    organization = _bind(registration, actor)
    _record_approval(registration, organization, actor=actor)
    return registration


@use_case
def refuse_registration(*, actor: User, registration_id: int, reason: str) -> Registration:
    """Say no, with the reason that the user will read. What was secret in the request is forgotten."""
    registration = locked_or_missing(Registration.objects.visible_to(actor), pk=registration_id)
    require(may_decide_registration(actor, registration))
    if not reason.strip():
        raise Invalid.field("reason", _("Say why, so that the applicant knows what to change."))
    registration.refuse(reason.strip(), actor)
    registration.secrets = None
    registration.save()
    audit.record("unions.registration.refused", actor=actor, target=registration, reason=reason)
    notify(
        [registration.user],
        kind="registration",
        title=gettext_noop("The registration of %(name)s was refused"),
        body=gettext_noop("Reason: %(reason)s"),
        parameters={"name": registration.organization_name, "reason": reason},
        link=f"/registrations/{registration.pk}",
        subject=registration,
    )
    return registration


@use_case
def create_rule(
    *,
    actor: User,
    name: str,
    category: str = "",
    oemtype: str = "",
    email_domain: str = "",
    enabled: bool = True,
) -> RegistrationRule:
    """A rule by which registrations are approved without an administrator."""
    require(may_administer(actor))
    errors: dict[str, list[str]] = {}
    given, email_domain = email_domain.strip(), email_domain.strip().lstrip("@").lower()
    platform = Platform.objects.official().filter(oemtype=oemtype).first() if oemtype else None
    if not name.strip():
        errors["name"] = [_("Give the rule a name.")]
    if category and category not in Category.values:
        errors["category"] = [_("Either cloud or on_prem.")]
    if oemtype and platform is None:
        errors["oemtype"] = [_("No platform is registered under “%(oemtype)s”.") % {"oemtype": oemtype}]
    if given and not _is_domain(email_domain):
        errors["email_domain"] = [_("This is no domain: write it as in tax.example.gov.")]
    if errors:
        raise Invalid(_("The rule has errors."), errors=errors)
    if RegistrationRule.objects.filter(name=name.strip()).exists():
        raise Conflict.field("name", _("There is a rule of this name already."))
    rule = RegistrationRule.objects.create(
        name=name.strip(),
        category=category,
        platform=platform,
        email_domain=email_domain,
        enabled=enabled,
    )
    audit.record(
        "unions.registration_rule.created",
        actor=actor,
        target=rule,
        category=category,
        oemtype=oemtype,
        email_domain=email_domain,
    )
    return rule


@use_case
def delete_rule(*, actor: User, rule_id: int) -> None:
    """Take a rule away; what it approved stays."""
    require(may_administer(actor))
    rule = locked_or_missing(RegistrationRule.objects.all(), pk=rule_id)
    audit.record("unions.registration_rule.deleted", actor=actor, target=rule)
    rule.delete()


@joins_transaction
def _bind(registration: Registration, actor: User | None) -> Organization:
    """Make the organization and give it the resource space. Rows first: the audit log's head is locked last."""
    secrets: Sealed | None = registration.secrets  # type: ignore[assignment]
    wanted = SpaceRequest.restore(registration.details, json.loads(secrets.reveal() if secrets else "{}"))
    _refuse_stale(wanted)
    organizations.refuse_taken(wanted, by_pending=False)
    organization = organizations.create_organization(wanted, owner=registration.user)
    registration.approve(organization, actor)
    registration.secrets = None  # the resource space keeps them now
    registration.save()
    return organization


@joins_transaction
def _record_approval(
    registration: Registration, organization: Organization, *, actor: User | None, rule: str = ""
) -> None:
    audit.record(
        "unions.registration.approved", actor=actor, target=registration, orgcode=organization.orgcode, rule=rule
    )
    notify(
        [registration.user],
        kind="registration",
        title=gettext_noop("%(name)s is registered"),
        body=gettext_noop("Its orgcode is %(orgcode)s."),
        parameters={"name": organization.name, "orgcode": organization.orgcode},
        link=f"/organizations/{organization.orgcode}",
        subject=registration,
    )


def _refuse_stale(wanted: SpaceRequest) -> None:
    """What was right when it was asked for may not be any more when it is decided."""
    if wanted.category == Category.CLOUD and wanted.platform is None:
        raise Conflict(_("The platform of this tenant is not registered any more; refuse the registration."))
    expiry = wanted.certificate_expiry
    if expiry is not None and expiry <= timezone.now():
        raise Conflict(_("The certificate has expired since; refuse the registration and ask for a new one."))


def _matching_rule(registration: Registration) -> RegistrationRule | None:
    """The first enabled rule all of whose conditions the registration meets."""
    domain = registration.user.email.rpartition("@")[2].lower()
    for rule in RegistrationRule.objects.filter(enabled=True):
        if (
            rule.category in ("", registration.category)
            and rule.platform_id in (None, registration.platform_id)
            and rule.email_domain in ("", domain)
        ):
            return rule
    return None


def _is_domain(text: str) -> bool:
    """Whether mail addresses may end so."""
    try:
        validate_email(f"somebody@{text}")
    except ValidationError:
        return False
    return "@" not in text and not text.startswith("[")


def _account_errors(username: str, password: str, email: str) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    user = User(username=username, email=email)
    checks = (
        ("username", lambda: User._meta.get_field("username").clean(username, user)),
        ("email", lambda: validate_email(email)),
        ("password", lambda: validate_password(password, user)),
    )
    for name, check in checks:
        try:
            check()
        except ValidationError as problem:
            errors[name] = list(problem.messages)
    return errors
