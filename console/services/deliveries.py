"""Messages on their way: written with the notification that they carry, sent again when a person wants it.

`console/deliveries/` sends them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from console import audit, kinds
from console.errors import Invalid
from console.flows import advance
from console.models import Channel, Delivery, DeliveryState, MailPreference, Notification, User, Webhook
from console.policies import may_send_again, may_send_mail_to, require
from console.transactions import joins_transaction, locked_or_missing, use_case

OLD_AT_ONCE = 1000  # rows that one statement throws away


def attempts() -> int:
    """How many attempts a delivery has."""
    return len(settings.DELIVERY_PAUSES) + 1


@joins_transaction
def promise(notifications: list[Notification]) -> None:
    """Write down on which ways these go out: one event, told to several users, each row with its user at hand.

    A user's webhooks get what the user is told; the console's own get the event once.
    """
    if not notifications:
        return
    deliveries = [*_letters(notifications), *_calls(notifications)]
    Delivery.objects.bulk_create(deliveries)
    if deliveries:
        nudge()


def nudge() -> None:
    """Tell the worker after the commit; the sweep finds what it does not hear."""
    from console.tasks import deliver  # tasks import what sends, which imports this

    transaction.on_commit(lambda: advance.knock(deliver))


def _letters(notifications: list[Notification]) -> Iterable[Delivery]:
    if not settings.MAIL_ENABLED:
        return []
    group = kinds.group_of(notifications[0].kind)
    readers = [row for row in notifications if row.user.email and row.user.is_active]
    unwanted = set(
        MailPreference.objects.filter(user__in=[row.user_id for row in readers], group=group, wanted=False).values_list(
            "user_id", flat=True
        )
    )
    return [
        Delivery(channel=Channel.MAIL, notification=row, user=row.user, attempts_allowed=attempts())
        for row in readers
        if row.user_id not in unwanted
    ]


def _calls(notifications: list[Notification]) -> Iterable[Delivery]:
    event = notifications[0]
    if not kinds.is_event(event.kind):
        return []
    rows = {row.user_id: row for row in notifications}
    hooks = Webhook.objects.listening().filter(Q(owner__in=list(rows)) | Q(owner=None))
    now = timezone.now()
    return [
        Delivery(
            channel=Channel.WEBHOOK,
            notification=rows.get(hook.owner_id, event),
            webhook=hook,
            attempts_allowed=attempts(),
            due_at=max(now, hook.rests_until or now),
        )
        for hook in hooks.only("owner", "kinds", "rests_until", "state").order_by("pk")
        if hook.wants(event.kind)
    ]


# --- by a person ------------------------------------------------------------------------------------------------------


@use_case
def send_again(*, actor: User, delivery_id: int) -> Delivery:
    """Send a message once more, under the same id; or at once, when it waits for its next attempt."""
    seen = Q(webhook__in=Webhook.objects.visible_to(actor).order_by().values("pk")) | Q(user=actor)
    delivery = locked_or_missing(Delivery.objects.filter(seen), pk=delivery_id)
    require(may_send_again(actor, delivery))
    delivery.send_again(attempts())
    delivery.save()
    audit.record("console.delivery.sent_again", actor=actor, target=delivery)
    nudge()
    return delivery


@use_case
def send_test_mail(*, actor: User) -> Delivery:
    """A letter to oneself, to see whether it arrives."""
    require(may_send_mail_to(actor))
    delivery = Delivery.objects.create(channel=Channel.MAIL, user=actor, attempts_allowed=1)
    nudge()
    return delivery


@use_case
def set_mail_preferences(*, actor: User, wanted: dict[str, bool]) -> dict[str, bool]:
    """For which groups of kinds one wants mail; groups that are not named stay as they are."""
    if unknown := set(wanted) - set(kinds.Group.values):
        errors = {f"wanted.{name}"[:100]: [_("There is no such group.")] for name in sorted(unknown)}
        raise Invalid(_("The request has errors."), errors=errors)
    before = mail_preferences(actor)
    for group, wants in wanted.items():
        if before[group] != wants:
            MailPreference.objects.update_or_create(user=actor, group=group, defaults={"wanted": wants})
    after = before | wanted
    if after != before:
        audit.record("console.user.mail_chosen", actor=actor, target=actor, wanted=after)
    return after


def mail_preferences(user: User) -> dict[str, bool]:
    """Every group, and whether the user wants mail about it."""
    chosen = dict(MailPreference.objects.filter(user=user).values_list("group", "wanted"))
    return {group: chosen.get(group, True) for group in kinds.Group.values}


# --- by the console ---------------------------------------------------------------------------------------------------


def forget_old() -> int:
    """Throw away what is older than the log is kept, in small bites; returns how much."""
    oldest = timezone.now() - timedelta(days=settings.DELIVERY_DAYS)
    gone = 0
    while True:
        old = Delivery.objects.filter(created_at__lt=oldest).exclude(state=DeliveryState.SENDING).order_by("pk")
        ids = list(old.values_list("pk", flat=True)[:OLD_AT_ONCE])
        if not ids:
            return gone
        Delivery.objects.filter(pk__in=ids).delete()
        gone += len(ids)
