"""What this floor hands in to the frame of the pages: navigation, dashboard panels, search, addresses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from console import kinds, shell
from console.models import User
from console.shell import Entry, Hit, Panel, Source, SubjectPanel
from platforms.models import Platform
from platforms.views.panels import Figure, add_figure, platform_panels
from unions import reads
from unions.models import Drift, Organization, Proposal, Registration, RegistrationState, Union, UnionState
from unions.views import drifts
from unions.views.cards import cards_of
from unions.views.panels import union_panels
from unions.views.proposals import waiting_count
from unions.words import WORDS

SHOWN = 5  # rows of a panel


def hand_in() -> None:
    """Called once, when the app is ready."""
    shell.add_entry(Entry(_("Inbox"), "unions:inbox", icon="inbox", order=20, badge=waiting_count))
    shell.add_entry(Entry(_("Unions"), "unions:union-list", icon="affiliate", order=30))
    shell.add_entry(Entry(_("Organizations"), "unions:organization-list", icon="building-community", order=50))
    shell.add_entry(Entry(_("Resource spaces"), "unions:space-list", icon="stack-2", order=52))
    shell.add_entry(
        Entry(_("Differences"), "unions:drift-list", icon="adjustments", order=60, badge=drifts.open_drifts)
    )
    shell.add_entry(
        Entry(
            _("Registrations"),
            "unions:registration-list",
            icon="user-plus",
            order=80,
            shown=shell.overseers,
            badge=pending_registrations,
        )
    )
    shell.add_panel(Panel("waiting", "unions/_panel_waiting.html", waiting_panel, order=10, width=6))
    shell.add_panel(Panel("unions", "unions/_panel_unions.html", unions_panel, order=20, width=6))
    shell.add_source("unions", Source(_("Unions"), find_unions, order=10))
    shell.add_source("organizations", Source(_("Organizations"), find_organizations, order=30))
    shell.add_source("proposals", Source(_("Proposals"), find_proposals, order=40))
    shell.add_source("registrations", Source(_("Registrations"), find_registrations, order=60))
    kinds.add("invitation", _("You are asked for your answer"), kinds.Group.ANSWERS)
    kinds.add("reminder", _("You have not answered yet, and the time is nearly over"), kinds.Group.ANSWERS)
    kinds.add("proposal", _("A proposal was decided, withdrawn or given up"), kinds.Group.ANSWERS)
    kinds.add("registration", _("A registration came in or was decided"), kinds.Group.REGISTRATIONS)
    kinds.add("drift", _("A platform and the records differ"), kinds.Group.OPERATION)
    kinds.add("union", _("A union was opened, joined, left or deleted"), kinds.Group.WORK)
    platform_panels.add(SubjectPanel("drifts", "unions/_drift_panel.html", drifts.platform_panel, order=10))
    union_panels.add(SubjectPanel("drifts", "unions/_drift_panel.html", drifts.union_panel, order=10))
    platform_panels.add(SubjectPanel("unions", "unions/_platform_panel.html", platform_panel))
    add_figure(Figure(_("Unions"), unions_by_platform))
    shell.add_words(WORDS)
    shell.add_address(Union, lambda pk: reverse("unions:union-by-number", args=[pk]))
    shell.add_address(Organization, lambda pk: reverse("unions:organization-by-number", args=[pk]))
    shell.add_address(Drift, lambda pk: reverse("unions:drift-detail", args=[pk]))
    shell.add_address(Proposal, lambda pk: reverse("unions:proposal-detail", args=[pk]))
    shell.add_address(Registration, lambda pk: reverse("unions:registration-detail", args=[pk]))


def pending_registrations(user: User) -> int:
    """The number on the badge: only administrators decide."""
    if not user.is_administrator:
        return 0
    return Registration.objects.filter(state=RegistrationState.PENDING).count()


# --- dashboard ------------------------------------------------------------------------------------------------------


def waiting_panel(user: User) -> dict[str, Any]:
    """What waits for the reader: answers, and for administrators registrations."""
    rows = list(reads.waiting(user)[: SHOWN + 1])
    pending: list[Registration] = []
    if user.is_administrator:
        pending = list(reads.registrations(user).filter(state=RegistrationState.PENDING)[: SHOWN + 1])
    return {
        "cards": cards_of(rows[:SHOWN], user),
        "more_cards": len(rows) > SHOWN,
        "registrations": pending[:SHOWN],
        "more_registrations": len(pending) > SHOWN,
        "standing": reads.standing_of(user),
    }


def unions_panel(user: User) -> dict[str, Any]:
    """The reader's unions; all of them for administrators and auditors."""
    rows = reads.unions(user).exclude(state=UnionState.DELETED)
    if not (user.is_administrator or user.is_auditor):
        rows = rows.filter(pk__in=Union.objects.of_user(user).values("pk"))
    shown = list(rows.order_by("-created_at")[: SHOWN + 1])
    return {"unions": shown[:SHOWN], "more": len(shown) > SHOWN, "standing": reads.standing_of(user)}


