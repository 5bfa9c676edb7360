"""Take-overs of networks that a platform has already. For administrators."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chains import reads
from chains.api.filters import TakeOverFilter
from chains.api.take_over_serializers import (
    StartedTakeOver,
    TakeOverAnswer,
    TakeOverBrief,
    TakeOverRequest,
)
from chains.models import TakeOver
from chains.services import takeover as service
from console.api.reading import parsed
from console.api.views import StartsWork
from console.models import User
from console.policies import require
from platforms.policies import may_see_platform_details
from platforms.reads import platform_named
from unions.reads import found


class TakeOverNetworks(StartsWork, APIView):
    """Networks that exist become unions here."""

    @extend_schema(
        operation_id="take_over",
        tags=["platforms"],
        request=TakeOverRequest,
        responses={202: StartedTakeOver},
        examples=[
            OpenApiExample(
                "preview", summary=_("See what is there"), request_only=True, value={"dry_run": True, "network_ids": []}
            )
        ],
    )
    def post(self, request: Request, oemtype: str) -> Response:
        """Read networks, check them, and create their unions, chains, nodes and placeholders here.

        Nothing changes on the platform. A dry run ends with the preview. For administrators.
        """
        wanted, actor = parsed(TakeOverRequest, request), _actor(request)
        return self.start(request, lambda: _started(service.request_take_over(actor=actor, oemtype=oemtype, **wanted)))


class TakeOvers(generics.ListAPIView[TakeOver]):
    """Take-overs of one platform, newest first."""

    serializer_class = TakeOverBrief
    filterset_class = TakeOverFilter
    ordering_fields = ["created_at"]

    def get_queryset(self) -> QuerySet[TakeOver]:
        if getattr(self, "swagger_fake_view", False):
            return TakeOver.objects.none()
        require(may_see_platform_details(_actor(self.request)))
        platform = platform_named(_actor(self.request), self.kwargs["oemtype"])
        return reads.take_overs(_actor(self.request)).filter(platform=platform)

    @extend_schema(operation_id="list_take_overs", tags=["platforms"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take-overs and previews of the platform's networks. For administrators and auditors."""
        return super().get(request, *args, **kwargs)


class TakeOverDetail(APIView):
    """One take-over."""

    @extend_schema(operation_id="get_take_over", tags=["platforms"], responses=TakeOverAnswer)
    def get(self, request: Request, take_over_id: int) -> Response:
        """Each network with its verdict and what is, or would be, created. For administrators and auditors."""
        return Response(TakeOverAnswer(found(reads.take_overs(_actor(request)), pk=take_over_id)).data)


def _actor(request: Request) -> User:
    return request.user  # type: ignore[return-value]


def _started(take_over: TakeOver) -> dict[str, Any]:
    return {
        "flow": str(take_over.flow_id),
        "take_over": str(take_over.pk),
        "oemtype": take_over.platform.oemtype,
        "dry_run": take_over.dry_run,
    }
