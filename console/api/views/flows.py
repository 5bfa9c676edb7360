"""Flows: follow them, read their logs, and what an operator may do to them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from console import reads
from console.api.filters import FlowFilter, FlowLogFilter
from console.api.reading import parsed, parsed_query
from console.api.serializers import (
    CancelRequest,
    DecideRequest,
    FlowAnswer,
    FlowDetailAnswer,
    FlowReadRequest,
    StepLogAnswer,
)
from console.models import Flow, StepLog
from console.services import flows as service


def in_full(request: Request, flow_id: UUID, *, log: bool = False) -> Response:
    """A flow with its steps, as it stands now."""
    return Response(FlowDetailAnswer(reads.found(reads.flows_in_full(request.user, log=log), pk=flow_id)).data)  # type: ignore[arg-type]


class Flows(generics.ListAPIView[Flow]):
    """Work under way and work that has ended."""

    serializer_class = FlowAnswer
    filterset_class = FlowFilter
    ordering_fields = ["created_at", "ended_at", "state", "kind"]
    ordering = ["-created_at"]

    def get_queryset(self) -> QuerySet[Flow]:
        return reads.flows(self.request.user)  # type: ignore[arg-type]

    @extend_schema(operation_id="list_flows", tags=["flows"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Flows that you asked for or that concern you; overseers see all."""
        return super().get(request, *args, **kwargs)


class FlowDetail(APIView):
    """One flow."""

    @extend_schema(operation_id="get_flow", tags=["flows"], parameters=[FlowReadRequest], responses=FlowDetailAnswer)
    def get(self, request: Request, flow_id: UUID) -> Response:
        """One flow and its steps. Ask again until `state` is neither `running` nor `waiting`."""
        return in_full(request, flow_id, **parsed_query(FlowReadRequest, request))


class FlowLog(generics.ListAPIView[StepLog]):
    """What the steps of one flow wrote down."""

    serializer_class = StepLogAnswer
    filterset_class = FlowLogFilter
    ordering_fields = ["id"]

    def get_queryset(self) -> QuerySet[StepLog]:
        if getattr(self, "swagger_fake_view", False):
            return StepLog.objects.none()
        flow = reads.found(reads.flows(self.request.user), pk=self.kwargs["flow_id"])  # type: ignore[arg-type]
        return reads.log_of(flow)

    @extend_schema(operation_id="list_flow_log", tags=["flows"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The runtime log of one flow: attempts, requests and answers, waits. Secrets are cleansed."""
        return super().get(request, *args, **kwargs)


class CancelFlow(APIView):
    """Stop a flow."""

    @extend_schema(operation_id="cancel_flow", tags=["flows"], request=CancelRequest, responses=FlowDetailAnswer)
    def post(self, request: Request, flow_id: UUID) -> Response:
        """Stop a flow; what it has done so far is taken back. For administrators."""
        service.cancel_flow(actor=request.user, flow_id=flow_id, **parsed(CancelRequest, request))  # type: ignore[arg-type]
        return in_full(request, flow_id)


class Decide(APIView):
    """Tell a flow how to go on."""

    @extend_schema(operation_id="decide_step", tags=["flows"], request=DecideRequest, responses=FlowDetailAnswer)
    def post(self, request: Request, flow_id: UUID) -> Response:
        """Answer the step that asks an operator how to go on. For administrators.

        A platform that does not answer whether it has made something is not asked for it twice: the step waits
        (`needs_decision`), with the question and what was found on the platform.
        """
        asked = parsed(DecideRequest, request)
        service.decide_step(actor=request.user, flow_id=flow_id, step_id=asked.pop("step"), **asked)  # type: ignore[arg-type]
        return in_full(request, flow_id)


class RetryStep(APIView):
    """Try a step again."""

    @extend_schema(operation_id="retry_step", tags=["flows"], request=None, responses=FlowDetailAnswer)
    def post(self, request: Request, flow_id: UUID, step_id: int) -> Response:
        """Try a step again at once: it waits for its next attempt, or its undoing failed. For administrators."""
        service.retry_step(actor=request.user, flow_id=flow_id, step_id=step_id)  # type: ignore[arg-type]
        return in_full(request, flow_id)


class SkipStep(APIView):
    """Go on without a step."""

    @extend_schema(operation_id="skip_step", tags=["flows"], request=None, responses=FlowDetailAnswer)
    def post(self, request: Request, flow_id: UUID, step_id: int) -> Response:
        """Go on without a step, or without its undoing when that was done by hand. For administrators."""
        service.skip_step(actor=request.user, flow_id=flow_id, step_id=step_id)  # type: ignore[arg-type]
        return in_full(request, flow_id)