# --- the pages of platforms -------------------------------------------------------------------------------------------


def platform_panel(user: User, platform: Platform) -> dict[str, Any]:
    """The unions on a platform, as far as the reader sees them."""
    rows = reads.unions(user).filter(platform=platform).exclude(state=UnionState.DELETED).order_by("name")
    shown = list(rows[: SHOWN * 2 + 1])
    return {"platform": platform, "unions": shown[: SHOWN * 2], "more": len(shown) > SHOWN * 2}


def unions_by_platform(user: User, platform_ids: Sequence[int]) -> dict[int, int]:
    """How many unions of each platform the reader sees."""
    rows = Union.objects.visible_to(user).filter(platform__in=platform_ids).exclude(state=UnionState.DELETED)
    counted = rows.values("platform_id").annotate(number=Count("pk", distinct=True)).order_by()
    return {row["platform_id"]: row["number"] for row in counted}


# --- search ---------------------------------------------------------------------------------------------------------


def find_unions(user: User, words: str, limit: int) -> Iterable[Hit]:
    rows = Union.objects.visible_to(user).filter(Q(name__icontains=words) | Q(unionid__icontains=words))
    for union in rows.select_related("platform")[:limit]:
        detail = f"{union.platform.name} · {union.get_state_display()}"
        yield Hit(union.name, detail, reverse("unions:union-detail", args=[union.unionid]), icon="affiliate")


def find_organizations(user: User, words: str, limit: int) -> Iterable[Hit]:
    rows = Organization.objects.visible_to(user).filter(Q(name__icontains=words) | Q(orgcode__icontains=words))
    for row in rows[:limit]:
        url = reverse("unions:organization-detail", args=[row.orgcode])
        yield Hit(row.name, f"{row.orgcode} · {row.get_category_display()}", url, icon="building-community")


def find_proposals(user: User, words: str, limit: int) -> Iterable[Hit]:
    asked = Q(subject_name__icontains=words) | Q(proposer__name__icontains=words)
    for row in Proposal.objects.visible_to(user).filter(asked).select_related("proposer")[:limit]:
        detail = f"{row.proposer.name} · {row.get_state_display()}"
        yield Hit(str(row), detail, reverse("unions:proposal-detail", args=[row.pk]), icon="gavel")


def find_registrations(user: User, words: str, limit: int) -> Iterable[Hit]:
    """For those who see more than their own."""
    if not shell.overseers(user):
        return
    asked = Q(organization_name__icontains=words) | Q(user__username__icontains=words)
    for row in Registration.objects.visible_to(user).filter(asked).select_related("user")[:limit]:
        detail = f"{row.user.username} · {row.get_state_display()}"
        url = reverse("unions:registration-detail", args=[row.pk])
        yield Hit(row.organization_name, detail, url, icon="user-plus")
