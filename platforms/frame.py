"""What this floor hands in to the frame of the pages: navigation, a dashboard panel, search, addresses, words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from console import kinds, shell
from console.models import User
from console.shell import Entry, Hit, Panel, Source
from platforms import reads
from platforms.models import ENDED_PLATFORM_STATES, Draft, Platform, PlatformState

SHOWN = 6  # rows of the panel
WORDS = {
    "platforms.platform.staged": _("Platform handed in"),
    "platforms.platform.accepted": _("Platform accepted"),
    "platforms.platform.refused": _("Platform refused"),
    "platforms.platform.updated": _("Platform changed"),
    "platforms.platform.version_used": _("Version of a platform's files switched"),
    "platforms.platform.retired": _("Platform retired"),
    "platforms.platform.operated": _("Platform asked directly"),
    "platforms.platform.upgrading": _("Upgrade of a platform's nodes begun"),
    "platforms.draft.begun": _("Draft of a mapping begun"),
    "platforms.draft.discarded": _("Draft of a mapping discarded"),
    "platforms.read_draft": _("Reading of an API file"),
    "platforms.register": _("Registration of a platform"),
    "platforms.operate": _("Operation on a platform"),
    "platforms.upgrade": _("Upgrade of a platform's nodes"),
}


def hand_in() -> None:
    """Called once, when the app is ready."""
    shell.add_entry(Entry(_("Platforms"), "platforms:platform-list", "server-2", 60))
    shell.add_panel(Panel("platforms", "platforms/_panel_platforms.html", platforms_panel, order=40, width=6))
    shell.add_source("platforms", Source(_("Platforms"), find_platforms, order=35))
    shell.add_address(Platform, lambda pk: reverse("platforms:platform-by-number", args=[pk]))
    shell.add_address(Draft, lambda pk: reverse("platforms:studio-draft", args=[pk]))
    shell.add_words(WORDS)
    kinds.add("platform", _("A platform was accepted, refused or changed"), kinds.Group.OPERATION)
    kinds.add("certificate", _("A certificate expires soon, or has expired"), kinds.Group.OPERATION)


def platforms_panel(user: User) -> dict[str, Any]:
    """The health of the platforms, those in trouble first."""
    rows = list(reads.platforms(user).filter(state=PlatformState.OFFICIAL))
    order = {"down": 0, "degraded": 1, "unknown": 2, "up": 3}
    rows.sort(key=lambda row: (order.get(row.health, 2), not row.is_default, row.name))
    coming = reads.platforms(user).filter(state__in=[PlatformState.STAGED, PlatformState.CHECKING])
    return {
        "platforms": rows[:SHOWN],
        "more": len(rows) - SHOWN,
        "coming": list(coming[:SHOWN]),
        "troubled": sum(row.health in ("down", "degraded") for row in rows),
        "may_register": user.is_administrator,
    }


def find_platforms(user: User, words: str, limit: int) -> Iterable[Hit]:
    rows = reads.platforms(user).exclude(state__in=ENDED_PLATFORM_STATES)
    for row in rows.filter(Q(name__icontains=words) | Q(oemtype__icontains=words))[:limit]:
        detail = f"{row.oemtype} · {row.get_health_display()}"
        yield Hit(row.name, detail, reverse("platforms:platform-detail", args=[row.oemtype]), "server-2")
