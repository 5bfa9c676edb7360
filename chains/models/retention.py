"""How much of ledgers is kept."""

from __future__ import annotations

from django.db import models
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chains.models.chains import Blockchain
from console.models import User


class RetentionRule(models.Model):
    """What is kept of one chain's blocks, or, without a chain, of all that have no rule of their own. 0 is all."""

    blockchain = models.OneToOneField(
        Blockchain, null=True, blank=True, on_delete=models.CASCADE, related_name="retention_rule"
    )
    keep_blocks = models.PositiveBigIntegerField(_("newest blocks"), default=0)
    keep_days = models.PositiveIntegerField(_("days"), default=0)
    changed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    changed_at = models.DateTimeField(_("changed"), default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(Coalesce("blockchain", Value(0)), name="retention_rule_once")]

    def __str__(self) -> str:
        return str(self.blockchain or "")
