"""The audit log: read it, check it, take a copy."""

from __future__ import annotations

from itertools import islice
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from console import audit, reads
from console.api.filters import AuditFilter
from console.api.serializers import AuditEntryAnswer, VerificationAnswer
from console.models import AuditEntry
from console.policies import may_read_audit, require
from console.services import audit as service

SHOWN_BREAKS = 100


class JsonLines(JSONRenderer):
    """One JSON object a line; problems are one object anyway."""

    media_type = "application/x-ndjson"
    format = "jsonl"


class AuditLog(generics.ListAPIView[AuditEntry]):
    """Who did what."""

    serializer_class = AuditEntryAnswer
    filterset_class = AuditFilter
    ordering_fields = ["number"]

    def get_queryset(self) -> QuerySet[AuditEntry]:
        return reads.audit_entries(self.request.user)  # type: ignore[arg-type]

    @extend_schema(operation_id="list_audit", tags=["audit"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """The audit log, the latest first. For administrators and auditors."""
        return super().get(request, *args, **kwargs)


class AuditExport(AuditLog):
    """A copy of the log."""

    renderer_classes = [JsonLines, JSONRenderer]

    @extend_schema(
        operation_id="export_audit",
        tags=["audit"],
        responses={(200, "application/x-ndjson"): OpenApiResponse(AuditEntryAnswer, description="One entry a line.")},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The entries that fit, oldest first, one JSON object a line; the log records that they were taken."""
        rows = self.filter_queryset(self.get_queryset())
        last = service.record_export(actor=request.user, narrowed_by=request.query_params.dict())  # type: ignore[arg-type]
        answer = StreamingHttpResponse(
            audit.lines(rows.filter(number__lte=last.number)), content_type=f"{JsonLines.media_type}; charset=utf-8"
        )
        answer["Content-Disposition"] = f'attachment; filename="audit-{timezone.now():%Y%m%d-%H%M%S}.jsonl"'
        return answer


class AuditVerification(APIView):
    """Whether the log is as it was written."""

    @extend_schema(operation_id="verify_audit", tags=["audit"], responses=VerificationAnswer)
    def get(self, request: Request) -> Response:
        """Walk the whole chain of digests and name every place where somebody changed, removed or inserted entries."""
        require(may_read_audit(request.user))  # type: ignore[arg-type]
        breaks = list(islice(audit.verify(), SHOWN_BREAKS))
        found = {"ok": not breaks, "entries": AuditEntry.objects.count(), "breaks": breaks}
        return Response(VerificationAnswer(found).data)
