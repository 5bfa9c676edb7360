"""Drifts: have them looked for, read them, mend or ignore them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from console.api.reading import parsed
from console.api.views import StartsWork
from unions import reads
from unions.api.filters import DriftFilter
from unions.api.serializers import (
    DriftAnswer,
    DriftDetailAnswer,
    IgnoreRequest,
    MendRequest,
    StartedComparison,
    StartedProposal,
)
from unions.api.views.unions import actor_of, promised
from unions.drifts.ways import way_named
from unions.models import Drift, Proposal
from unions.services import drifts as service


def in_full(request: Request, drift_id: int) -> Response:
    drift = reads.found(reads.drifts(actor_of(request)), pk=drift_id)
    return Response(DriftDetailAnswer(drift, context={"request": request}).data)


class Drifts(generics.ListAPIView[Drift]):
    """Where platforms and the records differ."""

    serializer_class = DriftAnswer
    filterset_class = DriftFilter
    ordering_fields = ["found_at", "seen_at", "kind", "state"]

    def get_queryset(self) -> QuerySet[Drift]:
        return reads.drifts(self.request.user)  # type: ignore[arg-type]

    @extend_schema(operation_id="list_drifts", tags=["drifts"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Differences between platforms and the records that concern you; overseers see all."""
        return super().get(request, *args, **kwargs)


class DriftDetail(APIView):
    """One difference."""

    @extend_schema(operation_id="get_drift", tags=["drifts"], responses=DriftDetailAnswer)
    def get(self, request: Request, drift_id: int) -> Response:
        """One difference, both sides of it, and the ways to mend it."""
        return in_full(request, drift_id)


class MendDrift(StartsWork, APIView):
    """Mend it."""

    @extend_schema(
        operation_id="mend_drift",
        tags=["drifts"],
        request=MendRequest,
        responses={200: DriftDetailAnswer, 202: StartedProposal},
    )
    def post(self, request: Request, drift_id: int) -> Response:
        """Mend a difference in one of its ways.

        What touches organizations is proposed to them: 202, with the flow and the proposal. What is a matter of the
        records alone is done at once, on an administrator's word: 200.
        """
        wanted, actor = parsed(MendRequest, request), actor_of(request)
        drift = reads.found(reads.drifts(actor), pk=drift_id)
        way = way_named(drift.kind, wanted["way"])
        if way is not None and way.apply is not None:
            service.mend_drift(actor=actor, drift_id=drift_id, **wanted)
            return in_full(request, drift_id)
        return self.start(
            request, lambda: promised(proposed(service.mend_drift(actor=actor, drift_id=drift_id, **wanted)))
        )


def proposed(drift: Drift) -> Proposal:
    if drift.proposal is None:
        raise RuntimeError("a way that asks was not proposed")
    return drift.proposal


class IgnoreDrift(APIView):
    """Leave it as it is."""

    @extend_schema(operation_id="ignore_drift", tags=["drifts"], request=IgnoreRequest, responses=DriftDetailAnswer)
    def post(self, request: Request, drift_id: int) -> Response:
        """Leave a difference as it is, and say why. For administrators."""
        service.ignore_drift(actor=actor_of(request), drift_id=drift_id, **parsed(IgnoreRequest, request))
        return in_full(request, drift_id)


class ReopenDrift(APIView):
    """Look at it again."""

    @extend_schema(operation_id="reopen_drift", tags=["drifts"], request=None, responses=DriftDetailAnswer)
    def post(self, request: Request, drift_id: int) -> Response:
        """Open an ignored difference again. For administrators."""
        service.reopen_drift(actor=actor_of(request), drift_id=drift_id)
        return in_full(request, drift_id)


class ComparePlatform(StartsWork, APIView):
    """Compare a whole platform."""

    @extend_schema(operation_id="reconcile_platform", tags=["drifts"], request=None, responses={202: StartedComparison})
    def post(self, request: Request, oemtype: str) -> Response:
        """Compare all that a platform has with the records. For administrators."""
        actor = actor_of(request)
        return self.start(request, lambda: {"flow": str(service.compare_platform(actor=actor, oemtype=oemtype).pk)})


class CompareUnion(StartsWork, APIView):
    """Compare one union."""

    @extend_schema(operation_id="reconcile_union", tags=["drifts"], request=None, responses={202: StartedComparison})
    def post(self, request: Request, unionid: str) -> Response:
        """Compare one union with what its platform has. For administrators, and who speaks for a member."""
        actor = actor_of(request)
        return self.start(request, lambda: {"flow": str(service.compare_union(actor=actor, unionid=unionid).pk)})
