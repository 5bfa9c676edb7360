"""A draft of the mapping studio: the files that an administrator is at work on, as they were typed.

It is its owner's alone, outlives the session, and ends when a platform was registered from it or when it is discarded.
It never holds a credential.
"""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.models import User
from platforms.models.platforms import Platform


class ApiState(models.TextChoices):
    """How far the reading of the API file is: a large one is read by a flow."""

    NONE = "none", _("No API file yet")
    READING = "reading", _("Being read")
    READY = "ready", _("Read")
    UNREADABLE = "unreadable", _("Cannot be read")


class DraftQuerySet(models.QuerySet["Draft"]):
    def visible_to(self, user: User) -> DraftQuerySet:
        """One's own, as long as one is an administrator."""
        return self.filter(owner=user) if user.is_administrator else self.none()

    def without_files(self) -> DraftQuerySet:
        """For lists: files are large."""
        return self.defer("api_file", "mapping", "samples", "api_document")


class Draft(models.Model):
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    title = models.CharField(_("title"), max_length=200)
    preset = models.CharField(_("preset"), max_length=60, blank=True)  # whose files it began with
    platform = models.ForeignKey(  # whose files it is to become a new version of
        Platform, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    registration = models.ForeignKey(  # what was registered from it
        Platform, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    api_file = models.TextField(_("API file"), blank=True)
    mapping = models.TextField(_("mapping"), blank=True)
    samples = models.TextField(_("samples"), blank=True)
    api_state = models.CharField(_("state"), max_length=20, choices=ApiState, default=ApiState.NONE)
    api_document = models.TextField(blank=True)  # the API file as JSON, which is read in no time
    api_problems = models.JSONField(default=list, blank=True)  # why it cannot be read
    setup = models.JSONField(default=dict, blank=True)  # what stands in the form of the registration, but credentials
    created_at = models.DateTimeField(_("begun"), default=timezone.now)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now)
    revision = models.PositiveIntegerField(default=1)  # grows with every change: what is old does not overwrite

    objects = DraftQuerySet.as_manager()

    class Meta:
        ordering = ["-changed_at", "-pk"]
        constraints = [
            models.CheckConstraint(name="draft_api_state_known", condition=models.Q(api_state__in=ApiState.values)),
        ]

    def __str__(self) -> str:
        return self.title
