"""What the ground floor itself puts into the frame: navigation, dashboard panels, search; called by its app."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console import context, reads, shell
from console.deliveries.post import due, sendable
from console.models import AuditEntry, Flow, Step, StepState, User, Webhook
from console.models.flows import OPEN_FLOW_STATES
from console.models.workers import FRESH, WorkerSeen

FLOWS_ICON, AUDIT_ICON = "list-check", "shield-check"
LATEST = 6
OVERDUE = timedelta(seconds=30)
WORDS = {
    "console.audit.exported": _("Audit log exported"),
    "console.delivery.sent_again": _("Message sent again"),
    "console.flow.cancelled": _("Flow stopped"),
    "console.flow.decided": _("Decision about a step"),
    "console.flow.step_retried": _("Step tried again"),
    "console.flow.step_skipped": _("Step skipped"),
    "console.token.created": _("API token made"),
    "console.token.revoked": _("API token revoked"),
    "console.secrets.rotated": _("Secrets sealed with the new key"),
    "console.user.created": _("Account made"),
    "console.user.disabled": _("Account switched off"),
    "console.user.enabled": _("Account switched on"),
    "console.user.first_administrator": _("First administrator made"),
    "console.user.language_set": _("Language chosen"),
    "console.user.mail_chosen": _("Choice of mail saved"),
    "console.user.password_changed": _("Password changed"),
    "console.user.password_reset": _("Password reset by an administrator"),
    "console.user.profile_updated": _("Profile changed"),
    "console.user.role_set": _("Role in the console given"),
    "console.webhook.changed": _("Webhook changed"),
    "console.webhook.created": _("Webhook made"),
    "console.webhook.deleted": _("Webhook deleted"),
    "console.webhook.paused": _("Webhook paused by the console"),
    "console.webhook.secret_renewed": _("Webhook given a new secret"),
    "console.webhook.switched_off": _("Webhook switched off"),
    "console.webhook.switched_on": _("Webhook switched on"),
    "console.webhook.tested": _("Webhook tested"),
}


def register() -> None:
    """Hand in everything; called once, when the app is ready."""
    shell.add_entry(shell.Entry(_("Dashboard"), "console:dashboard", "dashboard", 10))
    shell.add_entry(shell.Entry(_("Flows"), "console:flow-list", FLOWS_ICON, 70))
    shell.add_entry(shell.Entry(_("Audit"), "console:audit-list", AUDIT_ICON, 90, shown=shell.overseers))
    shell.add_panel(shell.Panel("flows", "console/_panel_flows.html", running_flows, order=30, width=6))
    shell.add_panel(
        shell.Panel("events", "console/_panel_events.html", events, order=80, width=6, shown=shell.overseers)
    )
    shell.add_panel(
        shell.Panel("system", "console/_panel_system.html", system, order=90, width=6, shown=shell.administrators)
    )
    shell.add_source("pages", shell.Source(_("Pages"), find_pages, order=10))
    shell.add_source("flows", shell.Source(_("Flows"), find_flows, order=80))
    shell.add_words(WORDS)
    shell.add_address(Flow, lambda key: reverse("console:flow-detail", args=[key]))
    shell.add_address(Webhook, lambda key: reverse("console:webhook-detail", args=[key]))


def running_flows(user: User) -> dict[str, Any]:
    """What runs; what needs a decision first."""
    asking = Step.objects.filter(flow=OuterRef("pk"), state=StepState.DECIDING)
    rows = reads.flows(user).filter(state__in=OPEN_FLOW_STATES)
    return {"flows": list(rows.annotate(asks=Exists(asking)).order_by("-asks", "-created_at")[:LATEST])}


def events(user: User) -> dict[str, Any]:
    return {"entries": list(AuditEntry.objects.all()[:LATEST])}


def system(user: User) -> dict[str, Any]:
    """Whether work is being done, judged by rows: workers that show themselves, sweeps, promises that nobody keeps."""
    now = timezone.now()
    fresh = list(WorkerSeen.objects.fresh())
    swept = max((worker.swept_at for worker in fresh if worker.swept_at), default=None)
    late = Step.objects.filter(
        state__in=[StepState.READY, StepState.LATER], due_at__lt=now - OVERDUE, flow__state__in=OPEN_FLOW_STATES
    )
    return {
        "database": connection.vendor,
        "workers": fresh,
        "swept": swept,
        "sweeping": swept is not None and swept > now - FRESH,
        "late": late.count(),
        "mail": settings.MAIL_ENABLED,
        "unsent": sendable(due()).filter(due_at__lt=now - OVERDUE).count(),
    }


def find_pages(user: User, words: str, limit: int) -> Iterable[shell.Hit]:
    """Pages of the navigation whose title holds the words."""
    wanted = words.casefold()
    lines = [line for line in context.lines_for(user) if wanted in str(line.title).casefold()]
    return [shell.Hit(str(line.title), "", line.url, line.icon) for line in lines[:limit]]


def find_flows(user: User, words: str, limit: int) -> Iterable[shell.Hit]:
    rows = reads.flows(user).filter(Q(subject_label__icontains=words) | Q(kind__icontains=words))
    for flow in rows[:limit]:
        yield shell.Hit(
            flow.title_text,
            str(flow.get_state_display()),
            reverse("console:flow-detail", args=[flow.pk]),
            FLOWS_ICON,
        )
