"""The gateway: who may reach which chain through the console, by which methods, how often; and how often they did."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chains.models.chains import Blockchain
from console.models import User
from unions.models import MemberRole, Organization


class Preset(models.TextChoices):
    READ = "read", _("Read only")
    READ_AND_SEND = "read_and_send", _("Read and send")
    CUSTOM = "custom", _("Chosen methods")


class AccessGrantQuerySet(models.QuerySet["AccessGrant"]):
    def visible_to(self, user: User) -> AccessGrantQuerySet:
        """Administrators and auditors see all, an organization's administrators all of it, others what is for them."""
        if user.is_administrator or user.is_auditor:
            return self
        managed = Organization.objects.of_user(user, MemberRole.ADMINISTRATOR).values("pk")
        return self.filter(Q(organization__in=managed) | self._is_for(user))

    def usable_by(self, user: User, now: datetime) -> AccessGrantQuerySet:
        """Those in force that are the user's or the members' of an organization of theirs."""
        unexpired = Q(expires_at=None) | Q(expires_at__gt=now)
        return self.filter(unexpired, self._is_for(user), revoked_at=None)

    @staticmethod
    def _is_for(user: User) -> Q:
        mine = Organization.objects.of_user(user).values("pk")
        return Q(organization__in=mine) & (Q(user=user) | Q(user=None))


class AccessGrant(models.Model):
    """A way to one blockchain for one user of an organization, or for all its members."""

    blockchain = models.ForeignKey(Blockchain, on_delete=models.CASCADE, related_name="access_grants")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    purpose = models.CharField(_("purpose"), max_length=200, blank=True)
    preset = models.CharField(_("methods"), max_length=20, choices=Preset, default=Preset.READ)
    methods = models.JSONField(default=list)  # those allowed, whatever the preset says today
    quota_per_day = models.PositiveIntegerField(_("calls a day"))
    rate_per_minute = models.PositiveIntegerField(_("calls a minute"))
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    minute = models.DateTimeField(null=True, editable=False)  # the minute that is being counted
    in_minute = models.PositiveIntegerField(default=0, editable=False)  # calls in it

    objects = AccessGrantQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(name="access_grant_preset_known", condition=Q(preset__in=Preset.values)),
            models.CheckConstraint(
                name="access_grant_limits", condition=Q(quota_per_day__gte=1) & Q(rate_per_minute__gte=1)
            ),
        ]

    def __str__(self) -> str:
        return self.purpose or f"{self.organization} → {self.blockchain}"

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()


class GrantUse(models.Model):
    """Calls by one grant on one day (UTC)."""

    grant = models.ForeignKey(AccessGrant, on_delete=models.CASCADE, related_name="uses")
    day = models.DateField()
    reads = models.PositiveIntegerField(default=0)
    sends = models.PositiveIntegerField(default=0)
    summarized = models.BooleanField(default=False)  # in the audit log, once the day is over

    class Meta:
        ordering = ["-day"]
        constraints = [models.UniqueConstraint(fields=["grant", "day"], name="grant_use_once_a_day")]
        indexes = [models.Index(fields=["day"], name="grant_use_open", condition=Q(summarized=False))]

    def __str__(self) -> str:
        return f"{self.day}: {self.total}"

    @property
    def total(self) -> int:
        return self.reads + self.sends
