"""Looking at files before a registration, and the schema that they follow."""

from __future__ import annotations

import json
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from console.api.reading import parsed
from console.policies import require
from platforms.api.serializers import CheckAnswer, DryRunAnswer, DryRunRequest, FilesRequest
from platforms.mapping.template import schema
from platforms.policies import may_register_platform
from platforms.services import files as service


def texts(wanted: dict[str, Any]) -> dict[str, Any]:
    """Files as texts, whichever way they came."""
    return {
        name: json.dumps(value) if name in ("api_file", "mapping") and isinstance(value, dict) else value
        for name, value in wanted.items()
    }


class CheckFiles(APIView):
    """The static check."""

    @extend_schema(operation_id="check_platform_files", tags=["platforms"], request=FilesRequest, responses=CheckAnswer)
    def post(self, request: Request) -> Response:
        """Check API file, mapping and samples without asking a platform. Nothing is kept. For administrators."""
        require(may_register_platform(request.user))  # type: ignore[arg-type]
        report = service.check(actor=request.user, **texts(parsed(FilesRequest, request)))  # type: ignore[arg-type]
        return Response(CheckAnswer(report).data)


class DryRunFiles(APIView):
    """A run on samples."""

    @extend_schema(
        operation_id="dry_run_platform_files", tags=["platforms"], request=DryRunRequest, responses=DryRunAnswer
    )
    def post(self, request: Request) -> Response:
        """What an operation would send, and its answer or its first fault, with samples for answers.

        Nothing is sent, nothing is kept. For administrators.
        """
        require(may_register_platform(request.user))  # type: ignore[arg-type]
        outcome = service.run_dry(actor=request.user, **texts(parsed(DryRunRequest, request)))  # type: ignore[arg-type]
        return Response(DryRunAnswer(outcome.as_dict()).data)


class MappingSchema(APIView):
    """The language of mapping templates."""

    @extend_schema(operation_id="get_mapping_schema", tags=["platforms"], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """The JSON Schema of mapping templates, for editors that complete and check."""
        return Response(schema())
