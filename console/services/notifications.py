"""Telling people: a row in the console for each of them."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from console.errors import Missing
from console.models import Notification, User
from console.transactions import joins_transaction, use_case


@joins_transaction
def notify(
    users: Iterable[User], *, kind: str, title: str, body: str = "", link: str = "", parameters: dict | None = None
) -> None:
    """One message to each user. `title` and `body` are msgids, filled from `parameters` in the reader's language."""
    Notification.objects.bulk_create(
        Notification(user=user, kind=kind, title=title, body=body, link=link, parameters=parameters or {})
        for user in {user.pk: user for user in users}.values()
    )


@use_case
def mark_read(*, actor: User, notification_id: int | None = None) -> int:
    """Mark one, or all, of one's own notifications as read; returns how many changed."""
    rows = Notification.objects.filter(user=actor)
    if notification_id is not None:
        rows = rows.filter(pk=notification_id)
        if not rows.exists():
            raise Missing()
    return rows.filter(read_at=None).update(read_at=timezone.now())
