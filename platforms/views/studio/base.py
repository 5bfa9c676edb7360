"""What the pages about one draft have in common."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import cached_property

from console.errors import Missing
from console.policies import require
from console.views.base import Page
from platforms.mapping.check import Finding
from platforms.models import Draft
from platforms.policies import may_use_studio
from platforms.views.files import FILE_TITLES
from platforms.views.platforms import GROUPS, OPERATION_TITLES
from platforms.workbench import Workbench, look


class StudioPage(Page):
    """For administrators."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            require(may_use_studio(request.user))  # type: ignore[arg-type]
        return super().dispatch(request, *args, **kwargs)


class DraftPage(StudioPage):
    """One of the reader's own drafts."""

    tab = ""

    @cached_property
    def draft(self) -> Draft:
        rows = Draft.objects.visible_to(self.actor).select_related("platform", "registration")
        row = rows.filter(pk=self.kwargs["draft_id"]).first()
        if row is None:
            raise Missing()
        return row

    @cached_property
    def bench(self) -> Workbench:
        return look(self.draft)

    def frame(self, **more: Any) -> dict[str, Any]:
        """What every page about a draft is rendered with."""
        return {"draft": self.draft, "tab": self.tab, **more}


def bench_context(bench: Workbench) -> dict[str, Any]:
    """The list of operations and the findings."""
    return {
        "bench": bench,
        "groups": [
            {
                "title": title,
                "rows": [
                    {"line": line, "title": OPERATION_TITLES[line.name]}
                    for line in bench.lines.values()
                    if _group(line.name) == name
                ],
            }
            for name, title in GROUPS.items()
        ],
        "findings": shown(bench.report.findings) if bench.report else [],
    }


def shown(findings: list[Finding]) -> list[dict[str, Any]]:
    """Findings with the titles of their files; the line that each is about stands in the editor."""
    return [{"finding": each, "file": FILE_TITLES.get(each.file, each.file), "excerpt": ""} for each in findings]


def _group(name: str) -> str:
    from platforms.standard import OPERATIONS

    return OPERATIONS[name].group
