"""Presets: files for platforms that are known already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from console.api.queries import KnownParameters, PlainOrdering
from console.api.reading import parsed_query
from console.policies import require
from platforms.api.serializers import PresetAnswer, PresetBrief, PresetQuery
from platforms.policies import may_register_platform
from platforms.presets import Preset, preset, presets


class Presets(generics.ListAPIView[Any]):
    """All of them."""

    serializer_class = PresetBrief
    filter_backends = [KnownParameters, PlainOrdering]
    query_parameters = ("kernel", "cloudtype")
    ordering_fields = ["title", "kernel", "cloudtype"]

    def get_queryset(self) -> Sequence[Preset]:  # type: ignore[override]
        asked = parsed_query(PresetQuery, self.request)
        return [each for each in presets() if all(getattr(each, name) == value for name, value in asked.items())]

    @extend_schema(operation_id="list_platform_presets", tags=["platforms"], parameters=[PresetQuery])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Platforms whose files are at hand, ready to be registered. For administrators."""
        require(may_register_platform(request.user))  # type: ignore[arg-type]
        return super().get(request, *args, **kwargs)


class PresetDetail(APIView):
    """One of them."""

    @extend_schema(operation_id="get_platform_preset", tags=["platforms"], responses=PresetAnswer)
    def get(self, request: Request, name: str) -> Response:
        """API file, mapping, samples, what the platform can do, and what a registrant fills in. For administrators.

        Registering is `POST platforms` with these files; parameters are values in the mapping's text.
        """
        require(may_register_platform(request.user))  # type: ignore[arg-type]
        return Response(PresetAnswer(preset(name)).data)
