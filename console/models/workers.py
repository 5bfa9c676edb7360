"""Which workers are there: what readiness is judged by."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

FRESH = timedelta(seconds=30)


class WorkerSeenQuerySet(models.QuerySet["WorkerSeen"]):
    def fresh(self) -> WorkerSeenQuerySet:
        """Workers that have shown themselves a moment ago."""
        return self.filter(seen_at__gt=timezone.now() - FRESH)


class WorkerSeen(models.Model):
    """A worker's sign of life. `swept_at` is the last time that it looked for promises nobody was keeping."""

    name = models.CharField(_("name"), max_length=200, primary_key=True)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    seen_at = models.DateTimeField(_("seen"), default=timezone.now)
    swept_at = models.DateTimeField(null=True, blank=True)

    objects = WorkerSeenQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "workers seen"

    def __str__(self) -> str:
        return self.name
