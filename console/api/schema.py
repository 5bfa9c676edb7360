"""What every operation of the OpenAPI file has: a problem answer, and the idempotency key where work is started."""

from __future__ import annotations

import json
import re
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_mock_request
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request

from console.models import ConsoleRole, User

KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="A text of your choice, new for every request that means something new. A repeat with the same key "
    "and the same request starts nothing and answers the same; with another request it is refused (422).",
)


def reader(method: str, path: str, view: Any, original_request: Request | None, **kwargs: Any) -> Request:
    """Who reads the API when its file is drawn: somebody who sees every list."""
    request = build_mock_request(method, path, view, original_request, **kwargs)
    request.user = User(pk=0, username="schema", console_role=ConsoleRole.ADMINISTRATOR)
    return request


def without_stutter(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Components are split into what is sent and what is answered; what is only ever sent is named so already."""
    stutter = re.compile(r"(?<=[a-z])RequestRequest\b")
    taken = {stutter.sub("Request", name) for name in result["components"]["schemas"] if stutter.search(name)}
    if taken & set(result["components"]["schemas"]):
        return result
    return json.loads(stutter.sub("Request", json.dumps(result, default=str)))


class Problem(serializers.Serializer[Any]):
    """Problem details (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(help_text="Stable: programs may rely on it.")
    errors = serializers.DictField(child=serializers.ListField(child=serializers.CharField()), required=False)
    note = serializers.CharField(required=False, help_text="Where and what exactly, for operators.")


class ConsoleSchema(AutoSchema):
    def get_override_parameters(self) -> list[Any]:
        from console.api.views import StartsWork

        starts = isinstance(self.view, StartsWork) and self.method in ("POST", "DELETE")
        return [*super().get_override_parameters(), *([KEY] if starts else [])]

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction=direction)
        problem = OpenApiResponse(Problem, description="What is wrong, and where.")
        bodies["default"] = self._get_response_for_code(problem, "default", ["application/problem+json"], direction)
        return bodies


class TokenScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI file describes the above."""

    target_class = "console.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token from `POST /api/v1/tokens`."}
