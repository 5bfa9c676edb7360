"""When to warn that a certificate ends: once at each threshold, and once when it has ended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone


def soon() -> timedelta:
    """From when on a page warns: the first threshold."""
    return timedelta(days=max(settings.CERTIFICATE_WARNING_DAYS, default=0))


def latest_threshold(expires_at: datetime, now: datetime, days: Iterable[int]) -> datetime | None:
    """The moment at which the last of the thresholds was reached; the end itself is one. None when none was yet."""
    reached = [moment for left in {*days, 0} if (moment := expires_at - timedelta(days=left)) <= now]
    return max(reached, default=None)


def is_due(expires_at: datetime, warned_at: datetime | None) -> bool:
    """Whether somebody has to be told, when they were told last at `warned_at`.

    A new certificate, which ends later, starts anew by itself: its thresholds lie after the last warning.
    """
    reached = latest_threshold(expires_at, timezone.now(), settings.CERTIFICATE_WARNING_DAYS)
    return reached is not None and (warned_at is None or warned_at < reached)


def shown(expires_at: datetime) -> str:
    """The moment as a message names it."""
    return f"{expires_at:%Y-%m-%d %H:%M}"
