"""Checking files from a form, before anything is registered."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from console.policies import require
from console.views.base import Page
from platforms.forms import FilesForm
from platforms.mapping.check import Finding, Report
from platforms.policies import may_register_platform
from platforms.services import files as service

EXCERPT = 160  # characters of a line
FILE_TITLES = {"api_file": _("API file"), "mapping": _("Mapping"), "samples": _("Samples")}


def shown_findings(findings: list[Finding], texts: dict[str, str]) -> list[dict[str, Any]]:
    """Findings with the line that each is about."""
    lines = {name: (text or "").splitlines() for name, text in texts.items()}
    shown = []
    for each in findings:
        source = lines.get(each.file, [])
        excerpt = source[each.line - 1].strip()[:EXCERPT] if each.line and each.line <= len(source) else ""
        shown.append({"finding": each, "file": FILE_TITLES.get(each.file, each.file), "excerpt": excerpt})
    return shown


def report_context(report: Report, texts: dict[str, str]) -> dict[str, Any]:
    """What the template of findings is rendered with."""
    return {
        "report": report,
        "findings": shown_findings(report.findings, texts),
        "offers": sorted(report.template.interfaces) if report.template else [],
        "dry_runs": [each.as_dict() for each in report.dry_runs.values()],
    }


class PlatformCheck(Page):
    """The findings of what stands in the form just now."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        require(may_register_platform(self.actor))
        form = FilesForm(request.POST, request.FILES)
        if not form.is_valid():
            return render(request, "platforms/_findings.html", {"unreadable": form.errors})
        files = form.texts()
        texts = {name: files[name] or "" for name in ("api_file", "mapping")}
        report = service.check(actor=self.actor, samples=files["samples"], **texts)
        return render(request, "platforms/_findings.html", report_context(report, texts))
