"""People and the credentials that their programs hold."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ConsoleRole(models.TextChoices):
    """What a user may do in the whole console; roles within an organization are memberships."""

    NONE = "", _("None")
    ADMINISTRATOR = "administrator", _("Administrator")
    AUDITOR = "auditor", _("Auditor")


class User(AbstractUser):
    """A person, or a business server's account."""

    console_role = models.CharField(_("console role"), max_length=20, choices=ConsoleRole, blank=True, default="")
    language = models.CharField(_("language"), max_length=10, blank=True, default="", choices=settings.LANGUAGES)

    class Meta(AbstractUser.Meta):
        swappable = ""
        constraints = [
            models.CheckConstraint(
                name="user_console_role_known", condition=models.Q(console_role__in=ConsoleRole.values)
            ),
        ]

    @property
    def is_administrator(self) -> bool:
        return self.is_active and (self.console_role == ConsoleRole.ADMINISTRATOR or self.is_superuser)

    @property
    def is_auditor(self) -> bool:
        return self.is_active and self.console_role == ConsoleRole.AUDITOR

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Django's own permissions guard the support site only, and that is for administrators."""
        return self.is_administrator

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_administrator


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def usable(self) -> ApiTokenQuerySet:
        """Tokens that still open the door."""
        now = timezone.now()
        return self.filter(revoked_at=None, user__is_active=True).filter(
            models.Q(expires_at=None) | models.Q(expires_at__gt=now)
        )


class ApiToken(models.Model):
    """A client's credential. Only its SHA-256 is kept: the text is shown once, when it is made."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(_("name"), max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=12, editable=False)
    read_only = models.BooleanField(_("read only"), default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"
