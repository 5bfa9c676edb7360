"""The audit log: append only, each entry holding the hash of the one before it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from console.sentences import told


class AuditEntry(models.Model):
    """Who did what to which object, sealed by `digest` = SHA-256 over the entry and its predecessor's digest."""

    number = models.PositiveBigIntegerField(primary_key=True, editable=False)
    at = models.DateTimeField(_("time"), db_index=True)
    action = models.CharField(_("action"), max_length=100, db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    actor_label = models.CharField(_("actor"), max_length=200, blank=True)
    target_type = models.CharField(max_length=100, blank=True)
    target_id = models.CharField(max_length=64, blank=True)
    target_label = models.CharField(_("target"), max_length=300, blank=True)
    data = models.JSONField(_("details"), default=dict)
    previous_digest = models.CharField(max_length=64, editable=False)
    digest = models.CharField(max_length=64, editable=False, unique=True)

    class Meta:
        ordering = ["-number"]
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["target_type", "target_id"])]

    def __str__(self) -> str:
        return f"#{self.number} {self.action}"

    @property
    def target_text(self) -> str:
        """The target's name. A flow's is a sentence, told in the reader's language."""
        return told(self.target_label) if self.target_type == "console.flow" else self.target_label


class AuditHead(models.Model):
    """One row: the last number and digest. Its lock is what makes the chain one chain."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    number = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64, default="0" * 64)

    class Meta:
        constraints = [models.CheckConstraint(name="audit_head_single", condition=models.Q(id=1))]

    def __str__(self) -> str:
        return f"head at #{self.number}"
