"""Addresses for tests beside the console's own: views that start a flow, and views that fail in every way."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.urls import path
from django.views import View
from rest_framework import exceptions, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from console import errors, flows, urls
from console.api import problems
from console.api.reading import parsed
from console.api.serializers import StrictSerializer
from console.api.views import StartsWork
from console.flows import Blueprint, Task
from console.models import User
from console.services.tokens import BadCredentials
from console.transactions import use_case

handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500

SECRET = "inner-detail-of-the-program"
FAILURES: dict[str, Exception] = {
    "unexpected": ValueError(SECRET),
    "console": errors.ConsoleError("Our fault."),
    "bad-request": errors.BadRequest("Bad."),
    "not-allowed": errors.NotAllowed("Not you."),
    "missing": errors.Missing(),
    "conflict": errors.Conflict("Too late."),
    "blocked": errors.Blocked([errors.Blocker("union", "Quit it first.", "/unions/u-1")]),
    "not-supported": errors.NotSupported("It cannot."),
    "too-large": errors.TooLarge("Too much."),
    "invalid": errors.Invalid.field("organization.nodelist.0.port", "No port."),
    "too-many": errors.TooMany("Slowly."),
    "busy": errors.Busy("Later."),
    "platform-refused": errors.PlatformRefused("It said no.", code="quota"),
    "platform-unavailable": errors.PlatformUnavailable("It is away."),
    "outcome-unknown": errors.OutcomeUnknown("Who knows."),
    "bad-credentials": BadCredentials("Wrong."),
    "unauthenticated": problems.Unauthenticated("Who are you?"),
    "drf-validation": exceptions.ValidationError({"orgs": [{}, {"name": ["Missing."]}], "non_field_errors": ["No."]}),
    "drf-validation-text": exceptions.ValidationError("No."),
    "drf-permission": exceptions.PermissionDenied("Not you."),
    "drf-not-found": exceptions.NotFound(),
    "drf-parse": exceptions.ParseError("line 1"),
    "drf-media": exceptions.UnsupportedMediaType("text/csv"),
    "drf-method": exceptions.MethodNotAllowed("PUT"),
    "drf-acceptable": exceptions.NotAcceptable(),
    "drf-throttled": exceptions.Throttled(wait=7),
    "drf-unauthenticated": exceptions.NotAuthenticated(),
    "django-permission": PermissionDenied("Not you."),
    "django-404": Http404(),
    "django-too-big": RequestDataTooBig(SECRET),
    "django-suspicious": SuspiciousOperation(SECRET),
    "django-unreadable": UnreadablePostError(SECRET),
    "database-value": DataError(SECRET),
    "database-away": OperationalError(SECRET),
    "sqlite-number": OverflowError("Python int too large to convert to SQLite INTEGER"),
}


class Fails(APIView):
    permission_classes = [AllowAny]

    def get(self, request: Request, name: str) -> Response:
        raise FAILURES[name]


class FailingPage(View):
    def get(self, request: HttpRequest, name: str) -> HttpResponse:
        raise FAILURES[name]


class Order(StrictSerializer):
    name = serializers.CharField(max_length=20)


@use_case
def order(*, actor: User, name: str, answer: dict[str, Any] | None = None) -> str:
    """Promise to do something; what nobody can do is refused."""
    if name == "impossible":
        raise errors.Conflict("Nobody can do that.")
    plan = [Task("a", "tests.note", "Do it", arguments={"name": name})]
    blueprint = Blueprint("tests.order", "Order %(name)s", lambda _arguments: plan)
    values = {"name": name}
    return str(
        flows.start(blueprint, subject=actor, requested_by=actor, arguments={}, title_values=values, answer=answer).pk
    )


class Orders(StartsWork, APIView):
    def post(self, request: Request, **where: Any) -> Response:
        wanted = parsed(Order, request)
        return self.start(request, lambda: {"flow": order(actor=request.user, **wanted), **wanted})

    delete = post


urlpatterns = [
    path("api/v1/tests/fails/<str:name>", Fails.as_view()),
    path("api/v1/tests/orders", Orders.as_view()),
    path("api/v1/tests/orders/<str:place>", Orders.as_view()),
    path("tests/fails/<str:name>", FailingPage.as_view()),
    *urls.urlpatterns,
]
