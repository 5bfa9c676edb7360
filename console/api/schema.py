"""What every operation of the OpenAPI file has: how it refuses; where work is started, idempotency key and `Location`.

How an operation can refuse follows from its verb, its body, its parameters, its view, and the statuses that its
description names. The answers stand once, among the file's components; operations point at them.
"""

from __future__ import annotations

import json
import re
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent, build_mock_request
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from console.models import ConsoleRole, User

KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="A text of your choice, new for every request that means something new. A repeat with the same key "
    "and the same request starts nothing and answers the same; with another request it is refused (422).",
)
LOCATION = {
    "description": "Address of the flow that was started.",
    "required": True,
    "schema": {"type": "string", "format": "uri-reference"},
}
RETRY_AFTER = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
# Status → name among the components, and when it is answered.
REFUSALS = {
    "400": ("BadRequest", "The body is not valid JSON."),
    "401": ("NotSignedIn", "Nobody is signed in: no token, an unknown, expired or revoked one, or a wrong password."),
    "403": ("NotAllowed", "You may not, or a read-only token may not; `detail` says why."),
    "404": ("NotFound", "There is no such thing, or none that you can see; or no such page of a list."),
    "409": ("Conflict", "Not now, or not on this platform. `blockers`, if any, name what has to be seen to first."),
    "413": ("TooLarge", "The body is too large."),
    "415": ("WrongMediaType", "The body is not application/json."),
    "422": ("Invalid", "`errors` names the fields at fault; or the Idempotency-Key was used for another request."),
    "429": ("TooMany", "Too many requests."),
    "502": ("PlatformRefused", "The platform or the node said no, or answered nonsense."),
    "503": ("NotAvailable", "The console's database or the platform does not answer; asking again can help."),
    "default": ("Refused", "What is wrong, and where."),
}


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


class ProblemBlocker(serializers.Serializer[Any]):
    """One thing that has to be seen to first."""

    code = serializers.CharField(help_text="What kind of thing. Stable: programs may rely on it.")
    detail = serializers.CharField(help_text="What it is, and the way out.")
    link = serializers.CharField(allow_blank=True, help_text="Path of its page in the console; empty if it has none.")


class Problem(serializers.Serializer[Any]):
    """Problem details (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(help_text="Stable: programs may rely on it.")
    errors = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="What is wrong with which field, by its dotted path (`organization.nodelist.0.port`).",
    )
    blockers = ProblemBlocker(many=True, required=False, help_text="Everything that stands in the way.")
    note = serializers.CharField(required=False, help_text="Where and what exactly, for operators.")


class ConsoleSchema(AutoSchema):
    def get_override_parameters(self) -> list[Any]:
        return [*super().get_override_parameters(), *([KEY] if self._starts_work() else [])]

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> dict[str, Any] | None:
        operation = super().get_operation(path, path_regex, path_prefix, method, registry)
        if operation is None:
            return None
        answers = operation["responses"]
        if self._starts_work() and "202" in answers:
            answers["202"]["headers"] = {"Location": self._component("headers", "Flow", LOCATION)}
        for status in self._refusals(operation):
            answers.setdefault(status, self._refusal(status))
        return operation

    def _starts_work(self) -> bool:
        from console.api.views import StartsWork

        return isinstance(self.view, StartsWork) and self.method in ("POST", "DELETE")

    def _refusals(self, operation: dict[str, Any]) -> list[str]:
        """By which status this operation can refuse, as far as that can be told from what it is."""
        parameters, body = operation.get("parameters", ()), "requestBody" in operation
        places, paged = {each["in"] for each in parameters}, any(each["name"] == "page" for each in parameters)
        named = set(re.findall(r"\b[45]\d\d\b", operation.get("description", "")))
        for_anybody = any(isinstance(each, AllowAny) for each in self.view.get_permissions())
        can = {
            "400": body,
            "401": True,
            "403": not for_anybody,
            "404": "path" in places or paged or (body and not for_anybody),
            "409": self.method != "GET",
            "413": body,
            "415": body,
            "422": body or bool(places - {"path"}),
            "429": bool(self.view.get_throttles()) or getattr(self.view, "counts_calls", False),
            "502": False,
            "503": True,
            "default": True,
        }
        return [status for status, possible in can.items() if possible or status in named]

    def _refusal(self, status: str) -> dict[str, Any]:
        name, description = REFUSALS[status]
        problem = self.resolve_serializer(Problem, "response").ref
        answer: dict[str, Any] = {
            "description": description,
            "content": {"application/problem+json": {"schema": problem}},
        }
        if status == "429":
            answer["headers"] = {"Retry-After": RETRY_AFTER}
        return self._component("responses", name, answer)

    def _component(self, kind: str, name: str, drawn: dict[str, Any]) -> dict[str, Any]:
        """A reference to a component that many operations share."""
        component = ResolvedComponent(name=name, type=kind, schema=drawn, object=name)
        self.registry.register_on_missing(component)
        return component.ref


class TokenScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI file describes the above."""

    target_class = "console.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token from `POST /api/v1/tokens`."}
