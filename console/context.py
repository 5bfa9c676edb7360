"""What the frame of every page shows. Asked by the frame's own templates, so a partial costs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from console import shell
from console.models import User


@dataclass(frozen=True)
class NavigationLine:
    """An entry that has a page."""

    title: Any
    url: str
    icon: str
    badge: int = 0
    active: bool = False


def navigation(request: HttpRequest) -> list[NavigationLine]:
    """The navigation as this page draws it: where the reader is, and what waits."""
    user = _reader(request)
    return lines_for(user, request.path, badges=True) if user is not None else []


def lines_for(user: User, path: str = "", *, badges: bool = False) -> list[NavigationLine]:
    """The entries that the user is shown; one whose page does not exist is left out."""
    lines = []
    for entry in shell.entries_for(user):
        try:
            url = reverse(entry.url_name)
        except NoReverseMatch:
            continue
        badge = entry.badge(user) if badges and entry.badge else 0
        lines.append(NavigationLine(entry.title, url, entry.icon, badge, is_under(path, url)))
    return lines


def unread(request: HttpRequest) -> int:
    """How many notifications the reader has not seen."""
    user = _reader(request)
    return user.notifications.filter(read_at=None).count() if user is not None else 0


def is_under(path: str, url: str) -> bool:
    """Whether the page at `path` belongs to the entry at `url`; the dashboard stands for itself alone."""
    return path == url or (url != "/" and path.startswith(f"{url.rstrip('/')}/"))


def _reader(request: HttpRequest) -> User | None:
    user = getattr(request, "user", None)
    return user if user is not None and user.is_authenticated else None
