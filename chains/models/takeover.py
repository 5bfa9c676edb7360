"""Take-overs: which networks of a platform somebody wanted, what was read of each, and what became of it."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.models import Flow, User
from platforms.models import Platform
from platforms.observing import Management, management_of
from unions.models import Union


class NetworkVerdict(models.TextChoices):
    LISTED = "listed", _("Not read yet")
    READ = "read", _("Read")
    NEW = "new", _("Can be taken over")
    MANAGED = "managed", _("Managed already")
    UNUSABLE = "unusable", _("Cannot be taken over")
    UNKNOWN = "unknown", _("Not on the platform")
    CREATED = "created", _("Taken over")
    TAKEN_BACK = "taken_back", _("Taken back")


class TakeOver(models.Model):
    """One request. `network_ids` are those asked for; none means all that the platform lists."""

    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="take_overs")
    flow = models.OneToOneField(Flow, null=True, blank=True, on_delete=models.SET_NULL, related_name="take_over")
    requested_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    network_ids = models.JSONField(default=list)
    dry_run = models.BooleanField(default=False)  # ends with the preview
    left_out = models.PositiveIntegerField(default=0)  # networks beyond what one take-over may hold
    created_at = models.DateTimeField(_("started"), default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return str(self.platform)


class TakeOverNetwork(models.Model):
    """One network of it: as the platform has told it, and what is made of it here."""

    take_over = models.ForeignKey(TakeOver, on_delete=models.CASCADE, related_name="networks")
    network_id = models.CharField(_("network"), max_length=200)
    name = models.CharField(_("name"), max_length=200, blank=True)
    verdict = models.CharField(_("verdict"), max_length=20, choices=NetworkVerdict, default=NetworkVerdict.LISTED)
    reason = models.TextField(blank=True)  # why it cannot be taken over
    reading = models.JSONField(default=dict, blank=True)  # network, chains with their nodes, what could not be read
    plan = models.JSONField(default=dict, blank=True)  # what is, or would be, created
    union = models.ForeignKey(Union, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["take_over", "id"]
        constraints = [
            models.UniqueConstraint(fields=["take_over", "network_id"], name="take_over_network_once"),
            models.CheckConstraint(
                name="take_over_verdict_known", condition=models.Q(verdict__in=NetworkVerdict.values)
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.network_id

    @property
    def management(self) -> Management:
        """What the console may do once it is taken over."""
        return management_of(self.take_over.platform, self.network_id)
