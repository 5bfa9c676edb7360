"""What pages and API read, with everything they show fetched in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import models
from django.db.models import QuerySet

from console.errors import Missing
from console.models import User
from platforms.models import Platform
from unions.drifts.ways import notes_of, page_of, ways_of
from unions.models import (
    LIVE_MEMBER_STATES,
    Drift,
    MemberRole,
    Membership,
    Organization,
    Proposal,
    Registration,
    RegistrationState,
    ResourceSpace,
    SpaceKind,
    Union,
    UnionMember,
)
from unions.models.proposals import ProposalQuerySet
from unions.policies import may_mend_drift, may_propose_mend

M = TypeVar("M", bound=models.Model)


def found(queryset: QuerySet[M], **lookup: Any) -> M:
    """The row; Missing when it is not in the queryset."""
    row = queryset.filter(**lookup).first()
    if row is None:
        raise Missing()
    return row


def drifts(actor: User) -> QuerySet[Drift]:
    """Differences with what they are about, the latest first."""
    rows = Drift.objects.visible_to(actor).select_related(
        "platform", "union__creator", "organization", "proposal__flow", "decided_by"
    )
    return rows.order_by("-found_at", "-pk")


def open_ways(actor: User, drift: Drift) -> tuple[list[dict[str, Any]], list[str]]:
    """The ways to mend a difference, each with whether it is open to the actor; and what is not offered."""
    propose, confirm = may_propose_mend(actor, drift), may_mend_drift(actor, drift)
    ways = []
    for way in ways_of(drift.kind):
        page = page_of(way, drift)
        if way.page is not None and not page:
            continue
        verdict = (propose if way.plan else confirm) and way.may(drift)
        ways.append(
            {
                "name": way.name,
                "title": str(way.title),
                "explanation": str(way.explanation),
                "asks": way.plan is not None,
                "destroys": way.destroys,
                "page": page,
                "allowed": bool(verdict),
                "reason": verdict.reason,
                "verdict": verdict,
            }
        )
    return ways, [str(text) for text in notes_of(drift.kind)]


def organizations(actor: User) -> QuerySet[Organization]:
    """Organizations with their space and machines."""
    return (
        Organization.objects.visible_to(actor)
        .select_related("space", "space__platform")
        .prefetch_related("space__machines")
    )


def detailed_ids(actor: User, rows: Iterable[Organization]) -> set[int]:
    """Which of the organizations the actor sees whole: `may_see_organization_details` for a list, in one query."""
    ids = {row.pk for row in rows}
    if actor.is_administrator or actor.is_auditor:
        return ids
    return set(Membership.objects.filter(user=actor, organization_id__in=ids).values_list("organization_id", flat=True))


def spaces(actor: User) -> QuerySet[ResourceSpace]:
    """Resource spaces whose details the actor sees; what was found of placeholders is bound to nobody."""
    rows = (
        ResourceSpace.objects.exclude(kind__in=[SpaceKind.FOUND, SpaceKind.RELEASED])
        .select_related("organization", "platform")
        .prefetch_related("machines")
    )
    if actor.is_administrator or actor.is_auditor:
        return rows
    return rows.filter(organization__in=Organization.objects.of_user(actor).values("pk"))


def registrations(actor: User) -> QuerySet[Registration]:
    return Registration.objects.visible_to(actor).select_related("user", "platform", "organization", "decided_by")


def unions(actor: User) -> QuerySet[Union]:
    """Unions with platform, creator and members."""
    return (
        Union.objects.visible_to(actor).select_related("platform", "creator").prefetch_related("members__organization")
    )


def inside_ids(actor: User, rows: Iterable[Union]) -> set[int]:
    """Which of the unions the actor sees from inside: an organization of theirs is a member, or they oversee all."""
    ids = {row.pk for row in rows}
    if actor.is_administrator or actor.is_auditor:
        return ids
    mine = Organization.objects.of_user(actor).values("pk")
    places = UnionMember.objects.filter(union__in=ids, organization__in=mine, state__in=LIVE_MEMBER_STATES)
    return set(places.values_list("union_id", flat=True))


def proposals(actor: User) -> ProposalQuerySet:
    """Proposals with those who have a say and what they said."""
    return (
        Proposal.objects.visible_to(actor)
        .select_related("union__platform", "proposer", "concerns", "flow", "opened_by", "console_answered_by")
        .prefetch_related("electors__organization", "votes__organization", "votes__cast_by")
    )


def waiting(actor: User) -> QuerySet[Proposal]:
    """What waits for the actor's answer; what expires first, first."""
    waiting_ids = Proposal.objects.waiting_for(actor).values("pk")
    return proposals(actor).filter(pk__in=waiting_ids).order_by("expires_at")


def spoken_for(actor: User) -> QuerySet[Organization]:
    """Organizations that the actor may act for: `may_speak_for` for a list."""
    if actor.is_administrator:
        return Organization.objects.visible_to(actor).registered()
    return Organization.objects.of_user(actor, MemberRole.ADMINISTRATOR, MemberRole.OPERATOR)


@dataclass(frozen=True)
class Standing:
    """Where a person stands: what pages suggest as the next step depends on it."""

    overseer: bool
    organizations: list[Organization]
    speaks: bool  # for at least one of them
    registration: Registration | None  # the latest, while it has not become an organization

    @property
    def pending(self) -> bool:
        return self.registration is not None and self.registration.state == RegistrationState.PENDING

    @property
    def refused(self) -> bool:
        return self.registration is not None and self.registration.state == RegistrationState.REFUSED


def standing_of(actor: User) -> Standing:
    """The actor's own organizations, or how far the wish for one is."""
    own = list(Membership.objects.filter(user=actor).select_related("organization").order_by("organization__name"))
    latest = None if own else Registration.objects.filter(user=actor).order_by("-created_at", "-pk").first()
    return Standing(
        overseer=actor.is_administrator or actor.is_auditor,
        organizations=[membership.organization for membership in own],
        speaks=any(membership.role != MemberRole.VIEWER for membership in own),
        registration=latest,
    )


def platform_names() -> dict[int, str]:
    """Platform id -> name. Platforms are few."""
    return dict(Platform.objects.values_list("pk", "name"))


def oemtypes() -> dict[int, str]:
    """Platform id -> oemtype, for proposals whose union is not there yet. Platforms are few."""
    return dict(Platform.objects.values_list("pk", "oemtype"))
