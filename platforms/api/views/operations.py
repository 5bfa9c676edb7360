"""The standard interface of a platform, raw."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from console.api.reading import parsed
from console.api.views import StartsWork
from console.models import Flow
from platforms.api.serializers import OperationAnswer, OperationRequest, StartedOperation
from platforms.services.operations import operate
from platforms.standard import OPERATIONS


class Operate(StartsWork, APIView):
    """One operation."""

    @extend_schema(
        operation_id="operate_platform",
        tags=["platforms"],
        request=OperationRequest,
        responses={200: OperationAnswer, 202: StartedOperation},
        examples=[
            OpenApiExample("get_network", request_only=True, value={"request": {"network_id": "n-17"}}),
        ],
    )
    def post(self, request: Request, oemtype: str, operation: str) -> Response:
        """Ask a platform directly: what reads answers at once (200), what changes something is a flow (202).

        With the platform's own credential. For administrators; every call is in the audit log.
        What the platform refuses is 502.
        """
        wanted = parsed(OperationRequest, request)["request"]

        def ask() -> dict[str, Any]:
            found = operate(actor=request.user, oemtype=oemtype, operation=operation, request=wanted)  # type: ignore[arg-type]
            key = "flow" if isinstance(found, Flow) else "answer"
            return {"operation": operation, key: str(found.pk) if isinstance(found, Flow) else found}

        known = OPERATIONS.get(operation)
        return self.start(request, ask) if known is not None and known.writes else Response(ask())
