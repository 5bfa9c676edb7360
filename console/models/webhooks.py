"""Webhooks: addresses of programs that are told what people are told."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import ConcurrentTransitionMixin, FSMField, transition

from console.models.users import User
from console.outcomes import Outcome, sentence
from console.secrets import SealedField


class WebhookState(models.TextChoices):
    ACTIVE = "active", _("Active")
    PAUSED = "paused", _("Paused")  # by the console, since it kept failing; what is to be sent is held
    OFF = "off", _("Switched off")  # by a person; nothing is sent and nothing is held


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def visible_to(self, user: User) -> WebhookQuerySet:
        """One's own; the console's own for those who oversee it."""
        own = models.Q(owner=user)
        if user.is_administrator or user.is_auditor:
            own |= models.Q(owner=None)
        return self.filter(own)

    def closed(self) -> WebhookQuerySet:
        """Without opening the secrets, which only sending needs: a key that was lost must not stop anything else."""
        return self.defer("secret", "previous_secret")

    def listening(self) -> WebhookQuerySet:
        """Those that something is kept for: paused ones, too. Whoever may not sign in is told nothing."""
        return self.filter(
            models.Q(owner=None) | models.Q(owner__is_active=True),
            state__in=[WebhookState.ACTIVE, WebhookState.PAUSED],
        )


class Webhook(ConcurrentTransitionMixin, models.Model):
    """An address that is told what a user is told; without an owner, what anybody is told."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="webhooks"
    )
    name = models.CharField(_("name"), max_length=100)
    url = models.CharField(_("address"), max_length=500)
    kinds = models.JSONField(default=list, blank=True)
    secret = SealedField()
    previous_secret = SealedField(blank=True, default="")
    previous_until = models.DateTimeField(null=True, blank=True)
    state = FSMField(
        _("state"), max_length=20, choices=WebhookState.choices, default=WebhookState.ACTIVE, protected=True
    )
    failures = models.PositiveIntegerField(default=0)
    rests_until = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_failure_at = models.DateTimeField(null=True, blank=True)
    last_code = models.CharField(max_length=40, blank=True)
    last_detail = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(name="webhook_state_known", condition=models.Q(state__in=WebhookState.values)),
        ]

    def __str__(self) -> str:
        return self.name

    @transition(state, source=[WebhookState.PAUSED, WebhookState.OFF], target=WebhookState.ACTIVE)
    def switch_on(self) -> None:
        self.failures, self.rests_until = 0, None

    @transition(state, source=[WebhookState.ACTIVE, WebhookState.PAUSED], target=WebhookState.OFF)
    def switch_off(self) -> None:
        """By a person."""

    @transition(state, source=WebhookState.ACTIVE, target=WebhookState.PAUSED)
    def pause(self) -> None:
        """By the console: it keeps failing."""

    def succeeded(self) -> None:
        self.failures, self.rests_until = 0, None
        self.last_success_at = timezone.now()

    def failed(self, outcome: Outcome) -> None:
        self.failures += 1
        self.last_failure_at = timezone.now()
        self.last_code, self.last_detail = outcome.code, outcome.detail

    def wants(self, kind: str) -> bool:
        return not self.kinds or kind in self.kinds

    @property
    def is_failing(self) -> bool:
        return self.failures > 0

    @property
    def last_error(self) -> str:
        """What went wrong most lately, in the reader's language."""
        return sentence(self.last_code, self.last_detail)

    @property
    def is_of_console(self) -> bool:
        return self.owner_id is None
