"""Writing down how an attempt ended, and what follows for the message, its webhook, and what else goes the same way."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from console import audit, outcomes
from console.models import Channel, ConsoleRole, Delivery, DeliveryAttempt, DeliveryState, User, Webhook, WebhookState
from console.outcomes import Outcome
from console.services.notifications import notify
from console.transactions import whole


class Lost(Exception):
    """The lease ran out and somebody else has the delivery: whatever we know is no longer ours to write."""


@dataclass(frozen=True)
class Claim:
    """A delivery in our hands."""

    delivery_id: int
    owner: UUID
    attempt: int
    webhook_id: int | None


def settle(claim: Claim, outcome: Outcome) -> None:
    """In one transaction; Lost when the claim does not hold any more."""
    whole(lambda: _settle(claim, outcome))


def _settle(claim: Claim, outcome: Outcome) -> None:
    """Write down how the attempt ended. Lock order: webhook, then deliveries."""
    hook = None
    if claim.webhook_id:
        hook = Webhook.objects.closed().select_for_update(of=("self",)).filter(pk=claim.webhook_id).first()
    mine = Delivery.objects.select_for_update().filter(pk=claim.delivery_id, owner=claim.owner)
    delivery = mine.filter(state=DeliveryState.SENDING).first()
    if delivery is None:
        raise Lost
    _record(delivery, claim, outcome)
    if outcome.ok:
        delivery.arrive()
    elif outcome.final or delivery.attempts_made >= delivery.attempts_allowed or _is_off(hook):
        delivery.give_up(outcome)
    else:
        delivery.postpone(outcome, _next_attempt(delivery, hook, outcome))
    delivery.save()
    if hook is not None and (outcome.ok or delivery.notification_id):  # a failed test is its tester's alone
        _note(hook, outcome)
    elif outcome.shared:
        _hold(Delivery.objects.filter(channel=Channel.MAIL), _pause(1))


def _record(delivery: Delivery, claim: Claim, outcome: Outcome) -> None:
    """The attempt as it ended; what was claimed only to be given up was none."""
    attempt = DeliveryAttempt.objects.filter(delivery=delivery, number=claim.attempt)
    if delivery.attempts_made > delivery.attempts_allowed:
        attempt.delete()
        delivery.attempts_made -= 1
    else:
        attempt.update(ended_at=timezone.now(), status=outcome.status, code=outcome.code, detail=outcome.detail)


def _is_off(hook: Webhook | None) -> bool:
    return hook is not None and hook.state == WebhookState.OFF


def _next_attempt(delivery: Delivery, hook: Webhook | None, outcome: Outcome) -> datetime:
    """The more often it has failed, this message or its webhook, the later."""
    round_began = max(delivery.attempts_allowed - len(settings.DELIVERY_PAUSES) - 1, 0)
    failed = max(delivery.attempts_made - round_began, (hook.failures + 1) if hook else 0)
    return max(_pause(failed), timezone.now() + timedelta(seconds=outcome.wait))


def _pause(failed: int) -> datetime:
    pauses = settings.DELIVERY_PAUSES
    seconds = pauses[min(max(failed, 1), len(pauses)) - 1]
    return timezone.now() + timedelta(seconds=seconds * random.uniform(0.9, 1.2))  # noqa: S311 - jitter, not a secret


def _note(hook: Webhook, outcome: Outcome) -> None:
    """What the attempt means for the webhook and for what else waits to go there."""
    waiting = Delivery.objects.filter(webhook=hook)
    if outcome.ok:
        if hook.is_failing:
            waiting.filter(state=DeliveryState.WAITING).update(due_at=timezone.now())
        hook.succeeded()
    else:
        hook.failed(outcome)
        hook.rests_until = max(_pause(hook.failures), timezone.now() + timedelta(seconds=outcome.wait))
        _hold(waiting, hook.rests_until)
        if hook.state == WebhookState.ACTIVE and _has_had_enough(hook, outcome):
            hook.pause()
            _tell_of_pause(hook)
    hook.save()


def _has_had_enough(hook: Webhook, outcome: Outcome) -> bool:
    return outcome.code == outcomes.GONE or hook.failures >= settings.WEBHOOK_PAUSE_AFTER


def _hold(rows: QuerySet[Delivery], until: datetime) -> None:
    """The others that go the same way wait as well."""
    rows.filter(state=DeliveryState.WAITING, due_at__lt=until).update(due_at=until)


def _tell_of_pause(hook: Webhook) -> None:
    audit.record("console.webhook.paused", actor=None, target=hook, code=hook.last_code, detail=hook.last_detail)
    administrators = User.objects.filter(console_role=ConsoleRole.ADMINISTRATOR, is_active=True)
    notify(
        [hook.owner] if hook.owner else administrators,
        kind="webhook",
        title=gettext_noop("The webhook %(name)s was paused"),
        body=gettext_noop(
            "It has failed %(failures)s times in a row. What is to be sent there is held for %(days)s days. "
            "See what is wrong, then switch it on again."
        ),
        parameters={"name": hook.name, "failures": hook.failures, "days": settings.DELIVERY_DAYS},
        link=f"/webhooks/{hook.pk}",
        subject=hook,
    )
