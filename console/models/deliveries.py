"""What is on its way out of the console to tell people and programs: each message on each way, and every attempt."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import ConcurrentTransitionMixin, FSMField, transition

from console.kinds import TEST, Group
from console.models.notifications import Notification
from console.models.webhooks import Webhook
from console.outcomes import Outcome, sentence


class Channel(models.TextChoices):
    MAIL = "mail", _("Mail")
    WEBHOOK = "webhook", _("Webhook")


class DeliveryState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    SENDING = "sending", _("Sending")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Given up")


class Delivery(ConcurrentTransitionMixin, models.Model):
    """One message on one way. A worker takes it by a conditional UPDATE; its lease says who has it in hand.

    Without a notification it is a test. `key` is the message's id for the receiver, on every attempt the same.
    """

    channel = models.CharField(max_length=20, choices=Channel.choices)
    notification = models.ForeignKey(
        Notification, null=True, blank=True, on_delete=models.CASCADE, related_name="deliveries"
    )
    webhook = models.ForeignKey(Webhook, null=True, blank=True, on_delete=models.CASCADE, related_name="deliveries")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="deliveries"
    )
    key = models.UUIDField(default=uuid.uuid4, editable=False, unique=True)
    state = FSMField(
        _("state"), max_length=20, choices=DeliveryState.choices, default=DeliveryState.WAITING, protected=True
    )
    attempts_made = models.PositiveIntegerField(_("attempts"), default=0)
    attempts_allowed = models.PositiveIntegerField()
    due_at = models.DateTimeField(_("due"), default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    owner = models.UUIDField(null=True, blank=True)
    code = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(_("time"), default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(name="delivery_state_known", condition=models.Q(state__in=DeliveryState.values)),
            models.CheckConstraint(
                name="delivery_has_one_receiver",
                condition=models.Q(channel=Channel.WEBHOOK, webhook__isnull=False, user=None)
                | models.Q(channel=Channel.MAIL, webhook=None, user__isnull=False),
            ),
            models.CheckConstraint(
                name="delivery_sending_has_lease",
                condition=~models.Q(state=DeliveryState.SENDING)
                | models.Q(lease_until__isnull=False, owner__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="delivery_due",
                condition=models.Q(state__in=[DeliveryState.WAITING, DeliveryState.SENDING]),
            ),
            models.Index(fields=["webhook", "-id"]),
            models.Index(fields=["user", "-id"]),
            models.Index(fields=["created_at"]),
        ]

    def __str__(self) -> str:
        return self.title_text

    @transition(state, source=DeliveryState.SENDING, target=DeliveryState.DELIVERED)
    def arrive(self) -> None:
        self.code = self.detail = ""
        self._end()

    @transition(state, source=DeliveryState.SENDING, target=DeliveryState.WAITING)
    def postpone(self, outcome: Outcome, due_at: datetime) -> None:
        self.code, self.detail, self.due_at = outcome.code, outcome.detail, due_at
        self._release()

    @transition(state, source=[DeliveryState.WAITING, DeliveryState.SENDING], target=DeliveryState.FAILED)
    def give_up(self, outcome: Outcome) -> None:
        self.code, self.detail = outcome.code, outcome.detail
        self._end()

    @transition(
        state,
        source=[DeliveryState.WAITING, DeliveryState.DELIVERED, DeliveryState.FAILED],
        target=DeliveryState.WAITING,
    )
    def send_again(self, attempts: int) -> None:
        """At once, with as many further attempts as a new one has."""
        self.attempts_allowed = self.attempts_made + attempts
        self.due_at, self.ended_at = timezone.now(), None

    def _end(self) -> None:
        self.ended_at = timezone.now()
        self._release()

    def _release(self) -> None:
        self.lease_until, self.owner = None, None

    @property
    def message_id(self) -> str:
        """What the receiver knows it by."""
        return f"msg_{self.key.hex}"

    @property
    def kind(self) -> str:
        return self.notification.kind if self.notification else TEST

    @property
    def title_text(self) -> str:
        return self.notification.title_text if self.notification else str(_("A test by the console"))

    @property
    def reason(self) -> str:
        """Why it has not arrived, in the reader's language."""
        return sentence(self.code, self.detail)

    @property
    def next_attempt_at(self) -> datetime | None:
        return self.due_at if self.state == DeliveryState.WAITING else None

    @property
    def is_open(self) -> bool:
        return self.state in (DeliveryState.WAITING, DeliveryState.SENDING)


class DeliveryAttempt(models.Model):
    """One attempt to deliver. Written when it begins, so that one whose worker was lost is on record, too."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    began_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    code = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["delivery", "number"]
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="attempt_number_once")]

    def __str__(self) -> str:
        return f"{self.number}"

    @property
    def arrived(self) -> bool:
        return self.ended_at is not None and not self.code

    @property
    def reason(self) -> str:
        return sentence(self.code, self.detail)


class MailPreference(models.Model):
    """Whether a user wants mail about a group of kinds; who has not said so wants it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mail_preferences")
    group = models.CharField(max_length=20, choices=Group.choices)
    wanted = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "group"], name="mail_preference_once_per_group"),
            models.CheckConstraint(name="mail_preference_group_known", condition=models.Q(group__in=Group.values)),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.group}"
