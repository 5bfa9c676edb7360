"""A user's wish to have an organization, and the rules that grant it without an administrator."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import ConcurrentTransitionMixin, FSMField, transition

from console.models import User
from console.secrets import SealedField
from platforms.models import Platform
from unions.models.organizations import Category, Organization
from unions.names import MAX_KEY, key_of


class RegistrationState(models.TextChoices):
    PENDING = "pending", pgettext_lazy("registration", "Pending")
    APPROVED = "approved", _("Approved")
    REFUSED = "refused", _("Refused")


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def visible_to(self, user: User) -> RegistrationQuerySet:
        """Administrators and auditors see all; everybody else their own."""
        if user.is_administrator or user.is_auditor:
            return self
        return self.filter(user=user)


class Registration(ConcurrentTransitionMixin, models.Model):
    """One registration. The account exists from the start, and can do nothing until this is approved."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="registrations")
    organization_name = models.CharField(_("organization"), max_length=200)
    name_key = models.CharField(max_length=MAX_KEY, editable=False)
    category = models.CharField(_("category"), max_length=20, choices=Category)
    platform = models.ForeignKey(Platform, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    tenantid = models.CharField(_("tenant id"), max_length=100, blank=True)
    details = models.JSONField(default=dict)  # what is not secret of the request
    secrets = SealedField(null=True, blank=True)  # JSON {ak, sk, token, tlscert}; emptied once decided
    state = FSMField(_("state"), default=RegistrationState.PENDING, choices=RegistrationState.choices, protected=True)
    reason = models.TextField(_("reason"), blank=True)
    organization = models.OneToOneField(
        Organization, null=True, blank=True, on_delete=models.SET_NULL, related_name="registration"
    )
    created_at = models.DateTimeField(_("time"), default=timezone.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["name_key"],
                name="registration_one_pending_per_name",
                condition=models.Q(state=RegistrationState.PENDING),
            ),
            models.UniqueConstraint(
                fields=["platform", "tenantid"],
                name="registration_one_pending_per_tenant",
                condition=models.Q(state=RegistrationState.PENDING) & ~models.Q(tenantid=""),
            ),
            models.CheckConstraint(
                name="registration_state_known", condition=models.Q(state__in=RegistrationState.values)
            ),
        ]

    def __str__(self) -> str:
        return self.organization_name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name_key = key_of(self.organization_name)
        super().save(*args, **kwargs)

    @transition(state, source=RegistrationState.PENDING, target=RegistrationState.APPROVED)
    def approve(self, organization: Organization, by: User | None) -> None:
        self.organization, self.decided_by, self.decided_at = organization, by, timezone.now()

    @transition(state, source=RegistrationState.PENDING, target=RegistrationState.REFUSED)
    def refuse(self, reason: str, by: User | None) -> None:
        self.reason, self.decided_by, self.decided_at = reason, by, timezone.now()


class RegistrationRule(models.Model):
    """Registrations that match every field given are approved at once."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    category = models.CharField(_("category"), max_length=20, choices=Category, blank=True)
    platform = models.ForeignKey(Platform, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    email_domain = models.CharField(_("e-mail domain"), max_length=200, blank=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
