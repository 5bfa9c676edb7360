"""The runtime log over all flows, and who is asking."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from console import reads
from console.api.filters import RuntimeLogFilter
from console.api.serializers import MeAnswer, RuntimeLogAnswer
from console.models import StepLog


class RuntimeLogs(generics.ListAPIView[StepLog]):
    """What steps wrote down while they ran."""

    serializer_class = RuntimeLogAnswer
    filterset_class = RuntimeLogFilter
    ordering_fields = ["id"]

    def get_queryset(self) -> QuerySet[StepLog]:
        return reads.runtime_log(self.request.user)  # type: ignore[arg-type]

    @extend_schema(operation_id="list_runtime_logs", tags=["operation"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The runtime log of all flows that you see, the latest line first. Secrets are cleansed."""
        return super().get(request, *args, **kwargs)


class Me(APIView):
    """Whoever asks."""

    @extend_schema(operation_id="get_me", tags=["operation"], responses=MeAnswer)
    def get(self, request: Request) -> Response:
        """Your own account."""
        return Response(MeAnswer(request.user).data)
