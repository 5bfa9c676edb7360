"""What of this floor hangs on a platform, for whoever wants to retire it."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import pgettext_lazy

from platforms.dependants import Dependants, Ending, add_dependants, add_ending
from platforms.models import Platform
from unions.models import Registration, RegistrationState, ResourceSpace, Union, UnionState
from unions.services import endings

NAMED = 6


def hand_in() -> None:
    """Called once, when the app is ready."""
    add_dependants("unions", unions_on)
    add_dependants("spaces", spaces_on)
    add_dependants("registrations", registrations_on)
    add_ending("unions", Ending(endings.under_way, endings.hand_over, endings.release))


def unions_on(platform: Platform) -> Dependants:
    rows = Union.objects.filter(platform=platform).exclude(state=UnionState.DELETED)
    return Dependants(
        pgettext_lazy("counted", "unions"),
        rows.count(),
        _named(rows, "name"),
        code="unions",
        link=f"/unions?platform={platform.oemtype}",
        single=pgettext_lazy("counted", "union"),
    )


def spaces_on(platform: Platform) -> Dependants:
    rows = ResourceSpace.objects.filter(platform=platform)
    return Dependants(
        pgettext_lazy("counted", "organizations with a tenant space"),
        rows.count(),
        _named(rows, "organization__name"),
        code="resource_spaces",
        link=f"/resource-spaces?platform={platform.oemtype}",
        single=pgettext_lazy("counted", "organization with a tenant space"),
    )


def registrations_on(platform: Platform) -> Dependants:
    rows = Registration.objects.filter(platform=platform, state=RegistrationState.PENDING)
    return Dependants(
        pgettext_lazy("counted", "registrations that wait for a decision"),
        rows.count(),
        _named(rows, "organization_name"),
        code="registrations",
        link="/registrations?state=pending",
        single=pgettext_lazy("counted", "registration that waits for a decision"),
    )


def _named(rows: QuerySet, field: str) -> tuple[str, ...]:
    return tuple(rows.order_by(field).values_list(field, flat=True)[:NAMED])
