"""Applications: browse, install, upgrade, try, uninstall; have contracts examined, and read what was found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chains import shelves
from chains.api.application_serializers import (
    AcceptRequest,
    ApplicationAnswer,
    ContainerEngineAnswer,
    ScanFindingAnswer,
    ScanReportAnswer,
    ScanRequest,
    StartedApplicationWork,
    StartedScan,
)
from chains.api.filters import ScanReportFilter
from chains.applications.engine import NONE
from chains.models import Contract, Installation, InstallationState, ScanReport
from chains.policies import may_see_engine
from chains.services import applications as service
from chains.services import reports
from chains.services.engine import known_engine
from console.api.queries import KnownParameters, PlainOrdering
from console.api.reading import parsed
from console.api.views import StartsWork
from console.errors import Missing
from console.policies import require
from unions.api.views.unions import actor_of
from unions.reads import found

SLITHER = OpenApiExample("slither", summary=_("The newest version, by Slither"), value={"application": "slither"})


class Applications(generics.ListAPIView[Any]):
    """The warehouse."""

    serializer_class = ApplicationAnswer
    filter_backends = [KnownParameters, PlainOrdering]
    ordering_fields = ["title", "name"]
    query_parameters = ("q", "gives", "state")

    def get_queryset(self) -> Any:
        asked = self.request.query_params
        return shelves.shelves(words=asked.get("q", ""), gives=asked.get("gives", ""), state=asked.get("state", ""))

    @extend_schema(
        operation_id="list_applications",
        tags=["applications"],
        parameters=[
            OpenApiParameter("q", str, description="Words of its name, summary or publisher."),
            OpenApiParameter("gives", str, enum=list(shelves.GIVES)),
            OpenApiParameter("state", str, enum=InstallationState.values),
        ],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """All applications of the warehouse, and what is installed of them."""
        return super().get(request, *args, **kwargs)


class ApplicationDetail(APIView):
    """One application."""

    @extend_schema(operation_id="get_application", tags=["applications"], responses=ApplicationAnswer)
    def get(self, request: Request, name: str) -> Response:
        """One application."""
        shelf = shelves.shelf_named(name)
        if shelf is None:
            raise Missing()
        return Response(ApplicationAnswer(shelf).data)


class ContainerEngineDetail(APIView):
    """The container engine for applications."""

    @extend_schema(operation_id="get_application_engine", tags=["applications"], responses={200: ContainerEngineAnswer})
    def get(self, request: Request) -> Response:
        """The container engine that applications of images run on, as it was last seen; 404 when none is named.

        For administrators and auditors.
        """
        require(may_see_engine(actor_of(request)))
        found = known_engine()
        if found is None:
            raise Missing(NONE)
        return Response(ContainerEngineAnswer(found).data)


class _ApplicationWork(StartsWork, APIView):
    """Something is done with an application, as a flow."""

    def work(self, request: Request, name: str, verb: Callable[..., Installation]) -> Response:
        actor = actor_of(request)

        def call() -> dict[str, Any]:
            row = verb(actor=actor, name=name)
            return {"flow": str(row.flow_id), "application": row.name}

        return self.start(request, call)


class InstallApplication(_ApplicationWork):
    @extend_schema(
        operation_id="install_application", tags=["applications"], request=None, responses={202: StartedApplicationWork}
    )
    def post(self, request: Request, name: str) -> Response:
        """Install it apart from the console; it counts as installed once it was tried and works."""
        return self.work(request, name, service.install_application)


class UpgradeApplication(_ApplicationWork):
    @extend_schema(
        operation_id="upgrade_application", tags=["applications"], request=None, responses={202: StartedApplicationWork}
    )
    def post(self, request: Request, name: str) -> Response:
        """Change over to what the warehouse has now; if that does not work, what is there stays in use."""
        return self.work(request, name, service.upgrade_application)


class UninstallApplication(_ApplicationWork):
    @extend_schema(
        operation_id="uninstall_application",
        tags=["applications"],
        request=None,
        responses={202: StartedApplicationWork},
    )
    def post(self, request: Request, name: str) -> Response:
        """Remove it; its reports stay."""
        return self.work(request, name, service.uninstall_application)


class TryApplication(_ApplicationWork):
    @extend_schema(
        operation_id="try_application", tags=["applications"], request=None, responses={202: StartedApplicationWork}
    )
    def post(self, request: Request, name: str) -> Response:
        """Run it once, with nothing to examine, and write down whether it works."""
        return self.work(request, name, service.try_application)


class ScanContract(StartsWork, APIView):
    @extend_schema(
        operation_id="scan_contract",
        tags=["contracts"],
        request=ScanRequest,
        responses={202: StartedScan},
        examples=[SLITHER],
    )
    def post(self, request: Request, uid: str) -> Response:
        """Have an installed application examine a version of the contract; the report comes to its page."""
        wanted, actor = parsed(ScanRequest, request), actor_of(request)

        def call() -> dict[str, Any]:
            row = reports.scan_contract(actor=actor, uid=uid, **wanted)
            return {"flow": str(row.flow_id), "report": str(row.pk), "contract": uid}

        return self.start(request, call)


class ContractReports(generics.ListAPIView[ScanReport]):
    """What was found in a contract."""

    serializer_class = ScanReportAnswer
    filterset_class = ScanReportFilter
    ordering_fields = ["created_at"]

    def get_queryset(self) -> QuerySet[ScanReport]:
        if getattr(self, "swagger_fake_view", False):
            return ScanReport.objects.none()
        user: Any = self.request.user
        contract = found(Contract.objects.visible_to(user), uid=self.kwargs["uid"])
        return shelves.with_findings(shelves.reports(user).filter(version__contract=contract))

    @extend_schema(operation_id="list_contract_reports", tags=["contracts"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Reports on every version of the contract, the newest first, with their findings, the worst first."""
        return super().get(request, *args, **kwargs)


class ReportDetail(APIView):
    @extend_schema(operation_id="get_report", tags=["contracts"], responses=ScanReportAnswer)
    def get(self, request: Request, report_id: int) -> Response:
        """One report with its findings."""
        return Response(
            ScanReportAnswer(found(shelves.with_findings(shelves.reports(actor_of(request))), pk=report_id)).data
        )


class AcceptFinding(APIView):
    @extend_schema(
        operation_id="accept_finding", tags=["contracts"], request=AcceptRequest, responses=ScanFindingAnswer
    )
    def post(self, request: Request, finding_id: int) -> Response:
        """Bear a finding, with a reason; for administrators of the contract's owner. It blocks nothing any more."""
        row = reports.accept_finding(actor=actor_of(request), finding_id=finding_id, **parsed(AcceptRequest, request))
        return Response(ScanFindingAnswer(row).data)


class ReopenFinding(APIView):
    @extend_schema(operation_id="reopen_finding", tags=["contracts"], request=None, responses=ScanFindingAnswer)
    def post(self, request: Request, finding_id: int) -> Response:
        """Let an accepted finding count again."""
        return Response(ScanFindingAnswer(reports.reopen_finding(actor=actor_of(request), finding_id=finding_id)).data)
