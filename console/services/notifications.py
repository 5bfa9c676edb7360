"""Telling people: a row in the console for each of them, and with it what goes out by mail and webhook."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models
from django.utils import timezone

from console.errors import Missing
from console.flows.promise import subject_fields
from console.models import Notification, User
from console.services import deliveries
from console.transactions import joins_transaction, use_case


@joins_transaction
def notify(
    users: Iterable[User],
    *,
    kind: str,
    title: str,
    body: str = "",
    link: str = "",
    parameters: dict | None = None,
    subject: models.Model | None = None,
) -> None:
    """One message to each user. `title` and `body` are msgids, filled from `parameters` in the reader's language.

    What is sent out is promised in the same transaction, and fails later by itself if it must.
    """
    about = subject_fields(subject)
    rows = Notification.objects.bulk_create(
        Notification(user=user, kind=kind, title=title, body=body, link=link, parameters=parameters or {}, **about)
        for user in {user.pk: user for user in users}.values()
    )
    deliveries.promise(rows)


@use_case
def mark_read(*, actor: User, notification_id: int | None = None) -> int:
    """Mark one, or all, of one's own notifications as read; returns how many changed."""
    rows = Notification.objects.filter(user=actor)
    if notification_id is not None:
        rows = rows.filter(pk=notification_id)
        if not rows.exists():
            raise Missing()
    return rows.filter(read_at=None).update(read_at=timezone.now())
