"""What pages and API read of platforms, in a fixed number of queries."""

from __future__ import annotations

from django.db.models import Case, IntegerField, Prefetch, QuerySet, Value, When

from console.errors import Missing
from console.models import Flow, User
from platforms.mapping.check import Finding
from platforms.models import ENDED_PLATFORM_STATES, Platform, PlatformState, PlatformVersion

FILES = ("api_file", "mapping", "samples")


def platforms(actor: User) -> QuerySet[Platform]:
    """Without the files of their versions, which are large."""
    rows = Platform.objects.visible_to(actor).select_related("version", "registered_by")
    return rows.defer(*(f"version__{name}" for name in (*FILES, "findings")))


def platform_named(actor: User, oemtype: str) -> Platform:
    """The platform of this oemtype: the one in service or on the way to it, else the latest that was."""
    return _first(platforms(actor), oemtype)


def platform_in_full(actor: User, oemtype: str) -> Platform:
    """The same with its versions, and what the check of the one in use has found."""
    versions = PlatformVersion.objects.defer(*FILES, "findings").select_related("created_by")
    rows = Platform.objects.visible_to(actor).select_related("version", "registered_by")
    rows = rows.defer(*(f"version__{name}" for name in FILES))
    return _first(rows.prefetch_related(Prefetch("versions", versions)), oemtype)


def _first(rows: QuerySet[Platform], oemtype: str) -> Platform:
    ended = Case(When(state__in=ENDED_PLATFORM_STATES, then=Value(1)), default=Value(0), output_field=IntegerField())
    row = rows.filter(oemtype=oemtype).order_by(ended, "-pk").first()
    if row is None:
        raise Missing()
    return row


def flows_of(platform: Platform) -> QuerySet[Flow]:
    """What was and is being done about the platform, the latest first."""
    return Flow.objects.filter(subject_type=Platform._meta.label_lower, subject_id=str(platform.pk)).order_by(
        "-created_at"
    )


def findings_of(version: PlatformVersion | None) -> list[Finding]:
    """What the check of these files has found."""
    return [Finding.from_dict(each) for each in version.findings] if version is not None else []


def health_counts(actor: User) -> dict[str, int]:
    """How many official platforms are up, degraded, down or unknown."""
    counts: dict[str, int] = {}
    rows = Platform.objects.visible_to(actor).filter(state=PlatformState.OFFICIAL)
    for health in rows.values_list("health", flat=True):
        counts[health] = counts.get(health, 0) + 1
    return counts
