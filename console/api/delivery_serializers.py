"""What the REST layer takes and gives about webhooks, deliveries and mail: shapes only, no writing."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from console.api.serializers import StrictSerializer
from console.kinds import Group, Kind
from console.models import Delivery, DeliveryAttempt, DeliveryState, Webhook, WebhookState
from console.services.webhooks import MAX_NAME, MAX_URL

EVENTS_HELP = _("Names from `GET webhook-events`; none means every event.")


class WebhookRequest(StrictSerializer):
    """An address, and what it is told."""

    name = serializers.CharField(max_length=MAX_NAME, help_text=_("What it is for, in your words."))
    url = serializers.CharField(max_length=MAX_URL, help_text=_("Begins with `https://` or `http://`."))
    events = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, max_length=100, help_text=EVENTS_HELP
    )


class NewWebhookRequest(WebhookRequest):
    """A new webhook."""

    for_console = serializers.BooleanField(
        default=False, help_text=_("It gets what anybody is told, not only what you are. For administrators.")
    )


class WebhookAnswer(serializers.Serializer[Webhook]):
    """A webhook; its secret is not shown."""

    id = serializers.CharField()
    name = serializers.CharField()
    url = serializers.CharField()
    events = serializers.ListField(source="kinds", child=serializers.CharField(), help_text=EVENTS_HELP)
    for_console = serializers.BooleanField(source="is_of_console")
    state = serializers.ChoiceField(
        choices=WebhookState.choices,
        help_text=_("`paused`: it kept failing, and what is to be sent is held until it is switched on."),
    )
    failures = serializers.IntegerField(help_text=_("Failed attempts in a row."))
    waiting = serializers.IntegerField(help_text=_("Messages that wait to be sent."))
    last_error = serializers.CharField(help_text=_("What went wrong most lately, in the reader's language."))
    last_success_at = serializers.DateTimeField(allow_null=True)
    last_failure_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class WebhookSecretAnswer(WebhookAnswer):
    """A webhook with its secret, which is shown this once."""

    secret = serializers.CharField(help_text=_("`whsec_` and a key in base64."))


class EventAnswer(serializers.Serializer[Kind]):
    """Something that a webhook can be told."""

    event = serializers.CharField(source="name")
    title = serializers.CharField(help_text=_("In the reader's language."))
    group = serializers.ChoiceField(choices=Group.choices)


class AttemptAnswer(serializers.Serializer[DeliveryAttempt]):
    """One attempt to deliver."""

    number = serializers.IntegerField()
    began_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    status = serializers.IntegerField(allow_null=True, help_text=_("What the receiver answered."))
    code = serializers.CharField(help_text=_("Stable; empty when it has arrived."))
    reason = serializers.CharField(help_text=_("In the reader's language."))


class DeliveryAnswer(serializers.Serializer[Delivery]):
    """A message on its way to a webhook."""

    id = serializers.CharField()
    message_id = serializers.CharField(help_text=_("The header `webhook-id`, on every attempt the same."))
    event = serializers.CharField(source="kind")
    title = serializers.CharField(source="title_text", help_text=_("In the reader's language."))
    state = serializers.ChoiceField(choices=DeliveryState.choices)
    attempts = serializers.IntegerField(source="attempts_made")
    next_attempt_at = serializers.DateTimeField(allow_null=True, help_text=_("While it is waiting."))
    code = serializers.CharField(help_text=_("Why it has not arrived: stable."))
    reason = serializers.CharField(help_text=_("The same in the reader's language."))
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class DeliveryDetailAnswer(DeliveryAnswer):
    """A message on its way to a webhook, with every attempt and what is sent."""

    payload = serializers.DictField(help_text=_("The body of the last attempt, or of the first one to come."))
    log = AttemptAnswer(source="attempts.all", many=True)


class MailAnswer(serializers.Serializer[Any]):
    """Whether mail reaches you, and what it is wanted for."""

    enabled = serializers.BooleanField(help_text=_("Whether this console sends mail at all."))
    address = serializers.CharField()
    wanted = serializers.DictField(child=serializers.BooleanField(), help_text=_("By group of events."))


class MailRequest(StrictSerializer):
    """Which groups of events mail is wanted for; groups that are left out stay as they are."""

    wanted = serializers.DictField(child=serializers.BooleanField(), help_text=_("By group of events."))
