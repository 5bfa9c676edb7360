"""What a user is told inside the console."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from console.sentences import told


class Notification(models.Model):
    """One message to one user; `title` and `body` are msgids, filled in the reader's language from `parameters`.

    The subject is what it is about, for programs; people follow the link.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=100)
    title = models.CharField(_("title"), max_length=300)
    body = models.TextField(_("text"), blank=True)
    parameters = models.JSONField(default=dict, blank=True)
    link = models.CharField(max_length=300, blank=True)
    subject_type = models.CharField(max_length=100, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    subject_label = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(_("time"), default=timezone.now, db_index=True)
    read_at = models.DateTimeField(pgettext_lazy("notification", "read"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["user", "read_at"])]

    def __str__(self) -> str:
        return self.title

    @property
    def title_text(self) -> str:
        return self._in_reader_language(self.title)

    @property
    def body_text(self) -> str:
        return self._in_reader_language(self.body)

    def _told_parameters(self) -> dict[str, Any]:
        """Names stay as they are; a reason is a sentence that was kept."""
        reason = self.parameters.get("reason")
        return {**self.parameters, "reason": told(reason)} if isinstance(reason, str) else self.parameters

    def _in_reader_language(self, msgid: str) -> str:
        try:
            return gettext(msgid) % self._told_parameters() if msgid else ""
        except (KeyError, TypeError, ValueError):
            return msgid
