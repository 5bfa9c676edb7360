"""What goes out for a delivery: rows read, texts filled in, secrets opened, so that a thread can send it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.utils import timezone, translation

from console import mail, outcomes, webhooks
from console.models import Delivery, User, Webhook
from console.outcomes import Outcome
from console.secrets import Sealed


def prepared(delivery_id: int) -> Callable[[], Outcome] | Outcome:
    """What a thread has to do, with everything that it needs; or why there is nothing to do."""
    rows = Delivery.objects.select_related("notification", "webhook__owner", "user")
    delivery = rows.get(pk=delivery_id)
    if delivery.attempts_made > delivery.attempts_allowed:
        return Outcome(outcomes.WORKER_LOST, final=True)  # it has taken down every worker that tried it
    if delivery.webhook is not None:
        return partial(webhooks.send, _call(delivery, delivery.webhook))
    return _letter(delivery, delivery.user)


def _letter(delivery: Delivery, reader: User | None) -> Callable[[], Outcome] | Outcome:
    if not settings.MAIL_ENABLED:
        return Outcome(outcomes.MAIL_OFF, final=True)
    if reader is None or not reader.email or not reader.is_active:
        return Outcome(outcomes.NO_ADDRESS, final=True)
    return partial(mail.send, mail.letter_for(delivery, reader))


def _call(delivery: Delivery, hook: Webhook) -> webhooks.Call:
    secrets: list[Sealed] = [hook.secret]  # type: ignore[list-item]
    if hook.previous_secret and hook.previous_until and hook.previous_until > timezone.now():
        secrets.append(hook.previous_secret)  # type: ignore[arg-type]
    return webhooks.Call(
        url=hook.url,
        message_id=delivery.message_id,
        body=webhooks.body_of(payload_of(delivery)),
        secrets=tuple(secret.reveal() for secret in secrets),
        allow_private=settings.ALLOW_PRIVATE_WEBHOOKS,
    )


def payload_of(delivery: Delivery) -> dict[str, Any]:
    """What a webhook is told, in its owner's language."""
    told = delivery.notification
    owner = delivery.webhook.owner if delivery.webhook else None
    with translation.override((owner and owner.language) or settings.LANGUAGE_CODE):
        return {
            "id": delivery.message_id,
            "event": delivery.kind,
            "title": delivery.title_text,
            "body": told.body_text if told else "",
            "link": mail.absolute(told.link) if told else "",
            "subject": _subject(delivery),
            "at": (told.created_at if told else delivery.created_at).isoformat().replace("+00:00", "Z"),
            "attempt": delivery.attempts_made,
        }


def _subject(delivery: Delivery) -> dict[str, str] | None:
    told = delivery.notification
    if told is None or not told.subject_type:
        return None
    return {"type": told.subject_type, "id": told.subject_id, "label": told.subject_label}
