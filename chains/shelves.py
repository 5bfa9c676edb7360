"""What pages and API read of the warehouse, of installations and of reports, in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, IntegerField, Prefetch, Q, QuerySet, Value, When
from django.utils.translation import get_language, gettext_lazy

from chains.applications.manifest import Image, Manifest, image_of, warehouse
from chains.models import (
    Contract,
    Finding,
    FindingSeverity,
    FindingState,
    Installation,
    InstallationState,
    ReportState,
    ScanReport,
)
from chains.models.reports import WORST_FIRST
from chains.policies import may_scan
from chains.services.reports import CAPABILITY
from console.models import User

AROUND = 2  # lines of source that are shown before and after a finding's own
SHOWN_REPORTS = 5
GIVES = {
    "contract-scan": gettext_lazy("Examines contracts"),
    "formal-verification": gettext_lazy("Proves properties"),
}


@dataclass(frozen=True)
class Shelf:
    """One application: what the warehouse has of it, what is installed of it; one of the two may be missing."""

    manifest: Manifest | None
    installation: Installation | None

    @property
    def said(self) -> dict[str, Any]:
        """The manifest that counts: what is offered, or else what was installed."""
        if self.manifest is not None:
            return self.manifest.raw
        return self.installation.manifest if self.installation else {}

    @property
    def name(self) -> str:
        return str(self.said.get("name", ""))

    @property
    def title(self) -> str:
        return str(self.said.get("title", ""))

    @property
    def version(self) -> str:
        """Of the warehouse."""
        return self.manifest.version if self.manifest else ""

    @property
    def summary(self) -> str:
        texts = self.said.get("summary", {})
        return str(texts.get((get_language() or "en").lower()) or texts.get("en", ""))

    @property
    def gives(self) -> list[str]:
        return list(self.said.get("gives", []))

    @property
    def gives_words(self) -> list[str]:
        return [str(GIVES.get(each, each)) for each in self.gives]

    @property
    def state(self) -> str:
        return str(self.installation.state) if self.installation else InstallationState.ABSENT

    @property
    def state_words(self) -> str:
        return str(InstallationState(self.state).label)

    @property
    def there(self) -> bool:
        return self.state != InstallationState.ABSENT

    @property
    def image(self) -> Image | None:
        """That is installed, or else that is offered; none of packages."""
        said = self.installation.manifest if self.installation is not None and self.there else self.said
        return image_of(said["image"]) if "image" in said else None

    @property
    def is_image(self) -> bool:
        return self.image is not None

    @property
    def newer(self) -> bool:
        """Whether the warehouse has another than is installed."""
        row = self.installation
        return bool(self.manifest and row and row.usable and row.digest != self.manifest.digest)


def shelves(*, words: str = "", gives: str = "", state: str = "") -> list[Shelf]:
    """All applications that are offered or installed, by title."""
    offered, rows = warehouse().manifests, {row.name: row for row in Installation.objects.select_related("flow")}
    there = {name for name, row in rows.items() if row.state != InstallationState.ABSENT}
    found = [Shelf(offered.get(name), rows.get(name)) for name in sorted({*offered, *there})]
    return sorted(
        (each for each in found if _fits(each, words, gives, state)), key=lambda each: (each.title.lower(), each.name)
    )


def shelves_of_words(words: str) -> list[Shelf]:
    """What a search finds: what the warehouse offers by that name. Nothing of it, no query."""
    fitting = [each for each in warehouse().manifests.values() if _fits(Shelf(each, None), words, "", "")]
    rows = {row.name: row for row in Installation.objects.filter(name__in=[each.name for each in fitting])}
    found = [Shelf(each, rows.get(each.name)) for each in fitting]
    return sorted(found, key=lambda each: (each.title.lower(), each.name))


def shelf_named(name: str) -> Shelf | None:
    """One, also when it is installed no more and offered no more: its page still says what became of it."""
    found = Shelf(
        warehouse().manifests.get(name), Installation.objects.select_related("flow").filter(name=name).first()
    )
    return found if found.said else None


def _fits(shelf: Shelf, words: str, gives: str, state: str) -> bool:
    text = " ".join([shelf.name, shelf.title, shelf.summary, str(shelf.said.get("publisher", ""))]).lower()
    return (
        all(word in text for word in words.lower().split())
        and (not gives or gives in shelf.gives)
        and (not state or state == shelf.state)
    )


# --- reports ----------------------------------------------------------------------------------------------------------

BY_SEVERITY = Case(
    *[When(severity=name, then=Value(place)) for place, name in enumerate(WORST_FIRST)], output_field=IntegerField()
)


def reports(user: User) -> QuerySet[ScanReport]:
    """Those that the user sees, each with how many findings of it are open, by severity."""
    is_open = Q(findings__state=FindingState.OPEN)
    counts = {f"open_{name}": Count("findings", filter=is_open & Q(findings__severity=name)) for name in WORST_FIRST}
    rows = ScanReport.objects.visible_to(user).select_related("version__contract__owner", "started_by", "flow")
    rows = rows.order_by("-created_at", "-pk")
    return rows.annotate(**counts, accepted=Count("findings", filter=Q(findings__state=FindingState.ACCEPTED)))


def with_findings(rows: QuerySet[ScanReport]) -> QuerySet[ScanReport]:
    findings = Finding.objects.select_related("accepted_by").order_by(BY_SEVERITY, "number")
    return rows.prefetch_related(Prefetch("findings", queryset=findings))


def open_counts(report: ScanReport) -> list[tuple[str, str, int]]:
    """How many findings are open, the worst first: severity, words, number; of `reports` only."""
    counted = [(name, str(FindingSeverity(name).label), getattr(report, f"open_{name}")) for name in WORST_FIRST]
    return [each for each in counted if each[2]]


def snippet(finding: Finding, sources: dict[str, str]) -> list[tuple[int, str, bool]]:
    """The lines around the place: number, text, and whether it is the one."""
    lines = sources.get(finding.file, "").splitlines()
    if finding.line is None or not 1 <= finding.line <= len(lines):
        return []
    first, last = max(finding.line - AROUND, 1), min(finding.line + AROUND, len(lines))
    return [(number, lines[number - 1], number == finding.line) for number in range(first, last + 1)]


def report_card(user: User, contract: Contract) -> dict[str, Any]:
    """For the contract's page: the latest reports, and what it may be examined by."""
    rows = list(reports(user).filter(version__contract=contract)[: SHOWN_REPORTS + 1])
    installed = Installation.objects.order_by("name")
    newest = contract.versions.order_by("-number").first()
    return {
        "contract": contract,
        "reports": [(row, open_counts(row)) for row in rows[:SHOWN_REPORTS]],
        "more": len(rows) > SHOWN_REPORTS,
        "live": any(row.state == ReportState.RUNNING for row in rows),
        "applications": [row for row in installed if row.usable and CAPABILITY in row.gives],
        "verdict": may_scan(user, newest, contract),
    }
