"""Pages of applications: the warehouse, one application; and of what they report: a report, a finding accepted."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy

from chains import shelves
from chains.applications.manifest import warehouse
from chains.forms import AcceptFindingForm
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
from chains.policies import (
    may_accept_finding,
    may_install,
    may_scan,
    may_see_engine,
    may_try,
    may_uninstall,
    may_upgrade,
)
from chains.services import applications as service
from chains.services import reports
from chains.services.engine import known_engine
from console.errors import Missing
from console.policies import Verdict, may_administer
from console.shell import address_of
from console.views.base import ActionView, DetailPage, ListPage, Page, ServiceFormView
from unions.reads import found


class ApplicationList(Page):
    """The warehouse."""

    template_name = "chains/applications/list.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        chosen = {name: request.GET.get(name, "") for name in ("q", "gives", "state")}
        rows = shelves.shelves(words=chosen["q"], gives=chosen["gives"], state=chosen["state"])
        choices = {"gives": list(shelves.GIVES.items()), "state": InstallationState.choices}
        administers = bool(may_administer(self.actor))
        context = {
            "shelves": rows,
            "chosen": chosen,
            "choices": choices,
            "narrowed": any(chosen.values()),
            "broken": warehouse().broken if administers else [],
            "sees_engine": bool(may_see_engine(self.actor)),
            "engine": known_engine() if may_see_engine(self.actor) else None,
        }
        return render(request, self.template_name, context)


class ApplicationDetail(DetailPage):
    """One application, live while something is done with it."""

    template_name = "chains/applications/detail.html"
    partial_name = "chains/applications/_detail_live.html"
    context_object_name = "shelf"

    def get_object(self, queryset: Any = None) -> shelves.Shelf:
        shelf = shelves.shelf_named(self.kwargs["name"])
        if shelf is None:
            raise Missing()
        return shelf

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shelf: shelves.Shelf = kwargs.get("object") or self.object
        row, manifest = shelf.installation, shelf.manifest
        flow = row.flow if row else None
        live = flow is not None and not flow.is_final
        there = row if row is not None and shelf.there else None
        return {
            "view": self,
            "shelf": shelf,
            "installation": row,
            "needs": manifest.needs if manifest else shelf.said.get("needs", {}),
            "flow": flow,
            "steps": list(flow.steps.order_by("number")) if flow and live else [],
            "live": live,
            "tells_problems": self.actor.is_administrator or self.actor.is_auditor,
            "engine": known_engine() if shelf.is_image and may_see_engine(self.actor) else None,
            "may_install": may_install(self.actor, manifest, row),
            "may_upgrade": may_upgrade(self.actor, manifest, there) if there else None,
            "may_uninstall": may_uninstall(self.actor, there) if there else None,
            "may_try": may_try(self.actor, there) if there else None,
        }


class ApplicationByNumber(Page):
    """Where flows and the audit log lead to."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = found(Installation.objects.all(), pk=pk)
        return HttpResponseRedirect(reverse("chains:application-detail", args=[row.name]))


class _ApplicationAction(ActionView):
    def get_success_url(self) -> str:
        return reverse("chains:application-detail", args=[self.kwargs["name"]])


class InstallApplication(_ApplicationAction):
    success_message = gettext_lazy("The application is being installed.")

    def perform(self) -> Installation:
        return service.install_application(actor=self.actor, name=self.kwargs["name"])


class UpgradeApplication(_ApplicationAction):
    success_message = gettext_lazy("The application is being upgraded.")

    def perform(self) -> Installation:
        return service.upgrade_application(actor=self.actor, name=self.kwargs["name"])


class UninstallApplication(_ApplicationAction):
    success_message = gettext_lazy("The application is being uninstalled.")

    def perform(self) -> Installation:
        return service.uninstall_application(actor=self.actor, name=self.kwargs["name"])


class TryApplication(_ApplicationAction):
    success_message = gettext_lazy("The application is being tried.")

    def perform(self) -> Installation:
        return service.try_application(actor=self.actor, name=self.kwargs["name"])


# --- reports ----------------------------------------------------------------------------------------------------------


class ScanContract(ActionView):
    """The button on a contract's page, and on a report: once more."""

    success_message = gettext_lazy("The contract is being examined.")

    def perform(self) -> ScanReport:
        wanted = self.request.POST.get("application", "")[:40]
        return reports.scan_contract(actor=self.actor, uid=self.kwargs["uid"], application=wanted)

    def get_success_url(self) -> str:
        if self.result is not None:
            return reverse("chains:report-detail", args=[self.result.pk])
        contract = Contract.objects.visible_to(self.actor).filter(uid=self.kwargs["uid"]).first()
        return (contract and address_of("chains.contract", str(contract.pk))) or reverse("chains:application-list")


class ReportDetail(ListPage):
    """A report with its findings, live until it is there."""

    template_name = "chains/applications/report.html"
    partial_name = "chains/applications/_report_live.html"
    filters = {"severity": FindingSeverity, "state": FindingState}
    search_in = ("title", "rule", "file", "function")

    @cached_property
    def report(self) -> ScanReport:
        return found(shelves.reports(self.actor), pk=self.kwargs["report_id"])

    def get_queryset(self) -> QuerySet[Finding]:
        rows = self.report.findings.select_related("accepted_by").order_by(shelves.BY_SEVERITY, "number")
        return self.narrowed(rows)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        version = self.report.version
        flow = self.report.flow
        live = self.report.state == ReportState.RUNNING
        return context | {
            "report": self.report,
            "contract": version.contract,
            "findings": [(each, shelves.snippet(each, version.sources)) for each in context["object_list"]],
            "counts": shelves.open_counts(self.report),
            "may_accept": may_accept_finding(self.actor, Finding(report=self.report)),
            "may_scan": may_scan(self.actor, version, version.contract),
            "flow": flow,
            "steps": list(flow.steps.order_by("number")) if flow and live else [],
            "live": live,
        }


class AcceptFinding(ServiceFormView):
    """Why a finding is borne."""

    form_class = AcceptFindingForm
    template_name = "chains/applications/accept.html"
    success_message = gettext_lazy("The finding is accepted.")

    @cached_property
    def finding(self) -> Finding:
        rows = Finding.objects.filter(report__in=ScanReport.objects.visible_to(self.actor))
        return found(rows.select_related("report__version__contract__owner"), pk=self.kwargs["finding_id"])

    def allowed(self) -> Verdict:
        return may_accept_finding(self.actor, self.finding)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sources = self.finding.report.version.sources
        return super().get_context_data(**kwargs) | {
            "finding": self.finding,
            "lines": shelves.snippet(self.finding, sources),
            "back": self.get_success_url(),
        }

    def perform(self, form: forms.Form) -> Finding:
        reason = form.cleaned_data["reason"]
        return reports.accept_finding(actor=self.actor, finding_id=self.finding.pk, reason=reason)

    def get_success_url(self) -> str:
        return reverse("chains:report-detail", args=[self.finding.report_id])


class ReopenFinding(ActionView):
    success_message = gettext_lazy("The finding counts again.")

    def perform(self) -> Finding:
        return reports.reopen_finding(actor=self.actor, finding_id=self.kwargs["finding_id"])

    def get_success_url(self) -> str:
        rows = Finding.objects.filter(report__in=ScanReport.objects.visible_to(self.actor))
        return reverse("chains:report-detail", args=[found(rows, pk=self.kwargs["finding_id"]).report_id])
